//! Who a visitor is, without knowing who they are: keyed hashes of a day.
//!
//! The hash is SipHash-1-3 over bytes in a fixed order with a secret that the store keeps, so that
//! every node, before and after a restart, counts the same visitor once a day, and nobody without
//! the secret can try addresses against it.

use std::net::IpAddr;

use siphasher::sip::SipHasher13;
use waypost_link::{IpPolicy, Timestamp};
use waypost_storage::Address;

/// Hashes visitors and addresses with a store's secret.
#[derive(Clone, Copy)]
pub struct Visitors {
    agents: SipHasher13,
    visitors: SipHasher13,
    addresses: SipHasher13,
}

/// A user agent, hashed once for all of its clicks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentHash(u64);

impl Visitors {
    /// With the store's secret of 128 bits.
    pub fn new(secret: [u8; 16]) -> Self {
        let secret = SipHasher13::new_with_key(&secret);
        let keyed = |purpose: u8| {
            SipHasher13::new_with_keys(secret.hash(&[purpose, 0]), secret.hash(&[purpose, 1]))
        };
        Self { agents: keyed(0), visitors: keyed(1), addresses: keyed(2) }
    }

    /// The hash of a user agent: of its first [`waypost_storage::limits::USER_AGENT`] bytes, what
    /// is not UTF-8 in them replaced, as in the text that is stored.
    pub fn agent(&self, user_agent: &[u8]) -> AgentHash {
        let most = waypost_storage::limits::USER_AGENT;
        let text = String::from_utf8_lossy(user_agent.get(..most).unwrap_or(user_agent));
        AgentHash(self.agents.hash(text.as_bytes()))
    }

    /// The visitor of this address and user agent on the UTC day of `at`.
    ///
    /// ```
    /// use waypost_clicks::Visitors;
    /// use waypost_link::Timestamp;
    /// let visitors = Visitors::new([7; 16]);
    /// let curl = visitors.agent(b"curl/8.5.0");
    /// let of = |micros| visitors.visitor([192, 0, 2, 1].into(), curl, Timestamp(micros));
    /// assert_eq!(of(0), of(Timestamp::DAY - 1));
    /// assert_ne!(of(0), of(Timestamp::DAY));
    /// ```
    pub fn visitor(&self, ip: IpAddr, agent: AgentHash, at: Timestamp) -> u64 {
        let mut bytes = [0; 28];
        bytes[..8].copy_from_slice(&agent.0.to_le_bytes());
        // A day is its number since 1970, which these bits hold for millions of years.
        bytes[8..12].copy_from_slice(&(at.day() as u32).to_le_bytes());
        // Addresses of either length are told apart by the hash, which takes in how much it hashed.
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                bytes[12..16].copy_from_slice(&ip.octets());
                self.visitors.hash(&bytes[..16])
            }
            IpAddr::V6(ip) => {
                bytes[12..].copy_from_slice(&ip.octets());
                self.visitors.hash(&bytes)
            }
        }
    }

    /// What `policy` keeps of an address that clicked at `at`.
    pub fn address(&self, policy: IpPolicy, ip: IpAddr, at: Timestamp) -> Address {
        match (policy, ip.to_canonical()) {
            (IpPolicy::Full, ip) => Address::Ip(ip),
            (IpPolicy::Truncate, IpAddr::V4(ip)) => {
                Address::Ip(IpAddr::V4((ip.to_bits() & !0xff).into()))
            }
            (IpPolicy::Truncate, IpAddr::V6(ip)) => {
                Address::Ip(IpAddr::V6((ip.to_bits() >> 80 << 80).into()))
            }
            (IpPolicy::Hash, ip) => {
                let mut bytes = [0; 24];
                bytes[..16].copy_from_slice(&octets(ip));
                bytes[16..].copy_from_slice(&at.day().to_le_bytes());
                Address::Hash(self.addresses.hash(&bytes))
            }
            (IpPolicy::Nothing, _) => Address::Nothing,
        }
    }
}

impl std::fmt::Debug for Visitors {
    /// Shows nothing of the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Visitors")
    }
}

/// One form for an address and its IPv4-mapped twin (RFC 4291, 2.5.5.2).
fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(20_000 * Timestamp::DAY + Timestamp::DAY / 2);

    #[test]
    fn policies() {
        let visitors = Visitors::new([1; 16]);
        for (policy, ip, kept) in [
            (IpPolicy::Full, "203.0.113.77", Some("203.0.113.77")),
            (IpPolicy::Full, "::ffff:203.0.113.77", Some("203.0.113.77")),
            (IpPolicy::Full, "2001:db8:1:2:3::4", Some("2001:db8:1:2:3::4")),
            (IpPolicy::Truncate, "203.0.113.77", Some("203.0.113.0")),
            (IpPolicy::Truncate, "2001:db8:1:2:3::4", Some("2001:db8:1::")),
            (IpPolicy::Nothing, "203.0.113.77", None),
        ] {
            let address = visitors.address(policy, ip.parse().unwrap(), NOON);
            assert_eq!(address.text().as_deref(), kept, "{policy:?} {ip}");
        }
    }

    #[test]
    fn hashed_addresses_last_a_day() {
        let of = |secret, ip: &str, at| {
            Visitors::new(secret).address(IpPolicy::Hash, ip.parse().unwrap(), at)
        };
        let first = of([1; 16], "203.0.113.77", NOON);
        assert_eq!(of([1; 16], "203.0.113.77", NOON.plus(Timestamp::HOUR)), first);
        assert_ne!(of([1; 16], "203.0.113.77", NOON.plus(Timestamp::DAY)), first);
        assert_ne!(of([1; 16], "203.0.113.78", NOON), first);
        assert_ne!(of([2; 16], "203.0.113.77", NOON), first);
    }

    /// The values are part of the format: sets of visitors in a store hold them.
    #[test]
    fn the_hash_is_portable() {
        let visitors = Visitors::new(*b"0123456789abcdef");
        let agent = visitors.agent(b"curl/8.5.0");
        let visitor = visitors.visitor([192, 0, 2, 1].into(), agent, NOON);
        assert_eq!((agent.0, visitor), (AGENT, VISITOR));
        assert_eq!(visitors.visitor("::ffff:192.0.2.1".parse().unwrap(), agent, NOON), visitor);
        let other = visitors.visitor([192, 0, 2, 2].into(), agent, NOON);
        assert_ne!(other, visitor);
    }

    const AGENT: u64 = 13_642_868_392_774_848_551;
    const VISITOR: u64 = 7_138_355_408_693_415_253;
}
