//! `/c/{alias}`: a uniformly random open member (SPEC 3, golinks).

use std::collections::HashMap;

use waypost_link::{
    Change, Collection, CollectionId, DomainStatus, Flags, Link, Record, Timestamp,
};
use waypost_redirect::{Facts, Method};

use crate::world::*;

fn world(enabled: bool) -> World {
    let world = World::new();
    world.commit(Change::PutRecord(Record::Collection(Collection {
        id: CollectionId(1),
        workspace: WORKSPACE,
        rotator_enabled: enabled,
        alias: Some("topPicks2026".to_owned()),
        ..Collection::default()
    })));
    world
}

fn member(world: &World, code: &str, edit: impl Fn(&mut Link)) -> Link {
    world.link(code, |link| {
        link.collection = Some(CollectionId(1));
        link.destination = destination(&format!("https://example.com/{code}"));
        edit(link);
    })
}

fn visits(world: &World, count: usize) -> HashMap<String, usize> {
    let mut seen = HashMap::new();
    for _ in 0..count {
        *seen.entry(world.get("/c/topPicks2026")).or_default() += 1;
    }
    seen
}

#[test]
fn every_open_member_is_as_likely_as_the_others() {
    let world = world(true);
    for code in ["a", "b", "d", "e"] {
        member(&world, code, |_| {});
    }
    member(&world, "off", |link| link.flags = Flags(0));
    member(&world, "stored", |link| link.archived_at = Some(Timestamp(0)));
    member(&world, "past", |link| link.expires_at = Some(NOW));
    member(&world, "early", |link| link.valid_from = Some(NOW.plus(1)));
    member(&world, "full", |link| link.max_clicks = Some(0));
    let seen = visits(&world, 8_000);
    assert_eq!(seen.len(), 4, "{seen:?}");
    // Five standard deviations.
    assert!(seen.values().all(|&count| count.abs_diff(2_000) < 194), "{seen:?}");
    assert_eq!(world.clicks().len(), 8_000);
}

#[test]
fn one_open_member_among_many_is_found() {
    let world = world(true);
    for n in 0..500 {
        member(&world, &format!("past{n}"), |link| link.expires_at = Some(NOW));
    }
    assert_eq!(world.get("/c/topPicks2026"), "404 \"topPicks2026\"");
    member(&world, "open", |_| {});
    assert_eq!(visits(&world, 20), [("302 https://example.com/open".to_owned(), 20)].into());
}

#[test]
fn where_a_rotator_is_and_is_not() {
    let world = world(true);
    member(&world, "a", |_| {});
    world.domain(1, "brand.example", WORKSPACE, DomainStatus::Active);
    world.domain(2, "foreign.example", OTHER, DomainStatus::Active);
    let (open, closed) = ("302 https://example.com/a", "404 \"topPicks2026\"");
    for (host, path, expected) in [
        ("localhost", "/c/topPicks2026", open),
        ("brand.example", "/c/topPicks2026", open),
        ("foreign.example", "/c/topPicks2026", closed),
        ("localhost", "/c/toppicks2026", "404 \"toppicks2026\""),
        ("localhost", "/c/", "404 \"\""),
        ("localhost", "/c", "404 \"c\""),
        ("localhost", "/topPicks2026", closed),
    ] {
        assert_eq!(
            world.ask(&Facts { host: host.as_bytes(), ..get(path) }),
            expected,
            "{host}{path}"
        );
    }
    let head = Facts { method: Method::Head, ..get("/c/topPicks2026") };
    assert_eq!(world.ask(&head), open);
    assert_eq!(self::world(false).get("/c/topPicks2026"), closed);
}

#[test]
fn a_member_with_a_password_is_asked_for_it_at_its_own_code() {
    let world = world(true);
    member(&world, "a", |link| link.password = Some("$hash".to_owned()));
    assert_eq!(world.get("/c/topPicks2026"), "200 form Some(\"a\")");
    assert_eq!(world.ask(&post("/a", "x")), "check $hash");
}
