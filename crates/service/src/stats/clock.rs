//! When in the day, and on which day of the week, clicks come.

use waypost_storage::{Detail, Grain};

use super::{Days, Stats, Subject};
use crate::Result;

/// Clicks by UTC hour and weekday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// By the hour of the day.
    pub hours: [u64; 24],
    /// By the day of the week, Sunday first.
    pub weekdays: [u64; 7],
}

impl Clock {
    /// What weekdays are called, in their order.
    pub const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

    /// The hour with most clicks, the earliest of equals; `None` without any.
    pub fn peak_hour(&self) -> Option<usize> {
        peak(&self.hours)
    }

    /// The weekday with most clicks, the first of equals; `None` without any.
    pub fn peak_weekday(&self) -> Option<&'static str> {
        peak(&self.weekdays).and_then(|at| Self::WEEKDAYS.get(at)).copied()
    }

    fn add(&mut self, hour: i64, clicks: u64) {
        // 1970 began on a Thursday.
        let weekday = (hour.div_euclid(24) + 4).rem_euclid(7);
        self.hours[hour.rem_euclid(24) as usize] += clicks;
        self.weekdays[weekday as usize] += clicks;
    }
}

impl Stats<'_> {
    /// When in `days` clicks of `subject` came.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn clock(&self, subject: &Subject, days: Days) -> Result<Clock> {
        let mut clock = Clock::default();
        for (hour, counts) in self.tally(subject, Grain::Hour, days.hours(), Detail::Sums)? {
            clock.add(hour, self.counting.of(&counts));
        }
        Ok(clock)
    }
}

fn peak(counts: &[u64]) -> Option<usize> {
    let most = counts.iter().copied().max().filter(|&most| most > 0)?;
    counts.iter().position(|&count| count == most)
}
