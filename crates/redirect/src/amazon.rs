//! Amazon links: which storefront a visitor is led to, under whose tag, and the app that opens it first.
//!
//! The storefront is chosen among the workspace's active tags: the one of the visitor's country where there is one and
//! it is geo-enabled, else the one for the US, else the oldest, else amazon.com without a tag.

use waypost_agent::{Os, details};
use waypost_link::AmazonTag;

use crate::query;

/// Every Amazon store: its key, its host. A key is the country's code, but for the United Kingdom (`GB`).
pub const STORES: [(&str, &str); 23] = [
    ("US", "www.amazon.com"),
    ("UK", "www.amazon.co.uk"),
    ("DE", "www.amazon.de"),
    ("FR", "www.amazon.fr"),
    ("IT", "www.amazon.it"),
    ("ES", "www.amazon.es"),
    ("CA", "www.amazon.ca"),
    ("JP", "www.amazon.co.jp"),
    ("IN", "www.amazon.in"),
    ("AU", "www.amazon.com.au"),
    ("BR", "www.amazon.com.br"),
    ("MX", "www.amazon.com.mx"),
    ("NL", "www.amazon.nl"),
    ("SE", "www.amazon.se"),
    ("PL", "www.amazon.pl"),
    ("BE", "www.amazon.com.be"),
    ("IE", "www.amazon.ie"),
    ("TR", "www.amazon.com.tr"),
    ("AE", "www.amazon.ae"),
    ("SA", "www.amazon.sa"),
    ("EG", "www.amazon.eg"),
    ("SG", "www.amazon.sg"),
    ("ZA", "www.amazon.co.za"),
];

/// The app of a phone that opens an Amazon page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// Amazon Shopping on iOS, by its own scheme.
    Ios,
    /// Amazon Shopping on Android, by an intent.
    Android,
}

impl App {
    /// The app of the system that a `User-Agent` names, if there is one.
    pub(crate) fn of(user_agent: &[u8]) -> Option<Self> {
        match details(user_agent).os {
            Os::Ios => Some(Self::Ios),
            Os::Android => Some(Self::Android),
            _ => None,
        }
    }

    /// The URL that opens `location` in this app. Only the page that tries it knows whether the app is there; it
    /// goes on to `location` after a moment.
    ///
    /// ```
    /// use waypost_redirect::App;
    /// let location = "https://www.amazon.de/dp/B08N5WRWNW?tag=me-21";
    /// assert_eq!(
    ///     App::Ios.url(location),
    ///     "com.amazon.mobile.shopping.web://www.amazon.de/dp/B08N5WRWNW?tag=me-21",
    /// );
    /// assert!(App::Android.url(location).starts_with("intent://www.amazon.de/dp/B08N5WRWNW?tag=me-21#Intent;"));
    /// ```
    pub fn url(self, location: &str) -> String {
        let rest = location.split_once("://").map_or(location, |(_, rest)| rest);
        let rest = rest.split('#').next().unwrap_or_default();
        match self {
            Self::Ios => format!("com.amazon.mobile.shopping.web://{rest}"),
            Self::Android => {
                let mut url = format!(
                    "intent://{rest}#Intent;scheme=https;package=com.amazon.mshop.android.shopping;\
                     S.browser_fallback_url="
                );
                query::push_encoded(&mut url, location);
                url.push_str(";end");
                url
            }
        }
    }
}

/// The storefront of a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storefront<'a> {
    key: &'a str,
    host: &'static str,
    tag: &'a str,
}

impl<'a> Storefront<'a> {
    /// The best one that `tags` (the workspace's active ones, oldest first) have for `country`.
    pub(crate) fn choose(tags: &'a [AmazonTag], country: Option<[u8; 2]>) -> Self {
        let near = country.and_then(|country| local(tags, country));
        let home = || tags.iter().find(|tag| tag.store == STORES[0].0);
        let of = |tag: &'a AmazonTag| {
            Some(Self { key: &tag.store, host: host(&tag.store)?, tag: &tag.tag })
        };
        let chosen = near.or_else(home).or(tags.first()).and_then(of);
        chosen.unwrap_or(Self { key: STORES[0].0, host: STORES[0].1, tag: "" })
    }

    /// Appends the URL of the product `asin` there, with the link's code for the owner's reports.
    pub(crate) fn write(&self, out: &mut String, asin: &str, code: &str) {
        out.push_str("https://");
        out.push_str(self.host);
        out.push_str("/dp/");
        query::push_encoded(out, asin);
        out.push('?');
        if !self.tag.is_empty() {
            out.push_str("tag=");
            query::push_encoded(out, self.tag);
            out.push('&');
        }
        out.push_str("linkCode=ll1&ascsubtag=link-");
        query::push_encoded(out, code);
        out.push('-');
        out.push_str(self.key);
    }
}

fn local(tags: &[AmazonTag], country: [u8; 2]) -> Option<&AmazonTag> {
    let country = std::str::from_utf8(&country).ok()?;
    let store = if country == "GB" { "UK" } else { country };
    tags.iter().find(|tag| tag.geo_enabled && tag.store == store)
}

fn host(key: &str) -> Option<&'static str> {
    STORES.iter().find(|(known, _)| *known == key).map(|(_, host)| *host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(store: &str, geo_enabled: bool) -> AmazonTag {
        let (store, tag) = (store.to_owned(), format!("me-{store}"));
        AmazonTag { store, tag, active: true, geo_enabled, ..AmazonTag::default() }
    }

    #[test]
    fn which_store() {
        let (us, uk, de) = (tag("US", true), tag("UK", true), tag("DE", false));
        let gone = tag("ZZ", true);
        for (tags, country, expected) in [
            (vec![], Some(b"DE"), "https://www.amazon.com/dp/B0?linkCode=ll1&ascsubtag=link-hi-US"),
            (
                vec![&us, &uk],
                Some(b"GB"),
                "https://www.amazon.co.uk/dp/B0?tag=me-UK&linkCode=ll1&ascsubtag=link-hi-UK",
            ),
            (
                vec![&us, &uk],
                Some(b"FR"),
                "https://www.amazon.com/dp/B0?tag=me-US&linkCode=ll1&ascsubtag=link-hi-US",
            ),
            (
                vec![&uk, &us],
                None,
                "https://www.amazon.com/dp/B0?tag=me-US&linkCode=ll1&ascsubtag=link-hi-US",
            ),
            // Not geo-enabled; alone; no US tag.
            (
                vec![&us, &de],
                Some(b"DE"),
                "https://www.amazon.com/dp/B0?tag=me-US&linkCode=ll1&ascsubtag=link-hi-US",
            ),
            (
                vec![&uk],
                Some(b"US"),
                "https://www.amazon.co.uk/dp/B0?tag=me-UK&linkCode=ll1&ascsubtag=link-hi-UK",
            ),
            (
                vec![&de, &uk],
                Some(b"FR"),
                "https://www.amazon.de/dp/B0?tag=me-DE&linkCode=ll1&ascsubtag=link-hi-DE",
            ),
            (vec![&gone], None, "https://www.amazon.com/dp/B0?linkCode=ll1&ascsubtag=link-hi-US"),
        ] {
            let tags: Vec<_> = tags.into_iter().cloned().collect();
            let mut out = String::new();
            Storefront::choose(&tags, country.copied()).write(&mut out, "B0", "hi");
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn no_part_breaks_out_of_the_url() {
        let mut out = String::new();
        Storefront::choose(&[], None).write(&mut out, "B0/../x?", "café&a=1");
        assert_eq!(
            out,
            "https://www.amazon.com/dp/B0%2F..%2Fx%3F?linkCode=ll1&ascsubtag=link-caf%C3%A9%26a%3D1-US"
        );
    }

    #[test]
    fn which_app() {
        for (user_agent, app) in [
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1", Some(App::Ios)),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0.0.0 Mobile Safari/537.36",
                Some(App::Android),
            ),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0.0.0 Safari/537.36", None),
            ("", None),
        ] {
            assert_eq!(App::of(user_agent.as_bytes()), app, "{user_agent}");
        }
        let location = "https://www.amazon.com/dp/B0?tag=a;b#f";
        assert_eq!(
            App::Android.url(location),
            "intent://www.amazon.com/dp/B0?tag=a;b#Intent;scheme=https;package=com.amazon.mshop.android.shopping;\
             S.browser_fallback_url=https%3A%2F%2Fwww.amazon.com%2Fdp%2FB0%3Ftag%3Da%3Bb%23f;end"
        );
    }
}
