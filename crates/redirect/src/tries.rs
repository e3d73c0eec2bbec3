//! Password tries: at most five a minute per link and client (SPEC 3.3).
//!
//! A table of fixed size, sets of a few entries found by a hash that nobody outside can predict. A stranger with
//! many addresses can only push out, in a set they can't choose, whoever was there least recently: that client
//! gets five more tries, which the stranger with so many addresses had anyway.
//!
//! IPv6 clients are told apart by their first 64 bits: one subscriber has all of the rest.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use ahash::RandomState;
use waypost_link::{LinkId, Timestamp};

use crate::limits::{PASSWORD_SETS, PASSWORD_TRIES, PASSWORD_WAYS, PASSWORD_WINDOW};

/// A link and a client by their hash (0: nobody), when they were last here, and their last tries that counted, the
/// oldest first.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    key: u64,
    seen: i64,
    tries: [i64; PASSWORD_TRIES],
}

/// Who tried when.
#[derive(Debug)]
pub(crate) struct Tries {
    hasher: RandomState,
    entries: Mutex<Vec<Entry>>,
}

impl Tries {
    pub(crate) fn new() -> Self {
        // Allocated at the first try: most servers have no passwords.
        Self { hasher: RandomState::new(), entries: Mutex::default() }
    }

    /// Counts a try of `ip` at `link`. One too many is not counted, and told how many seconds to wait.
    pub(crate) fn count(&self, link: LinkId, ip: IpAddr, at: Timestamp) -> Result<(), u32> {
        let key = self.hasher.hash_one((link, network(ip))).max(1);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.is_empty() {
            entries.resize(PASSWORD_SETS * PASSWORD_WAYS, Entry::default());
        }
        let set = key as usize % PASSWORD_SETS * PASSWORD_WAYS;
        let Some(set) = entries.get_mut(set..set + PASSWORD_WAYS) else { return Ok(()) };
        place(set, key).map_or(Ok(()), |entry| entry.count(key, at.0))
    }
}

/// The entry of `key`, else one that it may have: a free one, or that of whoever was here least recently.
fn place(set: &mut [Entry], key: u64) -> Option<&mut Entry> {
    set.iter_mut().min_by_key(|entry| (entry.key != key, entry.key != 0, entry.seen))
}

impl Entry {
    fn count(&mut self, key: u64, at: i64) -> Result<(), u32> {
        if self.key != key {
            *self = Self { key, seen: at, tries: [i64::MIN; PASSWORD_TRIES] };
        }
        self.seen = at;
        let free = self.tries[0].saturating_add(PASSWORD_WINDOW);
        if self.tries[0] != i64::MIN && at < free {
            return Err((free - at).div_euclid(Timestamp::SECOND) as u32 + 1);
        }
        self.tries.rotate_left(1);
        self.tries[PASSWORD_TRIES - 1] = at;
        Ok(())
    }
}

/// What tells clients apart.
fn network(ip: IpAddr) -> u64 {
    match ip {
        IpAddr::V4(ip) => u64::from(u32::from(ip)),
        IpAddr::V6(ip) => (u128::from(ip) >> 64) as u64 ^ 1 << 63,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_a_minute() {
        let tries = Tries::new();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let count = |link, who, seconds| {
            tries.count(LinkId(link), ip(who), Timestamp::from_seconds(seconds)).is_ok()
        };
        for (link, who, second, expected) in [
            (1, "192.0.2.1", 0, true),
            (1, "192.0.2.1", 10, true),
            (1, "192.0.2.1", 20, true),
            (1, "192.0.2.1", 30, true),
            (1, "192.0.2.1", 40, true),
            (1, "192.0.2.1", 50, false),
            (1, "192.0.2.1", 59, false),
            // Another link, another client.
            (2, "192.0.2.1", 59, true),
            (1, "192.0.2.2", 59, true),
            // The first has left the minute; what was refused doesn't count.
            (1, "192.0.2.1", 60, true),
            (1, "192.0.2.1", 61, false),
            (1, "192.0.2.1", 70, true),
            (1, "192.0.2.1", 200, true),
        ] {
            assert_eq!(count(link, who, second), expected, "{link} {who} {second}");
        }
        for who in ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4", "2001:db8::5"] {
            assert!(count(1, who, 0));
        }
        assert!(!count(1, "2001:db8::6", 1) && count(1, "2001:db8:0:1::6", 1));
    }

    #[test]
    fn whoever_is_refused_learns_how_long() {
        let tries = Tries::new();
        let mut last = Ok(());
        for second in [0, 1, 2, 3, 4, 30] {
            last = tries.count(LinkId(1), [192, 0, 2, 1].into(), Timestamp::from_seconds(second));
        }
        assert_eq!(last, Err(31));
    }

    #[test]
    fn a_crowd_changes_nothing_for_those_who_keep_trying() {
        let tries = Tries::new();
        let mut allowed = 0;
        for n in 0..300_000u32 {
            let at = Timestamp(i64::from(n));
            tries.count(LinkId(1), IpAddr::from(n.to_be_bytes()), at).unwrap();
            if n % 1_000 == 0 && tries.count(LinkId(2), [192, 0, 2, 1].into(), at).is_ok() {
                allowed += 1;
            }
        }
        let held = tries.entries.lock().unwrap().len();
        assert_eq!((allowed, held), (PASSWORD_TRIES, PASSWORD_SETS * PASSWORD_WAYS));
    }
}
