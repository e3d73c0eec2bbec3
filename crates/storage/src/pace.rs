//! How fast clicks come: whoever stores them writes a few soon, and of a flood many at a time.

use std::time::Instant;

use crate::limits::{FLOOD, PACE};

/// How fast clicks come, counted [`PACE`] at a time.
///
/// # Examples
///
/// ```
/// use std::time::Instant;
/// use waypost_storage::Pace;
///
/// let now = Instant::now();
/// let mut pace = Pace::new(now);
/// pace.add(2_000, now);
/// assert!(pace.is_over(3_000) && !pace.is_over(5_000), "4,000 a second");
/// assert!(!pace.is_flood());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    since: Instant,
    clicks: u64,
    /// Clicks a second when they were last counted, and the time before.
    before: [u64; 2],
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(Instant::now())
    }
}

impl Pace {
    /// None have come by `now`.
    pub fn new(now: Instant) -> Self {
        Self { since: now, clicks: 0, before: [0; 2] }
    }

    /// Counts clicks that come now.
    pub fn add(&mut self, clicks: u64, now: Instant) {
        self.look(now);
        self.clicks += clicks;
    }

    /// Begins to count anew, where it is time to.
    pub fn look(&mut self, now: Instant) {
        let counted = now - self.since;
        if counted >= PACE {
            let rate = 1_000 * self.clicks / counted.as_millis() as u64;
            let earlier = if counted < 2 * PACE { self.before[0] } else { rate };
            *self = Self { since: now, clicks: 0, before: [rate, earlier] };
        }
    }

    /// When it is time to count anew.
    pub fn ends(&self) -> Instant {
        self.since + PACE
    }

    /// Whether more than `rate` come in a second.
    pub fn is_over(&self, rate: u64) -> bool {
        self.before[0] > rate || self.clicks > rate * PACE.as_millis() as u64 / 1_000
    }

    /// Whether more than [`FLOOD`] come in a second, or came a moment ago: on a machine that does both,
    /// what is written in a shorter lull slows the clicks down, and so prolongs the lull.
    pub fn is_flood(&self) -> bool {
        self.is_over(FLOOD) || self.before[1] > FLOOD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_over_when_clicks_come_slowly_again() {
        let start = Instant::now();
        let after = |paces: f64| start + PACE.mul_f64(paces);
        let mut pace = Pace::new(start);
        for (paces, clicks, expected, why) in [
            (0.5, 500, false, "as many as may"),
            (0.6, 1, true, "at once"),
            (1.0, 0, true, "it was until now"),
            (1.5, 0, true, "too early to say"),
            (2.0, 0, false, "over"),
            (2.0, 1_001, true, "at once"),
            (4.0, 0, true, "over twice the time"),
            (4.5, 1_000, true, "at once"),
            (6.5, 0, false, "over twice the time"),
        ] {
            pace.add(clicks, after(paces));
            assert_eq!(pace.is_over(1_000), expected, "after {paces}: {why}");
        }
    }

    #[test]
    fn a_flood_is_over_when_there_was_none_for_a_second() {
        let start = Instant::now();
        let after = |paces: u32| start + PACE * paces;
        let flood = FLOOD / 2 + 1;
        let mut pace = Pace::new(start);
        for (paces, clicks, expected) in [
            (0, flood - 1, false),
            (0, 1, true),
            (1, 1, true),
            (2, flood - 1, true),
            (3, 0, false),
            (3, flood, true),
            (4, 0, true),
            (7, 0, false),
        ] {
            pace.add(clicks, after(paces));
            assert_eq!(pace.is_flood(), expected, "after {paces}");
        }
    }
}
