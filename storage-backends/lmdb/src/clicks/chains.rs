//! What each link has, in a list that grows: every item knows the next of its link.
//!
//! To add one is one look into a table of links, and to find a link's is another, however long the
//! list is. It is made for readers, when one asks: taking a click costs nothing for it.

use hashbrown::{HashMap, hash_map::Entry};

/// No item: the end of a chain.
const NONE: u32 = u32::MAX;

/// Items by link, those of one link in the order they came.
#[derive(Default)]
pub(super) struct Chains<T> {
    /// The first and the last item of each link.
    ends: HashMap<u64, (u32, u32)>,
    items: Vec<(T, u32)>,
}

impl<T: Copy> Chains<T> {
    /// Adds an item of a link.
    pub(super) fn push(&mut self, link: u64, item: T) {
        let at = self.items.len() as u32;
        self.items.push((item, NONE));
        match self.ends.entry(link) {
            Entry::Vacant(ends) => {
                ends.insert((at, at));
            }
            Entry::Occupied(mut ends) => {
                let last = std::mem::replace(&mut ends.get_mut().1, at);
                self.items[last as usize].1 = at;
            }
        }
    }

    /// The items of a link.
    pub(super) fn of(&self, link: u64) -> impl Iterator<Item = T> {
        let mut at = self.ends.get(&link).map_or(NONE, |ends| ends.0);
        std::iter::from_fn(move || {
            let (item, next) = *self.items.get(at as usize)?;
            at = next;
            Some(item)
        })
    }

    /// How many items there are, of all links.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Forgets all items, but not their memory.
    pub(super) fn clear(&mut self) {
        self.ends.clear();
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
        let of = |chains: &Chains<usize>, link| chains.of(link).collect::<Vec<_>>();
        for (link, items) in [(5, vec![0, 2, 3]), (7, vec![1]), (9, vec![4]), (6, vec![])] {
            assert_eq!(of(&chains, link), items, "{link}");
        }
        assert_eq!(chains.len(), 5);
        chains.clear();
        assert_eq!((of(&chains, 5), chains.len()), (vec![], 0));
    }
}
