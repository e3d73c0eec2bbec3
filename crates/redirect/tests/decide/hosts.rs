//! Which link a host and a path name (SPEC 3.1, 3.2).

use waypost_link::{DomainId, DomainStatus, Hostname, Link};
use waypost_redirect::{Facts, Settings};

use crate::world::*;

const HOME: &str = "302 https://example.com/home";
const MINE: &str = "302 https://example.com/mine";
const OWN: &str = "302 https://example.com/own";
const FOREIGN: &str = "302 https://example.com/foreign";
const UNREGISTERED: &str = "404 domain";

fn to(url: &'static str) -> impl Fn(&mut Link) {
    move |link| link.destination = destination(&url["302 ".len()..])
}

fn world(strict_hosts: bool) -> World {
    let own_hosts =
        vec![Hostname::parse("go.example").unwrap(), Hostname::parse("alias.example").unwrap()];
    let world = World::with(Settings { own_hosts, strict_hosts, ..Settings::default() });
    world.domain(1, "brand.example", WORKSPACE, DomainStatus::Active);
    world.domain(2, "xn--bcher-kva.example", WORKSPACE, DomainStatus::Active);
    world.domain(3, "pending.example", WORKSPACE, DomainStatus::Pending);
    world.domain(4, "failed.example", WORKSPACE, DomainStatus::Failed);
    world.domain(5, "blocked.example", WORKSPACE, DomainStatus::Blocked);
    world.domain(6, "removed.example", WORKSPACE, DomainStatus::Removed);
    world.link("both", to(HOME));
    world.link("both", |link| (link.domain = DomainId(1), to(OWN)(link)).1);
    world.link("mine", to(MINE));
    world.link("foreign", |link| (link.workspace = OTHER, to(FOREIGN)(link)).1);
    world.link("off", to(HOME));
    world.link("off", |link| {
        link.domain = DomainId(1);
        link.flags = waypost_link::Flags(0);
    });
    world
}

#[test]
fn the_host_picks_the_domain() {
    let (lenient, strict) = (world(false), world(true));
    for (host, path, loose, tight) in [
        // The server's own.
        ("go.example", "/both", HOME, HOME),
        ("go.example:8080", "/both", HOME, HOME),
        ("GO.Example.:8080", "/both", HOME, HOME),
        ("alias.example", "/both", HOME, HOME),
        ("localhost", "/both", HOME, HOME),
        ("LOCALHOST:80", "/both", HOME, HOME),
        ("127.0.0.1:8080", "/both", HOME, HOME),
        ("192.0.2.7", "/both", HOME, HOME),
        ("[::1]:8080", "/both", HOME, HOME),
        ("", "/both", HOME, HOME),
        // Custom: its own code, else its workspace's of the default domain.
        ("brand.example", "/both", OWN, OWN),
        ("Brand.Example.:443", "/both", OWN, OWN),
        ("brand.example", "/mine", MINE, MINE),
        ("brand.example", "/track/mine", MINE, MINE),
        ("brand.example", "/foreign", "404 \"foreign\"", "404 \"foreign\""),
        ("brand.example", "/off", "404 \"off\"", "404 \"off\""),
        ("bücher.example", "/mine", MINE, MINE),
        ("go.example", "/foreign", FOREIGN, FOREIGN),
        // Registered, but not active, or removed.
        ("pending.example", "/mine", UNREGISTERED, UNREGISTERED),
        ("failed.example", "/mine", UNREGISTERED, UNREGISTERED),
        ("blocked.example", "/mine", UNREGISTERED, UNREGISTERED),
        ("removed.example:80", "/mine", UNREGISTERED, UNREGISTERED),
        ("removed.example", "/a/b", UNREGISTERED, UNREGISTERED),
        // Strangers.
        ("stranger.example", "/both", HOME, UNREGISTERED),
        ("go.example.evil.example", "/both", HOME, UNREGISTERED),
        ("go.example:123456", "/both", HOME, UNREGISTERED),
        ("go.example:port", "/both", HOME, UNREGISTERED),
        ("not a host", "/both", HOME, UNREGISTERED),
    ] {
        let facts = Facts { host: host.as_bytes(), ..get(path) };
        assert_eq!(lenient.ask(&facts), loose, "{host}{path}");
        assert_eq!(strict.ask(&facts), tight, "{host}{path}, strict");
    }
    let json = Facts { host: b"removed.example", accept: b"application/json", ..get("/x") };
    assert_eq!(lenient.ask(&json), "404 json domain");
}

#[test]
fn a_hostname_that_becomes_active_resolves() {
    let world = world(false);
    let facts = Facts { host: b"pending.example", ..get("/mine") };
    assert_eq!(world.ask(&facts), UNREGISTERED);
    world.domain(3, "pending.example", WORKSPACE, DomainStatus::Active);
    assert_eq!(world.ask(&facts), MINE);
    world.domain(3, "pending.example", WORKSPACE, DomainStatus::Removed);
    assert_eq!(world.ask(&facts), UNREGISTERED);
}

#[test]
fn paths_name_codes() {
    let world = World::new();
    world.link("hi", |_| {});
    world.link("Hi", |_| {});
    world.link("café", |link| link.destination = destination("https://example.com/cafe"));
    world.link("🎉", |link| link.destination = destination("https://example.com/party"));
    for (path, expected) in [
        ("/hi", "302 https://example.com/2"),
        ("/h%69", "302 https://example.com/2"),
        ("/track/hi", "302 https://example.com/2"),
        ("/HI", "404 \"HI\""),
        ("/caf%C3%A9", "302 https://example.com/cafe"),
        ("/cafe%CC%81", "302 https://example.com/cafe"),
        ("/caf%c3%a9", "302 https://example.com/cafe"),
        ("/%F0%9F%8E%89", "302 https://example.com/party"),
        ("/track/%F0%9F%8E%89", "302 https://example.com/party"),
        ("/caf%C3", "404 \"\""),
        ("/hi%00", "404 \"\""),
        ("/hi/", "404 \"\""),
        ("//hi", "404 \"\""),
        ("/", "404 \"\""),
        ("/track/", "404 json \"\""),
        ("/track/hi/", "404 json \"\""),
        ("/track/nope", "404 json \"nope\""),
        ("/api", "404 \"api\""),
        ("/robots.txt", "404 \"\""),
        ("/hi.html", "404 \"\""),
        ("", "404 \"\""),
        ("*", "404 \"\""),
    ] {
        assert_eq!(world.get(path), expected, "{path}");
    }
    let json = Facts { accept: b"application/json", ..get("/nope") };
    assert_eq!(world.ask(&json), "404 json \"nope\"");
}
