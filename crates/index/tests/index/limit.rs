//! Click limits: exact, through edits, reloads and late limits.

use std::{sync::atomic::AtomicUsize, sync::atomic::Ordering, thread};

use waypost_index::{Index, Limit, Spend};
use waypost_link::{DomainId, Link, LinkId, Name, Revision};

use crate::fixture::{create, link, name, update};

fn limited(version: u64, name: &Name, max: Option<u64>) -> Link {
    let link = link(1, version, name, &format!("https://example.com/{version}"));
    Link { max_clicks: max, ..link }
}

/// Spends a click of the link; `None` where there is no limit.
fn spend(index: &Index, name: &Name) -> Option<bool> {
    let spent = index.with(name.domain, name.slug.as_str(), |entry| {
        entry
            .details
            .and_then(|details| details.limit.as_ref())
            .map(|limit| limit.try_spend() == Spend::Done)
    });
    spent.flatten()
}

#[test]
fn exact_while_the_link_is_edited() {
    const MAX: usize = 2_000;
    let (index, name) = (Index::new(), name(0, "hot"));
    index.apply(Revision(1), &[create(&limited(1, &name, Some(MAX as u64)))]);
    let succeeded = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let spent = (0..MAX).filter(|_| spend(&index, &name) == Some(true)).count();
                succeeded.fetch_add(spent, Ordering::Relaxed);
            });
        }
        for version in 2..500 {
            let next = limited(version, &name, Some(MAX as u64));
            index.apply(Revision(version), &[update(&next, &name)]);
        }
    });
    assert_eq!(succeeded.into_inner(), MAX);
}

#[test]
fn a_raised_limit_goes_on_where_the_old_one_ended() {
    let (index, a, b) = (Index::new(), name(0, "a"), name(0, "b"));
    index.apply(Revision(1), &[create(&limited(1, &a, Some(2)))]);
    assert_eq!([(); 3].map(|()| spend(&index, &a)), [Some(true), Some(true), Some(false)]);
    let reported = index.apply(Revision(2), &[update(&limited(2, &b, Some(3)), &a)]);
    assert!(reported.is_empty(), "its counter was known");
    assert_eq!([(); 2].map(|()| spend(&index, &b)), [Some(true), Some(false)]);
}

#[test]
fn a_late_limit_counts_what_came_before() {
    let (index, name) = (Index::new(), name(0, "late"));
    index.apply(Revision(1), &[create(&limited(1, &name, None))]);
    assert_eq!(spend(&index, &name), None);
    assert!(!index.set_spent(LinkId(1), 9), "no limit, no counter");
    let reported = index.apply(Revision(2), &[update(&limited(2, &name, Some(10)), &name)]);
    assert_eq!(reported, [LinkId(1)]);
    assert_eq!(spend(&index, &name), Some(true));
    for _ in 0..2 {
        assert!(index.set_spent(LinkId(1), 8));
    }
    assert_eq!([(); 2].map(|()| spend(&index, &name)), [Some(true), Some(false)]);

    index.apply(Revision(3), &[update(&limited(3, &name, None), &name)]);
    let reported = index.apply(Revision(4), &[update(&limited(4, &name, Some(20)), &name)]);
    assert_eq!(reported, [LinkId(1)], "clicks between the limits weren't counted here");
}

#[test]
fn a_loaded_link_starts_at_the_stores_count_a_reloaded_one_at_its_own() {
    let (index, name) = (Index::new(), name(0, "loaded"));
    let link = limited(1, &name, Some(5));
    for (stored, spendable) in [(3, 2), (0, 0)] {
        let loader = index.loader();
        loader.links([(&link, stored)]);
        loader.publish(Revision(1));
        let spent = (0..9).filter(|_| spend(&index, &name) == Some(true)).count();
        assert_eq!(spent, spendable);
        let is_spent = index.with(DomainId::DEFAULT, "loaded", |entry| {
            entry.details.and_then(|details| details.limit.as_ref()).map(Limit::is_spent)
        });
        assert_eq!(is_spent, Some(Some(true)));
    }
}
