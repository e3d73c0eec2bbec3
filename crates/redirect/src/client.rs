//! Who the visitor is: address and country, believing only proxies that the operator trusts (SPEC 3.7).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use crate::{Facts, limits};

/// Finds the country of an address, such as from an MMDB file. It must not block: redirects wait for it.
pub trait Countries: Send + Sync {
    /// ISO 3166-1 alpha-2 in capitals, where known.
    fn country(&self, ip: IpAddr) -> Option<[u8; 2]>;
}

impl<C: Countries + ?Sized> Countries for std::sync::Arc<C> {
    fn country(&self, ip: IpAddr) -> Option<[u8; 2]> {
        (**self).country(ip)
    }
}

/// A visitor's address, and whether headers about it may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address.
    pub ip: IpAddr,
    /// Whether the peer is a trusted proxy.
    pub proxied: bool,
    /// Whether a trusted proxy named the address.
    pub named: bool,
}

impl Client {
    /// Whoever sent a request with these facts: of them, `peer`, `forwarded_for` and `real_ip` count.
    pub fn of(facts: &Facts<'_>, trusted: &[IpNet]) -> Self {
        let peer = facts.peer.to_canonical();
        if !is_trusted(peer, trusted) {
            return Self { ip: peer, proxied: false, named: false };
        }
        let named = forwarded(facts.forwarded_for, trusted).or_else(|| address(facts.real_ip));
        Self { ip: named.unwrap_or(peer), proxied: true, named: named.is_some() }
    }

    /// What the country header says, else what `countries` knows.
    pub(crate) fn country(
        &self,
        header: &[u8],
        countries: Option<&dyn Countries>,
    ) -> Option<[u8; 2]> {
        let named = if self.proxied { country_code(header) } else { None };
        named.or_else(|| countries?.country(self.ip))
    }
}

/// The right-most entry that no trusted proxy is at. What comes from further left, past it or past an entry that is
/// no address, anybody may have written: the walk ends there.
fn forwarded(fields: &[&[u8]], trusted: &[IpNet]) -> Option<IpAddr> {
    if fields.is_empty() {
        return None;
    }
    let entries = fields.iter().rev().flat_map(|field| field.rsplit(|&byte| byte == b','));
    entries.take(limits::FORWARDED_ENTRIES).map_while(address).find(|&ip| !is_trusted(ip, trusted))
}

fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&ip))
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn address(text: &[u8]) -> Option<IpAddr> {
    if text.is_empty() {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bracketed = || inside?.parse::<Ipv6Addr>().ok().map(IpAddr::from);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed).map(|ip: IpAddr| ip.to_canonical())
}

/// Two letters, whatever their case; `XX` is Cloudflare's word for unknown (and `T1`, Tor's, has no letters).
fn country_code(header: &[u8]) -> Option<[u8; 2]> {
    match header.trim_ascii() {
        &[a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            Some([a.to_ascii_uppercase(), b.to_ascii_uppercase()]).filter(|code| code != b"XX")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trusted() -> Vec<IpNet> {
        ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "2001:db8:ffff::/48"]
            .map(|net| net.parse().unwrap())
            .to_vec()
    }

    fn client(peer: &str, forwarded: &[&str], real_ip: &str) -> Client {
        let fields: Vec<_> = forwarded.iter().map(|field| field.as_bytes()).collect();
        let (peer, real_ip) = (peer.parse().unwrap(), real_ip.as_bytes());
        let facts = Facts { peer, forwarded_for: &fields, real_ip, ..Facts::default() };
        Client::of(&facts, &trusted())
    }

    #[test]
    fn whose_address_counts() {
        for (peer, forwarded, real_ip, expected) in [
            // Nobody trusted: headers are hearsay.
            ("192.0.2.1", &["198.51.100.7"][..], "198.51.100.8", "192.0.2.1"),
            ("127.0.0.1", &[], "", "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.7"], "", "198.51.100.7"),
            ("::ffff:127.0.0.1", &["198.51.100.7"], "", "198.51.100.7"),
            // The right-most untrusted one, over several fields, whatever a client put before it.
            ("127.0.0.1", &["1.1.1.1, 198.51.100.7"], "", "198.51.100.7"),
            ("127.0.0.1", &["1.1.1.1, 198.51.100.7 ,10.1.2.3"], "", "198.51.100.7"),
            ("127.0.0.1", &["1.1.1.1", "198.51.100.7", "10.1.2.3,10.0.0.1"], "", "198.51.100.7"),
            ("::1", &["2001:db8::7, 2001:db8:ffff::1"], "", "2001:db8::7"),
            // As proxies spell them.
            ("127.0.0.1", &["198.51.100.7:4711"], "", "198.51.100.7"),
            ("127.0.0.1", &["[2001:db8::7]:4711"], "", "2001:db8::7"),
            ("127.0.0.1", &["[2001:db8::7]"], "", "2001:db8::7"),
            ("127.0.0.1", &["::ffff:198.51.100.7"], "", "198.51.100.7"),
            // All trusted: X-Real-IP, else the peer.
            ("127.0.0.1", &["10.0.0.1"], "198.51.100.8", "198.51.100.8"),
            ("127.0.0.1", &["10.0.0.1"], "", "127.0.0.1"),
            ("127.0.0.1", &[], "198.51.100.8", "198.51.100.8"),
            ("127.0.0.1", &["198.51.100.7"], "198.51.100.8", "198.51.100.7"),
            // Past what is no address, nothing is believed.
            ("127.0.0.1", &["1.1.1.1, unknown, 10.0.0.1"], "", "127.0.0.1"),
            ("127.0.0.1", &["1.1.1.1,"], "", "127.0.0.1"),
            ("127.0.0.1", &["1.1.1.1", ""], "198.51.100.8", "198.51.100.8"),
            ("127.0.0.1", &["junk, 198.51.100.7"], "", "198.51.100.7"),
            ("127.0.0.1", &[], "junk", "127.0.0.1"),
        ] {
            let client = client(peer, forwarded, real_ip);
            assert_eq!(
                client.ip,
                expected.parse::<IpAddr>().unwrap(),
                "{peer} {forwarded:?} {real_ip}"
            );
        }
    }

    #[test]
    fn the_walk_is_bounded() {
        let long = vec!["10.0.0.1"; limits::FORWARDED_ENTRIES].join(",");
        let longer = format!("198.51.100.7,{long}");
        assert_eq!(client("127.0.0.1", &[&longer], "").ip, IpAddr::from([127, 0, 0, 1]));
    }

    struct Nowhere;

    impl Countries for Nowhere {
        fn country(&self, ip: IpAddr) -> Option<[u8; 2]> {
            ip.is_ipv4().then_some(*b"NZ")
        }
    }

    #[test]
    fn which_country_counts() {
        for (ip, proxied, header, expected) in [
            ("192.0.2.1", true, "de", Some(*b"DE")),
            ("192.0.2.1", true, " US ", Some(*b"US")),
            ("192.0.2.1", false, "de", Some(*b"NZ")),
            ("192.0.2.1", true, "XX", Some(*b"NZ")),
            ("192.0.2.1", true, "T1", Some(*b"NZ")),
            ("192.0.2.1", true, "DEU", Some(*b"NZ")),
            ("2001:db8::1", true, "", None),
        ] {
            let client = Client { ip: ip.parse().unwrap(), proxied, named: false };
            assert_eq!(
                client.country(header.as_bytes(), Some(&Nowhere)),
                expected,
                "{ip} {header}"
            );
        }
        let client = Client { ip: [192, 0, 2, 1].into(), proxied: false, named: false };
        assert_eq!(client.country(b"DE", None), None);
    }

    proptest! {
        #[test]
        fn no_header_panics(field in proptest::collection::vec(any::<u8>(), 0..60)) {
            let fields = [field.as_slice()];
            let peer = [127, 0, 0, 1].into();
            let facts = Facts { peer, forwarded_for: &fields, real_ip: &field, country: &field, ..Facts::default() };
            let client = Client::of(&facts, &trusted());
            client.country(facts.country, None);
        }
    }
}
