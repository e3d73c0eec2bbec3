//! Statistics of a link: what its clicks over 14 days come to, with a million and ten million.
//!
//! One link of a workspace has them all, evenly over the days: 80 countries, 300 referrers, 400
//! user agents, 60 languages, three rules, and every click a visitor of its own. They are flushed
//! to LMDB; the last thousand wait in memory. `picture` is what a page of statistics asks: sums,
//! days, hours, weekdays, every breakdown, the days before, the newest 25 clicks. Printed is the
//! CPU time of a call, all threads, and how long it took.
//!
//! `cargo bench -p waypost-benches --bench stats`

use std::{sync::Arc, time::Instant};

use tempfile::TempDir;
use waypost_benches::clicks::mix;
use waypost_link::{
    Change, ClickId, Destination, DomainId, Link, LinkId, Record, Slug, Timestamp, Workspace,
    WorkspaceId,
};
use waypost_lmdb::{LmdbStore, Options};
use waypost_service::{Days, Policy, Service, Subject};
use waypost_storage::{
    Address, Batch, BatchBuilder, Epoch, LinkStore, Mark, Row, Sink, Text, limits,
};

const NOW: Timestamp = Timestamp(500_000 * Timestamp::HOUR + Timestamp::HOUR / 2);
const LINK: LinkId = LinkId(1);
const WORKSPACE: WorkspaceId = WorkspaceId(1);
const DAYS: usize = 14;
/// Parts of the days that are a batch each: half an hour.
const BATCHES: i64 = 2 * 24 * DAYS as i64;
const SIZES: [i64; 2] = [1_000_000, 10_000_000];

fn agent(n: u64) -> String {
    let (system, browser) = match n % 4 {
        0 => ("Windows NT 10.0; Win64; x64", "Chrome"),
        1 => ("Macintosh; Intel Mac OS X 10_15_7", "Chrome"),
        2 => ("X11; Linux x86_64", "Firefox"),
        _ => ("Linux; Android 14; Pixel 8", "Chrome"),
    };
    format!("Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) {browser}/{n}.0.0.0")
}

/// Clicks `from` to before `to` of `all`, evenly over the days up to now.
fn batch(from: i64, to: i64, all: i64) -> Batch {
    let mut builder = BatchBuilder::default();
    let span = DAYS as i64 * Timestamp::DAY;
    for n in from..to {
        let dice = mix(n as u64);
        let at = NOW.plus((n as i128 * span as i128 / all as i128) as i64 - span);
        let mut text = |text: &str| {
            let index = builder.text(text.as_bytes(), limits::USER_AGENT);
            Text { index, text: "" }
        };
        let user_agent = text(&agent(dice % 400));
        let referrer = text(&format!("site-{:03}.example.com", (dice >> 9) % 300));
        let language = text(&format!("l{:02}", (dice >> 18) % 60));
        let rule = text(["", "a", "b"][(dice >> 24) as usize % 3]);
        let country = (dice >> 32) as u8 % 80;
        let row = Row {
            id: ClickId { received: at, link: LINK, salt: dice as u32 % ClickId::SALTS },
            workspace: WORKSPACE,
            visitor: dice,
            address: Address::Ip(((dice >> 16) as u32).to_be_bytes().into()),
            country: Some([b'A' + country / 26, b'A' + country % 26]),
            user_agent,
            referrer,
            language,
            rule,
            spent: true,
        };
        assert!(builder.push(&row), "a batch has room");
    }
    let mut bytes = Vec::new();
    builder.finish(&mut bytes);
    Batch::decode(bytes).expect("a batch")
}

fn fill(store: &LmdbStore, clicks: i64) {
    let start = Instant::now();
    let workspace = Workspace { name: "default".into(), ..Workspace::default() };
    let slug = Slug::parse("busy").expect("a code");
    let to = Destination::restore("https://example.com/").expect("a destination");
    let link = Link::new(WORKSPACE, DomainId::DEFAULT, slug, to, NOW);
    let changes =
        [Change::PutRecord(Record::Workspace(workspace)), Change::CreateLink(Box::new(link))];
    store.commit(&changes, NOW).expect("a commit");
    let edge = |sequence: i64| (clicks - 1_000) * sequence / BATCHES;
    for sequence in 1..=BATCHES {
        let batch = batch(edge(sequence - 1), edge(sequence), clicks);
        append(store, sequence as u64, &batch);
        if sequence % 48 == 0 {
            store.flush().expect("flush");
        }
    }
    append(store, BATCHES as u64 + 1, &batch(clicks - 1_000, clicks, clicks));
    println!("{clicks} clicks stored in {:.1?}", start.elapsed());
}

fn append(store: &LmdbStore, sequence: u64, batch: &Batch) {
    store.append(Mark { epoch: Epoch(1), sequence }, batch).expect("append");
}

fn service(clicks: i64) -> (Service, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LmdbStore::open(dir.path(), &Options::default()).expect("a store");
    fill(&store, clicks);
    let store = Arc::new(store);
    (Service::new(store.clone(), store, Policy::default(), || NOW), dir)
}

fn main() {
    for clicks in SIZES {
        let (service, _dir) = service(clicks);
        let stats = || service.stats(WORKSPACE).expect("its statistics");
        assert_eq!(stats().total(LINK).expect("a total").clicks, clicks as u64);
        let (link, days) = (Subject::Link(LINK), Days::last(DAYS, NOW));
        measure("picture of the link", &|| drop(stats().picture(&link, days).expect("it")));
        measure("its sums and breakdowns", &|| drop(stats().figures(&link, days).expect("them")));
        measure("its hours and weekdays", &|| _ = stats().clock(&link, days).expect("them"));
        measure("its newest 25 clicks", &|| drop(stats().newest(&link, 25).expect("them")));
        measure("its summary of all time", &|| _ = stats().summary(&[LINK]).expect("it"));
        for (name, span) in [("24 hours", Timestamp::DAY), ("7 days", 7 * Timestamp::DAY)] {
            let rolling = || _ = stats().rolling(&link, span).expect("a count");
            measure(&format!("its last {name}, to the second"), &rolling);
        }
        measure("overview of the workspace", &|| drop(stats().overview(days).expect("it")));
    }
}

/// Prints what a call takes, warmed up.
fn measure(what: &str, ask: &dyn Fn()) {
    const CALLS: u32 = 200;
    (0..CALLS / 10).for_each(|_| ask());
    let (start, before) = (Instant::now(), cpu());
    (0..CALLS).for_each(|_| ask());
    let (cpu, wall) = (cpu() - before, start.elapsed().as_secs_f64() * 1e3);
    let calls = f64::from(CALLS);
    println!("  {what}: {:.2} ms of CPU, {:.2} ms in all", cpu / calls, wall / calls);
}

/// CPU time of this process so far, in milliseconds, to a hundredth of a second.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').expect("a name").1.split_ascii_whitespace();
    let ticks: f64 = fields.skip(11).take(2).map(|n| n.parse::<f64>().expect("a number")).sum();
    ticks * 10.0
}
