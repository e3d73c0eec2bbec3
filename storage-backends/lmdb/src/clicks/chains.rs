//! What each link has, in a list that grows: every item knows the one before of its chain.
//!
//! A chain is of all links that share a bucket, of which there are as many as the core's own cache
//! holds: to add an item, which is done for every click while somebody reads, never waits for
//! memory, and who looks for a link's passes by a few of others. It is made for readers, when one
//! asks: taking a click costs nothing for it.

/// No item: before the first of a chain.
const NONE: u32 = u32::MAX;
/// Buckets are numbers of so many bits.
const BITS: u32 = 16;

/// Items by link.
#[derive(Default)]
pub(super) struct Chains<T> {
    /// The last item of each bucket; empty before the first.
    last: Vec<u32>,
    items: Vec<Item<T>>,
}

struct Item<T> {
    link: u64,
    before: u32,
    item: T,
}

/// Links that were made one after the other are in different ones.
fn bucket(link: u64) -> usize {
    (link.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS)) as usize
}

impl<T: Copy> Chains<T> {
    /// Adds an item of a link.
    pub(super) fn push(&mut self, link: u64, item: T) {
        if self.last.is_empty() {
            self.last.resize(1 << BITS, NONE);
        }
        let at = self.items.len() as u32;
        let before = std::mem::replace(&mut self.last[bucket(link)], at);
        self.items.push(Item { link, before, item });
    }

    /// The items of a link, in the order they came.
    pub(super) fn of(&self, link: u64) -> Vec<T> {
        let mut at = self.last.get(bucket(link)).map_or(NONE, |&last| last);
        let mut found = Vec::new();
        while let Some(item) = self.items.get(at as usize) {
            if item.link == link {
                found.push(item.item);
            }
            at = item.before;
        }
        found.reverse();
        found
    }

    /// How many items there are, of all links.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Forgets all items, but not their memory.
    pub(super) fn clear(&mut self) {
        self.last.fill(NONE);
        self.items.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_links_items_in_the_order_they_came() {
        let mut chains = Chains::default();
        assert!(chains.of(5).is_empty());
        let same = (6..).find(|&link| bucket(link) == bucket(5)).unwrap();
        for (item, link) in [5, 7, 5, 5, same].into_iter().enumerate() {
            chains.push(link, item);
        }
        for (link, items) in [(5, vec![0, 2, 3]), (7, vec![1]), (same, vec![4]), (6, vec![])] {
            assert_eq!(chains.of(link), items, "{link}");
        }
        assert_eq!(chains.len(), 5);
        chains.clear();
        assert_eq!((chains.of(5), chains.len()), (vec![], 0));
    }
}
