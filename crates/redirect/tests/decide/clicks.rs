//! Which answers are clicks, what a click says, and click limits (SPEC 3.5, 3.7).

use std::net::IpAddr;

use waypost_link::Flags;
use waypost_redirect::{Answer, Countries, Facts, Method, Scratch, Settings};

use crate::world::*;

#[test]
fn what_counts() {
    let world = World::new();
    world.link("hi", |_| {});
    world.link("page", |link| link.flags = link.flags.with(Flags::PIXELS, true));
    for (facts, clicks) in [
        (get("/hi"), 1),
        (get("/page"), 1),
        (get("/track/hi"), 1),
        (Facts { user_agent: b"Googlebot/2.1", ..get("/hi") }, 1),
        (Facts { method: Method::Head, ..get("/hi") }, 0),
        (Facts { method: Method::Head, ..get("/page") }, 0),
        (Facts { sec_purpose: b"prefetch;prerender", ..get("/hi") }, 0),
        (Facts { purpose: b"prefetch", ..get("/hi") }, 0),
        (Facts { x_moz: b"prefetch", ..get("/page") }, 0),
        (get("/nope"), 0),
        (get("/hi+"), 0),
    ] {
        world.ask(&facts);
        assert_eq!(world.clicks().len(), clicks, "{facts:?}");
    }
}

struct Everywhere;

impl Countries for Everywhere {
    fn country(&self, _: IpAddr) -> Option<[u8; 2]> {
        Some(*b"NZ")
    }
}

#[test]
fn what_a_click_says() {
    let world =
        World::with(Settings { countries: Some(Box::new(Everywhere)), ..Settings::default() });
    let link = world.link("hi", |link| link.workspace = OTHER);
    for (peer, forwarded, country, ip, expected) in [
        ("192.0.2.1", &b"198.51.100.7"[..], &b"DE"[..], "192.0.2.1", *b"NZ"),
        ("127.0.0.1", b"1.1.1.1, 198.51.100.7", b"de", "198.51.100.7", *b"DE"),
        ("::1", b"2001:db8::7", b"XX", "2001:db8::7", *b"NZ"),
    ] {
        let fields = [forwarded];
        let facts =
            Facts { peer: peer.parse().unwrap(), forwarded_for: &fields, country, ..get("/hi") };
        world.ask(&facts);
        let clicks = world.clicks();
        let [click] = clicks.as_slice() else { panic!("{clicks:?}") };
        assert_eq!((click.id.link, click.id.received, click.workspace), (link.id, NOW, OTHER));
        assert_eq!((click.ip, click.country), (ip.parse().unwrap(), Some(expected)), "{peer}");
        assert_eq!((click.spent, click.rule.as_str()), (true, ""));
    }
}

#[test]
fn clicks_of_one_microsecond_have_ids_of_their_own() {
    let world = World::new();
    world.link("hi", |_| {});
    for _ in 0..1_000 {
        world.get("/hi");
    }
    let mut ids: Vec<_> = world.clicks().into_iter().map(|click| click.id.to_uuid()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1_000);
}

#[test]
fn a_limit_is_spent_last_and_by_visits_only() {
    let world = World::new();
    let mut link = world.link("hi", |link| link.max_clicks = Some(2));
    let head = Facts { method: Method::Head, ..get("/hi") };
    let ahead = Facts { sec_purpose: b"prefetch", ..get("/hi") };
    let open = "302 https://example.com/2";
    for (facts, expected, clicks) in [
        (head, open, 0),
        (ahead, open, 0),
        (get("/hi"), open, 1),
        (head, open, 0),
        (Facts { user_agent: b"Googlebot/2.1", ..get("/hi") }, open, 1),
        (head, "404 \"hi\"", 0),
        (ahead, "404 \"hi\"", 0),
        (get("/hi"), "404 \"hi\"", 0),
    ] {
        assert_eq!(world.ask(&facts), expected);
        let seen = world.clicks();
        assert_eq!(seen.len(), clicks);
        assert!(seen.iter().all(|click| click.spent));
    }
    // The counter is the link's: an edit keeps it, a higher limit opens the link again.
    world.update(&mut link, |link| link.title = Some("new".to_owned()));
    assert_eq!(world.get("/hi"), "404 \"hi\"");
    world.update(&mut link, |link| link.max_clicks = Some(3));
    assert_eq!(world.get("/hi"), open);
    assert_eq!(world.get("/hi"), "404 \"hi\"");
}

#[test]
fn a_node_of_a_fleet_redirects_what_it_is_lent() {
    let world = World::over(waypost_index::Index::lending(), waypost_redirect::Settings::default());
    let link = world.link("hi", |link| link.max_clicks = Some(2));
    let counter = world.engine.index().counter(link.id).unwrap();
    let lent = counter.lent().unwrap();
    let head = Facts { method: Method::Head, ..get("/hi") };
    let (open, ask, gone) = ("302 https://example.com/2", "check lease of 1", "404 \"hi\"");
    let check = |facts: &Facts<'_>, expected: &str, clicks| {
        assert_eq!(world.ask(facts), expected);
        assert_eq!(world.clicks().len(), clicks);
    };
    check(&get("/hi"), ask, 0);
    check(&head, open, 0);
    lent.add(1);
    check(&get("/hi"), open, 1);
    check(&get("/hi"), ask, 0);
    lent.set_out(true);
    check(&get("/hi"), gone, 0);
    check(&head, gone, 0);
}

#[test]
fn a_limit_is_exact_under_eight_threads() {
    let world = World::new();
    world.link("hi", |link| link.max_clicks = Some(1_000));
    let engine = &world.engine;
    let visit = || {
        let mut scratch = Scratch::default();
        let redirects = (0..400)
            .filter(|_| matches!(engine.decide(&get("/hi"), &mut scratch), Answer::Redirect(_)));
        redirects.count()
    };
    let redirected: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(visit)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((redirected, world.clicks().len()), (1_000, 1_000));
}
