//! What closes a link, in which order, and how an open one redirects (SPEC 3.3, 3.4).

use waypost_link::{Change, Flags, Link, Status, Timestamp, Utm};
use waypost_redirect::{Answer, Facts, Method, Scratch};

use crate::world::*;

const OPEN: &str = "302 https://example.com/2";
const CLOSED: &str = "404 \"hi\"";

fn check(edit: impl Fn(&mut Link), expected: &str) {
    for method in [Method::Get, Method::Head] {
        let world = World::new();
        world.link("hi", &edit);
        assert_eq!(world.ask(&Facts { method, ..get("/hi") }), expected, "{method:?}");
        let counted = expected.starts_with('3') && method == Method::Get;
        assert_eq!(world.clicks().len(), usize::from(counted), "{method:?}");
    }
}

#[test]
fn what_closes_a_link() {
    check(|_| {}, OPEN);
    check(|link| link.flags = Flags(0), CLOSED);
    check(|link| link.valid_from = Some(NOW.plus(1)), CLOSED);
    check(|link| link.valid_from = Some(NOW), OPEN);
    check(|link| link.expires_at = Some(NOW), CLOSED);
    check(|link| link.expires_at = Some(NOW.plus(1)), OPEN);
    check(|link| link.max_clicks = Some(0), CLOSED);
    check(|link| link.max_clicks = Some(1), OPEN);
    check(|link| link.archived_at = Some(Timestamp(0)), OPEN);
    // A password page would tell that there is a link.
    let locked = |link: &mut Link| link.password = Some("$hash".to_owned());
    check(locked, "200 form None");
    check(|link| (link.flags = Flags(0), locked(link)).1, CLOSED);
    check(|link| (link.expires_at = Some(NOW), locked(link)).1, CLOSED);
    check(|link| (link.max_clicks = Some(0), locked(link)).1, CLOSED);
}

#[test]
fn statuses_and_how_long_they_are_kept() {
    for (status, code, control) in [
        (Status::Moved, 301, "private, max-age=300"),
        (Status::Found, 302, "private, no-store"),
        (Status::Temporary, 307, "private, no-store"),
        (Status::Permanent, 308, "private, max-age=300"),
    ] {
        let world = World::new();
        world.link("hi", |link| link.status = status);
        let mut scratch = Scratch::default();
        let answer = world.engine.decide(&get("/hi"), &mut scratch);
        let Answer::Redirect(redirect) = answer else { panic!("{answer:?}") };
        assert_eq!((redirect.status, redirect.cache_control()), (code, control));
    }
}

#[test]
fn methods() {
    let world = World::new();
    world.link("hi", |_| {});
    world.link("locked", |link| link.password = Some("$hash".to_owned()));
    for (method, path, expected) in [
        (Method::Post, "/hi", "405 GET, HEAD"),
        (Method::Post, "/track/hi", "405 GET, HEAD"),
        (Method::Post, "/nope", "404 \"nope\""),
        (Method::Post, "/hi+", "405 GET, HEAD"),
        (Method::Post, "/c/alias", "405 GET, HEAD"),
        (Method::Other, "/hi", "405 GET, HEAD"),
        (Method::Other, "/nope", "405 GET, HEAD"),
        (Method::Other, "/locked", "405 GET, HEAD, POST"),
        (Method::Other, "/locked+", "405 GET, HEAD"),
        (Method::Other, "/a/b", "404 \"\""),
        (Method::Head, "/hi", OPEN),
    ] {
        assert_eq!(world.ask(&Facts { method, ..get(path) }), expected, "{method:?} {path}");
    }
    assert!(world.clicks().is_empty());
}

#[test]
fn the_location_is_composed_in_order() {
    let world = World::new();
    let edit = |forward: bool, convert: bool| {
        move |link: &mut Link| {
            link.destination = destination("https://example.com/p?a=1&utm_source=old#f");
            link.utm = Utm { source: "ad".to_owned(), medium: "x y".to_owned(), ..Utm::default() };
            let flags = link.flags.with(Flags::FORWARD_QUERY, forward);
            link.flags = flags.with(Flags::CONVERSION_TRACKING, convert);
        }
    };
    world.link("none", edit(false, false));
    world.link("fwd", edit(true, false));
    world.link("conv", edit(true, true));
    let target = |code: &str| format!("/{code}?a=9&b=2&utm_source=me&wp_click=forged");
    let base = "302 https://example.com/p?a=1&utm_source=ad&utm_medium=x%20y";
    assert_eq!(world.get(&target("none")), format!("{base}#f"));
    assert_eq!(world.get(&target("fwd")), format!("{base}&b=2&wp_click=forged#f"));
    assert_eq!(world.get("/fwd"), format!("{base}#f"));
    world.clicks();

    let target = target("conv");
    let location = world.get(&target);
    let click = world.clicks()[0].id;
    let hex = format!("{:032x}", click.to_uuid());
    let uuid = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    assert_eq!(location, format!("{base}&b=2&wp_click={uuid}#f"));
    // What records no click has no id to pass on, and a forged one is not passed on in its place.
    let head = Facts { method: Method::Head, ..get(&target) };
    assert!(!world.ask(&head).contains(&uuid[..8]));
}

#[test]
fn a_change_shows_at_once() {
    let world = World::new();
    let mut link = world.link("hi", |_| {});
    assert_eq!(world.get("/hi"), OPEN);
    world.update(&mut link, |link| link.destination = destination("https://example.com/new"));
    assert_eq!(world.get("/hi"), "302 https://example.com/new");
    let (id, workspace) = (link.id, link.workspace);
    world.commit(Change::DeleteLink { id, workspace, was: link.name() });
    assert_eq!(world.get("/hi"), CLOSED);
}
