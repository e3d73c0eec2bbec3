//! Hostnames: how a domain is spelled, whoever spells it (SPEC 3.1).

use std::{borrow::Cow, fmt};

use crate::limits;

/// Why a text is no hostname.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hostname")]
pub struct HostnameError;

/// A host in the one form that is compared: lower case, IDNA (ASCII), without port or final dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hostname(Box<str>);

impl Hostname {
    /// The hostname of `text`, which may carry a port and a final dot. Labels may hold `_`.
    ///
    /// # Errors
    /// [`HostnameError`] where it is neither a DNS name nor an IP literal.
    ///
    /// ```
    /// use waypost_link::Hostname;
    /// assert_eq!(Hostname::parse("Go.BÜCHER.example.:8080").unwrap().as_str(), "go.xn--bcher-kva.example");
    /// ```
    pub fn parse(text: &str) -> Result<Self, HostnameError> {
        Self::normalise(text.as_bytes()).map(|host| Self(host.into()))
    }

    /// What [`Hostname::parse`] would make of a `Host` header's value, borrowed where it already
    /// has that form.
    ///
    /// # Errors
    /// [`HostnameError`], as there.
    pub fn normalise(host: &[u8]) -> Result<Cow<'_, str>, HostnameError> {
        let text = std::str::from_utf8(host).map_err(|_| HostnameError)?;
        let text = strip_port(text)?;
        if text.starts_with('[') {
            return ipv6(text);
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.bytes().all(is_plain) {
            return check(text).map(|()| Cow::Borrowed(text));
        }
        if text.len() > 4 * limits::HOSTNAME_BYTES {
            return Err(HostnameError);
        }
        let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY)
            .map_err(|_| HostnameError)?;
        check(&ascii)?;
        Ok(ascii)
    }

    /// The hostname; an IPv6 literal keeps its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `host`, in the form of [`Hostname::normalise`], is an IP literal.
    pub fn is_ip(host: &str) -> bool {
        host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok()
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_')
}

fn strip_port(text: &str) -> Result<&str, HostnameError> {
    let Some((host, port)) = text.rsplit_once(':') else { return Ok(text) };
    if host.contains(':') && !host.ends_with(']') {
        return Ok(text);
    }
    let digits = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        Ok(host)
    } else if text.ends_with(']') {
        Ok(text)
    } else {
        Err(HostnameError)
    }
}

fn ipv6(text: &str) -> Result<Cow<'_, str>, HostnameError> {
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = inside.and_then(|inside| inside.parse::<std::net::Ipv6Addr>().ok());
    address.map(|address| Cow::Owned(format!("[{address}]"))).ok_or(HostnameError)
}

fn check(host: &str) -> Result<(), HostnameError> {
    let label = |label: &str| {
        (1..=limits::LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|byte| is_plain(byte) && byte != b'.')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = (1..=limits::HOSTNAME_BYTES).contains(&host.len());
    if fits && host.split('.').all(label) { Ok(()) } else { Err(HostnameError) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_form_for_every_spelling() {
        let long = format!("{}.example", "a".repeat(64));
        for (text, host) in [
            ("example.com", Some("example.com")),
            ("EXAMPLE.Com:443", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("my_host.example", Some("my_host.example")),
            ("My_Host.example", Some("my_host.example")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("127.0.0.1:8080", Some("127.0.0.1")),
            ("[::1]:8080", Some("[::1]")),
            ("[0:0::1]", Some("[::1]")),
            ("::1", None),
            ("[::1", None),
            ("example.com:http", None),
            ("a..b", None),
            ("-a.example", None),
            ("a b.example", None),
            ("user@example.com", None),
            ("example.com/x", None),
            ("", None),
            (".", None),
            (&long, None),
        ] {
            assert_eq!(Hostname::parse(text).ok().as_ref().map(Hostname::as_str), host, "{text}");
        }
    }

    proptest! {
        #[test]
        fn normal_form_is_a_fixed_point(text in "\\PC{0,40}") {
            if let Ok(host) = Hostname::parse(&text) {
                prop_assert_eq!(Hostname::parse(host.as_str()).unwrap(), host);
            }
        }
    }
}
