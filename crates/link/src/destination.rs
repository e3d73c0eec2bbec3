//! Destinations: where a link may lead (SPEC 3.9).

use std::fmt;

use url::Url;

use crate::{Hostname, Slug, limits};

/// Schemes that no setting can allow: each runs code or reads the visitor's disk.
const NEVER: [&str; 4] = ["javascript", "data", "vbscript", "file"];

/// Why a text is no destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// Nothing there.
    #[error("a destination is required")]
    Empty,
    /// Over 8 KiB.
    #[error("a destination has at most {} bytes", limits::DESTINATION_BYTES)]
    TooLong,
    /// A control character, white space or a character that no URL carries.
    #[error("a destination can't contain {0:?}")]
    Character(char),
    /// No absolute URL.
    #[error("not an absolute URL: {0}")]
    NotAbsolute(String),
    /// A scheme that is not allowed here.
    #[error("the scheme {0:?} is not allowed")]
    Scheme(String),
    /// It leads back to the link itself.
    #[error("a link can't point at its own short URL")]
    Loop,
}

/// The schemes that destinations may have: `http`, `https`, and the operator's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schemes(Vec<String>);

impl Schemes {
    /// `http`, `https` and these (app deep links); ones that are never allowed are left out.
    pub fn and(more: impl IntoIterator<Item = String>) -> Self {
        let more = more.into_iter().map(|scheme| scheme.to_ascii_lowercase());
        Self(more.filter(|scheme| !NEVER.contains(&scheme.as_str())).collect())
    }

    /// Whether `scheme` (lower case) is allowed.
    pub fn allow(&self, scheme: &str) -> bool {
        matches!(scheme, "http" | "https") || self.0.iter().any(|known| known == scheme)
    }
}

/// A URL that a redirect may name: absolute, of an allowed scheme, printable, byte for byte as
/// it was given but for characters outside ASCII, which are percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination(Box<str>);

impl Destination {
    /// The destination `text`.
    ///
    /// # Errors
    /// [`DestinationError`] says which rule of SPEC 3.9 is broken.
    ///
    /// ```
    /// use waypost_link::{Destination, Schemes};
    /// let schemes = Schemes::default();
    /// assert!(Destination::parse("https://example.com/a?b#c", &schemes).is_ok());
    /// assert!(Destination::parse("javascript:alert(1)", &schemes).is_err());
    /// ```
    pub fn parse(text: &str, schemes: &Schemes) -> Result<Self, DestinationError> {
        check_text(text)?;
        let url = Url::parse(text).map_err(|e| DestinationError::NotAbsolute(e.to_string()))?;
        if NEVER.contains(&url.scheme()) || !schemes.allow(url.scheme()) {
            return Err(DestinationError::Scheme(url.scheme().to_owned()));
        }
        let web = matches!(url.scheme(), "http" | "https");
        if web && !has_authority(text, url.scheme()) {
            return Err(DestinationError::NotAbsolute("no host".to_owned()));
        }
        Ok(Self(if text.is_ascii() { text.into() } else { String::from(url).into() }))
    }

    /// A destination that a store kept: it was legal when it was made.
    ///
    /// Settings may have changed since, so only what holds under every setting is checked again.
    ///
    /// # Errors
    /// [`DestinationError`] where the text can never have been one.
    pub fn restore(text: &str) -> Result<Self, DestinationError> {
        check_text(text)?;
        let scheme = text.split(':').next().unwrap_or_default();
        if NEVER.iter().any(|never| scheme.eq_ignore_ascii_case(never)) || !text.is_ascii() {
            return Err(DestinationError::Scheme(scheme.to_ascii_lowercase()));
        }
        Ok(Self(text.into()))
    }

    /// Fails if this leads to `slug` on one of `hosts`, directly or as `/track/{slug}`.
    ///
    /// # Errors
    /// [`DestinationError::Loop`].
    pub fn check_loop(&self, slug: &Slug, hosts: &[Hostname]) -> Result<(), DestinationError> {
        let Ok(url) = Url::parse(&self.0) else { return Ok(()) };
        let Some(host) = url.host_str().and_then(|host| Hostname::parse(host).ok()) else {
            return Ok(());
        };
        let path = url.path().trim_start_matches('/').trim_end_matches('/');
        let segment = path.strip_prefix("track/").unwrap_or(path);
        let own = Slug::decode(segment).is_ok_and(|code| code == slug.as_str());
        if own && hosts.contains(&host) { Err(DestinationError::Loop) } else { Ok(()) }
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_text(text: &str) -> Result<(), DestinationError> {
    if text.is_empty() {
        return Err(DestinationError::Empty);
    }
    if text.len() > limits::DESTINATION_BYTES {
        return Err(DestinationError::TooLong);
    }
    // Looks at all bytes, many at once: at a start every destination of a store comes by.
    if text.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
        return Ok(());
    }
    let bad = |c: &char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\\');
    match text.chars().find(bad) {
        Some(c) => Err(DestinationError::Character(c)),
        None => Ok(()),
    }
}

/// What most destinations are made of, and may be.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\')
}

/// Whether a web URL spells out `//host`: the URL parser forgives `http:example.com`, but a
/// `Location` so spelled would be read as relative by some.
fn has_authority(text: &str, scheme: &str) -> bool {
    let rest = text.get(scheme.len()..).and_then(|rest| rest.strip_prefix("://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_a_destination() {
        let apps = Schemes::and(["myapp".into(), "javascript".into()]);
        let long = format!("https://example.com/{}", "a".repeat(limits::DESTINATION_BYTES));
        for (text, ok) in [
            ("https://example.com/", true),
            ("HTTP://EXAMPLE.com/Path?q=%20#f", true),
            ("http://user@host:8080", true),
            ("http://[::1]/", true),
            ("myapp://open/1", true),
            ("other://open/1", false),
            ("javascript:alert(1)", false),
            ("JaVaScRiPt:alert(1)", false),
            ("data:text/html,x", false),
            ("file:///etc/passwd", false),
            ("//example.com/", false),
            ("/relative", false),
            ("example.com", false),
            ("http:example.com", false),
            ("http:///path", false),
            ("https://", false),
            ("https://exa mple.com/", false),
            ("https://example.com/\r\nSet-Cookie:a=b", false),
            ("https://example.com/\u{7f}", false),
            ("https://example.com/\u{85}", false),
            ("https://example.com/\"", false),
            ("https://example.com/<b", false),
            ("https://example.com/a>", false),
            ("https://example.com\\a", false),
            (" https://example.com/", false),
            ("", false),
            (&long, false),
        ] {
            assert_eq!(Destination::parse(text, &apps).is_ok(), ok, "{text:?}");
        }
    }

    #[test]
    fn bytes_stay_as_they_were() {
        let schemes = Schemes::default();
        for (text, kept) in [
            ("HTTPS://Example.com/a//b/../c?x=%7e&&#", "HTTPS://Example.com/a//b/../c?x=%7e&&#"),
            ("https://example.com/ü", "https://example.com/%C3%BC"),
        ] {
            let destination = Destination::parse(text, &schemes).unwrap();
            assert_eq!(destination.as_str(), kept);
            assert_eq!(Destination::restore(kept).unwrap(), destination);
        }
    }

    #[test]
    fn a_link_never_leads_to_itself() {
        let hosts = [Hostname::parse("go.example.com").unwrap()];
        let slug = Slug::parse("hi").unwrap();
        for (text, ok) in [
            ("https://go.example.com/hi", false),
            ("http://GO.example.com:8080/h%69?x#y", false),
            ("https://go.example.com/track/hi/", false),
            ("https://go.example.com/HI", true),
            ("https://other.example.com/hi", true),
        ] {
            let destination = Destination::parse(text, &Schemes::default()).unwrap();
            assert_eq!(destination.check_loop(&slug, &hosts).is_ok(), ok, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_a_safe_header_value(text in "(https?://)?\\PC{0,80}") {
            if let Ok(destination) = Destination::parse(&text, &Schemes::default()) {
                prop_assert!(destination.as_str().bytes().all(|b| (0x21..0x7f).contains(&b)));
                prop_assert!(Destination::restore(destination.as_str()).is_ok());
            }
        }
    }
}
