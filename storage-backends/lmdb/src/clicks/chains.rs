//! Where each link is in a list that grows: every position knows the one before of its chain.
//!
//! A chain is of all links that share a bucket, of which there are as many as the core's own cache
//! holds: to add a position, which is done for every click while somebody reads, never waits for
//! memory, and who looks for a link's passes by a few of others. It is made for readers, when one
//! asks: taking a click costs nothing for it.

/// No position: before the first of a chain.
const NONE: u32 = u32::MAX;
/// Buckets are numbers of so many bits.
const BITS: u32 = 16;

/// Positions by link; whose each is, the list knows.
#[derive(Default)]
pub(super) struct Chains {
    /// The last position of each bucket; empty before the first.
    last: Vec<u32>,
    /// For each position the one before.
    before: Vec<u32>,
}

/// Links that were made one after the other are in different ones.
fn bucket(link: u64) -> usize {
    (link.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS)) as usize
}

impl Chains {
    /// Adds positions: the links that the list has there.
    pub(super) fn extend(&mut self, links: impl ExactSizeIterator<Item = u64>) {
        if self.last.is_empty() {
            self.last.resize(1 << BITS, NONE);
        }
        self.before.reserve(links.len());
        for link in links {
            let at = self.before.len() as u32;
            self.before.push(std::mem::replace(&mut self.last[bucket(link)], at));
        }
    }

    /// The positions of a link, which has those that `is_its` says, in order.
    pub(super) fn of(&self, link: u64, is_its: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut at = self.last.get(bucket(link)).map_or(NONE, |&last| last);
        let mut found = Vec::new();
        while let Some(&before) = self.before.get(at as usize) {
            if is_its(at as usize) {
                found.push(at as usize);
            }
            at = before;
        }
        found.reverse();
        found
    }

    /// How many positions there are, of all links.
    pub(super) fn len(&self) -> usize {
        self.before.len()
    }

    /// Forgets all positions, but not their memory.
    pub(super) fn clear(&mut self) {
        self.last.fill(NONE);
        self.before.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_links_positions_in_order() {
        let mut chains = Chains::default();
        let same = (6..).find(|&link| bucket(link) == bucket(5)).unwrap();
        let list = [5, 7, 5, 5, same];
        let of = |chains: &Chains, link| chains.of(link, |at| list[at] == link);
        assert!(of(&chains, 5).is_empty());
        chains.extend(list[..2].iter().copied());
        chains.extend(list[2..].iter().copied());
        for (link, positions) in [(5, vec![0, 2, 3]), (7, vec![1]), (same, vec![4]), (6, vec![])] {
            assert_eq!(of(&chains, link), positions, "{link}");
        }
        assert_eq!(chains.len(), 5);
        chains.clear();
        assert_eq!((of(&chains, 5), chains.len()), (vec![], 0));
    }
}
