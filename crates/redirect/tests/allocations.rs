//! The plain path allocates nothing: counted by an allocator, in a process of its own.
#![forbid(unsafe_code)]

use std::{alloc::System, sync::Arc};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use waypost_index::Index;
use waypost_link::*;
use waypost_redirect::{Answer, Engine, Facts, Scratch, Settings};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The allocator counts every thread, and the test harness has one that allocates now and then;
/// what a redirect allocates is there each time.
const TRIES: usize = 5;

fn engine() -> (Engine, waypost_clicks::Drain) {
    let index = Arc::new(Index::new());
    let make = |id: u64, code: &str| {
        let to = Destination::parse("https://example.com/a?b=1", &Schemes::default()).unwrap();
        let slug = Slug::parse(code).unwrap();
        let mut link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
        (link.id, link.version) = (LinkId(id), 1);
        link
    };
    let mut rich = make(2, "rich");
    rich.utm.source = "ad".to_owned();
    rich.flags = rich.flags.with(Flags::FORWARD_QUERY.with(Flags::CONVERSION_TRACKING, true), true);
    rich.max_clicks = Some(u64::MAX);
    let rule = |condition, value| {
        Rule::parse("r", condition, value, None, rich.destination.clone()).unwrap()
    };
    rich.rules = vec![rule("geo", "CA"), rule("os", "iOS"), rule("percentage", "30")];
    for (revision, link) in [(1, make(1, "plain")), (2, rich)] {
        index.apply(Revision(revision), &[Change::CreateLink(Box::new(link))]);
    }
    let (recorder, drain) = waypost_clicks::queue(1, 16 << 20);
    (Engine::new(index, recorder, Settings::default()), drain)
}

#[test]
fn a_redirect_allocates_nothing() {
    let (engine, mut drain) = engine();
    let mut scratch = Scratch::default();
    let forwarded = [&b"198.51.100.7"[..]];
    for (path, query) in
        [("/plain", None), ("/track/plain", None), ("/rich", Some(&b"x=1&y=2"[..]))]
    {
        let facts = Facts {
            host: b"127.0.0.1:8080",
            path,
            query,
            user_agent: b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36",
            accept_language: b"de-DE,de;q=0.9",
            forwarded_for: &forwarded,
            peer: [127, 0, 0, 1].into(),
            ..Facts::default()
        };
        engine.decide(&facts, &mut scratch);
        drain.take(|_| {});
        let counts = [(); TRIES].map(|()| {
            let region = Region::new(ALLOCATOR);
            for _ in 0..10_000 {
                assert!(matches!(engine.decide(&facts, &mut scratch), Answer::Redirect(_)));
            }
            let change = region.change();
            assert_eq!(drain.take(|_| {}), 10_000);
            (change.allocations, change.reallocations, change.deallocations)
        });
        assert!(counts.contains(&(0, 0, 0)), "{path}: {counts:?}");
    }
}
