//! What a click costs the store: CPU nanoseconds of all threads, appended and flushed.
//!
//! `cargo run --release -p waypost-lmdb --example append [CLICKS] [LINKS] [ROUNDS]`: batches of
//! 5,000 clicks as the journal has them, over links drawn uniformly and by Zipf's law, flushed once
//! a round; 4,000 user agents, 300 referrers, 60 languages and 80 countries, Zipf all four, and
//! nearly every click a visitor of its own. Later rounds raise the buckets of the earlier ones.

use std::{fs, time::Instant};

use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};
use waypost_lmdb::{LmdbStore, Options};
use waypost_storage::{
    Address, Batch, BatchBuilder, ClickQuery, ClickScope, ClickStore, Detail, Epoch, Grain, Mark,
    Order, Row, Scope, Sink, TallyQuery, Text, limits,
};

const BATCH: usize = 5_000;
/// Between clicks: half a million a second.
const STEP: i64 = 2;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse().expect("a number"));
    let clicks: usize = arguments.next().unwrap_or(4_000_000);
    let links = arguments.next().unwrap_or(100_000);
    let rounds: usize = arguments.next().unwrap_or(3);
    for zipf in [false, true] {
        println!("{clicks} clicks, {links} links, {}", if zipf { "Zipf" } else { "uniform" });
        measure(clicks, links, rounds, zipf);
    }
}

fn measure(clicks: usize, links: usize, rounds: usize, zipf: bool) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LmdbStore::open(dir.path(), &Options::default()).expect("a store");
    let mut load = Load::new(links, zipf);
    let mut sequence = 0;
    for round in 0..rounds {
        let batches: Vec<_> = (0..clicks / BATCH).map(|_| load.batch()).collect();
        let per_click = |nanos: f64| nanos / (batches.len() * BATCH) as f64;
        let start = cpu();
        for batch in &batches {
            sequence += 1;
            let batch = Batch::decode(batch.clone()).expect("a batch");
            store.append(Mark { epoch: Epoch(1), sequence }, &batch).expect("append");
        }
        let appended = cpu();
        store.flush().expect("flush");
        let flushed = cpu();
        println!(
            "  round {round}: append {:.0}, flush {:.0}, together {:.0} ns a click",
            per_click(appended - start),
            per_click(flushed - appended),
            per_click(flushed - start),
        );
    }
    let size = fs::metadata(dir.path().join("clicks/data.mdb")).expect("its file").len();
    println!("  {} bytes a click on disk", size / (clicks * rounds) as u64);
    // What is asked while clicks wait in memory.
    for _ in 0..clicks / BATCH / 2 {
        sequence += 1;
        let batch = Batch::decode(load.batch()).expect("a batch");
        store.append(Mark { epoch: Epoch(1), sequence }, &batch).expect("append");
    }
    read(&store, load.busiest());
}

fn read(store: &LmdbStore, link: LinkId) {
    let timed = |what: &str, ask: &dyn Fn()| {
        let start = Instant::now();
        ask();
        println!("  {what}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    };
    let scopes = [Scope::Links(vec![link]), Scope::Workspace(WorkspaceId(1))];
    for scope in scopes {
        let (grain, from, to, detail) = (Grain::Day, 0, i64::MAX, Detail::Shares);
        let query = TallyQuery { scope, grain, from, to, detail };
        let name = format!("tally by day, {:?}", query.scope);
        timed(&name, &|| drop(store.tally(&query).expect("a tally")));
    }
    for scope in [ClickScope::Link(link), ClickScope::Workspace(WorkspaceId(1))] {
        let (order, limit) = (Order::Descending, 100);
        let query = ClickQuery { scope, from: None, before: None, order, after: None, limit };
        timed(&format!("newest 100, {scope:?}"), &|| {
            assert!(!store.clicks(&query).expect("clicks").items.is_empty());
        });
    }
    let links: Vec<_> = (1..=10_000).map(LinkId).collect();
    timed("totals of 10,000 links", &|| drop(store.totals(&links).expect("totals")));
}

/// CPU time of this process so far, in nanoseconds, to a hundredth of a second.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').expect("a name").1.split_ascii_whitespace();
    let ticks: f64 = fields.skip(11).take(2).map(|n| n.parse::<f64>().expect("a number")).sum();
    ticks * 1e7
}

struct Load {
    dice: u64,
    clock: i64,
    links: usize,
    by_rank: Option<Zipf>,
    texts: [(Zipf, Vec<String>); 3],
    countries: Zipf,
}

impl Load {
    fn new(links: usize, zipf: bool) -> Self {
        let agent = |n| {
            format!(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/{:03}.0.{n:04}.0 Safari/537.36",
                n % 140
            )
        };
        Self {
            dice: 7,
            clock: 500_000 * Timestamp::HOUR,
            links,
            by_rank: zipf.then(|| Zipf::new(links)),
            texts: [
                (Zipf::new(4_000), (0..4_000).map(agent).collect()),
                (Zipf::new(300), (0..300).map(|n| format!("site-{n:03}.example.com")).collect()),
                (Zipf::new(60), (0..60).map(|n| format!("l{n:02}")).collect()),
            ],
            countries: Zipf::new(80),
        }
    }

    /// The link that is clicked most.
    fn busiest(&self) -> LinkId {
        LinkId(1)
    }

    fn batch(&mut self) -> Vec<u8> {
        let mut builder = BatchBuilder::default();
        for _ in 0..BATCH {
            let dice = &mut self.dice;
            self.clock += STEP;
            let mut text = |at: usize| {
                let (zipf, texts) = &self.texts[at];
                let text = &texts[zipf.draw(dice)];
                Text { index: builder.text(text.as_bytes(), limits::USER_AGENT), text: "" }
            };
            let (user_agent, referrer, language) = (text(0), text(1), text(2));
            let rule = Text { index: builder.text(b"", 1), text: "" };
            // The busiest links must not be neighbours by id.
            let link = match &self.by_rank {
                Some(zipf) => zipf.draw(dice) * 61_681 % self.links,
                None => roll(dice) as usize % self.links,
            };
            let country = self.countries.draw(dice) as u8;
            let row = Row {
                id: ClickId {
                    received: Timestamp(self.clock),
                    link: LinkId(1 + link as u64),
                    salt: roll(dice) as u32 % ClickId::SALTS,
                },
                workspace: WorkspaceId(1),
                visitor: roll(dice),
                address: Address::Ip((roll(dice) as u32).to_be_bytes().into()),
                country: Some([b'A' + country / 26, b'A' + country % 26]),
                user_agent,
                referrer,
                language,
                rule,
                spent: false,
            };
            assert!(builder.push(&row), "a batch has room");
        }
        let mut bytes = Vec::new();
        builder.finish(&mut bytes);
        bytes
    }
}

/// SplitMix64.
fn roll(dice: &mut u64) -> u64 {
    *dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (*dice ^ (*dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Ranks from 0, the nth drawn with a chance of 1/n.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(ranks: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=ranks).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self(sums.collect())
    }

    fn draw(&self, dice: &mut u64) -> usize {
        let whole = self.0.last().copied().unwrap_or_default();
        let at = (roll(dice) >> 11) as f64 / (1u64 << 53) as f64 * whole;
        self.0.partition_point(|&sum| sum < at).min(self.0.len() - 1)
    }
}
