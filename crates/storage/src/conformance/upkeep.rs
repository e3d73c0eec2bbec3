//! What the operator asks: checks, backups, whether all is well.

use std::sync::Arc;

use waypost_link::{LinkId, Revision};

use super::{Fixture, Store, samples::*, truth::*};
use crate::{
    ClickQuery, ClickScope, ClickStore, Error, Finding, Grain, Order, Report, Scope, Trim,
};

/// A store that has seen everything: links made, changed and deleted, records, clicks.
pub(super) fn lived(fixture: &dyn Fixture) -> Arc<dyn Store> {
    let store = fixture.store();
    let links = made(&*store, &["a", "b", "e", "d"].map(link));
    let changes: Vec<_> = records().iter().map(put).collect();
    commit(&*store, &changes);
    let mut changed = links[0].clone();
    assert!(changed.attributes.set("job_id", Some("1")));
    commit(&*store, &[update(&changed, &links[0]), create(&full_link())]);
    append(&*store, 1, &Sample::first(60));
    let events: Vec<_> = (0..20).map(|n| Sample::nth(n).reported(5).event()).collect();
    ClickStore::record(&*store, &events).unwrap();
    commit(&*store, &[delete(&links[1])]);
    store
}

pub(super) fn a_check_is_clean_after_everything(fixture: &dyn Fixture) {
    assert_eq!(fixture.store().check(), Ok(Report::default()));
    let mut store = lived(fixture);
    trim(&*store, Trim::Link(LinkId(2), W1));
    for (clicks, then) in [(60, None), (60, Some(NOW)), (60, None)] {
        if let Some(before) = then {
            trim(&*store, Trim::Before(before));
        }
        let report = store.check().unwrap();
        let expected = Report { links: 4, clicks, purges_pending: 0, findings: vec![] };
        assert_eq!(report, expected);
        store.flush().unwrap();
        store = fixture.reopen(store);
    }
    let half = Sample::nth(30).stored.id.received;
    let gone = trim(&*store, Trim::Before(half));
    let report = store.check().unwrap();
    assert_eq!((report.clicks, report.findings), (60 - gone, vec![]));
    assert!(gone > 0 && gone < 60);
}

pub(super) fn a_deleted_link_is_no_contradiction(fixture: &dyn Fixture) {
    let store = lived(fixture);
    let report = store.check().unwrap();
    assert_eq!(report.findings, Vec::<Finding>::new());
    assert!(report.purges_pending <= 1, "{report:?}");
    trim(&*store, Trim::Link(LinkId(2), W1));
    let report = store.check().unwrap();
    assert_eq!((report.purges_pending, report.findings), (0, vec![]));
}

pub(super) fn a_backup_is_equal(fixture: &dyn Fixture) {
    let store = lived(fixture);
    store.flush().unwrap();
    let Some(copy) = fixture.backup(&*store) else { return };
    let buckets = |store: &dyn Store, grain| {
        [links(&[1]), links(&[3]), workspace(W1), workspace(W2)]
            .map(|scope: Scope| tally(store, &scope, grain, EVER))
    };
    let clicks = |store: &dyn Store| {
        [W1, W2].map(|workspace| {
            let (scope, order) = (ClickScope::Workspace(workspace), Order::Ascending);
            drain(|after| {
                store.clicks(&ClickQuery {
                    scope,
                    from: None,
                    before: None,
                    order,
                    after,
                    limit: 9,
                })
            })
        })
    };
    // What came after the backup is not in it.
    let (all, raw) = (everything(&*store), clicks(&*store));
    let counted = [Grain::Hour, Grain::Day, Grain::All].map(|grain| buckets(&*store, grain));
    let (head, feed) = (store.head(), store.replay(Revision(0), 100));
    made(&*store, &[link("later")]);
    append(&*store, 50, &[Sample::nth(90)]);
    assert_eq!(everything(&*copy), all);
    assert_eq!(clicks(&*copy), raw);
    let copied = [Grain::Hour, Grain::Day, Grain::All].map(|grain| buckets(&*copy, grain));
    assert_eq!(copied, counted);
    assert_eq!((copy.head(), copy.replay(Revision(0), 100)), (head, feed));
    assert_clean(&*copy);
    // It is a store of its own: it goes on where the copy was made.
    assert_eq!(commit(&*copy, &[create(&link("copy"))]).ids, [6]);
    let taken = copy.commit(&[create(&link("a"))], NOW);
    assert!(matches!(taken, Err(Error::Taken { index: 0, .. })), "{taken:?}");
}

pub(super) fn a_store_that_is_well_says_so(fixture: &dyn Fixture) {
    let store = fixture.store();
    assert_eq!(store.ping(), Ok(()));
    made(&*store, &[link("a")]);
    assert_eq!(fixture.reopen(store).ping(), Ok(()));
}
