//! Ranges of UTC days, and rows by day.

use waypost_link::Timestamp;

use crate::{Fault, Result, limits};

/// UTC days in a row, at least one and at most [`limits::DAYS`]; a day is its number since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    from: i64,
    to: i64,
}

/// The clicks of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// Days since 1970.
    pub day: i64,
    /// What was counted.
    pub count: u64,
}

impl Days {
    /// The last `count` days, that of `now` included. The count is brought into what may be asked.
    ///
    /// ```
    /// use waypost_service::Days;
    /// use waypost_link::Timestamp;
    /// let days = Days::last(14, Timestamp(20 * Timestamp::DAY));
    /// assert_eq!((days.first(), days.end(), days.count()), (7, 21, 14));
    /// assert_eq!(days.before().first(), -7);
    /// ```
    pub fn last(count: usize, now: Timestamp) -> Self {
        let to = now.day().saturating_add(1);
        Self { from: to.saturating_sub(count.clamp(1, limits::DAYS) as i64), to }
    }

    /// From `first` to `last`, both included.
    ///
    /// # Errors
    /// [`Fault::Invalid`] where the end is before the start, or there are too many.
    pub fn between(first: i64, last: i64) -> Result<Self> {
        if last < first {
            return Err(Fault::invalid("days", "the range ends before it starts"));
        }
        let days = Self { from: first, to: last.saturating_add(1) };
        if days.to.saturating_sub(days.from) > limits::DAYS as i64 {
            return Err(Fault::invalid("days", format!("at most {} days", limits::DAYS)));
        }
        Ok(days)
    }

    /// As many days, right before these.
    #[must_use]
    pub fn before(self) -> Self {
        Self { from: self.from.saturating_sub(self.count() as i64), to: self.from }
    }

    /// The first day.
    pub fn first(self) -> i64 {
        self.from
    }

    /// The day after the last.
    pub fn end(self) -> i64 {
        self.to
    }

    /// How many.
    pub fn count(self) -> usize {
        (self.to - self.from) as usize
    }

    /// When the first begins.
    pub fn start(self) -> Timestamp {
        Timestamp(self.from.saturating_mul(Timestamp::DAY))
    }

    pub(super) fn range(self) -> (i64, i64) {
        (self.from, self.to)
    }

    /// The numbers of their hours: from, to before.
    pub(super) fn hours(self) -> (i64, i64) {
        (self.from.saturating_mul(24), self.to.saturating_mul(24))
    }

    /// A row for each day, zeros too; counts of other days are passed over.
    pub(super) fn rows(self, counts: impl Iterator<Item = (i64, u64)>) -> Vec<DayCount> {
        let mut rows: Vec<_> = (self.from..self.to).map(|day| DayCount { day, count: 0 }).collect();
        for (day, count) in counts {
            let at = usize::try_from(day.saturating_sub(self.from)).ok();
            if let Some(row) = at.and_then(|at| rows.get_mut(at)) {
                row.count += count;
            }
        }
        rows
    }
}
