//! The ids of deleted links, a bit each: ids are dense, and every click is held against them.

use std::collections::BTreeSet;

use hashbrown::HashMap;

/// Ids of a page.
const PAGE: u64 = 4_096;

/// A set of link ids.
#[derive(Default)]
pub(super) struct Purged {
    pages: HashMap<u64, Box<[u64; (PAGE / 64) as usize]>>,
    /// Those of them that still have clicks in the store: few, and for a short time.
    pub(super) unfinished: BTreeSet<u64>,
}

impl Purged {
    pub(super) fn insert(&mut self, link: u64) {
        let page =
            self.pages.entry(link / PAGE).or_insert_with(|| Box::new([0; (PAGE / 64) as usize]));
        page[(link % PAGE / 64) as usize] |= 1 << (link % 64);
    }

    pub(super) fn contains(&self, link: u64) -> bool {
        !self.pages.is_empty()
            && self
                .pages
                .get(&(link / PAGE))
                .is_some_and(|page| page[(link % PAGE / 64) as usize] & (1 << (link % 64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let mut purged = Purged::default();
        let ids = [0, 1, 63, 64, 4_095, 4_096, 1 << 52];
        assert!(ids.iter().all(|&id| !purged.contains(id)));
        ids.iter().for_each(|&id| purged.insert(id));
        assert!(ids.iter().all(|&id| purged.contains(id)));
        assert!([2, 62, 65, 4_097, (1 << 52) + 1].iter().all(|&id| !purged.contains(id)));
    }
}
