//! Which addresses are public: everything that the IANA special-purpose registries (RFC 6890)
//! don't keep for something else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Networks of IPv4 that lead to no public host.
#[rustfmt::skip]
const SPECIAL: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),       v4([10, 0, 0, 0], 8),      v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),     v4([169, 254, 0, 0], 16),  v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),    v4([192, 0, 2, 0], 24),    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),  v4([198, 18, 0, 0], 15),   v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),  v4([224, 0, 0, 0], 4),     v4([240, 0, 0, 0], 4),
];

/// Global unicast, outside of which nothing of IPv6 is public.
const GLOBAL: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What of it is kept for something else: protocols and Teredo, documentation, 6to4, documentation.
const SPECIAL6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// Whether `ip` may be a public host. An IPv4 address inside an IPv6 one counts as itself where it
/// is mapped, and as nothing public where it is translated.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !SPECIAL.iter().any(|net| net.contains(&ip)),
        IpAddr::V6(ip) => GLOBAL.contains(&ip) && !SPECIAL6.iter().any(|net| net.contains(&ip)),
    }
}

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_ones_in_every_spelling() {
        for (ip, public) in [
            ("1.1.1.1", true),
            ("172.15.255.255", true),
            ("172.16.0.1", false),
            ("10.1.2.3", false),
            ("192.168.1.1", false),
            ("127.0.0.1", false),
            ("127.8.8.8", false),
            ("0.0.0.0", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("198.19.255.255", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700:4700::1111", true),
            ("::1", false),
            ("::", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:1.1.1.1", true),
            ("::7f00:1", false),
            ("64:ff9b::7f00:1", false),
            ("2002:7f00:1::", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("fc00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
        }
    }
}
