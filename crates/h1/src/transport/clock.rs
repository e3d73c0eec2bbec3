//! One clock reading a batch.
//!
//! Wall-clock time is the monotonic clock plus an offset that the deadline thread refreshes many times a second: half the
//! clock readings, and a stepped wall clock shows within one of its rounds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::Moment;

/// The server's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// Wall-clock microseconds at `start`.
    offset: AtomicU64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let clock = Self { start: Instant::now(), offset: AtomicU64::new(0) };
        clock.refresh();
        clock
    }

    /// Compares with the wall clock again.
    pub(crate) fn refresh(&self) {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since = micros(self.start.elapsed());
        self.offset.store(micros(wall).saturating_sub(since), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn now(&self) -> Moment {
        let instant = Instant::now();
        let unix_micros = self.offset.load(Ordering::Relaxed) + micros(instant - self.start);
        Moment { instant, unix_micros }
    }

    /// Milliseconds from the clock's start to this instant.
    #[inline]
    pub(crate) fn millis(&self, instant: Instant) -> u64 {
        micros(instant.saturating_duration_since(self.start)) / 1000
    }
}

#[inline]
fn micros(duration: std::time::Duration) -> u64 {
    duration.as_secs() * 1_000_000 + u64::from(duration.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_wall_clock() {
        let clock = Clock::new();
        let before = micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
        let now = clock.now().unix_micros;
        assert!(now.abs_diff(before) < 60_000_000, "{now} {before}");
        assert!(clock.millis(clock.start) == 0);
    }
}
