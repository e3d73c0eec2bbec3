//! What the feed loses, the audit finds.

use waypost::link::{Change, Link};

use crate::world::{World, until, visit};

/// Has the feed lose `change`, made of the link `old`: the index has what the store has anyway,
/// and so has the snapshot.
#[track_caller]
fn check(change: impl FnOnce(&World, Link), served: &[(&'static str, &'static str)]) {
    let world = World::new();
    let old = world.create("old");
    world.create("other");
    let node = world.start().unwrap();
    world.await_snapshot();
    world.store.hide(waypost::link::Revision(world.head().0 + 1));
    change(&world, old);
    until("the index was repaired", || node.vitals().index_repairs() == 1);
    for (code, outcome) in served {
        assert_eq!(visit(&node, code), *outcome, "{code}");
    }
    until("so was the snapshot", || {
        let page = world.snapshot.links(None, 10).unwrap().page;
        let codes: Vec<_> = page.items.iter().map(|link| link.slug.as_str().to_owned()).collect();
        let whole = world.snapshot.stamp().unwrap().is_some();
        whole
            && served.iter().all(|(code, outcome)| {
                codes.iter().any(|known| known == code) == (*outcome == "redirect")
            })
    });
    assert_eq!(node.vitals().index_repairs(), 1);
}

fn update(world: &World, link: Link, edit: impl FnOnce(&mut Link)) {
    let was = link.name();
    let mut link = link;
    edit(&mut link);
    world.commit(Change::UpdateLink { link: Box::new(link), was });
}

#[test]
fn a_lost_creation() {
    let create = |world: &World, _| drop(world.create("new"));
    check(create, &[("old", "redirect"), ("new", "redirect"), ("other", "redirect")]);
}

#[test]
fn a_lost_edit() {
    let archive = |link: &mut Link| link.title = Some("edited".to_owned());
    check(|world, old| update(world, old, archive), &[("old", "redirect"), ("other", "redirect")]);
}

#[test]
fn a_lost_deletion() {
    check(|world, old| world.delete(&old), &[("old", "not_found"), ("other", "redirect")]);
}
