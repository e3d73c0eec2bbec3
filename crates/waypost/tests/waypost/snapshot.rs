//! A node that restarts while its store is away serves what it knew, and catches up.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use waypost::{
    Error,
    link::{Change, Timestamp},
    storage::{ClickStore as _, LinkStore as _, fault::Operation},
};

use crate::{
    fragile::Fragile,
    world::{World, link, memory, until, visit},
};

/// A world whose node ran with the links `plain`, `doomed`, and `rare`, limited to 3 clicks and
/// visited once, and was stopped.
fn known() -> World {
    let world = World::new();
    world.create("plain");
    world.create("doomed");
    world.create_limited("rare", Some(3));
    let node = world.start().unwrap();
    assert_eq!(visit(&node, "rare"), "redirect");
    world.await_snapshot();
    assert!(node.close());
    world
}

#[test]
fn a_node_starts_without_its_store_and_catches_up() {
    let world = known();
    world.take_away();
    let node = world.start().unwrap();
    let vitals = node.vitals();
    assert!(vitals.on_snapshot() && !vitals.store_answers());
    for (code, outcome) in [
        ("plain", "redirect"),
        ("doomed", "redirect"),
        ("rare", "redirect"),
        ("rare", "redirect"),
        ("rare", "not_found"),
        ("late", "not_found"),
    ] {
        assert_eq!(visit(&node, code), outcome, "{code}");
    }

    // Another node goes on meanwhile.
    let doomed = world.store.store().link(waypost::link::LinkId(2)).unwrap().unwrap();
    world.delete(&doomed);
    let late = world.create("late");
    world.store.heal();
    until("the node has caught up", || !vitals.on_snapshot() && vitals.store_answers());
    until("the new link is served", || node.index().applied() == world.head());
    assert_eq!((visit(&node, "late"), visit(&node, "doomed")), ("redirect", "not_found"));

    assert!(node.settle(Duration::from_secs(60)));
    let ids = [1, 3, late.id.0].map(waypost::link::LinkId);
    let totals = world.store.store().totals(&ids).unwrap();
    let clicks: Vec<u64> = totals.iter().map(|totals| totals.clicks).collect();
    assert_eq!(clicks, [1, 3, 1]);
    world.await_snapshot();
}

#[test]
fn what_the_feed_no_longer_has_is_loaded_anew() {
    let world = known();
    world.take_away();
    let node = world.start().unwrap();
    world.create("late");
    let all = Timestamp(i64::MAX);
    assert!(world.store.store().forget(all, Timestamp(0)).unwrap() > 0);
    world.store.heal();
    until("the new link is served", || visit(&node, "late") == "redirect");
    world.await_snapshot();
    assert_eq!(world.snapshot.links(None, 10).unwrap().page.items.len(), 4);
}

#[test]
fn a_snapshot_that_is_corrupt_is_copied_anew() {
    let mut world = World::new();
    let whole = Arc::clone(&world.snapshot);
    let fragile = Arc::new(Fragile { whole, corrupt: false.into() });
    world.snapshot = fragile.clone();
    world.create("plain");
    let _node = world.start().unwrap();
    world.await_snapshot();
    fragile.corrupt.store(true, Relaxed);
    world.create("late");
    world.await_snapshot();
    assert_eq!(world.snapshot.links(None, 10).unwrap().page.items.len(), 2);
}

#[test]
fn without_a_snapshot_nothing_starts_without_its_store() {
    let world = World::new();
    world.take_away();
    match world.start() {
        Err(Error::NoSnapshot { error, dir }) => {
            assert_eq!(
                (error.to_string(), &*dir),
                ("the store is unavailable: away".into(), world.dir())
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_store_is_refused() {
    let (world, other) = (known(), memory());
    assert!(matches!(world.start_on(&other), Err(Error::Foreign(dir)) if dir == world.dir()));
}

#[test]
fn another_store_that_comes_later_gets_no_clicks() {
    let (world, other) = (known(), memory());
    other.commit(&[Change::CreateLink(Box::new(link("plain")))], Timestamp(1)).unwrap();
    other.fail_all(&waypost::storage::Error::Unavailable("away".to_owned()));
    let node = world.start_on(&other).unwrap();
    assert_eq!(visit(&node, "rare"), "redirect");
    other.heal();
    until("clicks were offered", || node.vitals().clicks().sink_errors > 0);
    until("the follower has asked", || other.calls(Operation::Holder) > 2);
    assert!(!node.vitals().store_answers());
    assert_eq!(other.calls(Operation::Append), 0);
    assert_eq!(visit(&node, "rare"), "redirect");
    // The clicks wait for the store that they are for.
    assert!(!node.close());
    drop(node);
    let node = world.start().unwrap();
    assert!(node.settle(Duration::from_secs(60)));
    let totals = world.store.store().totals(&[waypost::link::LinkId(3)]).unwrap();
    assert_eq!(totals[0].clicks, 3);
}
