//! Routing rules through the engine (SPEC 3.6): what they see of a request, and the sticky split.

use waypost_link::{Flags, Rule, Utm};
use waypost_redirect::Facts;

use crate::world::*;

const OWN: &str = "302 https://example.com/2";

fn rules(rules: Vec<Rule>) -> World {
    let world = World::new();
    world.link("hi", |link| link.rules = rules);
    world
}

#[test]
fn the_first_match_wins_and_is_named_by_its_click() {
    let world = rules(vec![
        rule("phones", "device", "Mobile"),
        rule("apple", "os", "iOS"),
        rule("canada", "geo", "CA,US"),
        rule("ad", "query", "ref=ad"),
    ]);
    let canada = Facts { peer: [127, 0, 0, 1].into(), country: b"ca", ..get("/hi") };
    for (facts, expected, rule) in [
        (get("/hi"), OWN, ""),
        (
            Facts { user_agent: IPHONE.as_bytes(), ..get("/hi") },
            "302 https://rule.example/phones",
            "phones",
        ),
        (
            Facts { user_agent: ANDROID.as_bytes(), ..canada },
            "302 https://rule.example/phones",
            "phones",
        ),
        (canada, "302 https://rule.example/canada", "canada"),
        // Nobody but a trusted proxy names countries.
        (Facts { country: b"CA", ..get("/hi") }, OWN, ""),
        (get("/hi?x=1&ref=AD"), "302 https://rule.example/ad", "ad"),
    ] {
        assert_eq!(world.ask(&facts), expected, "{facts:?}");
        assert_eq!(world.clicks()[0].rule, rule);
    }
}

#[test]
fn hours_and_days_are_the_workspaces() {
    for (zone, condition, value, matches) in [
        (None, "time", "12:00-12:01", true),
        (None, "time", "11:00-12:00", false),
        (None, "time", "22:00-12:01", true),
        (Some("Europe/Berlin"), "time", "14:00-14:01", true),
        (Some("Europe/Berlin"), "time", "12:00-14:00", false),
        (Some("America/New_York"), "time", "08:00-08:01", true),
        (Some("No/Where"), "time", "12:00-12:01", true),
        (None, "date", "2026-06-15..2026-06-15", true),
        (Some("Pacific/Kiritimati"), "date", "2026-06-15..2026-06-15", false),
        (Some("Pacific/Kiritimati"), "date", "2026-06-16..2026-06-16", true),
    ] {
        let world = rules(vec![rule("r", condition, value)]);
        if let Some(zone) = zone {
            world.workspace(WORKSPACE, zone);
        }
        let expected = if matches { "302 https://rule.example/r" } else { OWN };
        assert_eq!(world.get("/hi"), expected, "{zone:?} {condition} {value}");
    }
}

#[test]
fn shares_are_sticky_and_split_as_they_say() {
    let shares = || vec![rule("a", "percentage", "20"), rule("b", "percentage", "50")];
    let (world, restarted) = (rules(shares()), rules(shares()));
    let mut counts = [0i32; 3];
    for n in 0..20_000u32 {
        let facts = Facts { peer: n.to_be_bytes().into(), ..get("/hi") };
        let answer = world.ask(&facts);
        let place = ["302 https://rule.example/a", "302 https://rule.example/b", OWN];
        counts[place.iter().position(|known| *known == answer).unwrap()] += 1;
        if n % 100 == 0 {
            let later =
                Facts { at: NOW.plus(86_400_000_000), referrer: b"https://x.example/", ..facts };
            assert_eq!(world.ask(&later), answer);
            assert_eq!(restarted.ask(&facts), answer);
        }
    }
    // Five standard deviations.
    for (count, share) in counts.into_iter().zip([0.2, 0.5, 0.3]) {
        let (mean, deviation) = (20_000.0 * share, (20_000.0f64 * share * (1.0 - share)).sqrt());
        assert!((f64::from(count) - mean).abs() < 5.0 * deviation, "{counts:?}");
    }
}

#[test]
fn a_rules_destination_is_composed_like_the_links() {
    let world = World::new();
    world.link("hi", |link| {
        link.rules = vec![rule("r", "device", "Desktop")];
        link.utm = Utm { source: "ad".to_owned(), ..Utm::default() };
        link.flags = link.flags.with(Flags::FORWARD_QUERY, true);
    });
    assert_eq!(world.get("/hi?b=2"), "302 https://rule.example/r?utm_source=ad&b=2");
}
