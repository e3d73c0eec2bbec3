//! Batches: each counts once, is seen at once, and stays once it is durable.

use waypost_link::LinkId;

use super::{Fixture, Store, samples::*};
use crate::{
    Appended, Batch, ClickQuery, ClickScope, Detail, Epoch, Error, Grain, Mark, Order, Scope,
    TallyQuery,
};

const FRESH: Appended = Appended::Fresh { discarded: 0 };

/// Clicks of the suite's four links in all.
fn clicks(store: &dyn Store) -> u64 {
    let totals = store.totals(&[1, 2, 3, 4].map(LinkId)).unwrap();
    totals.iter().map(|totals| totals.clicks).sum()
}

pub(super) fn a_batch_counts_once(fixture: &dyn Fixture) {
    let store = fixture.store();
    let samples = Sample::first(20);
    let other = Epoch(EPOCH.0 + 1);
    let mut expected = 0;
    // Sequences may have gaps; what isn't above the last is a repetition.
    for (epoch, sequence, few, fresh) in [
        (EPOCH, 1, 0..5, true),
        (EPOCH, 1, 0..5, false),
        (EPOCH, 2, 5..9, true),
        (EPOCH, 7, 9..12, true),
        (EPOCH, 2, 5..9, false),
        (EPOCH, 1, 0..5, false),
        (EPOCH, 7, 9..12, false),
        (other, 1, 12..16, true),
        (other, 1, 12..16, false),
        (EPOCH, 8, 16..20, true),
        (other, 2, 0..0, true),
    ] {
        let taken = store.append(Mark { epoch, sequence }, &batch(&samples[few.clone()]));
        assert_eq!(taken, Ok(if fresh { FRESH } else { Appended::Duplicate }), "{sequence}");
        expected += if fresh { few.len() as u64 } else { 0 };
        assert_eq!(clicks(&*store), expected, "after {sequence}");
        if sequence == 7 {
            store.flush().unwrap();
        }
    }
    assert_clean(&*store);
}

pub(super) fn statistics_see_a_batch_at_once(fixture: &dyn Fixture) {
    let store = fixture.store();
    for (sequence, few) in (1..).zip(Sample::first(15).chunks(3)) {
        store.append(mark(sequence), &batch(few)).unwrap();
        let seen = 3 * sequence;
        assert_eq!(clicks(&*store), seen);
        let scope = Scope::Links([1, 2, 3, 4].map(LinkId).into());
        let query =
            TallyQuery { scope, grain: Grain::All, from: 0, to: 0, detail: Detail::Visitors };
        assert_eq!(store.tally(&query).unwrap()[0].counts.clicks, seen);
        let last = &few[2].stored;
        assert_eq!(store.click(last.id).unwrap().as_ref(), Some(last));
        let scope = ClickScope::Workspace(last.workspace);
        let (from, order, limit) = (Some(last.clicked_at), Order::Ascending, 9);
        let query = ClickQuery { scope, from, before: None, order, after: None, limit };
        let found = drain(|after| store.clicks(&ClickQuery { after, ..query.clone() }));
        assert_eq!(found, std::slice::from_ref(last));
    }
}

pub(super) fn what_is_durable_survives_and_the_rest_comes_again(fixture: &dyn Fixture) {
    let mut store = fixture.store();
    let samples = Sample::first(60);
    let batches: Vec<_> = samples.chunks(5).map(batch).collect();
    let append = |store: &dyn Store, at: usize| store.append(mark(at as u64 + 1), &batches[at]);
    assert_eq!(store.durable(EPOCH), Ok(0));
    let (mut acknowledged, mut taken) = (0, 0);
    for (until, flush) in [(3, true), (7, false), (9, true), (10, false)] {
        while taken < until {
            assert_eq!(append(&*store, taken), Ok(FRESH));
            taken += 1;
        }
        if flush {
            store.flush().unwrap();
            acknowledged = taken as u64;
            assert_eq!(store.durable(EPOCH), Ok(acknowledged), "after a flush");
        }
        let durable = store.durable(EPOCH).unwrap();
        assert!((acknowledged..=taken as u64).contains(&durable), "{durable}");
        store = fixture.reopen(store);
        // Whatever is durable now is a prefix; it is not counted again, and all the rest is.
        let kept = store.durable(EPOCH).unwrap();
        assert!((durable..=taken as u64).contains(&kept), "{kept} of {durable}");
        assert_eq!(clicks(&*store), 5 * kept, "what is durable is what is counted");
        for at in 0..taken {
            let again = if (at as u64) < kept { Appended::Duplicate } else { FRESH };
            assert_eq!(append(&*store, at), Ok(again), "{at} of {kept}");
        }
        assert_eq!(clicks(&*store), 5 * taken as u64);
        assert_clean(&*store);
    }
}

pub(super) fn an_epoch_is_forgotten(fixture: &dyn Fixture) {
    let mut store = fixture.store();
    let other = Epoch(7);
    store.append(mark(4), &batch(&Sample::first(2))).unwrap();
    store.append(Mark { epoch: other, sequence: 9 }, &batch(&Sample::first(2))).unwrap();
    store.flush().unwrap();
    assert_eq!((store.durable(EPOCH), store.durable(other)), (Ok(4), Ok(9)));
    store.forget_epoch(EPOCH).unwrap();
    store.forget_epoch(Epoch(99)).unwrap();
    for _ in 0..2 {
        assert_eq!((store.durable(EPOCH), store.durable(other)), (Ok(0), Ok(9)));
        assert_eq!(clicks(&*store), 4, "its clicks stay");
        store = fixture.reopen(store);
    }
}

pub(super) fn an_empty_batch_moves_the_mark(fixture: &dyn Fixture) {
    let store = fixture.store();
    assert_eq!(store.append(mark(3), &batch(&[])), Ok(FRESH));
    assert_eq!(store.append(mark(3), &batch(&[])), Ok(Appended::Duplicate));
    store.flush().unwrap();
    assert_eq!(store.durable(EPOCH), Ok(3));
    assert_eq!(clicks(&*store), 0);
}

pub(super) fn a_broken_batch_is_refused_whole(fixture: &dyn Fixture) {
    let store = fixture.store();
    let whole = batch(&Sample::first(4));
    let cut = whole.bytes()[..whole.bytes().len() - 1].to_vec();
    let broken = Batch::decode(cut).expect("a batch whose last click is cut short");
    assert!(matches!(store.append(mark(1), &broken), Err(Error::Corrupt(_))));
    assert_eq!(clicks(&*store), 0);
    assert_eq!(store.append(mark(1), &whole), Ok(FRESH), "the mark is still free");
    assert_eq!(clicks(&*store), 4);
    assert_clean(&*store);
}

pub(super) fn clicks_of_one_moment_all_count(fixture: &dyn Fixture) {
    let store = fixture.store();
    let click = |salt| Sample::of(LinkId(1), W1, NOW, salt);
    let samples: Vec<_> = (0..3_000).map(|n| click(n * 7 % 3_001)).collect();
    let (first, second) = samples.split_at(1_700);
    store.append(mark(1), &batch(first)).unwrap();
    store.flush().unwrap();
    store.append(mark(2), &batch(second)).unwrap();
    assert_eq!(clicks(&*store), 3_000);
    let query = ClickQuery {
        scope: ClickScope::Link(LinkId(1)),
        from: None,
        before: None,
        order: Order::Ascending,
        after: None,
        limit: 777,
    };
    let found = drain(|after| store.clicks(&ClickQuery { after, ..query.clone() }));
    let mut ids: Vec<_> = samples.iter().map(|sample| sample.stored.id).collect();
    ids.sort();
    assert_eq!(found.iter().map(|click| click.id).collect::<Vec<_>>(), ids, "ties go by id");
    assert_clean(&*store);
}
