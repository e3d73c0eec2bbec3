//! Instants as microseconds, and the fixed-offset or named zone that a rule's wall clock needs.

/// Microseconds since 1970-01-01T00:00:00Z; the clock's reading is always handed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Microseconds of a second.
    pub const SECOND: i64 = 1_000_000;
    /// Microseconds of an hour.
    pub const HOUR: i64 = 3_600 * Self::SECOND;
    /// Microseconds of a day.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// The instant `seconds` after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(Self::SECOND))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(Self::SECOND)
    }

    /// Whole hours since the epoch, rounded down: the number of an hour bucket.
    pub const fn hour(self) -> i64 {
        self.0.div_euclid(Self::HOUR)
    }

    /// Whole UTC days since the epoch, rounded down: the number of a day bucket.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(Self::DAY)
    }

    /// This instant moved by `micros`, stopping at the ends of the range.
    pub const fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

/// How far a workspace's wall clock is ahead of UTC, from some instant on.
///
/// Whoever knows the time zone database works this out; this crate only adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Seconds to add to UTC.
    pub offset: i32,
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self { offset: 0 };

    /// `at` on this zone's wall clock.
    pub const fn local(self, at: Timestamp) -> Timestamp {
        at.plus(self.offset as i64 * Timestamp::SECOND)
    }

    /// Minutes since local midnight, 0 to 1439.
    pub const fn minute_of_day(self, at: Timestamp) -> u16 {
        (self.local(at).seconds().rem_euclid(86_400) / 60) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_round_down_before_the_epoch_too() {
        for (micros, hour, day) in [(0, 0, 0), (-1, -1, -1), (Timestamp::DAY, 24, 1)] {
            assert_eq!((Timestamp(micros).hour(), Timestamp(micros).day()), (hour, day));
        }
    }

    #[test]
    fn minute_of_day_follows_the_zone() {
        let noon = Timestamp::from_seconds(12 * 3_600);
        for (offset, minute) in [(0, 720), (-6 * 3_600, 360), (13 * 3_600, 60)] {
            assert_eq!(Zone { offset }.minute_of_day(noon), minute);
        }
    }
}
