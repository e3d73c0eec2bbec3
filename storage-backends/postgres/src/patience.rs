//! How long this thread waits for a byte from the database.
//!
//! The client waits for ever, and the kernel notices only a peer that acknowledges nothing; a
//! database that is stopped, or behind something that swallows, acknowledges and says nothing. So
//! the socket itself gives up. The client polls it on the thread that asks, so what a call may take
//! is a matter of that thread: it is said here, and read by [`socket`](crate::socket).

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use crate::limits;

/// What a thread waits at most.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// When it began to wait, as far as that is known.
    since: Option<Instant>,
    /// For the next byte; `None` is for ever.
    silence: Option<Duration>,
    /// However many bytes come.
    end: Option<Instant>,
}

thread_local! {
    /// Threads that say nothing connect.
    static PATIENCE: Cell<Patience> = const {
        Cell::new(Patience { since: None, silence: Some(limits::CONNECT), end: None })
    };
}

/// What was before comes back when this is dropped.
pub(crate) struct Restored(Patience);

impl Drop for Restored {
    fn drop(&mut self) {
        PATIENCE.set(self.0);
    }
}

/// From now on this thread waits so long for a byte; `None` is for ever.
#[must_use]
pub(crate) fn silence(silence: Option<Duration>) -> Restored {
    Restored(PATIENCE.replace(Patience { since: Some(Instant::now()), silence, end: None }))
}

/// From now on this thread waits so long in all.
#[must_use]
pub(crate) fn whole(time: Duration) -> Restored {
    let since = Instant::now();
    let patience = Patience { since: Some(since), silence: Some(time), end: Some(since + time) };
    Restored(PATIENCE.replace(patience))
}

/// Until when this thread waits for a byte on a socket that last moved at `moved`.
pub(crate) fn until(moved: Instant) -> Option<Instant> {
    let Patience { since, silence, end } = PATIENCE.get();
    let until = moved.max(since.unwrap_or(moved)) + silence?;
    Some(end.map_or(until, |end| end.min(until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_until_it_is_taken_back() {
        let (moved, second) = (Instant::now(), Duration::from_secs(1));
        assert_eq!(until(moved), Some(moved + limits::CONNECT));
        {
            let _for_ever = silence(None);
            assert_eq!(until(moved), None);
            let _short = whole(second);
            let (old, new) = (until(moved), until(moved + 60 * second));
            assert!(old.is_some() && old == new, "however late a byte comes");
        }
        let _silence = silence(Some(second));
        assert!(until(moved - 60 * second).is_some_and(|until| until >= moved + second));
        assert_eq!(until(moved + 60 * second), Some(moved + 61 * second));
    }
}
