//! Trims: retention, which keeps what was counted, and purges, which take it out again.

use std::sync::Arc;

use waypost_link::{LinkId, Timestamp};

use super::{Fixture, Store, samples::*, truth::*};
use crate::{
    Appended, Bucket, ClickQuery, ClickScope, ClickStore, Conversion, Dimension, Event, Grain,
    LinkCountQuery, Order, Recorded, Scope, Share, StoredClick, Totals, Trim, limits,
};

const GONE: LinkId = LinkId(2);

/// Redirects and reported clicks of the four links, one conversion each of links 2 and 3.
fn mixture(fixture: &dyn Fixture) -> (Arc<dyn Store>, Vec<Sample>) {
    let store = fixture.store();
    let mut samples = Sample::first(120);
    let last = append(&*store, 1, &samples[..70]);
    store.flush().unwrap();
    append(&*store, last + 1, &samples[70..]);
    for n in 0..20 {
        let mut sample = Sample::nth(n).reported(n as i64 * 5 * Timestamp::HOUR);
        sample.dedupe = Some([n as u8; 32]);
        samples.push(sample);
    }
    let mut events: Vec<_> = samples[120..].iter().map(Sample::event).collect();
    events.extend([conversion(&samples[1]), conversion(&samples[122])]);
    ClickStore::record(&*store, &events).unwrap();
    (store, samples)
}

fn conversion(sample: &Sample) -> Event {
    let (click, workspace) = (sample.stored.id, sample.stored.workspace);
    Event::Conversion(Conversion { click, workspace, at: NOW, value: None })
}

fn raw(store: &dyn Store, scope: ClickScope) -> Vec<StoredClick> {
    let order = Order::Ascending;
    drain(|after| {
        store.clicks(&ClickQuery { scope, from: None, before: None, order, after, limit: 9 })
    })
}

fn of(samples: &[Sample], link: LinkId) -> usize {
    samples.iter().filter(|sample| sample.stored.id.link == link).count()
}

/// All that statistics say of the four links and two workspaces.
fn statistics(store: &dyn Store) -> (Vec<Totals>, Vec<Vec<Bucket>>) {
    let mut buckets = Vec::new();
    for grain in [Grain::Hour, Grain::Day, Grain::All] {
        for scope in [links(&[1]), links(&[2]), links(&[3, 4]), workspace(W1), workspace(W2)] {
            buckets.push(tally(store, &scope, grain, EVER));
        }
    }
    (store.totals(&[1, 2, 3, 4].map(LinkId)).unwrap(), buckets)
}

pub(super) fn retention_keeps_the_rollups(fixture: &dyn Fixture) {
    let (mut store, samples) = mixture(fixture);
    let before = statistics(&*store);
    let end = samples[40].stored.id.received;
    let (old, kept): (Vec<_>, Vec<_>) =
        samples.iter().partition(|sample| sample.stored.id.received < end);
    assert!(kept.iter().any(|sample| sample.stored.clicked_at > end) && old.len() == 60);
    assert_eq!(trim(&*store, Trim::Before(end)), 60);
    assert_eq!(trim(&*store, Trim::Before(end)), 0);
    for _ in 0..2 {
        assert_eq!(statistics(&*store), before);
        for (workspace, count) in [(W1, 60), (W2, 20)] {
            let found = raw(&*store, ClickScope::Workspace(workspace));
            assert_eq!(found.len(), count, "{workspace}");
            assert!(found.iter().all(|click| click.id.received >= end));
        }
        for sample in &old {
            assert_eq!(store.click(sample.stored.id), Ok(None));
        }
        for sample in &kept {
            assert_eq!(store.click(sample.stored.id).unwrap().as_ref(), Some(&sample.stored));
        }
        let events = [conversion(old[3])];
        assert_eq!(ClickStore::record(&*store, &events), Ok(vec![Recorded::Unknown]));
        assert_clean(&*store);
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
}

/// Nothing that can be asked knows the purged link.
fn assert_gone(store: &dyn Store, samples: &[Sample]) {
    assert_eq!(store.totals(&[GONE]).unwrap(), [Totals { link: GONE, ..Totals::default() }]);
    assert_eq!(raw(store, ClickScope::Link(GONE)), []);
    assert!(raw(store, ClickScope::Workspace(W1)).iter().all(|click| click.id.link != GONE));
    for sample in samples.iter().filter(|sample| sample.stored.id.link == GONE) {
        assert_eq!(store.click(sample.stored.id), Ok(None));
    }
    for grain in [Grain::Hour, Grain::Day, Grain::All] {
        assert_eq!(tally(store, &links(&[2]), grain, EVER), []);
    }
    let (from, to) = (0, 1 << 30);
    let query = LinkCountQuery { workspace: W1, from, to, after: None, limit: 100 };
    let counted = drain(|after| store.link_counts(&LinkCountQuery { after, ..query.clone() }));
    assert!(counted.iter().all(|count| count.link != GONE), "{counted:?}");
}

pub(super) fn a_purged_link_is_gone_everywhere(fixture: &dyn Fixture) {
    let (mut store, samples) = mixture(fixture);
    assert_eq!(trim(&*store, Trim::Link(GONE, W1)), of(&samples, GONE) as u64);
    assert_eq!(trim(&*store, Trim::Link(GONE, W1)), 0);
    for _ in 0..2 {
        assert_gone(&*store, &samples);
        assert_clean(&*store);
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
}

pub(super) fn a_purge_leaves_the_others_alone(fixture: &dyn Fixture) {
    let (mut store, samples) = mixture(fixture);
    let other = links(&[1, 3, 4]);
    let untouched = |store: &dyn Store| {
        let of_others = tally(store, &other, Grain::Hour, EVER);
        (of_others, tally(store, &workspace(W2), Grain::Hour, EVER), store.totals(&[LinkId(3)]))
    };
    let before = untouched(&*store);
    trim(&*store, Trim::Link(GONE, W1));
    trim(&*store, Trim::Link(GONE, W1));
    let left: Vec<_> =
        samples.iter().filter(|sample| sample.stored.id.link != GONE).cloned().collect();
    for _ in 0..2 {
        assert_eq!(untouched(&*store), before);
        check_purged(&*store, &left);
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
    for link in [1, 3] {
        trim(&*store, Trim::Link(LinkId(link), W1));
    }
    for grain in [Grain::Hour, Grain::Day, Grain::All] {
        assert_eq!(tally(&*store, &workspace(W1), grain, EVER), [], "nothing is left to hold");
    }
    assert_eq!(ever(&*store, &workspace(W2)).clicks, of(&samples, LinkId(4)) as u64);
    assert_clean(&*store);
}

/// The buckets of the workspace hold what is `left`, but for visitors, which can't be taken out.
fn check_purged(store: &dyn Store, left: &[Sample]) {
    for grain in [Grain::Hour, Grain::Day, Grain::All] {
        let found = tally(store, &workspace(W1), grain, EVER);
        let want = truth(left, &workspace(W1), grain);
        let starts: Vec<_> = found.iter().map(|bucket| bucket.start).collect();
        assert_eq!(starts, want.keys().copied().collect::<Vec<_>>(), "{grain:?}");
        for (bucket, truth) in found.iter().zip(want.values()) {
            truth.check_shares(&bucket.counts, &format!("{grain:?} {}", bucket.start));
            let devices = &bucket.counts.shares[Dimension::Device as usize];
            let sum = devices.iter().fold((0, 0), |s, d| (s.0 + d.clicks, s.1 + d.bots));
            assert_eq!(sum, (bucket.counts.clicks, bucket.counts.bots));
        }
        let conversions: u64 = found.iter().map(|bucket| bucket.counts.conversions).sum();
        assert_eq!(conversions, 1, "{grain:?}: only the other link's");
    }
}

pub(super) fn a_purged_link_stays_purged(fixture: &dyn Fixture) {
    let (mut store, samples) = mixture(fixture);
    let never = LinkId(50);
    trim(&*store, Trim::Link(GONE, W1));
    assert_eq!(trim(&*store, Trim::Link(never, W1)), 0);
    let before = ever(&*store, &workspace(W1)).clicks;
    let key = samples[121].dedupe;
    assert!(key.is_some() && samples[121].stored.id.link == GONE);
    for round in 0..2u32 {
        let late = [GONE, never, LinkId(1), GONE]
            .map(|link| Sample::of(link, W1, NOW.plus(9), 50_000 + round));
        let taken = store.append(mark(100 + u64::from(round)), &batch(&late));
        assert_eq!(taken, Ok(Appended::Fresh { discarded: 3 }));
        let events = [late[0].clone().reported(1).event(), conversion(&samples[1])];
        assert_eq!(ClickStore::record(&*store, &events), Ok(vec![Recorded::Unknown; 2]));
        assert_gone(&*store, &samples);
        assert_eq!(store.totals(&[never]).unwrap()[0].clicks, 0);
        assert_eq!(ever(&*store, &workspace(W1)).clicks, before + 1 + u64::from(round));
        assert_clean(&*store);
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
    let mut again = Sample::of(LinkId(1), W1, NOW, 60_000).reported(0);
    again.dedupe = key;
    let done = ClickStore::record(&*store, &[again.event()]);
    assert_eq!(done, Ok(vec![Recorded::Stored(again.stored.id)]), "its dedupe keys went too");
}

pub(super) fn a_purge_of_full_dimensions_keeps_the_sums(fixture: &dyn Fixture) {
    let store = fixture.store();
    let clicked = |link: u64, range: std::ops::Range<u64>| {
        range
            .map(|n| {
                let mut sample = Sample::of(LinkId(link), W1, NOW, n as u32);
                sample.stored.referrer = format!("{n}.example");
                sample
            })
            .collect::<Vec<_>>()
    };
    for (sequence, few) in (1..).zip([clicked(2, 0..250), clicked(1, 100..500)]) {
        store.append(mark(sequence), &batch(&few)).unwrap();
        store.flush().unwrap();
    }
    trim(&*store, Trim::Link(GONE, W1));
    let counts = ever(&*store, &workspace(W1));
    let shares = &counts.shares[Dimension::Referrer as usize];
    assert_eq!(counts.clicks, 400);
    assert_eq!(shares.iter().map(|share| share.clicks).sum::<u64>(), 400);
    assert!(shares.len() <= limits::VALUES + 1);
    let of_links = &counts.shares[Dimension::Link as usize];
    assert_eq!(*of_links, [Share { value: "1".into(), clicks: 400, bots: 0 }]);
    assert_eq!(ever(&*store, &Scope::Links(vec![LinkId(1)])).clicks, 400);
    assert_clean(&*store);
}
