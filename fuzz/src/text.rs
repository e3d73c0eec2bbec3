//! Text from a stranger: codes and routing rules.

use std::net::IpAddr;

use waypost_link::{Destination, Hostname, Rule, Schemes, Slug, Visitor};

/// What decodes is a code that survives its own URL.
pub fn slug(data: &[u8]) {
    let segment = std::str::from_utf8(data).unwrap_or_default();
    if let Ok(code) = Slug::decode(segment) {
        if let Ok(slug) = Slug::parse(&code) {
            assert_eq!(slug.as_str(), code);
            let encoded = slug.encoded().into_owned();
            assert_eq!(Slug::decode(&encoded).as_deref(), Ok(slug.as_str()));
        }
    }
    if let Ok(host) = Hostname::normalise(data) {
        assert_eq!(Hostname::normalise(host.as_bytes()).as_deref(), Ok(&*host));
    }
}

/// What parses as a rule can be asked of a visitor, and keeps its text.
pub fn rules(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (condition, value) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(to) = Destination::parse("https://example.com/", &Schemes::default()) else { return };
    if let Ok(rule) = Rule::parse("id", condition, value, None, to.clone()) {
        Rule::first_match(std::slice::from_ref(&rule), &Somebody);
        let again = Rule::parse("id", rule.name(), rule.value(), rule.percentage(), to);
        assert_eq!(again, Ok(rule));
    }
    if let Ok(destination) = Destination::parse(text, &Schemes::default()) {
        assert!(destination.as_str().bytes().all(|byte| (0x21..0x7f).contains(&byte)));
    }
}

struct Somebody;

impl Visitor for Somebody {
    fn country(&self) -> Option<[u8; 2]> {
        Some(*b"DE")
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
        "ü.example"
    }
    fn language(&self) -> &str {
        "de-DE"
    }
    fn has_query(&self, key: &str, value: &str) -> bool {
        key == value
    }
    fn ip(&self) -> IpAddr {
        [192, 0, 2, 1].into()
    }
    fn minute_of_day(&self) -> u16 {
        1_439
    }
    fn day(&self) -> i64 {
        20_000
    }
    fn percentile(&self) -> u32 {
        9_999
    }
}
