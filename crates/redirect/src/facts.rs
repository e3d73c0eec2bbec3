//! What the engine is told about a request: values, borrowed from whoever received it.
//!
//! Nothing here is decoded, normalised or believed yet. A header that was not sent is empty.

use std::net::{IpAddr, Ipv4Addr};

use waypost_link::Timestamp;

/// The methods that the resolver tells apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    #[default]
    Get,
    /// HEAD: decided like GET, but it neither counts nor spends anything.
    Head,
    /// POST: a password form.
    Post,
    /// Any other known method; always answered 405.
    Other,
}

/// One request.
///
/// ```
/// use waypost_link::Timestamp;
/// use waypost_redirect::Facts;
/// let facts = Facts {
///     host: b"go.example",
///     path: "/hi",
///     query: Some(b"ref=mail"),
///     user_agent: b"Mozilla/5.0",
///     peer: [192, 0, 2, 1].into(),
///     at: Timestamp::from_seconds(1_800_000_000),
///     ..Facts::default()
/// };
/// assert!(!facts.is_prefetch());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The method.
    pub method: Method,
    /// The authority asked for, as sent: `host[:port]`.
    pub host: &'a [u8],
    /// The path, still percent-encoded. It begins with `/`.
    pub path: &'a str,
    /// What follows the first `?`, still encoded; `None` without one.
    pub query: Option<&'a [u8]>,
    /// `User-Agent`
    pub user_agent: &'a [u8],
    /// `Referer`
    pub referrer: &'a [u8],
    /// `Accept`
    pub accept: &'a [u8],
    /// `Accept-Language`
    pub accept_language: &'a [u8],
    /// `Sec-Purpose`
    pub sec_purpose: &'a [u8],
    /// `Purpose`
    pub purpose: &'a [u8],
    /// `X-Moz`
    pub x_moz: &'a [u8],
    /// The configured country header (`CF-IPCountry`). Believed only where `peer` is a trusted proxy.
    pub country: &'a [u8],
    /// The `X-Forwarded-For` fields, in the order of the request. Believed like `country`.
    pub forwarded_for: &'a [&'a [u8]],
    /// `X-Real-IP`. Believed like `country`.
    pub real_ip: &'a [u8],
    /// Who is at the other end of the connection (or named by a PROXY header on it).
    pub peer: IpAddr,
    /// When the request was received.
    pub at: Timestamp,
    /// The field `password` of a POSTed form, decoded; `None` where the form has none.
    pub password: Option<&'a [u8]>,
}

impl Default for Facts<'_> {
    /// `GET /` of nobody in particular, at the epoch.
    fn default() -> Self {
        Self {
            method: Method::Get,
            host: b"",
            path: "/",
            query: None,
            user_agent: b"",
            referrer: b"",
            accept: b"",
            accept_language: b"",
            sec_purpose: b"",
            purpose: b"",
            x_moz: b"",
            country: b"",
            forwarded_for: &[],
            real_ip: b"",
            peer: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            at: Timestamp(0),
            password: None,
        }
    }
}

impl Facts<'_> {
    /// Whether a browser asks ahead of a visit that may never happen (SPEC 3.5).
    #[inline]
    pub fn is_prefetch(&self) -> bool {
        [self.sec_purpose, self.purpose, self.x_moz].into_iter().any(says_prefetch)
    }

    /// Whether an answer to this request may count as a click.
    #[inline]
    pub(crate) fn counts(&self) -> bool {
        self.method != Method::Head && !self.is_prefetch()
    }

    /// Whether the client asks for JSON rather than a page.
    pub(crate) fn wants_json(&self) -> bool {
        self.accept.split(|&byte| byte == b',').any(|range| {
            let mut parts = range.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            let json =
                parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(b"application/json"));
            json && !parts.any(is_refused)
        })
    }
}

/// Whether a header's first token is `prefetch`; parameters such as `;prerender` follow it.
fn says_prefetch(value: &[u8]) -> bool {
    if value.is_empty() {
        return false;
    }
    let mut tokens = value.split(|byte| matches!(byte, b';' | b',')).map(<[u8]>::trim_ascii);
    tokens.any(|token| token.eq_ignore_ascii_case(b"prefetch"))
}

/// Whether a parameter is a weight of zero: "not acceptable" (RFC 9110, 12.4.2).
fn is_refused(parameter: &[u8]) -> bool {
    let weight = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="));
    weight.is_some_and(|weight| {
        weight.starts_with(b"0") && weight.iter().all(|byte| matches!(byte, b'0' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_ahead() {
        for (value, expected) in [
            ("", false),
            ("prefetch", true),
            ("Prefetch", true),
            ("prefetch;prerender", true),
            ("prefetch;anonymous-client-ip", true),
            ("prerender; prefetch", true),
            ("prefetching", false),
            ("preview", false),
        ] {
            let value = value.as_bytes();
            for facts in [
                Facts { sec_purpose: value, ..Facts::default() },
                Facts { purpose: value, ..Facts::default() },
                Facts { x_moz: value, ..Facts::default() },
            ] {
                assert_eq!(facts.is_prefetch(), expected, "{facts:?}");
                assert_eq!(facts.counts(), !expected);
            }
        }
        assert!(!Facts { method: Method::Head, ..Facts::default() }.counts());
    }

    #[test]
    fn who_wants_json() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false),
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/json, text/plain, */*", true),
            ("text/html, application/json;q=0", false),
            ("text/html, application/json; q=0.0", false),
            ("text/html, application/json; q=0.1", true),
            ("application/json-seq", false),
        ] {
            let facts = Facts { accept: accept.as_bytes(), ..Facts::default() };
            assert_eq!(facts.wants_json(), expected, "{accept}");
        }
    }
}
