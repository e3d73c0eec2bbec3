//! Reported clicks and conversions: each once, at once, for good.

use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};

use super::{Fixture, Store, samples::*};
use crate::{ClickStore, Conversion, Event, Recorded, Totals};

fn record(store: &dyn Store, events: &[Event]) -> Vec<Recorded> {
    ClickStore::record(store, events).expect("events that can be")
}

fn totals(store: &dyn Store, link: u64) -> Totals {
    store.totals(&[LinkId(link)]).unwrap()[0]
}

fn convert(click: ClickId, workspace: WorkspaceId) -> Event {
    Event::Conversion(Conversion { click, workspace, at: NOW, value: Some("9.90 €".into()) })
}

pub(super) fn a_reported_click_is_there_at_once_and_stays(fixture: &dyn Fixture) {
    let mut store = fixture.store();
    let old = 400 * Timestamp::DAY;
    let mut plain = Sample::nth(2).reported(0);
    (plain.stored.session, plain.stored.metadata, plain.stored.ip) = (None, None, None);
    let samples = [Sample::nth(1).reported(old), plain, Sample::nth(5).reported(17)];
    for sample in &samples {
        assert_eq!(record(&*store, &[sample.event()]), [Recorded::Stored(sample.stored.id)]);
        assert_eq!(store.click(sample.stored.id).unwrap().as_ref(), Some(&sample.stored));
    }
    for _ in 0..2 {
        let of_link = totals(&*store, 2);
        assert_eq!((of_link.clicks, of_link.bots, of_link.spent), (2, 1, 0));
        assert_eq!(of_link.first, Some(samples[0].stored.clicked_at));
        assert_eq!(of_link.last, Some(samples[2].stored.clicked_at));
        for sample in &samples {
            assert_eq!(store.click(sample.stored.id).unwrap().as_ref(), Some(&sample.stored));
        }
        assert_clean(&*store);
        store = fixture.reopen(store);
    }
}

pub(super) fn a_dedupe_key_counts_once(fixture: &dyn Fixture) {
    let store = fixture.store();
    let keyed = |n: u64, key: Option<u8>| {
        let mut sample = Sample::of(LinkId(1), W1, NOW, n as u32).reported(5);
        sample.dedupe = key.map(|key| [key; 32]);
        sample
    };
    let samples = [(1, Some(1)), (2, Some(1)), (3, Some(2)), (4, None), (5, None)]
        .map(|(n, key)| keyed(n, key));
    let [first, _, second, third, fourth] = samples.clone().map(|sample| sample.stored.id);
    let events = samples.each_ref().map(Sample::event);
    assert_eq!(
        record(&*store, &events),
        [
            Recorded::Stored(first),
            Recorded::Duplicate(first),
            Recorded::Stored(second),
            Recorded::Stored(third),
            Recorded::Stored(fourth),
        ]
    );
    let store = fixture.reopen(store);
    let again = [keyed(6, Some(2)).event(), keyed(7, Some(1)).event()];
    let expected = [Recorded::Duplicate(second), Recorded::Duplicate(first)];
    assert_eq!(record(&*store, &again), expected);
    assert_eq!(totals(&*store, 1).clicks, 4);
    assert_eq!(store.click(samples[1].stored.id), Ok(None));
    assert_clean(&*store);
}

pub(super) fn a_click_converts_once(fixture: &dyn Fixture) {
    let store = fixture.store();
    let redirects = Sample::first(8);
    append(&*store, 1, &redirects);
    let reported = Sample::nth(9).reported(3);
    let (id, other) = (redirects[1].stored.id, redirects[5].stored.id);
    let mut unknown = id;
    unknown.salt += 1;
    let own = reported.stored.id;
    let events = [
        convert(own, W1),
        reported.event(),
        convert(own, W1),
        convert(own, W1),
        convert(id, W1),
        convert(unknown, W1),
    ];
    assert_eq!(
        record(&*store, &events),
        [
            Recorded::Unknown,
            Recorded::Stored(own),
            Recorded::Stored(own),
            Recorded::Duplicate(own),
            Recorded::Stored(id),
            Recorded::Unknown,
        ]
    );
    store.flush().unwrap();
    let store = fixture.reopen(store);
    let again = [convert(id, W1), convert(own, W1), convert(other, W1)];
    assert_eq!(
        record(&*store, &again),
        [Recorded::Duplicate(id), Recorded::Duplicate(own), Recorded::Stored(other),]
    );
    let of_link = totals(&*store, 2);
    assert_eq!((of_link.clicks, of_link.conversions), (3, 3));
    assert_eq!(totals(&*store, 1).conversions, 0);
    assert_clean(&*store);
}

pub(super) fn events_are_answered_in_order(fixture: &dyn Fixture) {
    let store = fixture.store();
    assert_eq!(record(&*store, &[]), []);
    let samples: Vec<_> = (0..200).map(|n| Sample::nth(n).reported(n as i64)).collect();
    let events: Vec<_> = samples.iter().map(Sample::event).collect();
    let expected: Vec<_> = samples.iter().map(|s| Recorded::Stored(s.stored.id)).collect();
    assert_eq!(record(&*store, &events), expected);
    let clicks = [1, 2, 3, 4].map(|link| totals(&*store, link).clicks);
    assert_eq!(clicks, [50; 4]);
}
