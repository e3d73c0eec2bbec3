//! Roll-ups: what they count, by what, how merged, and what is beyond their limit.

use std::sync::Arc;

use waypost_link::{LinkId, Timestamp};

use super::{Fixture, Store, samples::*, truth::*};
use crate::{
    ClickStore, Conversion, Counts, Detail, Dimension, Event, Grain, LinkCount, LinkCountQuery,
    Recorded, Scope, Share, Sketch, TallyQuery, Totals, limits,
};

/// Redirects of two days and some reported clicks from before, partly on disk.
fn mixture(fixture: &dyn Fixture) -> (Arc<dyn Store>, Vec<Sample>) {
    let store = fixture.store();
    let mut samples = Sample::first(300);
    let reported: Vec<_> =
        (0..60).map(|n| Sample::nth(n).reported(n as i64 * 11 * Timestamp::HOUR)).collect();
    let last = append(&*store, 1, &samples[..200]);
    store.flush().unwrap();
    let events: Vec<_> = reported.iter().map(Sample::event).collect();
    ClickStore::record(&*store, &events[..20]).unwrap();
    append(&*store, last + 1, &samples[200..]);
    ClickStore::record(&*store, &events[20..]).unwrap();
    samples.extend(reported);
    (store, samples)
}

pub(super) fn totals_in_the_order_asked_for(fixture: &dyn Fixture) {
    let (mut store, samples) = mixture(fixture);
    let expected = |link: LinkId| {
        let own = || samples.iter().filter(move |sample| sample.stored.id.link == link);
        let times = || own().map(|sample| sample.stored.clicked_at);
        Totals {
            link,
            clicks: own().count() as u64,
            bots: own().filter(|sample| sample.stored.bot).count() as u64,
            spent: own().filter(|sample| sample.spent).count() as u64,
            conversions: 0,
            first: times().min(),
            last: times().max(),
        }
    };
    for _ in 0..2 {
        for links in [vec![], vec![3], vec![4, 77, 1, 2, 1]] {
            let links: Vec<_> = links.into_iter().map(LinkId).collect();
            let want: Vec<_> = links.iter().copied().map(expected).collect();
            assert_eq!(store.totals(&links), Ok(want));
        }
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
    assert_eq!(expected(LinkId(77)), Totals { link: LinkId(77), ..Totals::default() });
}

pub(super) fn buckets_hold_what_was_clicked(fixture: &dyn Fixture) {
    let (mut store, samples) = mixture(fixture);
    for _ in 0..2 {
        for scope in [links(&[1]), links(&[4]), links(&[99]), workspace(W1), workspace(W2)] {
            check_scope(&*store, &samples, &scope);
        }
        let (hour, day) = (NOW.hour(), NOW.day());
        for (grain, from, to) in [
            (Grain::Hour, hour, hour + 24),
            (Grain::Hour, hour + 3, hour + 4),
            (Grain::Hour, hour + 4, hour + 4),
            (Grain::Hour, hour + 5, hour + 3),
            (Grain::Day, day - 9, day),
            (Grain::Day, day, day + 2),
        ] {
            let found = tally(&*store, &workspace(W1), grain, (from, to));
            let starts: Vec<_> = found.iter().map(|bucket| bucket.start).collect();
            let all = truth(&samples, &workspace(W1), grain);
            let want: Vec<_> =
                all.keys().copied().filter(|start| (from..to).contains(start)).collect();
            assert_eq!(starts, want, "{grain:?} {from}..{to}");
            for bucket in &found {
                all[&bucket.start].check(&bucket.counts, "a range");
            }
        }
        assert_clean(&*store);
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
    for detail in [Detail::Sums, Detail::Visitors, Detail::Shares] {
        let (scope, grain) = (workspace(W1), Grain::Day);
        let query = TallyQuery { scope: scope.clone(), grain, from: 0, to: 1 << 20, detail };
        let mut expected = tally(&*store, &scope, grain, (0, 1 << 20));
        expected.iter_mut().for_each(|bucket| bucket.counts.cut(detail));
        assert_eq!(store.tally(&query).unwrap(), expected, "{detail:?}");
        let any = |has: fn(&Counts) -> bool| expected.iter().any(|bucket| has(&bucket.counts));
        assert_eq!(any(|counts| !counts.visitors.is_empty()), detail >= Detail::Visitors);
        assert_eq!(any(|counts| !counts.shares[0].is_empty()), detail == Detail::Shares);
    }
}

pub(super) fn several_links_are_merged(fixture: &dyn Fixture) {
    let (store, samples) = mixture(fixture);
    for scope in [links(&[1, 2]), links(&[4, 3, 99]), links(&[]), links(&[98, 99])] {
        check_scope(&*store, &samples, &scope);
    }
    let once = ever(&*store, &links(&[2])).clicks;
    assert_eq!(ever(&*store, &links(&[2, 2])).clicks, once, "a link named twice is one link");
}

pub(super) fn past_the_limit_is_other(fixture: &dyn Fixture) {
    let mut store = fixture.store();
    // 250 referrers, the nth clicked n times in all, rising ones first; half of them bots.
    let samples: Vec<_> = (1..=250u64)
        .flat_map(|round| (round..=250).map(move |n| (round, n)))
        .filter(|(round, n)| round % 25 == 1 || n == round)
        .map(|(round, n)| {
            let mut sample = Sample::of(LinkId(1), W1, NOW.plus(round as i64), n as u32);
            sample.stored.referrer = format!("{n}.example");
            let (user_agent, agent) = AGENTS[if n.is_multiple_of(2) { BOT } else { 0 }];
            sample.stored.user_agent = user_agent.to_owned();
            sample.stored.bot = agent.bot;
            sample
        })
        .collect();
    for (sequence, few) in (1..).zip(samples.chunks(300)) {
        store.append(mark(sequence), &batch(few)).unwrap();
    }
    for _ in 0..2 {
        for scope in [links(&[1]), workspace(W1), links(&[1, 2])] {
            let counts = ever(&*store, &scope);
            let clicks = samples.len() as u64;
            let bots = samples.iter().filter(|sample| sample.stored.bot).count() as u64;
            assert_eq!((counts.clicks, counts.bots), (clicks, bots), "{scope:?}");
            check_full(&counts, &samples, &format!("{scope:?}"));
        }
        assert_clean(&*store);
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
}

/// Two links with fewer values than fit have more together.
pub(super) fn links_merged_past_the_limit(fixture: &dyn Fixture) {
    let store = fixture.store();
    for (link, range) in [(1, 0..150), (2, 100..250)] {
        let of_link = range.map(|n| {
            let mut sample = Sample::of(LinkId(link), W1, NOW, n);
            sample.stored.referrer = format!("{n}.example");
            sample
        });
        store.append(mark(link), &batch(&of_link.collect::<Vec<_>>())).unwrap();
    }
    let counts = ever(&*store, &links(&[1, 2]));
    let shares = &counts.shares[Dimension::Referrer as usize];
    assert_eq!((counts.clicks, shares.len()), (300, limits::VALUES + 1));
    assert_eq!(shares.iter().map(|share| share.clicks).sum::<u64>(), 300);
    for (link, values) in [(1, 150), (2, 150)] {
        let counts = ever(&*store, &links(&[link]));
        assert_eq!(counts.shares[Dimension::Referrer as usize].len(), values);
    }
}

/// A dimension with more values than fit: at most 200 and `Other`, none with more than it had,
/// by value, the sum what was clicked.
fn check_full(counts: &Counts, samples: &[Sample], what: &str) {
    let shares = &counts.shares[Dimension::Referrer as usize];
    assert_eq!(shares.len(), limits::VALUES + 1, "{what}");
    assert!(shares.is_sorted_by(|a, b| a.value < b.value), "{what}");
    let sum = shares.iter().fold((0, 0), |sum, share| (sum.0 + share.clicks, sum.1 + share.bots));
    assert_eq!(sum, (counts.clicks, counts.bots), "{what}");
    for share in shares.iter().filter(|share| share.value != Share::OTHER) {
        let own = samples.iter().filter(|sample| sample.stored.referrer == share.value);
        assert!((1..=own.count() as u64).contains(&share.clicks), "{what} {share:?}");
    }
    assert!(shares.iter().any(|share| share.value == Share::OTHER && share.clicks >= 50));
}

pub(super) fn a_visitor_is_counted_once(fixture: &dyn Fixture) {
    let mut store = fixture.store();
    // (link, visitor, bot): two people on two links, one of them often; a bot that is also one.
    let clicks = [(1, 1, false), (1, 1, false), (1, 2, false), (2, 2, false), (2, 2, true)];
    for (sequence, (link, visitor, bot)) in (1..).zip(clicks) {
        let mut sample = Sample::of(LinkId(link), W1, NOW, sequence as u32);
        let (user_agent, agent) = AGENTS[if bot { BOT } else { 0 }];
        sample.stored.user_agent = user_agent.to_owned();
        sample.stored.bot = agent.bot;
        sample.visitor = visitor << 32;
        store.append(mark(sequence), &batch(&[sample])).unwrap();
        if sequence == 2 {
            store.flush().unwrap();
        }
    }
    let crowd: Vec<_> = (1..=2_000u64)
        .map(|n| {
            let mut sample = Sample::of(LinkId(3), W2, NOW, n as u32);
            sample.visitor = mixed(n);
            sample
        })
        .collect();
    store.append(mark(9), &batch(&crowd)).unwrap();
    for _ in 0..2 {
        for (scope, visitors, robots) in [
            (links(&[1]), 2, 0),
            (links(&[2]), 1, 1),
            (links(&[1, 2]), 2, 1),
            (workspace(W1), 2, 1),
        ] {
            let counts = ever(&*store, &scope);
            let found = (counts.visitors.count(), counts.robots.count());
            assert_eq!(found, (visitors, robots), "{scope:?}");
        }
        let many = ever(&*store, &workspace(W2)).visitors;
        assert!(many.count().abs_diff(2_000) < 200, "{}", many.count());
        assert_eq!(Sketch::from_bytes(&many.to_bytes()), Some(many));
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
}

/// A visitor's hash, as good as a real one: SplitMix64's finaliser.
fn mixed(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

pub(super) fn conversions_count_when_they_came(fixture: &dyn Fixture) {
    let store = fixture.store();
    let samples = Sample::first(8);
    append(&*store, 1, &samples);
    let later = NOW.plus(3 * Timestamp::DAY);
    let events = [(0, NOW), (4, later), (3, later)].map(|(n, at)| {
        let click = &samples[n].stored;
        let (click, workspace) = (click.id, click.workspace);
        Event::Conversion(Conversion { click, workspace, at, value: None })
    });
    let done = ClickStore::record(&*store, &events).unwrap();
    assert!(done.iter().all(|done| matches!(done, Recorded::Stored(_))), "{done:?}");
    store.flush().unwrap();
    let store = fixture.reopen(store);
    let sums = |scope: &Scope, grain| {
        let buckets = tally(&*store, scope, grain, EVER).into_iter();
        buckets
            .map(|bucket| (bucket.start, bucket.counts.clicks, bucket.counts.conversions))
            .collect::<Vec<_>>()
    };
    let (day, hour) = (NOW.day(), NOW.hour());
    assert_eq!(sums(&links(&[1]), Grain::Day), [(day, 2, 1), (day + 3, 0, 1)]);
    assert_eq!(sums(&links(&[1]), Grain::Hour), [(hour, 2, 1), (hour + 72, 0, 1)]);
    assert_eq!(sums(&links(&[1]), Grain::All), [(0, 2, 2)]);
    assert_eq!(sums(&workspace(W1), Grain::Day), [(day, 6, 1), (day + 3, 0, 1)]);
    assert_eq!(sums(&workspace(W2), Grain::All), [(0, 2, 1)]);
    assert_eq!(store.totals(&[LinkId(1)]).unwrap()[0].conversions, 2);
    let (workspace, from, to) = (W1, day + 1, day + 9);
    let query = LinkCountQuery { workspace, from, to, after: None, limit: 9 };
    assert_eq!(store.link_counts(&query).unwrap().items, [], "a conversion is no click");
    assert_clean(&*store);
}

pub(super) fn link_counts_by_day_and_page(fixture: &dyn Fixture) {
    let store = fixture.store();
    // Link n is clicked n % 3 times a day on days 0 to n % 4, the second time by a bot; links from
    // 30 on are of others.
    let samples: Vec<_> = (1..40u64)
        .flat_map(|link| (0..=link % 4).map(move |day| (link, day)))
        .flat_map(|(link, day)| (0..link % 3).map(move |n| (link, day, n)))
        .map(|(link, day, n)| {
            let at = NOW.plus(day as i64 * Timestamp::DAY);
            let workspace = if link < 30 { W1 } else { W2 };
            let sample = Sample::of(LinkId(link), workspace, at, n as u32);
            if n == 0 { sample } else { sample.by_bot() }
        })
        .collect();
    for (sequence, sample) in (1..).zip(&samples) {
        store.append(mark(sequence), &batch(std::slice::from_ref(sample))).unwrap();
        if sequence == 40 {
            store.flush().unwrap();
        }
    }
    let first = NOW.day();
    for (from, to) in [(0, 9), (1, 2), (0, 1), (2, 9), (9, 20), (3, 1)] {
        let expected: Vec<_> = (1..30u64)
            .map(|link| {
                let days = (0..=(link % 4) as i64).filter(|day| (from..to).contains(day)).count();
                let (days, daily) = (days as u64, link % 3);
                let bots = days * daily.saturating_sub(1);
                LinkCount { link: LinkId(link), clicks: days * daily, bots }
            })
            .filter(|count| count.clicks > 0)
            .collect();
        for limit in [1, 4, 100] {
            let (workspace, from, to) = (W1, first + from, first + to);
            let found = drain(|after| {
                store.link_counts(&LinkCountQuery { workspace, from, to, after, limit })
            });
            assert_eq!(found, expected, "{from}..{to} by {limit}");
        }
    }
}
