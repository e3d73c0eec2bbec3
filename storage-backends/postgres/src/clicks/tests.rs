//! What waits, what is written of it, and who is told that it was not.

use std::{thread, time::Duration};

use waypost_link::WorkspaceId;
use waypost_storage::{
    Address, BatchBuilder, Conversion, Detail, Grain, NewClick, Row, Scope, Text,
};

use super::*;
use crate::testing::TestDatabase;

const LINK: LinkId = LinkId(1);
const EPOCH: Epoch = Epoch(7);

fn id(salt: u32) -> ClickId {
    ClickId { link: LINK, received: Timestamp(20_000 * Timestamp::DAY), salt }
}

fn mark(sequence: u64) -> Mark {
    Mark { epoch: EPOCH, sequence }
}

/// A batch of three clicks.
fn batch() -> Batch {
    batch_of(3, |_| LINK)
}

/// A batch of so many clicks.
fn batch_of(clicks: u32, link: impl Fn(u32) -> LinkId) -> Batch {
    let mut builder = BatchBuilder::default();
    let text = Text { index: builder.text(b"", 1), text: "" };
    for salt in 0..clicks {
        assert!(builder.push(&Row {
            id: ClickId { link: link(salt), ..id(salt) },
            workspace: WorkspaceId(1),
            visitor: 1,
            address: Address::Nothing,
            country: None,
            user_agent: text,
            referrer: text,
            language: text,
            rule: text,
            spent: false,
        }));
    }
    let mut bytes = Vec::new();
    builder.finish(&mut bytes);
    Batch::decode(bytes).unwrap()
}

fn clicks(test: &TestDatabase) -> Clicks {
    Clicks::new(Arc::new(Database::new(&test.options()).unwrap()))
}

fn counted(clicks: &Clicks) -> u64 {
    clicks.totals(&[LINK]).unwrap()[0].clicks
}

/// A node sends the first batch of an epoch and hears nothing; it sends it again, and the next one with
/// it, while the first transaction is still open.
#[test]
fn a_batch_on_its_way_twice_counts_once() {
    let test = TestDatabase::new();
    let clicks = clicks(&test);
    let taken = Taken { mark: mark(1), batch: batch(), at: Instant::now() };
    let mut memory = gather::Memory::default();
    let sent = gather::Gathered::of([&taken].into_iter(), &lane::all(), &mut memory).unwrap();
    clicks.partitions.make(&clicks.database, &sent.days()).unwrap();
    let mut slow = test.connect();
    let mut first = slow.transaction().unwrap();
    flush::put(&mut first, lane::all(), sent).unwrap();
    clicks.append(mark(1), &batch()).unwrap();
    clicks.append(mark(2), &batch()).unwrap();
    thread::scope(|scope| {
        let again = scope.spawn(|| clicks.flush());
        test.wait_until_blocked();
        first.commit().unwrap();
        assert_eq!(again.join().unwrap(), Ok(()));
    });
    assert_eq!((counted(&clicks), clicks.durable(EPOCH)), (6, Ok(2)));
}

/// Lets nothing be counted of links with an odd id.
const BREAK: &str = "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN RAISE disk_full; END $$; \
     CREATE TRIGGER odd BEFORE INSERT ON waypost.open_hours FOR EACH ROW \
     WHEN (NEW.link_id % 2 = 1) EXECUTE FUNCTION public.refuse()";

/// One of two connections fails after all that the other has to do is done.
#[test]
fn many_clicks_go_by_lanes_and_a_lane_that_failed_goes_again() {
    let test = TestDatabase::new();
    let clicks = clicks(&test);
    let links = [LinkId(1), LinkId(2)];
    clicks.append(mark(1), &batch()).unwrap();
    clicks.flush().unwrap();
    let half = limits::SPLIT as u32 / 2;
    let few = batch_of(half / 2, |salt| links[(salt % 2) as usize]);
    for sequence in 2..=5 {
        clicks.append(mark(sequence), &few).unwrap();
    }
    let mut breaking = test.connect();
    breaking.batch_execute(BREAK).unwrap();
    let failed = clicks.flush();
    assert!(matches!(failed, Err(Error::Full(_))), "{failed:?}");
    let sql = "SELECT link_id, slot, clicks FROM waypost.open_hours ORDER BY link_id, slot";
    let rows = |client: &mut postgres::Client| -> Vec<(i64, i32, i64)> {
        let rows = client.query(sql, &[]).unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    };
    let all = i64::from(half);
    assert_eq!(rows(&mut breaking), [(1, 0, 3), (2, 0, all)], "the lane that is well");
    assert_eq!(self::clicks(&test).durable(EPOCH), Ok(1), "to a node that starts then");
    breaking.batch_execute("DROP TRIGGER odd ON waypost.open_hours").unwrap();
    clicks.flush().unwrap();
    assert_eq!(rows(&mut breaking), [(1, 0, 3), (1, 1, all), (2, 0, all)]);
    assert_eq!(clicks.durable(EPOCH), Ok(5));
    assert_eq!(crate::check::check(&clicks.database).unwrap().findings, []);
}

/// That has a mark for an epoch, and knows nothing of lanes.
#[test]
fn what_the_version_before_wrote_counts_once() {
    let test = TestDatabase::new();
    let clicks = clicks(&test);
    clicks.append(mark(1), &batch()).unwrap();
    let sql = "INSERT INTO waypost.marks (epoch, sequence) VALUES ($1, 1)";
    test.connect().execute(sql, &[&&EPOCH.0.to_be_bytes()[..]]).unwrap();
    clicks.append(mark(2), &batch()).unwrap();
    assert_eq!((counted(&clicks), clicks.durable(EPOCH)), (3, Ok(2)));
    assert_eq!(clicks.append(mark(2), &batch()), Ok(Appended::Duplicate));
}

#[test]
fn who_waited_for_a_flush_that_failed_is_told_so() {
    let test = TestDatabase::new();
    let clicks = clicks(&test);
    clicks.append(mark(1), &batch()).unwrap();
    clicks.flush().unwrap();
    clicks.append(mark(2), &batch()).unwrap();
    // The write fails once: it expects a day that another node has dropped.
    test.connect().batch_execute("DROP TABLE waypost.clicks_day_20000").unwrap();
    let asked = Instant::now();
    let failed = clicks.flush();
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    assert_eq!(clicks.write_asked(asked, Extent::All), failed, "no second attempt");
    assert_eq!((clicks.flush(), counted(&clicks)), (Ok(()), 6));
}

#[test]
fn reported_clicks_wait_for_none_and_conversions_for_all() {
    let test = TestDatabase::new();
    let clicks = clicks(&test);
    clicks.append(mark(1), &batch()).unwrap();
    let click = NewClick { id: id(9), clicked_at: id(9).received, ..NewClick::default() };
    let conversion =
        Conversion { click: id(1), workspace: WorkspaceId(1), at: Timestamp(0), value: None };
    for (event, durable) in [(Event::Click(Box::new(click)), 0), (Event::Conversion(conversion), 1)]
    {
        let recorded = clicks.record(&[event]).unwrap();
        assert!(matches!(recorded[..], [Recorded::Stored(_)]), "{recorded:?}");
        assert_eq!(clicks.durable(EPOCH), Ok(durable));
    }
}

#[test]
fn what_a_link_had_is_the_same_while_its_hours_are_open_and_once_they_are_closed() {
    let test = TestDatabase::new();
    let clicks = clicks(&test);
    let (start, hour) = (id(0).received.hour(), id(0).received.hour() + 1);
    let seen = |grain| {
        let scope = Scope::Links(vec![LINK]);
        let query = TallyQuery { scope, grain, from: 0, to: hour, detail: Detail::Shares };
        let buckets = clicks.tally(&query).unwrap();
        buckets.iter().map(|bucket| (bucket.start, bucket.counts.clicks)).collect::<Vec<_>>()
    };
    let open = || {
        let sql = "SELECT count(*) FROM waypost.open_hours";
        test.connect().query_one(sql, &[]).unwrap().get::<_, i64>(0)
    };
    for (sequence, total) in [(1, 3), (2, 6)] {
        clicks.append(mark(sequence), &batch()).unwrap();
        for still_open in [1, 0] {
            let expected = [(Grain::Hour, start), (Grain::Day, start / 24), (Grain::All, 0)];
            for (grain, start) in expected {
                assert_eq!(seen(grain), [(start, total)], "{grain:?}, {still_open} open");
            }
            assert_eq!((counted(&clicks), open()), (total, still_open));
            assert_eq!(crate::check::check(&clicks.database).unwrap().findings, []);
            while clicks.close_hours().unwrap() {}
        }
    }
    clicks.append(mark(3), &batch()).unwrap();
    assert_eq!(counted(&clicks), 9);
    while clicks.trim(Trim::Link(LINK, WorkspaceId(1))).unwrap().more {}
    assert_eq!((counted(&clicks), open()), (0, 0));
}

#[test]
fn an_hour_that_somebody_writes_to_stays_open() {
    let test = TestDatabase::new();
    let clicks = clicks(&test);
    clicks.append(mark(1), &batch()).unwrap();
    clicks.flush().unwrap();
    let mut other = test.connect();
    let mut writing = other.transaction().unwrap();
    assert_eq!(slot::take(&mut writing, 0).unwrap(), 0);
    assert_eq!(clicks.close_hours(), Ok(false));
    writing.rollback().unwrap();
    assert_eq!(clicks.close_hours(), Ok(true));
}

#[test]
fn what_waits_is_bounded() {
    let taken = || Arc::new(Taken { mark: mark(1), batch: batch(), at: Instant::now() });
    let room = |clicks, bytes| {
        let mut waiting = Waiting { clicks, bytes, batches: vec![taken()], ..Waiting::default() };
        let room = !waiting.needs_room(&batch());
        waiting.batches.clear();
        assert!(!waiting.needs_room(&batch()), "whatever is alone may wait");
        room
    };
    let (clicks, bytes) = (limits::WAITING - 3, limits::WAITING_BYTES - batch().bytes().len());
    for (clicks, bytes, expected) in
        [(0, 0, true), (clicks, bytes, true), (clicks + 1, 0, false), (0, bytes + 1, false)]
    {
        assert_eq!(room(clicks, bytes), expected, "{clicks} clicks, {bytes} bytes");
    }
}

#[test]
fn a_batch_without_room_has_those_before_it_written() {
    let test = TestDatabase::new();
    let clicks = clicks(&test);
    for sequence in 1..=2 {
        clicks.append(mark(sequence), &batch()).unwrap();
    }
    assert_eq!(clicks.durable(EPOCH), Ok(0));
    clicks.waiting.lock().clicks += limits::WAITING;
    clicks.append(mark(3), &batch()).unwrap();
    assert_eq!((clicks.durable(EPOCH), clicks.waiting.lock().batches.len()), (Ok(2), 1));
}

#[test]
fn a_transaction_takes_some_of_what_waits() {
    let taken = Arc::new(Taken { mark: mark(1), batch: batch(), at: Instant::now() });
    let batches = vec![taken; limits::WRITE / 3 + 2];
    // Two were written before.
    let taken = 2 + batches.len() as u64;
    let mut waiting = Waiting { batches, taken, ..Waiting::default() };
    for (asked, first) in [(taken, limits::WRITE / 3), (5, 3), (2, 0), (1, 0)] {
        assert_eq!(waiting.first(asked).len(), first, "of the first {asked}");
    }
    waiting.batches.clear();
    assert_eq!(waiting.first(taken).len(), 0);
}

/// Three clicks at a time until more wait than a read waits for: it shows what is written, and
/// whoever needs all of it still gets that.
#[test]
fn where_the_database_is_behind_reads_show_what_is_written() {
    let test = TestDatabase::new();
    let clicks = clicks(&test);
    let batches = limits::READ as u64 / 3 + 2;
    clicks.append(mark(1), &batch()).unwrap();
    assert_eq!((counted(&clicks), clicks.behind()), (3, None));
    for sequence in 2..=batches {
        clicks.append(mark(sequence), &batch()).unwrap();
    }
    assert_eq!((counted(&clicks), clicks.behind()), (3, Some(id(0).received)));
    let conversion = |salt| {
        let click = ClickId { salt, ..id(0) };
        let (at, workspace, value) = (click.received, WorkspaceId(1), None);
        Event::Conversion(Conversion { click, workspace, at, value })
    };
    assert_eq!(clicks.record(&[conversion(0)]), Ok(vec![Recorded::Stored(id(0))]));
    assert!(clicks.behind().is_some(), "its click was there already");
    assert_eq!(clicks.record(&[conversion(9)]), Ok(vec![Recorded::Unknown]));
    assert_eq!((counted(&clicks), clicks.behind()), (3 * batches, None));
}

/// More than may come in half a second.
const FLOOD: u64 = waypost_storage::limits::FLOOD / 2 + 1;

#[test]
fn in_a_flood_clicks_wait_for_longer() {
    let start = Instant::now();
    let after = |milliseconds| start + Duration::from_millis(milliseconds);
    let mut waiting = Waiting { pace: Pace::new(start), ..Waiting::default() };
    waiting.batches.push(Arc::new(Taken { mark: mark(1), batch: batch(), at: start }));
    for (milliseconds, clicks, expected, why) in [
        (499, 1, false, "not for half a second"),
        (500, 0, true, "half a second"),
        (900, FLOOD, false, "a flood"),
        (1_000, 0, false, "a flood until now"),
        (1_500, 0, false, "a flood a moment ago"),
        (2_000, 0, true, "no flood any more"),
        (4_900, FLOOD, false, "a flood"),
        (5_000, 0, true, "long enough for a flood, too"),
    ] {
        waiting.pace.add(clicks, after(milliseconds));
        let due = waiting.is_due(after(milliseconds));
        assert_eq!(due, expected, "after {milliseconds} ms: {why}");
    }
}
