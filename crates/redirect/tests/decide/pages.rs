//! Interstitials, Amazon links and public statistics (SPEC 3.3, golinks).

use waypost_link::{
    AmazonTag, Change, Flags, Link, Pixel, PixelId, Placement, Record, Script, TagId, Utm,
};
use waypost_redirect::Facts;

use crate::world::*;

fn pixel(world: &World, id: u64, active: bool) {
    let pixel = Pixel { id: PixelId(id), workspace: WORKSPACE, active, ..Pixel::default() };
    world.commit(Change::PutRecord(Record::Pixel(pixel)));
}

fn script(id: &str) -> Script {
    Script { id: id.to_owned(), placement: Placement::Head, script: "<script></script>".to_owned() }
}

#[test]
fn a_page_only_where_something_must_run() {
    let world = World::new();
    pixel(&world, 1, true);
    pixel(&world, 2, false);
    world.link("plain", |_| {});
    world.link("script", |link| link.scripts = vec![script("a"), script("b")]);
    world.link("pixels", |link| link.flags = link.flags.with(Flags::PIXELS, true));
    world.link("moved", |link| {
        link.scripts = vec![script("a")];
        link.status = waypost_link::Status::Moved;
        link.utm = Utm { source: "ad".to_owned(), ..Utm::default() };
    });
    for (path, expected) in [
        ("/plain", "302 https://example.com/5"),
        ("/script", "200 page https://example.com/6 2+1"),
        ("/pixels", "200 page https://example.com/6 0+1"),
        ("/moved", "200 page https://example.com/5?utm_source=ad 1+1"),
    ] {
        assert_eq!(world.get(path), expected);
        assert_eq!(world.clicks().len(), 1);
    }
}

fn tag(world: &World, id: u64, store: &str, active: bool) {
    world.commit(Change::PutRecord(Record::Tag(AmazonTag {
        id: TagId(id),
        workspace: WORKSPACE,
        store: store.to_owned(),
        tag: format!("me-{id}"),
        active,
        geo_enabled: true,
        ..AmazonTag::default()
    })));
}

#[test]
fn amazon_links_find_the_store_and_the_app() {
    let world = World::new();
    let amazon = |link: &mut Link| {
        link.destination = destination("https://www.amazon.com/dp/B08N5WRWNW");
        link.asin = Some("B08N5WRWNW".to_owned());
    };
    world.link("hi", amazon);
    world.link("ruled", |link| {
        amazon(link);
        link.rules = vec![rule("r", "geo", "GB")];
    });
    let from = |country, user_agent: &'static str, path| Facts {
        peer: [127, 0, 0, 1].into(),
        country,
        user_agent: user_agent.as_bytes(),
        ..get(path)
    };
    let bare = "https://www.amazon.com/dp/B08N5WRWNW?linkCode=ll1&ascsubtag=link-hi-US";
    assert_eq!(world.get("/hi"), format!("302 {bare}"));
    assert_eq!(world.clicks().len(), 1);

    tag(&world, 1, "US", true);
    tag(&world, 2, "UK", true);
    tag(&world, 3, "DE", false);
    let us = "https://www.amazon.com/dp/B08N5WRWNW?tag=me-1&linkCode=ll1&ascsubtag=link-hi-US";
    let uk = "https://www.amazon.co.uk/dp/B08N5WRWNW?tag=me-2&linkCode=ll1&ascsubtag=link-hi-UK";
    for (facts, expected) in [
        (from(b"GB", DESKTOP, "/hi"), format!("302 {uk}")),
        (from(b"DE", DESKTOP, "/hi"), format!("302 {us}")),
        (from(b"", DESKTOP, "/hi"), format!("302 {us}")),
        (from(b"GB", IPHONE, "/hi"), format!("200 page {uk} 0+0 Ios")),
        (from(b"US", ANDROID, "/hi"), format!("200 page {us} 0+0 Android")),
        // A rule leads elsewhere, without the app.
        (from(b"GB", IPHONE, "/ruled"), "302 https://rule.example/r".to_owned()),
    ] {
        assert_eq!(world.ask(&facts), expected);
        assert_eq!(world.clicks().len(), 1);
    }
}

#[test]
fn public_statistics_only_where_both_switches_are_on() {
    let world = World::new();
    let both = Flags::PLUS_TRACKING.with(Flags::PUBLIC_TRACKING, true);
    world.link("both", |link| link.flags = link.flags.with(both, true));
    world.link("plus", |link| link.flags = link.flags.with(Flags::PLUS_TRACKING, true));
    world.link("public", |link| link.flags = link.flags.with(Flags::PUBLIC_TRACKING, true));
    world.link("off", |link| link.flags = both);
    for (path, expected) in [
        ("/both+", "200 stats both"),
        ("/both%2B", "200 stats both"),
        ("/both", "302 https://example.com/4"),
        ("/plus+", "404 \"plus\""),
        ("/public+", "404 \"public\""),
        ("/off+", "404 \"off\""),
        ("/nope+", "404 \"nope\""),
        ("/both++", "404 \"\""),
        ("/track/both+", "404 json \"\""),
    ] {
        assert_eq!(world.get(path), expected, "{path}");
    }
    assert_eq!(world.clicks().len(), 1);
}
