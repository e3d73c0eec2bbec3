//! Options that few links use, kept aside so that a plain link pays nothing for them, and the
//! click-limit counter.

use std::sync::Arc;

use waypost_link::{Link, Rule, Script, Timestamp, Utm};

use crate::sync::{AtomicU64, Ordering};

/// What a redirect may need of a link beyond its [`Entry`](crate::Entry).
#[derive(Debug, Default)]
pub struct Details {
    /// It answers 404 before this.
    pub valid_from: Option<Timestamp>,
    /// It answers 404 from this on.
    pub expires_at: Option<Timestamp>,
    /// Its click limit.
    pub limit: Option<Limit>,
    /// The click whose counting sends an email.
    pub alert_at: Option<u64>,
    /// An Argon2id hash in PHC form.
    pub password: Option<Box<str>>,
    /// The Amazon product it leads to.
    pub asin: Option<Box<str>>,
    /// UTM parameters set on the destination.
    pub utm: Utm,
    /// Routing rules, first match wins.
    pub rules: Box<[Rule]>,
    /// Retargeting scripts.
    pub scripts: Box<[Script]>,
}

impl Details {
    /// Whether `link` has any of these options.
    pub(crate) fn wanted(link: &Link) -> bool {
        link.valid_from.is_some()
            || link.expires_at.is_some()
            || link.max_clicks.is_some()
            || link.alert_at.is_some()
            || link.password.is_some()
            || link.asin.is_some()
            || !link.utm.is_empty()
            || !link.rules.is_empty()
            || !link.scripts.is_empty()
    }

    pub(crate) fn of(link: &Link, limit: Option<Limit>) -> Self {
        Self {
            valid_from: link.valid_from,
            expires_at: link.expires_at,
            limit,
            alert_at: link.alert_at,
            password: link.password.as_deref().map(Into::into),
            asin: link.asin.as_deref().map(Into::into),
            utm: link.utm.clone(),
            rules: link.rules.clone().into(),
            scripts: link.scripts.clone().into(),
        }
    }
}

/// A click limit: how many clicks a link redirects in all, and how many it has.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Most clicks.
    pub max: u64,
    /// The counter, shared by all versions of the link.
    pub spent: Arc<Spent>,
}

impl Limit {
    /// Spends one click; false where none is left. However many threads call it, never more than
    /// [`max`](Self::max) succeed.
    pub fn try_spend(&self) -> bool {
        self.spent.try_spend(self.max)
    }

    /// Whether no click is left: what `HEAD` and prefetches ask, since they spend none.
    pub fn is_spent(&self) -> bool {
        self.spent.total() >= self.max
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
}

impl Spent {
    /// All clicks spent.
    pub fn total(&self) -> u64 {
        let before = self.before.load(Ordering::Acquire);
        before.saturating_add(self.since.load(Ordering::Acquire))
    }

    pub(crate) fn set_before(&self, clicks: u64) {
        self.before.store(clicks, Ordering::Release);
    }

    fn try_spend(&self, max: u64) -> bool {
        let room = max.saturating_sub(self.before.load(Ordering::Acquire));
        let spend = |since| (since < room).then_some(since + 1);
        self.since.fetch_update(Ordering::AcqRel, Ordering::Acquire, spend).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_exact_under_threads() {
        for (before, max, expected) in [(0, 1_000, 1_000), (999, 1_000, 1), (5, 3, 0)] {
            let limit = Limit { max, spent: Arc::default() };
            limit.spent.set_before(before);
            let succeeded: usize = std::thread::scope(|scope| {
                let spend = || (0..800).filter(|_| limit.try_spend()).count();
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(spend)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(succeeded, expected);
            assert!(limit.is_spent());
            assert_eq!(limit.spent.total(), before + expected as u64);
        }
    }
}
