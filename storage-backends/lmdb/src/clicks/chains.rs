//! What each link has, in a list that grows: every item knows the one before of its link.
//!
//! To add one is one look into a table of links, and to find a link's is another, however long the
//! list is. It is made for readers, when one asks: taking a click costs nothing for it.

use hashbrown::HashMap;

/// No item: before the first of a link.
const NONE: u32 = u32::MAX;

/// Items by link.
#[derive(Default)]
pub(super) struct Chains<T> {
    /// The last item of each link.
    last: HashMap<u64, u32>,
    /// Each with the one before of its link.
    items: Vec<(T, u32)>,
}

impl<T: Copy> Chains<T> {
    /// Adds an item of a link.
    pub(super) fn push(&mut self, link: u64, item: T) {
        let at = self.items.len() as u32;
        let before = self.last.insert(link, at).unwrap_or(NONE);
        self.items.push((item, before));
    }

    /// The items of a link, in the order they came.
    pub(super) fn of(&self, link: u64) -> Vec<T> {
        let mut at = self.last.get(&link).map_or(NONE, |&last| last);
        let mut found = Vec::new();
        while let Some(&(item, before)) = self.items.get(at as usize) {
            found.push(item);
            at = before;
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
        self.last.clear();
        self.items.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_links_items_in_the_order_they_came() {
        let mut chains = Chains::default();
        for (item, link) in [5, 7, 5, 5, 9].into_iter().enumerate() {
            chains.push(link, item);
        }
        for (link, items) in [(5, vec![0, 2, 3]), (7, vec![1]), (9, vec![4]), (6, vec![])] {
            assert_eq!(chains.of(link), items, "{link}");
        }
        assert_eq!(chains.len(), 5);
        chains.clear();
        assert_eq!((chains.of(5), chains.len()), (vec![], 0));
    }
}
