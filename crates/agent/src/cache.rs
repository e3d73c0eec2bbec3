//! The answers for the user agents seen last, for threads that see most of them again.
//!
//! A set-associative table of fixed size: the header's keyed hash picks a set, the set keeps its entries in order of
//! use and drops the last. Headers themselves are not kept. Two of them share an answer only where all 64 bits of a
//! hash under a random key agree (for a million different headers a chance of 3 in 100 million, and the harm is one
//! wrong label), so a stranger can neither grow the table nor aim at an entry.

use crate::details::{Details, details};
use crate::limits::{CACHE_SETS, CACHE_WAYS, scanned};
use ahash::RandomState;

/// Remembers [`Details`] by header. One per thread: it is not shared.
///
/// ```
/// let mut cache = waypost_agent::Cache::new();
/// assert!(cache.details(b"curl/8.9.1").bot);
/// assert!(cache.details(b"curl/8.9.1").bot); // from memory
/// ```
pub struct Cache {
    hasher: RandomState,
    sets: Box<[[Entry; CACHE_WAYS]]>,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    /// The hash, its last bit set; 0 where nothing is kept.
    tag: u64,
    details: Details,
}

const _: () = assert!(CACHE_SETS.is_power_of_two() && size_of::<Entry>() == 16);

impl Cache {
    /// An empty cache of the size that [`limits`](crate::limits) names.
    #[must_use]
    pub fn new() -> Self {
        let sets = vec![[Entry::default(); CACHE_WAYS]; CACHE_SETS].into_boxed_slice();
        Self { hasher: RandomState::new(), sets }
    }

    /// The same as [`details`], from memory where `ua` was asked for lately.
    pub fn details(&mut self, ua: &[u8]) -> Details {
        let ua = scanned(ua);
        let hash = self.hasher.hash_one(ua);
        let set = &mut self.sets[(hash >> 32) as usize % CACHE_SETS];
        let tag = hash | 1;
        let place = set.iter().position(|entry| entry.tag == tag);
        let entry = place.map_or_else(|| Entry { tag, details: details(ua) }, |place| set[place]);
        let last = place.unwrap_or(CACHE_WAYS - 1);
        set[..=last].rotate_right(1);
        set[0] = entry;
        entry.details
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;
    use crate::details::details;
    use crate::limits::{CACHE_SETS, CACHE_WAYS};

    #[test]
    fn more_headers_than_it_holds_are_answered_right() {
        let mut cache = Cache::new();
        let total = CACHE_SETS * CACHE_WAYS * 2;
        for round in 0..2 {
            for number in 0..total {
                let name = ["Chrome", "Firefox", "Googlebot", "Edg"][number % 4];
                let ua = format!("Mozilla/5.0 (X11; Linux) {name}/{number}");
                assert_eq!(cache.details(ua.as_bytes()), details(ua.as_bytes()), "{round} {ua}");
            }
        }
    }

    #[test]
    fn what_is_used_stays() {
        let mut cache = Cache::new();
        let kept = b"kept/1".as_slice();
        cache.details(kept);
        let tag = cache.hasher.hash_one(kept) | 1;
        for number in 0..CACHE_SETS * CACHE_WAYS * 4 {
            cache.details(format!("other/{number}").as_bytes());
            cache.details(kept);
        }
        let copies = cache.sets.iter().flatten().filter(|entry| entry.tag == tag).count();
        assert_eq!(copies, 1);
        for number in 0..CACHE_SETS * CACHE_WAYS * 16 {
            cache.details(format!("flood/{number}").as_bytes());
        }
        assert!(cache.sets.iter().flatten().all(|entry| entry.tag != tag), "a flood pushes it out");
    }
}
