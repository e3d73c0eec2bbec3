//! Click limits: how many clicks a link redirects in all, and how many are left.
//!
//! Where a store has one node, a counter counts up to the limit. Where nodes share a store, each
//! spends what it was lent and can't know what the others do: with nothing left it asks for more,
//! until it is told that the limit is out.

use std::sync::Arc;

use crate::sync::{AtomicU64, Ordering};

/// A click limit: how many clicks a link redirects in all, and how many it has.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Most clicks.
    pub max: u64,
    /// The counter, shared by all versions of the link.
    pub spent: Arc<Spent>,
}

/// What became of a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spend {
    /// It is spent.
    Done,
    /// None is left.
    Out,
    /// What was lent is spent: whether any is left has to be asked.
    Ask,
}

impl Limit {
    /// Spends one click. However many threads call it, never more than [`max`](Self::max) are
    /// done, or than were lent.
    pub fn try_spend(&self) -> Spend {
        self.spent.try_spend(self.max)
    }

    /// Whether no click is known to be left: what `HEAD` and prefetches ask, since they spend none.
    pub fn is_spent(&self) -> bool {
        match &self.spent.lent {
            Some(lent) => lent.left() == 0 && lent.is_out(),
            None => self.spent.total() >= self.max,
        }
    }
}

/// Clicks of a limited link: those before its counter began, and those counted since.
///
/// The two are apart so that no click is lost or counted twice when a link that already has
/// clicks becomes limited: the counter begins with the very entry that carries the limit, and
/// what came before is looked up in the store at leisure (see
/// [`Index::set_spent`](crate::Index::set_spent)) and set, once or again, without touching it.
#[derive(Debug, Default)]
pub struct Spent {
    before: AtomicU64,
    since: AtomicU64,
    /// What is lent, where nodes share the limit; the two others count nothing then.
    lent: Option<Lent>,
}

/// Clicks that this node may spend.
#[derive(Debug, Default)]
pub struct Lent {
    left: AtomicU64,
    /// Not 0 where there was nothing to be had when it was last asked for.
    out: AtomicU64,
}

impl Spent {
    /// A counter of what is lent, of which there is nothing yet.
    pub(crate) fn lending() -> Self {
        Self { lent: Some(Lent::default()), ..Self::default() }
    }

    /// All clicks spent, where the limit is this node's alone.
    pub fn total(&self) -> u64 {
        let before = self.before.load(Ordering::Acquire);
        before.saturating_add(self.since.load(Ordering::Acquire))
    }

    /// What this node was lent, where nodes share the limit.
    pub fn lent(&self) -> Option<&Lent> {
        self.lent.as_ref()
    }

    pub(crate) fn set_before(&self, clicks: u64) {
        self.before.store(clicks, Ordering::Release);
    }

    fn try_spend(&self, max: u64) -> Spend {
        if let Some(lent) = &self.lent {
            return lent.try_spend();
        }
        let room = max.saturating_sub(self.before.load(Ordering::Acquire));
        let spend = |since| (since < room).then_some(since + 1);
        match self.since.fetch_update(Ordering::AcqRel, Ordering::Acquire, spend) {
            Ok(_) => Spend::Done,
            Err(_) => Spend::Out,
        }
    }
}

impl Lent {
    /// How many may still be spent.
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Acquire)
    }

    /// Lends `clicks` more.
    pub fn add(&self, clicks: u64) {
        self.left.fetch_add(clicks, Ordering::AcqRel);
        self.set_out(false);
    }

    /// Takes back what is left, so that none of it can be spent any more; how many those are.
    pub fn take_back(&self) -> u64 {
        self.left.swap(0, Ordering::AcqRel)
    }

    /// Says whether there is nothing to be had: until that changes, nobody asks.
    pub fn set_out(&self, out: bool) {
        self.out.store(u64::from(out), Ordering::Release);
    }

    /// Whether there was nothing to be had when it was last asked for.
    pub fn is_out(&self) -> bool {
        self.out.load(Ordering::Acquire) != 0
    }

    fn try_spend(&self) -> Spend {
        let spend = |left: u64| left.checked_sub(1);
        match self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, spend) {
            Ok(_) => Spend::Done,
            Err(_) if self.is_out() => Spend::Out,
            Err(_) => Spend::Ask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 3,200 clicks of four threads are done.
    fn hammer(limit: &Limit) -> u64 {
        let spend = || (0..800).filter(|_| limit.try_spend() == Spend::Done).count();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(spend)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap() as u64).sum()
        })
    }

    #[test]
    fn the_limit_is_exact_under_threads() {
        for (before, max, expected) in [(0, 1_000, 1_000), (999, 1_000, 1), (5, 3, 0)] {
            let limit = Limit { max, spent: Arc::default() };
            limit.spent.set_before(before);
            assert_eq!(hammer(&limit), expected);
            assert!(limit.is_spent());
            assert_eq!(limit.spent.total(), before + expected);
        }
    }

    #[test]
    fn what_is_lent_is_spent_and_then_asked_for() {
        let limit = Limit { max: 10, spent: Arc::new(Spent::lending()) };
        let lent = limit.spent.lent().unwrap();
        assert_eq!((limit.try_spend(), limit.is_spent()), (Spend::Ask, false));
        lent.add(700);
        assert_eq!(hammer(&limit), 700, "whatever the limit says: the lender looks at that");
        assert_eq!((limit.try_spend(), limit.is_spent()), (Spend::Ask, false));
        lent.set_out(true);
        assert_eq!((limit.try_spend(), limit.is_spent()), (Spend::Out, true));
        lent.add(2);
        assert_eq!((limit.try_spend(), lent.take_back()), (Spend::Done, 1));
        assert_eq!((limit.try_spend(), lent.left()), (Spend::Ask, 0));
    }
}
