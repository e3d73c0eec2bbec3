//! Numbers that a reader can check by hand.

use waypost_link::{Flags, Link, LinkId, Timestamp};

use super::world::*;
use crate::{Clock, Days, Fault, Order, Rank, Subject, limits};

const BACKENDS: [Backend; 2] = [Backend::Memory, Backend::Lmdb];

/// `count` clicks of `link`, the first `ago` microseconds ago, a minute between them, each by
/// another person.
fn clicks(link: u64, ago: i64, count: usize) -> Vec<Seen> {
    let at = |n: usize| NOW.plus(n as i64 * MINUTE - ago);
    (0..count).map(|n| Seen { link, at: at(n), visitor: n * 3 }).collect()
}

/// Five links: 1 grows, 2 shrinks, 3 is new, 4 is not active, 5 was never clicked.
fn busy(backend: Backend) -> World {
    let mut world = World::new(backend, false);
    world.links(5, |n, link| {
        link.created_at = NOW.plus(-(n as i64) * Timestamp::DAY);
        link.flags = link.flags.with(Flags::ACTIVE, n != 4);
        if n < 4 {
            assert!(
                link.attributes
                    .set("link_function", Some(["LinkedIn", "Calendly"][n as usize % 2]))
            );
        }
    });
    for (link, days_ago, count) in
        [(1, 2, 8), (1, 16, 4), (2, 3, 2), (2, 20, 5), (3, 1, 1), (4, 1, 3), (4, 15, 3)]
    {
        world.click(&clicks(link, days_ago * Timestamp::DAY, count));
    }
    world
}

#[test]
fn an_overview() {
    for backend in BACKENDS {
        let world = busy(backend);
        let overview = world.stats().overview(Days::last(14, NOW)).unwrap();
        assert_eq!(overview.links, 5);
        assert_eq!(overview.picture.figures.clicks, 14);
        assert_eq!(overview.picture.comparison.previous, 12);
        assert_eq!(overview.picture.comparison.trend_pct, Some(16.7));
        let performance = &overview.performance;
        // Of 1, 2, 3 and 5, the last was not clicked.
        assert_eq!((performance.active, performance.health), (4, 75));
        assert_eq!((performance.growing, performance.declining), (2, 1));
        let growing: Vec<_> =
            performance.top_growing.iter().map(|g| (g.link.id.0, g.clicks, g.delta_pct)).collect();
        assert_eq!(growing, [(1, 8, Some(100.0)), (3, 1, None)]);
        let top: Vec<_> =
            overview.top_links.iter().map(|top| (top.link.id.0, top.clicks)).collect();
        assert_eq!(top, [(1, 8), (4, 3), (2, 2), (3, 1)]);
        let created: Vec<_> = overview.links_created_by_day.iter().map(|row| row.count).collect();
        assert_eq!(created, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0]);
        assert_eq!(overview.picture.recent.len(), 25);
    }
}

#[test]
fn groups_by_an_attribute() {
    for backend in BACKENDS {
        let world = busy(backend);
        let groups = world.stats().groups("link_function", Days::last(30, NOW)).unwrap();
        let rows: Vec<_> = groups.iter().map(|g| (g.value.as_deref(), g.links, g.clicks)).collect();
        let expected = [(Some("Calendly"), 2, 13), (Some("LinkedIn"), 1, 7), (None, 2, 6)];
        assert_eq!(rows, expected);
        assert_eq!(groups[0].clicks_per_link(), 6.5);
        assert_eq!(world.stats().distinct("link_function").unwrap(), 2);
        assert_eq!(world.stats().distinct("job_id").unwrap(), 0);
    }
}

#[test]
fn a_link_s_own_range() {
    let today = NOW.day();
    for backend in BACKENDS {
        let mut world = World::new(backend, false);
        let link = &world.links(1, |_, link| link.created_at = NOW.plus(-5 * Timestamp::DAY))[0];
        let range = |world: &World, from, to| {
            let figures = world.stats().range(link, from, to);
            figures.map(|f| (f.days.first(), f.days.end() - 1, f.clicks))
        };
        assert_eq!(range(&world, None, None), Ok((today - 5, today, 0)), "from its creation");
        world.click(&clicks(1, 9 * Timestamp::DAY, 3));
        world.click(&clicks(1, 2 * Timestamp::DAY, 4));
        for (from, to, expected) in [
            (None, None, (today - 9, today, 7)),
            (Some(today - 2), None, (today - 2, today, 4)),
            (None, Some(today - 3), (today - 9, today - 3, 3)),
            (None, Some(today - 99), (today - 99, today - 99, 0)),
            (Some(today - 9), Some(today - 9), (today - 9, today - 9, 3)),
            (Some(today + 9), None, (today + 9, today + 9, 0)),
        ] {
            assert_eq!(range(&world, from, to), Ok(expected), "{from:?}..{to:?}");
        }
        let days = limits::DAYS as i64;
        for (from, to) in [(today, today - 1), (today - days, today), (i64::MIN, i64::MAX)] {
            let refused = range(&world, Some(from), Some(to));
            assert!(matches!(refused, Err(Fault::Invalid { .. })), "{refused:?}");
        }
    }
}

#[test]
fn links_ranked_by_their_clicks() {
    for backend in BACKENDS {
        let mut world = World::new(backend, false);
        let links = world.links(4, |_, _| {});
        world.click(&clicks(1, 30 * Timestamp::DAY, 5));
        world.click(&clicks(2, 23 * 60 * MINUTE, 2));
        world.click(&clicks(3, 25 * 60 * MINUTE, 61));
        let ranked = |by, order, limit| {
            let found = world.stats().rank(links.clone(), |link: &Link| link.id, by, order, limit);
            found.unwrap().iter().map(|link| link.id.0).collect::<Vec<_>>()
        };
        for (by, descending) in
            [(Rank::Total, [3, 1, 2, 4]), (Rank::Day, [2, 3, 4, 1]), (Rank::Last, [2, 3, 1, 4])]
        {
            assert_eq!(ranked(by, Order::Descending, 9), descending, "{by:?}");
            assert_eq!(ranked(by, Order::Descending, 2), descending[..2], "{by:?}");
            let mut ascending = descending;
            ascending.reverse();
            assert_eq!(ranked(by, Order::Ascending, 9), ascending, "{by:?}");
        }
        let many = vec![LinkId(1); limits::RANKED + 1];
        let refused = world.stats().rank(many, |link| *link, Rank::Total, Order::Ascending, 1);
        assert!(matches!(refused, Err(Fault::Invalid { .. })));
        let many = Subject::Links(vec![LinkId(1); limits::MERGED + 1]);
        let refused = world.stats().picture(&many, Days::last(1, NOW));
        assert!(matches!(refused, Err(Fault::Invalid { .. })));
    }
}

#[test]
fn what_a_plan_counts() {
    for backend in BACKENDS {
        let mut world = World::new(backend, false);
        world.links(3, |_, _| {});
        let start = 30 * Timestamp::DAY;
        for ago in [start + 1, start, start - 1, 5, -MINUTE] {
            world.click(&clicks(1, ago, 1));
        }
        let usage = world.stats().usage().unwrap();
        assert_eq!((usage.links, usage.clicks_30d), (3, 4));
    }
}

#[test]
fn pages_of_clicks() {
    for backend in BACKENDS {
        let mut world = World::new(backend, false);
        world.links(1, |_, _| {});
        world.click(&clicks(1, 10 * MINUTE, 10));
        let between = (Some(NOW.plus(-8 * MINUTE)), Some(NOW.plus(-3 * MINUTE)));
        for (order, limit, expected) in [
            (Order::Ascending, 9, &[8, 7, 6, 5, 4][..]),
            (Order::Ascending, 2, &[8, 7]),
            (Order::Descending, 3, &[4, 5, 6]),
        ] {
            let page = world.stats().clicks(LinkId(1), between, order, None, limit).unwrap();
            let ago = page.items.iter().map(|click| (NOW.0 - click.clicked_at.0) / MINUTE);
            assert_eq!(ago.collect::<Vec<_>>(), expected);
            assert_eq!(page.next.is_some(), limit < 5);
        }
    }
}

#[test]
fn peaks() {
    let mut clock = Clock::default();
    assert_eq!((clock.peak_hour(), clock.peak_weekday()), (None, None));
    (clock.hours[7], clock.hours[9], clock.weekdays[0], clock.weekdays[6]) = (2, 2, 1, 3);
    assert_eq!((clock.peak_hour(), clock.peak_weekday()), (Some(7), Some("Sat")));
    let mut world = World::new(Backend::Memory, false);
    world.links(1, |_, _| {});
    world.click(&clicks(1, 0, 1));
    let clock = world.stats().clock(&Subject::Link(LinkId(1)), Days::last(1, NOW)).unwrap();
    assert_eq!((clock.peak_hour(), clock.peak_weekday()), (Some(8), Some("Fri")));
}

#[test]
fn a_workspace_that_does_not_exist() {
    let world = World::new(Backend::Memory, false);
    let missing = world.service.stats(waypost_link::WorkspaceId(99)).map(|_| ());
    assert!(matches!(missing, Err(Fault::NotFound(_))));
}
