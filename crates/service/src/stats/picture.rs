//! All about a range of days at once: what a page of statistics shows.

use waypost_storage::{Detail, Grain, StoredClick};

use super::{Clock, Days, Figures, Stats, Subject, links::percent_more};
use crate::{Result, limits};

/// These days against as many before them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Clicks in these days.
    pub clicks: u64,
    /// Clicks in those before.
    pub previous: u64,
    /// How many percent more; `None` where there was nothing before.
    pub trend_pct: Option<f64>,
}

/// A page of statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Sums, days, breakdowns.
    pub figures: Figures,
    /// Hours and weekdays.
    pub clock: Clock,
    /// Against the days before.
    pub comparison: Comparison,
    /// The newest clicks, of whatever day.
    pub recent: Vec<StoredClick>,
}

impl Stats<'_> {
    /// All about `days` of `subject`.
    ///
    /// # Errors
    /// [`Fault::Invalid`](crate::Fault::Invalid) for too many links;
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn picture(&self, subject: &Subject, days: Days) -> Result<Picture> {
        let figures = self.figures(subject, days)?;
        let before = self.tally(subject, Grain::Day, days.before().range(), Detail::Sums)?;
        let previous = before.map(|(_, counts)| self.counting.of(&counts)).sum();
        let clicks = figures.clicks;
        let trend_pct = percent_more(clicks, previous);
        Ok(Picture {
            figures,
            clock: self.clock(subject, days)?,
            comparison: Comparison { clicks, previous, trend_pct },
            recent: self.newest(subject, limits::RECENT)?,
        })
    }
}
