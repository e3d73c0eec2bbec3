//! A request as routing rules see it: each question is answered when it is asked, once.

use std::{cell::OnceCell, net::IpAddr};

use waypost_agent::{Details, details, device};
use waypost_link::{LinkId, Visitor, Zone, percentile};

use crate::{Facts, limits, query};

/// Answers what rules ask of the sender of `facts`.
pub(crate) struct Guest<'a, C, Z> {
    facts: &'a Facts<'a>,
    link: LinkId,
    ip: IpAddr,
    /// Finds the country out.
    country: C,
    /// Finds the workspace's zone out.
    zone: Z,
    agent: OnceCell<Details>,
    local: OnceCell<Zone>,
}

impl<'a, C: Fn() -> Option<[u8; 2]>, Z: Fn() -> Zone> Guest<'a, C, Z> {
    pub(crate) fn new(facts: &'a Facts<'a>, link: LinkId, ip: IpAddr, country: C, zone: Z) -> Self {
        Self { facts, link, ip, country, zone, agent: OnceCell::new(), local: OnceCell::new() }
    }

    fn agent(&self) -> &Details {
        self.agent.get_or_init(|| details(self.facts.user_agent))
    }

    fn local(&self) -> Zone {
        *self.local.get_or_init(&self.zone)
    }
}

impl<C: Fn() -> Option<[u8; 2]>, Z: Fn() -> Zone> Visitor for Guest<'_, C, Z> {
    fn country(&self) -> Option<[u8; 2]> {
        (self.country)()
    }

    fn device(&self) -> &str {
        device(self.facts.user_agent).as_str()
    }

    fn os(&self) -> &str {
        self.agent().os.as_str()
    }

    fn browser(&self) -> &str {
        self.agent().browser.as_str()
    }

    fn referrer_host(&self) -> &str {
        host_of(self.facts.referrer)
    }

    fn language(&self) -> &str {
        first_language(self.facts.accept_language)
    }

    fn has_query(&self, key: &str, value: &str) -> bool {
        query::parts(self.facts.query.unwrap_or_default()).any(|part| {
            let (name, own) = query::pair(part);
            query::stands_for_any_case(name, key) && query::stands_for_any_case(own, value)
        })
    }

    fn ip(&self) -> IpAddr {
        self.ip
    }

    fn minute_of_day(&self) -> u16 {
        self.local().minute_of_day(self.facts.at)
    }

    fn day(&self) -> i64 {
        self.local().local(self.facts.at).day()
    }

    fn percentile(&self) -> u32 {
        percentile(self.link, self.ip, self.facts.user_agent)
    }
}

/// The host of an absolute URL, as it is spelled there; empty where there is none.
fn host_of(url: &[u8]) -> &str {
    let url = std::str::from_utf8(url).unwrap_or_default();
    let Some((_, rest)) = url.split_once("://") else { return "" };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let end = if host.starts_with('[') { host.find(']').map(|at| at + 1) } else { host.find(':') };
    host.get(..end.unwrap_or(host.len())).unwrap_or_default().trim_end_matches('.')
}

/// The language of the highest weight, the first of equals (RFC 9110, 12.5.4).
fn first_language(header: &[u8]) -> &str {
    let header = std::str::from_utf8(header).unwrap_or_default();
    let mut best = ("", 0);
    for range in header.split(',').take(limits::LANGUAGES) {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = weight(parameters.trim());
        if weight > best.1 {
            best = (tag.trim(), weight);
        }
    }
    best.0
}

/// A `q` parameter in thousandths; 1000 where there is none.
fn weight(parameter: &str) -> u32 {
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    let Some(value) = value else { return 1000 };
    match value.trim().parse::<f32>() {
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1000.0) as u32,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use waypost_link::{Destination, Rule, Schemes, Timestamp};

    use super::*;

    #[test]
    fn where_a_visitor_comes_from() {
        for (url, host) in [
            ("https://www.google.com/search?q=a", "www.google.com"),
            ("https://WWW.Google.com:443", "WWW.Google.com"),
            ("https://google.com@evil.example/", "evil.example"),
            ("https://evil.example/?://google.com/", "evil.example"),
            ("https://evil.example\\google.com", "evil.example"),
            ("https://google.com./", "google.com"),
            ("https://[2001:db8::1]:80/", "[2001:db8::1]"),
            ("android-app://com.google.android.gm/", "com.google.android.gm"),
            ("google.com", ""),
            ("", ""),
        ] {
            assert_eq!(host_of(url.as_bytes()), host, "{url}");
        }
        assert_eq!(host_of(b"https://\xff/"), "");
    }

    #[test]
    fn which_language_comes_first() {
        for (header, language) in [
            ("", ""),
            ("de-DE,de;q=0.9,en;q=0.8", "de-DE"),
            ("en;q=0.5, de", "de"),
            ("en;q=0.8, fr;q=0.9, de;q=0.9", "fr"),
            ("en;q=0, de;q=0.1", "de"),
            ("en;q=junk, de;q=0.1", "de"),
            ("*", "*"),
        ] {
            assert_eq!(first_language(header.as_bytes()), language, "{header}");
        }
    }

    #[test]
    fn rules_read_the_request() {
        const ANDROID: &[u8] = b"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 \
            (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";
        let facts = Facts {
            query: Some(b"ref=News%20Letter&x"),
            user_agent: ANDROID,
            referrer: b"https://news.google.com/",
            accept_language: b"de-DE",
            at: Timestamp::from_seconds(1_767_222_000), // 2025-12-31T23:00:00Z
            ..Facts::default()
        };
        let ahead = || Zone { offset: 3 * 3_600 };
        let guest = Guest::new(&facts, LinkId(1), [192, 0, 2, 7].into(), || Some(*b"CA"), ahead);
        for (condition, value, expected) in [
            ("geo", "US,CA", true),
            ("geo", "US", false),
            ("device", "Mobile", true),
            ("device", "Desktop", false),
            ("os", "android", true),
            ("os", "Linux", false),
            ("browser", "Chrome", true),
            ("browser", "Safari", false),
            ("referer", "google.com", true),
            ("referer", "bing.com", false),
            ("language", "de", true),
            ("language", "en", false),
            ("query", "ref=news letter", true),
            ("query", "ref=news", false),
            ("query", "x=", true),
            ("ip", "192.0.2.0/24", true),
            ("ip", "192.0.3.0/24", false),
            ("time", "02:00-02:01", true),
            ("time", "23:00-23:01", false),
            ("date", "2026-01-01..2026-01-01", true),
            ("date", "2025-12-31..2025-12-31", false),
            ("percentage", "100", true),
            ("percentage", "0", false),
        ] {
            let to = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
            let rules = [Rule::parse("r", condition, value, None, to).expect(value)];
            let found = Rule::first_match(&rules, &guest).is_some();
            assert_eq!(found, expected, "{condition} {value}");
        }
    }
}
