//! A collection's members that may be picked: active, not archived.
//!
//! A list of names in atomic slots: a member comes or goes in O(1) (the last takes the place of
//! the one that left), doubling the list now and then; a pick reads two atomics. Picks never
//! wait. One that races with a change may see a member that just left: whoever looks the name up
//! then finds what is true.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use waypost_link::Name;

use crate::sync::{AtomicUsize, Ordering};

/// Where `/c/{alias}` leads: one of these, at random.
#[derive(Debug)]
pub struct Rotation {
    list: ArcSwap<List>,
}

#[derive(Debug)]
struct List {
    length: AtomicUsize,
    names: Box<[ArcSwapOption<Name>]>,
}

impl Rotation {
    /// The member that `random` points to: uniform if `random` is. `None` where there is none.
    ///
    /// ```
    /// # use waypost_index::Rotation;
    /// assert_eq!(Rotation::default().pick(7), None);
    /// ```
    pub fn pick(&self, random: u64) -> Option<Arc<Name>> {
        let list = self.list.load();
        let length = list.length.load(Ordering::Acquire).min(list.names.len());
        let start = ((u128::from(random) * length as u128) >> 64) as usize;
        // A slot is only empty while its member is being taken out.
        (0..length).find_map(|step| list.names[(start + step) % length].load_full())
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.list.load().length.load(Ordering::Acquire)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds `name` at the end; its place. Only the writer calls this.
    pub(crate) fn push(&self, name: Arc<Name>) -> usize {
        let list = self.list.load_full();
        let place = list.length.load(Ordering::Acquire);
        if place == list.names.len() {
            self.list.store(Arc::new(list.doubled()));
        }
        let list = self.list.load();
        list.names[place].store(Some(name));
        list.length.store(place + 1, Ordering::Release);
        place
    }

    /// Puts `name` in the place of the one there.
    pub(crate) fn replace(&self, place: usize, name: Arc<Name>) {
        self.list.load().names[place].store(Some(name));
    }

    /// Takes the member at `place` out; the last one takes its place.
    pub(crate) fn swap_remove(&self, place: usize) {
        let list = self.list.load();
        let last = list.length.load(Ordering::Acquire) - 1;
        if place != last {
            list.names[place].store(list.names[last].load_full());
        }
        list.length.store(last, Ordering::Release);
        list.names[last].store(None);
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Self { list: ArcSwap::from_pointee(List::with_places(0)) }
    }
}

impl List {
    fn with_places(places: usize) -> Self {
        let names = (0..places).map(|_| ArcSwapOption::empty()).collect();
        Self { length: AtomicUsize::new(0), names }
    }

    fn doubled(&self) -> Self {
        let next = Self::with_places((self.names.len() * 2).max(4));
        for (to, from) in next.names.iter().zip(&self.names) {
            to.store(from.load_full());
        }
        next.length.store(self.names.len(), Ordering::Release);
        next
    }
}
