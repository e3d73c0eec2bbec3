//! What the memory model can't show: full maps, full dimensions, damage, other processes.

use proptest::prelude::*;
use waypost_link::{LinkId, WorkspaceId};
use waypost_storage::{
    Appended, Batch, BatchBuilder, ClickScope, ClickStore, Detail, Error, Event, Grain, Mark,
    Order, Report, Scope, Sink, TallyQuery,
};

use super::{EPOCH, LINKS, MAP, Seed, at, batch, clicks_query, reported, row, workspace};
use crate::clicks::{Clicks, tables::ClickTable};

fn seeds(clicks: u64) -> Vec<Seed> {
    (0..clicks).map(|n| Seed { link: 1 + n % LINKS, second: n as i64 % 900, any: n }).collect()
}

fn appended(clicks: &Clicks, sequence: u64, seeds: &[Seed]) -> Result<Appended, Error> {
    let rows = seeds.iter().map(|&seed| (at(0, seed.second), seed));
    clicks.append(Mark { epoch: EPOCH, sequence }, &batch(rows))
}

fn clicks_of(clicks: &Clicks) -> u64 {
    let links: Vec<_> = (1..=LINKS).map(LinkId).collect();
    clicks.totals(&links).unwrap().iter().map(|totals| totals.clicks).sum()
}

fn assert_sound(clicks: &Clicks) {
    let mut report = Report::default();
    clicks.check(&mut report).unwrap();
    assert_eq!(report.findings, []);
}

#[test]
fn a_full_map_loses_nothing_and_counts_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let clicks = Clicks::open(dir.path(), 400 << 10).unwrap();
    // More than the memory holds, until neither memory nor map takes any more.
    let mut taken = 0;
    let refused = loop {
        match appended(&clicks, taken + 1, &seeds(150)) {
            Ok(Appended::Fresh { discarded: 0 }) => taken += 1,
            other => break other,
        }
    };
    assert!(matches!(refused, Err(Error::Full(_))), "{refused:?}");
    assert!(matches!(clicks.flush(), Err(Error::Full(_))));
    assert!(clicks.durable(EPOCH).unwrap() < taken, "not all of it is on disk");
    assert_eq!(clicks_of(&clicks), 150 * taken, "all of it is seen");
    let durable = clicks.durable(EPOCH).unwrap();
    drop(clicks);
    let clicks = Clicks::open(dir.path(), MAP).unwrap();
    for sequence in 1..=taken {
        let again = appended(&clicks, sequence, &seeds(150)).unwrap();
        assert_eq!(again == Appended::Duplicate, sequence <= durable);
    }
    clicks.flush().unwrap();
    assert_eq!((clicks_of(&clicks), clicks.durable(EPOCH)), (150 * taken, Ok(taken)));
    assert_sound(&clicks);
}

#[test]
fn a_flush_that_failed_is_done_again_with_what_came_since() {
    let dir = tempfile::tempdir().unwrap();
    let clicks = Clicks::open(dir.path(), 200 << 10).unwrap();
    assert!(appended(&clicks, 1, &seeds(390)).is_ok());
    while clicks.flush().is_ok() {
        let next = clicks.durable(EPOCH).unwrap() + 1;
        assert!(appended(&clicks, next, &seeds(390)).is_ok());
    }
    let failed = clicks.durable(EPOCH).unwrap() + 1;
    assert_eq!(clicks_of(&clicks), 390 * failed);
    assert!(clicks.state.lock().frozen.is_some());
    assert_eq!(appended(&clicks, failed + 1, &seeds(5)), Ok(Appended::Fresh { discarded: 0 }));
    assert_eq!(clicks_of(&clicks), 390 * failed + 5, "reads go on over both");
    assert_eq!(appended(&clicks, failed, &seeds(390)), Ok(Appended::Duplicate));
}

#[test]
fn past_200_values_is_other_and_the_most_clicked_stay() {
    let dir = tempfile::tempdir().unwrap();
    let clicks = Clicks::open(dir.path(), MAP).unwrap();
    let rows = (0..300u64).flat_map(|n| (0..=n / 250).map(move |_| n));
    let (mut builder, mut bytes) = (BatchBuilder::default(), Vec::new());
    for n in rows {
        let mut row = row(&mut builder, at(0, 0), Seed { link: 1, second: 0, any: n });
        row.referrer.index = builder.text(format!("{n}.example").as_bytes(), 99);
        assert!(builder.push(&row));
    }
    builder.finish(&mut bytes);
    let mark = Mark { epoch: EPOCH, sequence: 1 };
    clicks.append(mark, &Batch::decode(bytes).unwrap()).unwrap();
    for _ in 0..2 {
        let scope = Scope::Links(vec![LinkId(1)]);
        let query =
            TallyQuery { scope, grain: Grain::Day, from: 0, to: i64::MAX, detail: Detail::Shares };
        let counts = clicks.tally(&query).unwrap().remove(0).counts;
        let shares = &counts.shares[waypost_storage::Dimension::Referrer as usize];
        assert_eq!((counts.clicks, shares.len()), (350, 201));
        assert_eq!(shares.iter().map(|share| share.clicks).sum::<u64>(), 350);
        assert!(shares.iter().any(|share| share.value == "299.example" && share.clicks == 2));
        let other = shares.iter().find(|share| share.value == "Other");
        assert_eq!(other.map(|share| share.clicks), Some(100));
        clicks.flush().unwrap();
    }
    assert_sound(&clicks);
}

#[test]
fn visitors_are_counted_past_the_exact() {
    let dir = tempfile::tempdir().unwrap();
    let clicks = Clicks::open(dir.path(), MAP).unwrap();
    for (sequence, (from, to)) in [(0, 300), (200, 500), (400, 900), (0, 2_000)].iter().enumerate()
    {
        let (mut builder, mut bytes) = (BatchBuilder::default(), Vec::new());
        for n in *from..*to {
            let mut row = row(&mut builder, at(0, 0), Seed { link: 1, second: 0, any: 0 });
            row.visitor = mixed(n as u64 + 1);
            assert!(builder.push(&row));
        }
        builder.finish(&mut bytes);
        let mark = Mark { epoch: EPOCH, sequence: sequence as u64 + 1 };
        clicks.append(mark, &Batch::decode(bytes).unwrap()).unwrap();
        clicks.flush().unwrap();
        let all = *to as f64;
        for scope in [Scope::Links(vec![LinkId(1)]), Scope::Workspace(workspace(1))] {
            let query =
                TallyQuery { scope, grain: Grain::All, from: 0, to: 0, detail: Detail::Visitors };
            let count = clicks.tally(&query).unwrap()[0].counts.visitors.count() as f64;
            let error = if all <= 512.0 { 0.0 } else { 0.06 };
            assert!((count - all).abs() <= all * error, "{count} of {all}");
        }
    }
}

/// SplitMix64's finaliser.
fn mixed(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Flips a bit of the last value of a table, behind the store's back.
fn damage(clicks: &Clicks, table: ClickTable) {
    clicks
        .write(move |tables, txn| {
            let (key, mut value) = match tables.at(table).scan().last(txn)? {
                Some((key, value)) => (key.to_vec(), value.to_vec()),
                None => return Ok(()),
            };
            let middle = value.len() / 2;
            value[middle] ^= 4;
            tables.at(table).put(txn, &key, &value, false)
        })
        .unwrap();
}

#[test]
fn damage_is_corrupt_and_found() {
    for table in [
        ClickTable::Buckets,
        ClickTable::Totals,
        ClickTable::Blocks,
        ClickTable::Runs,
        ClickTable::Texts,
        ClickTable::Events,
    ] {
        let dir = tempfile::tempdir().unwrap();
        let clicks = Clicks::open(dir.path(), MAP).unwrap();
        appended(&clicks, 1, &seeds(90)).unwrap();
        clicks.flush().unwrap();
        let seed = Seed { link: LINKS, second: 0, any: 1 };
        let event = Event::Click(Box::new(reported(at(0, 0), at(0, 0), seed)));
        clicks.record(&[event]).unwrap();
        damage(&clicks, table);
        let owners = (1..=2).map(|id| ClickScope::Workspace(WorkspaceId(id)));
        let mut answers: Vec<_> = owners
            .map(|scope| clicks.clicks(&clicks_query(scope, Order::Ascending, 1_000)).map(drop))
            .collect();
        for scope in
            [Scope::Links((1..=LINKS).map(LinkId).collect()), Scope::Workspace(workspace(1))]
        {
            for grain in [Grain::Hour, Grain::All] {
                let (from, to, detail) = (0, i64::MAX, Detail::Shares);
                let query = TallyQuery { scope: scope.clone(), grain, from, to, detail };
                answers.push(clicks.tally(&query).map(drop));
            }
        }
        answers.push(clicks.totals(&(1..=LINKS).map(LinkId).collect::<Vec<_>>()).map(drop));
        let corrupt = answers.iter().any(|answer| matches!(answer, Err(Error::Corrupt(_))));
        assert!(corrupt, "{table:?}: {answers:?}");
    }
}

#[test]
fn another_process_sees_what_was_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let clicks = Clicks::open(dir.path(), MAP).unwrap();
    appended(&clicks, 1, &seeds(60)).unwrap();
    clicks.flush().unwrap();
    appended(&clicks, 2, &seeds(30)).unwrap();
    let copy = tempfile::tempdir().unwrap();
    clicks.environment().copy(copy.path()).unwrap();
    crate::environment::finish_copy(copy.path()).unwrap();
    let other = Clicks::open(copy.path(), MAP).unwrap();
    assert_eq!((clicks_of(&clicks), clicks_of(&other)), (90, 60));
    assert_eq!((other.durable(EPOCH), clicks.durable(EPOCH)), (Ok(1), Ok(1)));
}

proptest! {
    #[test]
    fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), version in any::<bool>()) {
        if version && !bytes.is_empty() {
            bytes[0] = 1;
        }
        crate::clicks::bytes::seal(&mut bytes);
        let _ = crate::clicks::bucket::Bucket::decode(&bytes);
        let _ = crate::clicks::bucket::head(&bytes);
        let mut fold = crate::clicks::fold::Fold::default();
        let words = crate::clicks::dictionary::Dictionary::default();
        let _ = crate::clicks::bucket::raise(Some(&bytes), &mut fold, &words, Some(1), &mut Vec::new());
        if let Ok(groups) = crate::clicks::block::groups(&bytes) {
            for group in groups {
                let _ = group.clicks(0);
            }
        }
    }
}
