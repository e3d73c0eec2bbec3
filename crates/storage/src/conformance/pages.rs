//! Raw clicks by page: by link and workspace, both ways, in ranges, while more come in.

use std::sync::Arc;

use waypost_link::{LinkId, Timestamp, WorkspaceId};

use super::{Fixture, Store, samples::*};
use crate::{ClickQuery, ClickScope, ClickStore, Event, Order, StoredClick, Window};

const SCOPES: [ClickScope; 6] = [
    ClickScope::Link(LinkId(1)),
    ClickScope::Link(LinkId(2)),
    ClickScope::Link(LinkId(4)),
    ClickScope::Link(LinkId(99)),
    ClickScope::Workspace(W1),
    ClickScope::Workspace(W2),
];

fn query(scope: ClickScope, order: Order, limit: usize) -> ClickQuery {
    ClickQuery { scope, from: None, before: None, order, after: None, limit }
}

fn find(store: &dyn Store, query: &ClickQuery) -> Vec<StoredClick> {
    drain(|after| store.clicks(&ClickQuery { after, ..query.clone() }))
}

/// Redirects and reported clicks, some on disk and some not, some sharing a time; as they must
/// come out, oldest first.
fn mixture(fixture: &dyn Fixture) -> (Arc<dyn Store>, Vec<StoredClick>) {
    let store = fixture.store();
    let redirects = Sample::first(90);
    let reported: Vec<_> = (20..70).map(|n| Sample::nth(n).reported(n as i64 % 3)).collect();
    let events: Vec<Event> = reported.iter().map(Sample::event).collect();
    let last = append(&*store, 1, &redirects[..30]);
    store.flush().unwrap();
    ClickStore::record(&*store, &events[..25]).unwrap();
    let last = append(&*store, last + 1, &redirects[30..60]);
    ClickStore::record(&*store, &events[25..]).unwrap();
    append(&*store, last + 1, &redirects[60..]);
    let mut all: Vec<_> =
        redirects.into_iter().chain(reported).map(|sample| sample.stored).collect();
    all.sort_by_key(|click| (click.clicked_at, click.id));
    (store, all)
}

fn of(scope: ClickScope, click: &StoredClick) -> bool {
    match scope {
        ClickScope::Link(link) => click.id.link == link,
        ClickScope::Workspace(workspace) => click.workspace == workspace,
    }
}

pub(super) fn clicks_by_link_and_workspace(fixture: &dyn Fixture) {
    let (mut store, all) = mixture(fixture);
    for round in 0..2 {
        for scope in SCOPES {
            let mut expected: Vec<_> =
                all.iter().filter(|click| of(scope, click)).cloned().collect();
            for order in [Order::Ascending, Order::Descending] {
                for limit in [1, 7, 1_000] {
                    let found = find(&*store, &query(scope, order, limit));
                    assert_eq!(found, expected, "{round} {scope:?} {order:?} {limit}");
                }
                expected.reverse();
            }
        }
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
}

pub(super) fn clicks_by_time(fixture: &dyn Fixture) {
    let (store, all) = mixture(fixture);
    let at = |n: usize| all[n].clicked_at;
    for (from, before) in [
        (Some(at(10)), None),
        (None, Some(at(10))),
        (Some(at(40)), Some(at(90))),
        (Some(at(50)), Some(at(50).plus(1))),
        (Some(at(50)), Some(at(50))),
        (Some(at(90)), Some(at(40))),
        (Some(at(0).plus(-Timestamp::DAY)), Some(at(0))),
        (Some(Timestamp(i64::MIN)), Some(Timestamp(i64::MAX))),
    ] {
        for scope in SCOPES {
            let fits = |click: &&StoredClick| {
                of(scope, click)
                    && from.is_none_or(|from| click.clicked_at >= from)
                    && before.is_none_or(|before| click.clicked_at < before)
            };
            let mut expected: Vec<_> = all.iter().filter(fits).cloned().collect();
            if let (Some(from), Some(before)) = (from, before) {
                let own: Vec<_> = all.iter().filter(fits).collect();
                let bots = own.iter().filter(|click| click.bot).count() as u64;
                let window = Window { clicks: own.len() as u64, bots };
                assert_eq!(store.count(scope, from..before), Ok(window), "{from:?}..{before:?}");
            }
            for order in [Order::Ascending, Order::Descending] {
                let query = ClickQuery { from, before, ..query(scope, order, 5) };
                assert_eq!(find(&*store, &query), expected, "{query:?}");
                expected.reverse();
            }
        }
    }
}

pub(super) fn pages_of_clicks_are_steady(fixture: &dyn Fixture) {
    for order in [Order::Ascending, Order::Descending] {
        for scope in [ClickScope::Link(LinkId(2)), ClickScope::Workspace(W1)] {
            steady(fixture, scope, order);
        }
    }
}

/// Between two pages newer clicks come in and everything is written to disk: those that were
/// there at the start come once each, in order.
fn steady(fixture: &dyn Fixture, scope: ClickScope, order: Order) {
    let (mut before, mut seen, mut last) = (Vec::new(), Vec::new(), 0);
    let store = fixture.store();
    let samples = Sample::first(200);
    for sample in &samples[..100] {
        last = append(&*store, last + 1, std::slice::from_ref(sample));
        before.extend(of(scope, &sample.stored).then_some(sample.stored.id));
    }
    let (mut more, mut query) = (samples[100..].chunks(5), query(scope, order, 4));
    loop {
        let page = store.clicks(&query).unwrap();
        seen.extend(page.items.iter().map(|click| click.id));
        let Some(next) = page.next else { break };
        if let Some(few) = more.next() {
            last = append(&*store, last + 1, few);
            store.flush().unwrap();
        }
        query.after = Some(next);
    }
    let ordered = match order {
        Order::Ascending => seen.is_sorted_by(|a, b| a < b),
        Order::Descending => seen.is_sorted_by(|a, b| a > b),
    };
    assert!(ordered, "{scope:?} {order:?} {seen:?}");
    seen.retain(|id| before.contains(id));
    seen.sort();
    assert_eq!(seen, before, "{scope:?} {order:?}");
}

pub(super) fn a_click_by_its_id(fixture: &dyn Fixture) {
    let (mut store, all) = mixture(fixture);
    for _ in 0..2 {
        for click in &all {
            assert_eq!(store.click(click.id).unwrap().as_ref(), Some(click));
            let [mut salted, mut moved, mut early] = [click.id; 3];
            salted.salt = 100_000;
            moved.link = LinkId(99);
            early.received = early.received.plus(-1);
            for id in [salted, moved, early] {
                assert_eq!(store.click(id), Ok(None), "{id:?}");
            }
        }
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
}

pub(super) fn a_foreign_cursor_does_no_harm(fixture: &dyn Fixture) {
    let (store, all) = mixture(fixture);
    let scope = ClickScope::Workspace(WorkspaceId(1));
    for length in [0, 1, 8, 16, 24, 28, 32, 36, 40, 600] {
        for byte in [0, 0x7f, 0xff] {
            let after = Some(vec![byte; length]);
            // An error or any of the clicks will do, in a page that is no longer than allowed.
            if let Ok(page) =
                store.clicks(&ClickQuery { after, ..query(scope, Order::Ascending, 9) })
            {
                assert!(page.items.len() <= 9);
                assert!(page.items.iter().all(|click| all.contains(click)));
            }
        }
    }
    assert_clean(&*store);
}
