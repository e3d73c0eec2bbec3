//! Moving a store: what comes out of one and into another of its kind is the same.

use std::sync::Arc;

use waypost_link::{Change, LinkId, Noun, Record, Remembered, Revision, Setting, Workspace};

use super::{Fixture, Store, samples::*, truth::*, upkeep::lived};
use crate::{
    Bucket, ClickQuery, ClickScope, ClickStore, Conversion, Error, Event, Grain, Order, Recorded,
    StoredClick, Totals, Trim,
    transfer::{self, CopyError, Part, STORE_ID, Side},
};

fn side(store: &Arc<dyn Store>) -> Side<'_> {
    Side { links: &**store, clicks: &**store, maintain: &**store, transfer: &**store }
}

/// A store with every kind of piece in it.
fn full(fixture: &dyn Fixture) -> Arc<dyn Store> {
    let store = lived(fixture);
    let answer = Remembered {
        scope: [7; 32],
        request: [8; 32],
        status: 201,
        expires_at: NOW.plus(1_000_000),
        ids: Vec::new(),
    };
    let second = Workspace { name: "second".into(), created_at: NOW, ..Workspace::default() };
    let second = put(&Record::Workspace(second));
    let own = Setting { name: STORE_ID.into(), value: vec![1; 16], ..Setting::default() };
    let own = put(&Record::Setting(own));
    commit(&*store, &[create(&link("answered")), second, own, Change::Remember(answer)]);
    let mut keyed = Sample::nth(2).reported(9);
    keyed.dedupe = Some([9; 32]);
    let click = Sample::nth(3).stored;
    let converted = Conversion {
        click: click.id,
        workspace: click.workspace,
        at: NOW.plus(77),
        value: Some("9.99".into()),
    };
    ClickStore::record(&*store, &[keyed.event(), Event::Conversion(converted)]).unwrap();
    trim(&*store, Trim::Link(LinkId(2), W1));
    store
}

type Seen = (Vec<StoredClick>, Vec<Vec<Bucket>>, Vec<Totals>);

fn seen(store: &dyn Store) -> Seen {
    let order = Order::Ascending;
    let clicks = [W1, W2].into_iter().flat_map(|workspace| {
        let scope = ClickScope::Workspace(workspace);
        drain(|after| {
            store.clicks(&ClickQuery { scope, from: None, before: None, order, after, limit: 7 })
        })
    });
    let scopes = [links(&[1]), links(&[3]), links(&[1, 3, 4]), workspace(W1), workspace(W2)];
    let tallies = [Grain::Hour, Grain::Day, Grain::All]
        .into_iter()
        .flat_map(|grain| scopes.iter().map(move |scope| tally(store, scope, grain, EVER)));
    (clicks.collect(), tallies.collect(), store.totals(&[1, 2, 3, 4, 5].map(LinkId)).unwrap())
}

/// Records that are moved: all but nodes, leases, and which store it is.
fn moved(store: &dyn Store) -> (Vec<waypost_link::Link>, Vec<Record>) {
    let (links, records, _) = everything(store);
    let stays = |record: &Record| match record {
        Record::Setting(setting) => setting.name == STORE_ID,
        _ => matches!(record.noun(), Noun::Node | Noun::Lease),
    };
    (links, records.into_iter().filter(|record| !stays(record)).collect())
}

fn assert_same(from: &dyn Store, to: &dyn Store) {
    assert_eq!(moved(to), moved(from));
    assert_eq!(seen(to), seen(from));
    assert_eq!(to.head(), from.head());
    assert_eq!(to.remembered(&[7; 32], NOW), from.remembered(&[7; 32], NOW));
    let head = from.head().unwrap();
    assert_eq!(to.replay(head, 10), Ok(vec![]));
    let gone = to.replay(Revision(0), 10);
    assert!(matches!(gone, Err(Error::Gone { oldest }) if oldest == head.0), "{gone:?}");
    assert_clean(to);
}

pub(super) fn a_copy_is_equal(fixture: &dyn Fixture) {
    let (from, to) = (full(fixture), fixture.store());
    let copied = transfer::copy(&side(&from), &side(&to), |_, _| {}).unwrap();
    assert!(!copied.resumed);
    assert_same(&*from, &*to);
    to.flush().unwrap();
    let to = fixture.reopen(to);
    assert_same(&*from, &*to);
    goes_on(&*from, &*to);
}

/// The copy counts on, gives new ids, and knows what came before.
fn goes_on(from: &dyn Store, to: &dyn Store) {
    let mut more = Sample::first(80).split_off(60);
    more.retain(|sample| sample.stored.id.link != LinkId(2));
    append(from, 100, &more);
    append(to, 100, &more);
    let mut again = Sample::nth(2).reported(9);
    again.dedupe = Some([9; 32]);
    let converted = Sample::nth(3).stored;
    let converted =
        Conversion { click: converted.id, workspace: converted.workspace, at: NOW, value: None };
    for store in [from, to] {
        let recorded =
            ClickStore::record(store, &[again.event(), Event::Conversion(converted.clone())]);
        let recorded = recorded.unwrap();
        assert!(recorded.iter().all(|r| matches!(r, Recorded::Duplicate(_))), "{recorded:?}");
        store.flush().unwrap();
    }
    assert_eq!(seen(to), seen(from));
    let new = [create(&link("new")), put(&records()[5])];
    assert_eq!(commit(to, &new).ids, commit(from, &new).ids);
    let taken = to.commit(&[create(&link("a"))], NOW);
    assert!(matches!(taken, Err(Error::Taken { .. })), "{taken:?}");
    assert_clean(to);
}

pub(super) fn a_copy_that_stopped_goes_on(fixture: &dyn Fixture) {
    let (from, to) = (full(fixture), fixture.store());
    for last in Part::ALL {
        // Whoever dies at a part has done those before it.
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            transfer::copy(&side(&from), &side(&to), |part, _| {
                if part == last {
                    std::panic::panic_any(part);
                }
            })
        }));
        assert!(died.is_err(), "{last:?} is done once");
        assert_eq!(transfer::unfinished(&*to), Ok(true));
    }
    let copied = transfer::copy(&side(&from), &side(&to), |part, _| panic!("{part:?} again"));
    assert!(copied.unwrap().resumed);
    assert_eq!(transfer::unfinished(&*to), Ok(false));
    assert_same(&*from, &*to);
}

pub(super) fn a_copy_refuses_what_it_would_mix(fixture: &dyn Fixture) {
    let (from, to) = (full(fixture), fixture.store());
    let copy = |from: &Arc<dyn Store>, to: &Arc<dyn Store>| {
        transfer::copy(&side(from), &side(to), |_, _| {})
    };
    assert_eq!(copy(&from, &from), Err(CopyError::NotEmpty));
    let source = from.head().unwrap();
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        transfer::copy(&side(&from), &side(&to), |part, _| assert_ne!(part, Part::Clicks))
    }));
    assert!(died.is_err());
    commit(&*from, &[create(&link("meanwhile"))]);
    assert!(from.head().unwrap() > source);
    assert_eq!(copy(&from, &to), Err(CopyError::OtherSource));
}
