//! The pipeline as a whole, against a sink that fails on purpose and a disk that fills up.

mod fakes;

use std::{
    fs,
    sync::{Arc, atomic::Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use waypost_link::{Click, IpPolicy, LinkId, Timestamp, WorkspaceId};
use waypost_storage::{Epoch, Sink};

use self::fakes::{Shelf, SmallDisk};
use crate::{Config, Pipeline, StartError, journal::SEGMENT_HEAD};

/// Far longer than anything here takes: reaching it is a failure.
const LONG: Duration = Duration::from_secs(60);

fn config(dir: &TempDir) -> Config {
    Config { lanes: 2, queue_bytes: 1 << 20, ..Config::new(dir.path().join("journal"), [7; 16]) }
}

fn start(config: &Config, sink: &Arc<Shelf>) -> Pipeline {
    Pipeline::start(config, Arc::<Shelf>::clone(sink) as Arc<dyn Sink>).unwrap()
}

fn click(link: u64) -> Click<'static> {
    Click {
        link: LinkId(link),
        workspace: WorkspaceId(1),
        at: Timestamp(1_600_000_000_000_000),
        salt: 0,
        ip: [203, 0, 113, 77].into(),
        country: Some(*b"DE"),
        spent: false,
        user_agent: b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        referrer: b"https://www.example.com/",
        language: b"de",
        rule: "",
    }
}

fn record(pipeline: &Pipeline, links: std::ops::Range<u64>) {
    links.for_each(|link| assert!(pipeline.recorder().record(link as usize, &click(link))));
}

/// Records links in batches of one, each waiting until the writer has it.
fn record_singly(pipeline: &Pipeline, links: std::ops::Range<u64>) {
    for link in links {
        let before = pipeline.stats().journaled;
        record(pipeline, link..link + 1);
        until(|| pipeline.stats().journaled > before);
    }
}

fn until(done: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < end, "waited in vain");
        thread::sleep(Duration::from_millis(1));
    }
}

fn segments(config: &Config) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(&config.directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn all(links: std::ops::Range<u64>) -> Vec<u64> {
    links.collect()
}

#[test]
fn a_clean_stop_loses_nothing_and_leaves_nothing() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|_| {}));
    let config = config(&dir);
    let pipeline = start(&config, &shelf);
    record(&pipeline, 0..5_000);
    assert!(pipeline.close(LONG));
    assert_eq!(shelf.links(), all(0..5_000));
    assert_eq!(segments(&config).len(), 0);
    let stats = pipeline.stats();
    assert_eq!((stats.recorded, stats.journaled, stats.shipped), (5_000, 5_000, 5_000));
    assert_eq!((stats.lost, stats.unjournaled, stats.duplicate, stats.journal_bytes), (0, 0, 0, 0));
    assert_eq!(stats.lag, Duration::ZERO);
    let (forgotten, marks) = {
        let state = shelf.state.lock();
        (state.forgotten.len(), state.marks.len())
    };
    assert_eq!((forgotten, marks), (1, 0));
    assert!(!pipeline.recorder().record(0, &click(1)));
    assert!(pipeline.close(LONG));
}

#[test]
fn settled_is_durable() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|_| {}));
    let pipeline = start(&config(&dir), &shelf);
    for n in 1..5 {
        record(&pipeline, n * 10..n * 10 + 10);
        assert!(pipeline.settle(LONG));
        let state = shelf.state.lock();
        assert_eq!(state.clicks.len() as u64, 10 * n);
        assert_eq!(state.durable, state.marks);
    }
    shelf.set(|state| state.away = true);
    record(&pipeline, 0..1);
    assert!(!pipeline.settle(Duration::from_millis(30)));
}

#[test]
fn overflow_is_counted_exactly() {
    const EACH: u64 = 20_000;
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|_| {}));
    let config = Config { queue_bytes: 0, flush: Duration::from_millis(50), ..config(&dir) };
    let pipeline = start(&config, &shelf);
    let pushed: u64 = thread::scope(|scope| {
        let work = |thread: u64| {
            let recorder = pipeline.recorder().clone();
            move || {
                let links = thread * EACH..(thread + 1) * EACH;
                links.filter(|&link| recorder.record(thread as usize, &click(link))).count() as u64
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(work(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(pipeline.close(LONG));
    let stats = pipeline.stats();
    assert!(stats.dropped > 0);
    assert_eq!((stats.recorded, stats.recorded + stats.dropped), (pushed, 4 * EACH));
    assert_eq!(shelf.links().len() as u64, pushed);
}

#[test]
fn a_store_that_is_behind_lags() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|_| {}));
    let pipeline = start(&config(&dir), &shelf);
    record(&pipeline, 0..3);
    assert!(pipeline.settle(LONG));
    assert_eq!(pipeline.stats().lag, Duration::ZERO);
    shelf.set(|state| state.behind = Some(Timestamp(0)));
    assert!(pipeline.stats().lag > Duration::from_secs(1_000_000), "since 1970");
}

/// A store that is away: clicks wait in memory and, past the bound, in the journal.
#[test]
fn an_outage_delays_clicks() {
    for backlog_bytes in [0, 2_000, 1 << 20] {
        let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|state| state.away = true));
        let config = Config { backlog_bytes, segment_bytes: 2_000, ..config(&dir) };
        let pipeline = start(&config, &shelf);
        record_singly(&pipeline, 0..40);
        until(|| pipeline.stats().sink_errors > 0);
        let stats = pipeline.stats();
        assert!(stats.lag > Duration::ZERO);
        assert!(stats.sink_error.is_some());
        assert_eq!((shelf.links().len(), stats.lost), (0, 0));
        shelf.set(|state| state.away = false);
        record_singly(&pipeline, 40..60);
        assert!(pipeline.settle(LONG));
        assert_eq!(shelf.links(), all(0..60), "backlog of {backlog_bytes}");
        assert_eq!((pipeline.stats().sink_error, pipeline.stats().shipped), (None, 60));
        // All but the open segment are durable and gone.
        assert_eq!(segments(&config).len(), 1);
        assert!(pipeline.close(LONG));
    }
}

#[test]
fn a_lost_acknowledgement_counts_once() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|state| state.deaf = 3));
    let pipeline = start(&config(&dir), &shelf);
    record_singly(&pipeline, 0..10);
    assert!(pipeline.close(LONG));
    assert_eq!(shelf.links(), all(0..10));
    assert_eq!((pipeline.stats().duplicate, pipeline.stats().shipped), (3, 7));
}

/// A store that never returns stops neither the journal nor the program.
#[test]
fn a_stuck_store_stops_nothing() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|state| state.stuck = true));
    let config = config(&dir);
    let pipeline = start(&config, &shelf);
    record_singly(&pipeline, 0..50);
    assert_eq!(pipeline.stats().journaled, 50);
    drop(pipeline);
    let shelf = Shelf::with(|_| {});
    let pipeline = start(&config, &shelf);
    assert!(pipeline.close(LONG));
    assert_eq!(shelf.links(), all(0..50));
}

/// A killed process, its last segment cut anywhere: every whole frame before the cut comes back.
#[test]
fn every_cut_replays_the_whole_frames_before_it() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|state| state.away = true));
    let config_1 = config(&dir);
    let pipeline = start(&config_1, &shelf);
    let mut ends = vec![SEGMENT_HEAD as u64];
    for link in 0..6 {
        record_singly(&pipeline, link..link + 1);
        ends.push(pipeline.stats().journal_bytes);
    }
    drop(pipeline);
    let [segment] = &segments(&config_1)[..] else { panic!("one segment") };
    let bytes = fs::read(segment).unwrap();
    assert_eq!(ends.last(), Some(&(bytes.len() as u64)));
    for cut in (0..=bytes.len()).step_by(7).chain(ends.iter().map(|&end| end as usize)) {
        let dir = TempDir::new().unwrap();
        let config = config(&dir);
        fs::create_dir(&config.directory).unwrap();
        let name = segment.file_name().unwrap();
        fs::write(config.directory.join(name), &bytes[..cut]).unwrap();
        let shelf = Shelf::with(|_| {});
        let pipeline = start(&config, &shelf);
        record(&pipeline, 100..102);
        assert!(pipeline.close(LONG));
        let whole = ends.iter().skip(1).filter(|&&end| end <= cut as u64).count() as u64;
        let expected: Vec<_> = (0..whole).chain(100..102).collect();
        assert_eq!(shelf.links(), expected, "cut at {cut}");
        assert_eq!(pipeline.stats().replayed, whole);
        assert_eq!((segments(&config).len(), pipeline.stats().damaged), (0, 0));
    }
}

/// Killed again and again, the store sometimes ahead of its disk: each click counts once.
#[test]
fn restarts_count_each_batch_once() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|_| {}));
    let config = config(&dir);
    for round in 0..4 {
        shelf.set(|state| (state.unflushable, state.away) = (round % 2 == 0, round == 3));
        let pipeline = start(&config, &shelf);
        record_singly(&pipeline, round * 10..round * 10 + 10);
        if round < 3 {
            until(|| pipeline.stats().shipped >= 10);
        }
    }
    let epochs = segments(&config).len();
    assert!(epochs > 1, "{epochs} segments were left");
    shelf.set(|state| (state.unflushable, state.away) = (false, false));
    let pipeline = start(&config, &shelf);
    assert!(pipeline.settle(LONG));
    assert_eq!(shelf.links(), all(0..40));
    assert_eq!(segments(&config).len(), 0);
    assert!(pipeline.close(LONG));
    assert!(shelf.state.lock().marks.is_empty(), "an epoch is still remembered");
}

#[test]
fn damage_in_the_middle_costs_its_frame_only() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|state| state.away = true));
    let config = config(&dir);
    let pipeline = start(&config, &shelf);
    record_singly(&pipeline, 0..2);
    let hit = pipeline.stats().journal_bytes as usize + 60;
    record_singly(&pipeline, 2..6);
    drop(pipeline);
    let [segment] = &segments(&config)[..] else { panic!("one segment") };
    let mut bytes = fs::read(segment).unwrap();
    bytes[hit] ^= 1;
    fs::write(segment, bytes).unwrap();
    shelf.set(|state| state.away = false);
    let pipeline = start(&config, &shelf);
    assert!(pipeline.close(LONG));
    assert_eq!(shelf.links(), [0, 1, 3, 4, 5]);
    let stats = pipeline.stats();
    assert_eq!((stats.damaged, stats.lost, stats.replayed), (1, 1, 5));
    assert!(stats.journal_error.is_some());
}

/// Past its bound the journal drops its oldest segments, and every click is accounted for.
#[test]
fn the_journal_is_bounded() {
    for (backlog_bytes, killed) in [(0, false), (3_000, false), (1 << 20, false), (0, true)] {
        let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|state| state.away = true));
        let config = Config { backlog_bytes, journal_bytes: 8_000, ..config(&dir) };
        let mut pipeline = start(&config, &shelf);
        let mut lost = 0;
        record_singly(&pipeline, 0..40);
        if killed {
            lost = pipeline.stats().lost;
            drop(pipeline);
            pipeline = start(&config, &shelf);
        }
        record_singly(&pipeline, 40..80);
        assert!(pipeline.stats().journal_bytes <= 8_000);
        shelf.set(|state| state.away = false);
        assert!(pipeline.close(LONG));
        lost += pipeline.stats().lost;
        assert_eq!(shelf.links().len() as u64 + lost, 80, "{backlog_bytes} {killed}");
        assert_eq!(lost == 0, backlog_bytes == 1 << 20);
        assert!(shelf.links().contains(&79));
    }
}

#[test]
fn a_full_disk_is_survived() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|_| {}));
    let (config, disk) = (config(&dir), SmallDisk::default());
    disk.room.store(1_000, SeqCst);
    let sink: Arc<dyn Sink> = Arc::<Shelf>::clone(&shelf);
    let pipeline = Pipeline::start_on(&config, sink, Arc::new(disk.clone())).unwrap();
    let mut link = 0;
    while pipeline.stats().unjournaled < 3 {
        record(&pipeline, link..link + 1);
        link += 1;
        until(|| pipeline.stats().recorded == link && shelf.links().len() as u64 == link);
    }
    assert!(pipeline.stats().journaled > 0);
    assert!(pipeline.stats().journal_error.is_some_and(|error| error.contains("can't be written")));
    disk.room.store(1 << 40, SeqCst);
    let before = pipeline.stats().journaled;
    while pipeline.stats().journaled == before {
        record(&pipeline, link..link + 1);
        link += 1;
        until(|| pipeline.stats().recorded == link && shelf.links().len() as u64 == link);
    }
    assert_eq!(pipeline.stats().journal_error, None);
    assert!(pipeline.close(LONG));
    assert_eq!((shelf.links(), pipeline.stats().lost), (all(0..link), 0));
}

/// Neither disk nor store: what has no place is counted as lost.
#[test]
fn without_disk_and_store_clicks_are_lost_and_counted() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|state| state.away = true));
    let config = Config { backlog_bytes: 600, ..config(&dir) };
    let sink: Arc<dyn Sink> = Arc::<Shelf>::clone(&shelf);
    let pipeline = Pipeline::start_on(&config, sink, Arc::new(SmallDisk::default())).unwrap();
    for link in 0..20 {
        record(&pipeline, link..link + 1);
        until(|| pipeline.stats().recorded == link + 1);
        until(|| pipeline.stats().unjournaled == link + 1);
    }
    shelf.set(|state| state.away = false);
    assert!(pipeline.close(LONG));
    let lost = pipeline.stats().lost;
    assert!(lost > 0 && lost < 20);
    assert_eq!(shelf.links().len() as u64 + lost, 20);
}

#[test]
fn after_a_failed_sync_a_new_segment_begins() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|state| state.away = true));
    let (config, disk) = (config(&dir), SmallDisk::default());
    disk.room.store(1 << 40, SeqCst);
    disk.bad_syncs.store(1, SeqCst);
    let sink: Arc<dyn Sink> = Arc::<Shelf>::clone(&shelf);
    let pipeline = Pipeline::start_on(&config, sink, Arc::new(disk)).unwrap();
    record_singly(&pipeline, 0..1);
    until(|| pipeline.stats().journal_errors == 1);
    record_singly(&pipeline, 1..3);
    assert_eq!(segments(&config).len(), 2);
    shelf.set(|state| state.away = false);
    assert!(pipeline.close(LONG));
    assert_eq!(shelf.links(), all(0..3));
}

#[test]
fn the_journal_holds_no_more_than_the_policy_allows() {
    for (policy, whole, host) in [
        (IpPolicy::Full, true, false),
        (IpPolicy::Truncate, false, true),
        (IpPolicy::Hash, false, false),
        (IpPolicy::Nothing, false, false),
    ] {
        let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|state| state.away = true));
        let config = Config { ip: policy, ..config(&dir) };
        let pipeline = start(&config, &shelf);
        record_singly(&pipeline, 0..1);
        drop(pipeline);
        let bytes = fs::read(&segments(&config)[0]).unwrap();
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert_eq!((has(&[203, 0, 113, 77]), has(&[203, 0, 113, 0])), (whole, host), "{policy:?}");
        assert!(has(b"www.example.com") && !has(b"https://"), "the referrer's host only");
    }
}

#[test]
fn a_newer_journal_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let config = config(&dir);
    fs::create_dir(&config.directory).unwrap();
    let name = crate::journal::SegmentName { started: 1, epoch: Epoch(2), number: 1 };
    let mut head = name.header();
    head[8] = 9;
    let crc = crc32c::crc32c(&head[..40]);
    head[40..].copy_from_slice(&crc.to_le_bytes());
    let path = config.directory.join(name.file_name());
    fs::write(&path, head).unwrap();
    let started = Pipeline::start(&config, Shelf::with(|_| {}));
    assert!(matches!(started, Err(StartError::Newer { version: 9, .. })));
    assert_eq!(fs::read(&path).unwrap(), head);
}

/// Clicks out of order in time, even by hours, share the pipeline.
#[test]
fn any_times_are_taken() {
    let (dir, shelf) = (TempDir::new().unwrap(), Shelf::with(|_| {}));
    let pipeline = start(&config(&dir), &shelf);
    for (link, at) in [0, i64::MAX, i64::MIN, 5, -Timestamp::DAY, 6].into_iter().enumerate() {
        let click = Click { at: Timestamp(at), ..click(link as u64) };
        assert!(pipeline.recorder().record(0, &click));
    }
    assert!(pipeline.close(LONG));
    assert_eq!(shelf.links(), all(0..6));
}
