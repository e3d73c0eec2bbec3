//! Readers beside the writer: never a torn entry, never a stable link missing.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use waypost_index::Index;
use waypost_link::{DomainId, Link, Name, Revision};

use crate::fixture::{create, destination, link, mix, name, update};

/// Under miri everything takes a thousand times as long.
const SMALL: bool = cfg!(miri);
const STABLE: u64 = if SMALL { 8 } else { 600 };
const MOVING: u64 = if SMALL { 2 } else { 40 };
const ROUNDS: u64 = if SMALL { 18 } else { 300 };

fn stable(n: u64) -> Link {
    link(n + 1, 1, &name(0, &format!("stable{n}")), &format!("https://example.com/stable{n}"))
}

/// Link `n` under one of two names, with a destination that tells name and version.
fn moving(n: u64, version: u64) -> Link {
    let name = name(3, &format!("moving{n}-{}", version % 2));
    let filling = "x".repeat((mix(version) % 200) as usize);
    let mut link = link(STABLE + n + 1, version, &name, "https://example.com/");
    link.destination = destination(&format!("https://{}/{version}/{filling}", name.slug));
    if version.is_multiple_of(3) {
        link.utm.source = format!("{version}");
    }
    link
}

/// Looks at everything once; the number of moving links found.
fn look(index: &Index) -> u64 {
    index.prefetch((0..STABLE).map(|n| (DomainId::DEFAULT, format!("stable{n}"))));
    for n in 0..STABLE {
        let found = index.with(DomainId::DEFAULT, &format!("stable{n}"), |entry| {
            assert_eq!(entry.destination, stable(n).destination.as_str());
            entry.id.0
        });
        assert_eq!(found, Some(n + 1), "a stable link went missing");
    }
    (0..MOVING * 2).filter(|n| look_at_moving(index, n / 2, n % 2)).count() as u64
}

fn look_at_moving(index: &Index, n: u64, place: u64) -> bool {
    let found = index.with(DomainId(3), &format!("moving{n}-{place}"), |entry| {
        let whole = moving(n, entry.version);
        assert_eq!(entry.destination, whole.destination.as_str());
        assert_eq!((entry.code, entry.id), (whole.slug.as_str(), whole.id));
        let source = entry.details.map(|details| details.utm.source.as_str());
        assert_eq!(source.unwrap_or_default(), whole.utm.source);
        assert_eq!(entry.version % 2, place);
    });
    found.is_some()
}

fn write(index: &Index, done: &AtomicBool) {
    let first: Vec<_> = (0..MOVING).map(|n| moving(n, 1)).collect();
    index.apply(Revision(2), &first.iter().map(create).collect::<Vec<_>>());
    for version in 2..ROUNDS {
        for n in 0..MOVING {
            let was: Name = moving(n, version - 1).name();
            let revision = Revision(version * MOVING + n);
            index.apply(revision, &[update(&moving(n, version), &was)]);
        }
        if version % (ROUNDS / 6) == 0 {
            reload(index, version);
        }
    }
    done.store(true, Ordering::Release);
}

fn reload(index: &Index, version: u64) {
    let loader = index.loader();
    (0..STABLE).for_each(|n| loader.links([(&stable(n), 0)]));
    (0..MOVING).for_each(|n| loader.links([(&moving(n, version), 0)]));
    loader.publish(index.applied());
}

#[test]
fn what_stays_is_always_there_and_nothing_is_torn() {
    let index = Index::new();
    index.apply(Revision(1), &(0..STABLE).map(|n| create(&stable(n))).collect::<Vec<_>>());
    let (done, found) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    found.fetch_add(look(&index), Ordering::Relaxed);
                }
            });
        }
        write(&index, &done);
    });
    assert_eq!(look(&index), MOVING, "each moving link has one name");
    assert!(found.into_inner() > 0 && index.stats().rebuilds > 0);
    assert_eq!(index.stats().links as u64, STABLE + MOVING);
}

#[test]
fn whoever_waits_for_a_revision_sees_it() {
    let index = Index::new();
    thread::scope(|scope| {
        let waits = scope.spawn(|| index.wait_applied(Revision(7), Duration::from_secs(60)));
        let seven = link(1, 1, &name(0, "seven"), "https://example.com/");
        index.apply(Revision(7), &[create(&seven)]);
        assert!(waits.join().unwrap());
    });
    assert!(index.wait_applied(Revision(3), Duration::ZERO));
    assert!(!index.wait_applied(Revision(8), Duration::ZERO));
}
