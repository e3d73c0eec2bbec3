//! How far the index has come: what makes a client's next redirect see its own write.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use waypost_link::Revision;

/// The last revision that the index has applied, and a way to wait for the next.
#[derive(Debug, Default)]
pub struct Applied {
    revision: Mutex<Revision>,
    moved: Condvar,
}

impl Applied {
    /// Waits until `revision` is applied; false where that takes longer than `patience`.
    pub fn wait(&self, revision: Revision, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut applied = self.revision.lock().unwrap_or_else(PoisonError::into_inner);
        while *applied < revision {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.moved.wait_timeout(applied, left);
            applied = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Notes that `revision` is applied.
    pub(crate) fn reach(&self, revision: Revision) {
        let mut applied = self.revision.lock().unwrap_or_else(PoisonError::into_inner);
        if *applied < revision {
            *applied = revision;
            self.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_revision_or_with_patience() {
        let applied = Applied::default();
        assert!(!applied.wait(Revision(1), Duration::from_millis(1)));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| applied.wait(Revision(2), Duration::from_secs(60)));
            applied.reach(Revision(1));
            applied.reach(Revision(3));
            assert!(waiter.join().unwrap());
        });
        applied.reach(Revision(2));
        assert!(applied.wait(Revision(3), Duration::ZERO));
    }
}
