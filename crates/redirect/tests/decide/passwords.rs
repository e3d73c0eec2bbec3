//! Links with a password (SPEC 3.3).

use waypost_link::{Flags, Link};
use waypost_redirect::{Answer, Facts, Method, Scratch, limits};

use crate::world::*;

const TO: &str = "303 https://example.com/2";

fn locked(edit: impl Fn(&mut Link)) -> (World, Link) {
    let world = World::new();
    let link = world.link("hi", |link| {
        link.password = Some("$hash".to_owned());
        edit(link);
    });
    (world, link)
}

fn passed(world: &World, hash: &str) -> String {
    say(&world.engine.passed(&post("/hi", "secret"), hash, &mut Scratch::default()))
}

#[test]
fn the_page_comes_first_and_is_no_click() {
    let (world, _) = locked(|link| link.max_clicks = Some(1));
    for method in [Method::Get, Method::Head] {
        for path in ["/hi", "/track/hi"] {
            assert_eq!(world.ask(&Facts { method, ..get(path) }), "200 form None");
        }
    }
    assert_eq!(world.ask(&post("/hi", "secret")), "check $hash");
    assert!(world.clicks().is_empty());
}

#[test]
fn the_right_password_leads_on_with_one_click() {
    let (world, _) = locked(|link| link.max_clicks = Some(2));
    assert_eq!(passed(&world, "$hash"), TO);
    let clicks = world.clicks();
    assert_eq!(clicks.len(), 1);
    assert!(clicks[0].spent);
    assert_eq!(passed(&world, "$hash"), TO);
    assert_eq!(passed(&world, "$hash"), "404 \"hi\"");
    assert_eq!(world.clicks().len(), 1);

    let (world, _) = locked(|link| link.flags = link.flags.with(Flags::PIXELS, true));
    assert_eq!(passed(&world, "$hash"), "200 page https://example.com/2 0+0");
    assert_eq!(world.clicks().len(), 1);
}

#[test]
fn the_wrong_password_is_asked_again() {
    let wrong = say(&Answer::WRONG_PASSWORD);
    assert_eq!(wrong, "401 form None");
    let (world, _) = locked(|_| {});
    let long = "x".repeat(limits::PASSWORD_BYTES + 1);
    assert_eq!(world.ask(&post("/hi", &long)), wrong);
    assert_eq!(world.ask(&Facts { password: None, ..post("/hi", "") }), wrong);
    assert!(world.clicks().is_empty());
}

#[test]
fn a_link_that_changed_meanwhile_is_looked_at_again() {
    let (world, mut link) = locked(|_| {});
    world.update(&mut link, |link| link.password = Some("$new".to_owned()));
    assert_eq!(passed(&world, "$hash"), "401 form None");
    assert_eq!(passed(&world, "$new"), TO);
    world.update(&mut link, |link| link.password = None);
    assert_eq!(passed(&world, "$new"), "405 GET, HEAD");
    world.update(&mut link, |link| link.flags = Flags(0));
    assert_eq!(passed(&world, "$new"), "404 \"hi\"");
}

#[test]
fn more_than_five_tries_a_minute_are_too_many() {
    let (world, _) = locked(|_| {});
    world.link("other", |link| link.password = Some("$hash".to_owned()));
    for (path, peer, seconds, expected) in [
        ("/hi", 1, 0, "check $hash"),
        ("/hi", 1, 1, "check $hash"),
        ("/track/hi", 1, 2, "check $hash"),
        ("/hi", 1, 3, "check $hash"),
        ("/hi", 1, 4, "check $hash"),
        ("/hi", 1, 5, "429 56"),
        ("/hi", 2, 5, "check $hash"),
        ("/other", 1, 5, "check $hash"),
        ("/hi", 1, 60, "check $hash"),
        ("/hi", 1, 60, "429 2"),
    ] {
        let (peer, at) = ([192, 0, 2, peer].into(), NOW.plus(seconds * 1_000_000));
        let facts = Facts { peer, at, ..post(path, "guess") };
        assert_eq!(world.ask(&facts), expected, "{path} {peer} {seconds}");
    }
    // Asking for the page is no try.
    assert_eq!(world.get("/hi"), "200 form None");
}
