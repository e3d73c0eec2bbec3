//! Whatever is clicked: sums, days, hours and breakdowns agree with the clicks and each other.

use proptest::prelude::*;
use waypost_link::{LinkId, Timestamp};

use super::world::*;
use crate::{Days, Dimension, Figures, Subject};

const LINKS: u64 = 4;

fn seen() -> impl Strategy<Value = Seen> {
    // Up to 40 days ago, and often within a minute of where windows begin and end.
    let edges = prop_oneof![Just(0), Just(24 * 60), Just(7 * 24 * 60), Just(14 * 24 * 60)];
    let near = (edges, -90..90i64).prop_map(|(edge, off)| edge * MINUTE + off * Timestamp::SECOND);
    let ago = prop_oneof![(0..40 * 24 * 60i64).prop_map(|minutes| minutes * MINUTE), near];
    (1..=LINKS, ago, 0..30usize).prop_map(|(link, ago, visitor)| Seen {
        link,
        at: NOW.plus(-ago),
        visitor,
    })
}

fn parts(figures: &Figures, dimension: Dimension) -> Vec<(String, u64)> {
    let parts = figures.top(dimension, usize::MAX, "none");
    parts.into_iter().map(|part| (part.name, part.clicks)).collect()
}

fn check(backend: Backend, clicks: &[Seen], excludes: bool, window: usize) {
    let mut world = World::new(backend, excludes);
    world.links(LINKS, |_, _| {});
    let (first, second) = clicks.split_at(clicks.len() / 2);
    world.click(first);
    world.service.clicks.flush().unwrap();
    world.click(second);
    let stats = world.stats();
    let days = Days::last(window, NOW);
    for subject in [
        Subject::Link(LinkId(1)),
        Subject::Links(vec![LinkId(2), LinkId(3)]),
        Subject::Links(Vec::new()),
        Subject::Workspace,
    ] {
        let truth = Truth::in_days(clicks, &subject, days, !excludes);
        let picture = stats.picture(&subject, days).unwrap();
        let figures = &picture.figures;
        assert_eq!(figures.clicks, truth.count(), "{subject:?}");
        assert_eq!(figures.unique, truth.unique(), "{subject:?}");
        assert_eq!(figures.by_day, truth.rows(days), "{subject:?}");
        for (dimension, expected) in [
            (Dimension::Country, truth.parts(Seen::country)),
            (Dimension::Referrer, truth.parts(Seen::referrer)),
            (Dimension::Rule, truth.parts(Seen::rule)),
        ] {
            assert_eq!(parts(figures, dimension), expected, "{subject:?} {dimension:?}");
        }
        let by_hour = truth.by(|seen| seen.at.hour().rem_euclid(24));
        let hours = (0..24).map(|hour| by_hour.get(&hour).copied().unwrap_or(0));
        assert!(picture.clock.hours.iter().copied().eq(hours), "{subject:?}");
        let before = Truth::in_days(clicks, &subject, days.before(), !excludes).count();
        assert_eq!(picture.comparison.previous, before, "{subject:?}");
        // Days = hours = weekdays = every breakdown = the sum.
        let sums = [
            figures.by_day.iter().map(|row| row.count).sum::<u64>(),
            picture.clock.hours.iter().sum(),
            picture.clock.weekdays.iter().sum(),
        ];
        assert_eq!(sums, [figures.clicks; 3], "{subject:?}");
        for dimension in Dimension::ALL {
            let sum: u64 = parts(figures, dimension).iter().map(|(_, clicks)| clicks).sum();
            let counted = dimension != Dimension::Link || subject == Subject::Workspace;
            assert_eq!(sum, if counted { figures.clicks } else { 0 }, "{subject:?} {dimension:?}");
        }
        for span in [Timestamp::DAY, 7 * Timestamp::DAY] {
            let range = (NOW.plus(-span), Timestamp(i64::MAX));
            let expected = Truth::of(clicks, &subject, range, !excludes).count();
            assert_eq!(stats.rolling(&subject, span).unwrap(), expected, "{subject:?} {span}");
        }
        let ever = (Timestamp(0), Timestamp(i64::MAX));
        if let Subject::Links(links) = &subject {
            let (truth, summary) =
                (Truth::of(clicks, &subject, ever, !excludes), stats.summary(links).unwrap());
            assert_eq!((summary.clicks, summary.unique), (truth.count(), truth.unique()));
        }
        let newest: Vec<_> = picture.recent.iter().map(|click| click.clicked_at).collect();
        let mut times: Vec<_> =
            Truth::of(clicks, &subject, ever, !excludes).times().into_iter().rev().collect();
        times.truncate(25);
        assert_eq!(newest, times, "{subject:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_the_memory_model(clicks in prop::collection::vec(seen(), 0..120), excludes: bool, window in 1..30usize) {
        check(Backend::Memory, &clicks, excludes, window);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_lmdb(clicks in prop::collection::vec(seen(), 0..120), excludes: bool, window in 1..30usize) {
        check(Backend::Lmdb, &clicks, excludes, window);
    }
}
