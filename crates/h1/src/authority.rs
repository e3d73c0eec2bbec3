//! `host[:port]`, checked (RFC 3986 section 3.2.2, RFC 9110 section 7.2).
//!
//! Narrower than the grammar: no user information, and of the sub-delimiters none, because no hostname has them and
//! every one of them has been a way to make two servers read two hosts.

#![allow(unsafe_code)]

/// A host with an optional port and nothing else, as text.
#[inline]
pub(crate) fn checked(authority: &[u8]) -> Option<&str> {
    // SAFETY: what is valid is ASCII: names and ports are checked byte by byte, an IPv6 address was parsed from text, and
    // brackets and colons are the rest. A second look at every request's Host would cost as much as the first.
    is_valid(authority).then(|| unsafe { std::str::from_utf8_unchecked(authority) })
}

/// Whether this is a host with an optional port and nothing else. Empty is not one.
#[inline]
pub(crate) fn is_valid(authority: &[u8]) -> bool {
    let (host_ok, port) = match authority.first() {
        None => return false,
        Some(b'[') => match memchr::memchr(b']', authority) {
            Some(end) => (is_ipv6(&authority[1..end]), &authority[end + 1..]),
            None => return false,
        },
        Some(_) => {
            let end = memchr::memchr(b':', authority).unwrap_or(authority.len());
            (is_name(&authority[..end]), &authority[end..])
        }
    };
    host_ok && is_port(port)
}

#[inline]
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&byte| NAME_BYTES[usize::from(byte)])
}

/// The bytes of a hostname, as a table: every request's Host comes through here.
const NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 0x80 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%');
        byte += 1;
    }
    table
};

fn is_ipv6(address: &[u8]) -> bool {
    std::str::from_utf8(address).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}

/// Nothing, or a colon and a port number; the number may be missing.
fn is_port(port: &[u8]) -> bool {
    match port {
        [] | [b':'] => true,
        [b':', digits @ ..] => {
            digits.len() <= 5
                && digits.iter().all(u8::is_ascii_digit)
                && digits.iter().fold(0u32, |n, b| n * 10 + u32::from(b - b'0')) <= 65_535
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities() {
        let good = [
            "a",
            "example.com",
            "EXAMPLE.com:80",
            "a.b.:443",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:65535",
            "x_y.de",
            "xn--caf-dma.fr",
            "host:",
        ];
        let bad = [
            "",
            ":80",
            "user@host",
            "a/b",
            "a?b",
            "a#b",
            "a b",
            "a,b",
            "a:b",
            "a:65536",
            "a:123456",
            "[::1",
            "[::1]x",
            "[zz]",
            "a:80:80",
            "caf\u{e9}",
            "a\\b",
            "[]",
            "a:+1",
        ];
        for authority in good {
            assert_eq!(checked(authority.as_bytes()), Some(authority));
        }
        for authority in bad {
            assert!(!is_valid(authority.as_bytes()), "{authority}");
        }
    }
}
