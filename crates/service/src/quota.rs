//! Rate limits: token buckets in a table of fixed size.
//!
//! A bucket is one number, the time at which it will be full again (the generic cell rate
//! algorithm): nothing runs in the background, and a full bucket needs no memory at all. The table is
//! an array of small sets. Whoever finds its set full takes the place of the bucket that is nearest
//! to full, which forgets the least; so a flood of strangers costs no memory and helps nobody much.
//!
//! Callers are known by a hash keyed at start. IPv6 addresses count by their /64: a subscriber has
//! that many.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
};

use parking_lot::Mutex;
use waypost_link::{KeyId, Timestamp};

use crate::limits;

/// A class of requests that share a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Rate {
    /// tracking: recording clicks, by address.
    Clicks,
    /// tracking: reading, by key.
    Analytics,
    /// tracking: making and unmaking links, by key.
    Creation,
    /// linkpack: everything, by key.
    Linkpack,
}

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// An address.
    Address(IpAddr),
    /// A key.
    Key(KeyId),
}

/// What a rate allows: `requests` at once, and as many again evenly over `seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Size of the bucket.
    pub requests: u32,
    /// How long an empty one takes to fill.
    pub seconds: u32,
}

/// How a bucket stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether the request goes through.
    pub allowed: bool,
    /// The bucket's size.
    pub allowance: Allowance,
    /// Requests left right now.
    pub remaining: u32,
    /// When the bucket is full again.
    pub full_at: Timestamp,
    /// Seconds until one more request goes through, rounded up; 0 where one does now.
    pub retry_after: u32,
}

/// The limits of one server.
pub struct Quota {
    allowances: [Allowance; Rate::ALL.len()],
    hash: RandomState,
    sets: Box<[Mutex<Set>]>,
}

/// A few buckets that share a lock: who each belongs to, and when it is full again.
type Set = [(u64, i64); limits::QUOTA_WAYS];

impl Rate {
    /// Every rate, by its place in a table.
    pub const ALL: [Self; 4] = [Self::Clicks, Self::Analytics, Self::Creation, Self::Linkpack];

    /// What the documents allow (SPEC 4).
    pub const fn documented(self) -> Allowance {
        let (requests, seconds) = match self {
            Self::Clicks => (1_000, 60),
            Self::Analytics => (100, 60),
            Self::Creation => (50, 60),
            Self::Linkpack => (10, 1),
        };
        Allowance { requests, seconds }
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self::new(Rate::documented)
    }
}

impl Quota {
    /// Limits that allow what `allowance` says of each rate; 0 requests allow none.
    pub fn new(allowance: impl Fn(Rate) -> Allowance) -> Self {
        Self {
            allowances: Rate::ALL.map(allowance),
            hash: RandomState::new(),
            sets: (0..limits::QUOTA_SETS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Counts a request of `caller` at `now`.
    pub fn spend(&self, rate: Rate, caller: Caller, now: Timestamp) -> Standing {
        let allowance = self.allowances[rate as usize];
        let name = self.hash.hash_one((rate, broad(caller)));
        let Some(set) = self.sets.get(name as usize % limits::QUOTA_SETS) else {
            return stand(allowance, now.0, now.0).0;
        };
        let mut set = set.lock();
        let at = set.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            // Nobody's, or the one nearest to full.
            let nearest = set.iter().enumerate().min_by_key(|(_, (_, full))| *full);
            nearest.map_or(0, |(at, _)| at)
        });
        let full = if set[at].0 == name { set[at].1 } else { 0 };
        let (standing, full) = stand(allowance, full, now.0);
        set[at] = (name, full);
        standing
    }
}

/// How a bucket stands after one more request, and when it is full then; `full` is when it was to be.
fn stand(allowance: Allowance, full: i64, now: i64) -> (Standing, i64) {
    let fill = i64::from(allowance.seconds) * Timestamp::SECOND;
    let each = fill / i64::from(allowance.requests.max(1));
    let full = full.clamp(now, now.saturating_add(fill));
    let wanted = full.saturating_add(each);
    let wait = wanted.saturating_sub(fill).saturating_sub(now);
    let allowed = wait <= 0 && allowance.requests > 0;
    let full = if allowed { wanted } else { full };
    let room = now.saturating_add(fill).saturating_sub(full) / each.max(1);
    let seconds = |micros: i64| (micros.max(0) + Timestamp::SECOND - 1) / Timestamp::SECOND;
    let standing = Standing {
        allowed,
        allowance,
        remaining: u32::try_from(room).unwrap_or(0).min(allowance.requests),
        full_at: Timestamp(full),
        retry_after: if allowed { 0 } else { u32::try_from(seconds(wait)).unwrap_or(1).max(1) },
    };
    (standing, full)
}

/// The caller as it is counted.
fn broad(caller: Caller) -> Caller {
    match caller {
        Caller::Address(IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_none() => {
            let network = u128::from(ip) >> 64 << 64;
            Caller::Address(IpAddr::V6(network.into()))
        }
        Caller::Address(ip) => Caller::Address(ip.to_canonical()),
        key => key,
    }
}

impl std::fmt::Debug for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quota").field("allowances", &self.allowances).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn key(n: u64) -> Caller {
        Caller::Key(KeyId(n))
    }

    fn address(text: &str) -> Caller {
        Caller::Address(text.parse().unwrap())
    }

    #[test]
    fn a_bucket_empties_and_fills_evenly() {
        let quota = Quota::default();
        for left in (0..50).rev() {
            let standing = quota.spend(Rate::Creation, key(1), NOW);
            assert_eq!((standing.allowed, standing.remaining), (true, left));
        }
        let over = quota.spend(Rate::Creation, key(1), NOW);
        assert_eq!((over.allowed, over.remaining, over.retry_after), (false, 0, 2));
        assert_eq!(over.full_at, NOW.plus(60 * Timestamp::SECOND));
        // 50 a minute is one every 1.2 seconds.
        for (after, allowed) in [(1_199_999, false), (1_200_000, true), (1_200_000, false)] {
            let standing = quota.spend(Rate::Creation, key(1), NOW.plus(after));
            assert_eq!(standing.allowed, allowed, "after {after} µs");
        }
    }

    #[test]
    fn rates_and_callers_are_counted_apart() {
        let quota = Quota::new(|_| Allowance { requests: 1, seconds: 60 });
        let allowed = |rate, caller| quota.spend(rate, caller, NOW).allowed;
        for (rate, caller, expected) in [
            (Rate::Clicks, address("192.0.2.1"), true),
            (Rate::Clicks, address("192.0.2.1"), false),
            (Rate::Clicks, address("::ffff:192.0.2.1"), false),
            (Rate::Clicks, address("192.0.2.2"), true),
            (Rate::Clicks, address("2001:db8::1"), true),
            (Rate::Clicks, address("2001:db8::2"), false),
            (Rate::Clicks, address("2001:db8:0:1::1"), true),
            (Rate::Creation, key(1), true),
            (Rate::Analytics, key(1), true),
            (Rate::Analytics, key(2), true),
            (Rate::Analytics, key(1), false),
        ] {
            assert_eq!(allowed(rate, caller), expected, "{rate:?} {caller:?}");
        }
    }

    #[test]
    fn nothing_is_allowed_where_the_allowance_is_nothing() {
        let quota = Quota::new(|_| Allowance { requests: 0, seconds: 60 });
        assert!(!quota.spend(Rate::Linkpack, key(1), NOW).allowed);
    }

    #[test]
    fn a_flood_of_strangers_does_not_reset_a_bucket_in_use() {
        let quota = Quota::default();
        for _ in 0..60 {
            quota.spend(Rate::Creation, key(0), NOW);
        }
        for n in 1..100_000 {
            quota.spend(Rate::Linkpack, key(n), NOW);
        }
        assert!(!quota.spend(Rate::Creation, key(0), NOW).allowed);
    }
}
