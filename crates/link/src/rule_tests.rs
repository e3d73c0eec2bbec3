//! Rules as tables: who matches what, what is refused, how shares fall.

use proptest::prelude::*;

use super::*;
use crate::Schemes;

struct Guest {
    percentile: u32,
    minute: u16,
}

impl Visitor for Guest {
    fn country(&self) -> Option<[u8; 2]> {
        Some(*b"CA")
    }
    fn device(&self) -> &str {
        "Mobile"
    }
    fn os(&self) -> &str {
        "iOS"
    }
    fn browser(&self) -> &str {
        "Safari"
    }
    fn referrer_host(&self) -> &str {
        "news.Google.com"
    }
    fn language(&self) -> &str {
        "de-DE"
    }
    fn has_query(&self, key: &str, value: &str) -> bool {
        (key, value) == ("ref", "x=y")
    }
    fn ip(&self) -> IpAddr {
        [192, 0, 2, 7].into()
    }
    fn minute_of_day(&self) -> u16 {
        self.minute
    }
    fn day(&self) -> i64 {
        20_454 // 2026-01-01
    }
    fn percentile(&self) -> u32 {
        self.percentile
    }
}

fn rule(condition: &str, value: &str, percentage: Option<f64>) -> Result<Rule, RuleError> {
    let to = Destination::parse("https://example.com/rule", &Schemes::default()).unwrap();
    Rule::parse("r", condition, value, percentage, to)
}

#[test]
fn who_matches_what() {
    let guest = Guest { percentile: 0, minute: 9 * 60 };
    for (condition, value, expected) in [
        ("geo", "US,CA", true),
        ("geo", "us, ca", true),
        ("geo", "US", false),
        ("device", "mobile", true),
        ("device", "Tablet,Desktop", false),
        ("os", "IOS", true),
        ("os", "Android", false),
        ("browser", "Chrome,safari", true),
        ("browser", "Edge", false),
        ("referer", "google.com", true),
        ("referer", "www.google.com", true),
        ("referer", "oogle.com", false),
        ("referer", "a.news.google.com", false),
        ("language", "de", true),
        ("language", "DE-de", true),
        ("language", "d", false),
        ("language", "de-AT", false),
        ("query", "ref=x=y", true),
        ("query", "ref=x", false),
        ("ip", "192.0.2.0/24", true),
        ("ip", "10.0.0.1, 192.0.2.7", true),
        ("ip", "2001:db8::/32", false),
        ("time", "09:00-17:00", true),
        ("time", "08:00-09:00", false),
        ("time", "22:00-09:01", true),
        ("time", "22:00-06:00", false),
        ("time", "00:00-24:00", true),
        ("date", "2026-01-01..2026-02-01", true),
        ("date", "2025-12-01..2026-01-01", true),
        ("date", "2026-01-02..2026-02-01", false),
    ] {
        let rules = [rule(condition, value, None).expect(value)];
        assert_eq!(Rule::first_match(&rules, &guest).is_some(), expected, "{condition} {value}");
    }
}

#[test]
fn what_can_never_match_is_refused() {
    for (condition, value, percentage) in [
        ("weather", "rain", None),
        ("geo", "USA", None),
        ("geo", "", None),
        ("geo", "US,,CA", None),
        ("device", "Fridge", None),
        ("os", "BeOS", None),
        ("browser", " ", None),
        ("referer", "not a domain", None),
        ("query", "novalue", None),
        ("query", "=x", None),
        ("ip", "300.0.0.1", None),
        ("time", "9-17", None),
        ("time", "09:00-09:00", None),
        ("time", "25:00-26:00", None),
        ("time", "+9:00-10:00", None),
        ("date", "2026-02-30..2026-03-01", None),
        ("date", "2026-02-02..2026-02-01", None),
        ("percentage", "", None),
        ("percentage", "", Some(100.5)),
        ("percentage", "", Some(f64::NAN)),
    ] {
        assert!(rule(condition, value, percentage).is_err(), "{condition} {value}");
    }
}

#[test]
fn shares_are_cumulative_and_the_rest_falls_through() {
    let rules = [
        rule("percentage", "", Some(30.0)).unwrap(),
        rule("device", "Desktop", None).unwrap(),
        rule("percentage", "50", None).unwrap(),
    ];
    for (percentile, expected) in [(0, Some(0)), (2_999, Some(0)), (3_000, Some(2)), (8_000, None)]
    {
        let found = Rule::first_match(&rules, &Guest { percentile, minute: 0 });
        let at = found.and_then(|found| rules.iter().position(|rule| std::ptr::eq(rule, found)));
        assert_eq!(at, expected, "{percentile}");
    }
    assert_eq!(check_shares(&rules), Ok(()));
    let over = [rules[0].clone(), rules[2].clone(), rules[0].clone()];
    assert_eq!(check_shares(&over), Err(RuleError::Percentage));
}

#[test]
fn places_are_spread_evenly_and_stay() {
    let mut halves = [0u32; 2];
    for n in 0..20_000u32 {
        let place = percentile(LinkId(1), IpAddr::from(n.to_be_bytes()), b"agent");
        halves[(place / 5_000) as usize] += 1;
    }
    assert!(halves.iter().all(|half| half.abs_diff(10_000) < 400), "{halves:?}");
    assert_eq!(percentile(LinkId(42), [192, 0, 2, 1].into(), b"Mozilla/5.0"), 8_008);
}

proptest! {
    #[test]
    fn no_value_panics(condition in "(geo|device|os|browser|referer|language|query|ip|time|date)", value in "\\PC{0,40}") {
        if let Ok(rule) = rule(&condition, &value, None) {
            Rule::first_match(&[rule], &Guest { percentile: 1, minute: 1 });
        }
    }
}
