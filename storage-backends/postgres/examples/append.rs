//! How many clicks a second one node gets into PostgreSQL, roll-ups included, and what that costs.
//!
//! `cargo run --release -p waypost-postgres --example append [CLICKS] [LINKS] [ROUNDS]`: batches of
//! 5,000 clicks as the journal has them, over links drawn uniformly, offered as fast as they are
//! taken and flushed once a round, into a server of its own with `fsync` on. Two hundred user
//! agents, and every click a visitor of its own. Later rounds raise the buckets of the earlier ones.

use std::{fs, time::Instant};

use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};
use waypost_postgres::{Options, PostgresStore, testing::Cluster};
use waypost_storage::{
    Address, Batch, BatchBuilder, Epoch, Maintain as _, Mark, Row, Sink as _, Text, limits,
};

const BATCH: usize = 5_000;
/// Another server may have the port.
const NO_PORT: &str = "listen_addresses=''";
/// Between clicks, in microseconds: 50,000 a second.
const STEP: i64 = 20;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse().expect("a number"));
    let clicks: usize = arguments.next().unwrap_or(500_000);
    let links = arguments.next().unwrap_or(10_000);
    let rounds: usize = arguments.next().unwrap_or(3);
    let cluster = Cluster::new();
    cluster.start(&["fsync=on", "shared_buffers=256MB", "max_wal_size=4GB", NO_PORT]);
    let socket = cluster.home().display().to_string().replace('/', "%2F");
    let url = format!("postgres://waypost@{socket}/postgres");
    let store = PostgresStore::open(&Options::parse(&url).expect("a URL")).expect("a store");
    println!("{clicks} clicks, {links} links, uniform");
    let mut load = Load { dice: 7, clock: 500_000 * Timestamp::HOUR, links };
    for round in 0..rounds {
        let batches: Vec<_> = (0..clicks / BATCH).map(|_| load.batch()).collect();
        measure(&store, round, &batches);
    }
    let report = store.check().expect("an answer");
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    println!("  {} clicks found, and their roll-ups", report.clicks);
    cluster.stop("fast");
}

fn measure(store: &PostgresStore, round: usize, batches: &[Batch]) {
    let (start, ours, theirs) = (Instant::now(), cpu(is_self), cpu(is_server));
    for (sequence, batch) in (1..).zip(batches) {
        let mark = Mark { epoch: Epoch(round as u128), sequence };
        store.append(mark, batch).expect("append");
    }
    store.flush().expect("flush");
    let (seconds, clicks) = (start.elapsed().as_secs_f64(), (batches.len() * BATCH) as f64);
    println!(
        "  round {round}: {:.0} clicks/s; CPU a click: node {:.1} µs, server {:.1} µs",
        clicks / seconds,
        (cpu(is_self) - ours) * 1e6 / clicks,
        (cpu(is_server) - theirs) * 1e6 / clicks,
    );
}

fn is_self(pid: u32, _name: &str) -> bool {
    pid == std::process::id()
}

/// Those of other servers on this machine too.
fn is_server(_pid: u32, name: &str) -> bool {
    name == "postgres"
}

/// CPU time of some processes so far, in seconds, to a hundredth.
fn cpu(of: fn(u32, &str) -> bool) -> f64 {
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    processes
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
            let ticks = fields.split_ascii_whitespace().skip(11).take(2);
            of(pid, name).then(|| ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>())
        })
        .sum::<f64>()
        / 100.0
}

struct Load {
    dice: u64,
    clock: i64,
    links: usize,
}

impl Load {
    fn batch(&mut self) -> Batch {
        let mut builder = BatchBuilder::default();
        for _ in 0..BATCH {
            self.clock += STEP;
            let (link, number) = (self.roll() as usize % self.links, self.roll());
            let agent = format!("Mozilla/5.0 (Windows NT 10.0) Chrome/{}.0.0.0", number % 200);
            let mut text = |text: &str| {
                let index = builder.text(text.as_bytes(), limits::USER_AGENT);
                Text { index, text: "" }
            };
            let (user_agent, referrer) = (text(&agent), text("news.example"));
            let (language, rule) = (text("en-US"), text(""));
            let row = Row {
                id: ClickId {
                    received: Timestamp(self.clock),
                    link: LinkId(1 + link as u64),
                    salt: number as u32 % ClickId::SALTS,
                },
                workspace: WorkspaceId(1),
                visitor: self.roll(),
                address: Address::Ip((number as u32).to_be_bytes().into()),
                country: Some([b'A' + (number % 9) as u8, b'Z']),
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
        Batch::decode(bytes).expect("a batch")
    }

    /// SplitMix64.
    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }
}
