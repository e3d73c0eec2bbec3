//! What a range of days comes to: sums, rows by day, and the breakdown by each dimension.

use waypost_link::{Link, Timestamp};
use waypost_storage::{Counts, Detail, Dimension, Grain};

use super::{Counting, DayCount, Days, Stats, Subject};
use crate::Result;

/// The clicks of a subject in a range of days.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The range.
    pub days: Days,
    /// Clicks.
    pub clicks: u64,
    /// Those of bots, whether they count or not.
    pub bots: u64,
    /// Conversions.
    pub conversions: u64,
    /// Visitors and sessions: each once, however often and on whatever day they clicked.
    pub unique: u64,
    /// A row for each day.
    pub by_day: Vec<DayCount>,
    counts: Counts,
    counting: Counting,
}

/// A value of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The value.
    pub name: String,
    /// Its clicks.
    pub clicks: u64,
}

impl Stats<'_> {
    /// What `days` of `subject` come to.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn figures(&self, subject: &Subject, days: Days) -> Result<Figures> {
        let (mut all, mut rows) = (Counts::default(), Vec::new());
        for (day, counts) in self.tally(subject, Grain::Day, days.range(), Detail::Shares)? {
            rows.push((day, self.counting.of(&counts)));
            all.merge(&counts);
        }
        all.limit();
        Ok(self.figures_of(all, days, rows))
    }

    /// What a link has had from the day `first` to the day `last`, both included.
    ///
    /// Without `first` it begins with the link or its first click, whichever is earlier; without
    /// `last` it ends today.
    ///
    /// # Errors
    /// [`Fault::Invalid`](crate::Fault::Invalid) where the end is before the start;
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn range(&self, link: &Link, first: Option<i64>, last: Option<i64>) -> Result<Figures> {
        let subject = Subject::Link(link.id);
        let total = self.total(link.id)?;
        let born = link.created_at.min(total.first.unwrap_or(Timestamp(i64::MAX))).day();
        let today = self.service.now().max(total.last.unwrap_or_default()).day();
        match (first, last) {
            (None, None) => self.all_time(&subject, Days::between(born.min(today), today)?),
            (first, last) => {
                let end = last.unwrap_or(today.max(first.unwrap_or(today)));
                self.figures(&subject, Days::between(first.unwrap_or(born.min(end)), end)?)
            }
        }
    }

    /// All that `subject` has had; `days` are those that have rows.
    ///
    /// # Errors
    /// [`Fault::Invalid`](crate::Fault::Invalid) for too many links;
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn all_time(&self, subject: &Subject, days: Days) -> Result<Figures> {
        let all = self.tally(subject, Grain::All, (0, 1), Detail::Shares)?.next();
        let rows = self.tally(subject, Grain::Day, days.range(), Detail::Sums)?;
        let rows = rows.map(|(day, counts)| (day, self.counting.of(&counts))).collect();
        Ok(self.figures_of(all.map(|(_, all)| all).unwrap_or_default(), days, rows))
    }

    fn figures_of(&self, counts: Counts, days: Days, rows: Vec<(i64, u64)>) -> Figures {
        let counting = self.counting;
        Figures {
            days,
            clicks: counting.of(&counts),
            bots: counts.bots,
            conversions: counts.conversions,
            unique: counting.unique(&counts),
            by_day: days.rows(rows.into_iter()),
            counts,
            counting,
        }
    }
}

impl Figures {
    /// The `most` values of `dimension` with most clicks, ties by name; `nameless` is what the
    /// empty value is called.
    pub fn top(&self, dimension: Dimension, most: usize, nameless: &str) -> Vec<Part> {
        let mut parts: Vec<_> = self
            .parts(dimension)
            .map(|(value, clicks)| {
                let name = if value.is_empty() { nameless } else { value };
                Part { name: name.to_owned(), clicks }
            })
            .collect();
        parts.sort_unstable_by(|a, b| (b.clicks, &a.name).cmp(&(a.clicks, &b.name)));
        parts.truncate(most);
        parts
    }

    /// How many values of `dimension` were seen, the empty one left out. Past
    /// [`VALUES`](waypost_storage::limits::VALUES) a bucket keeps no more apart.
    pub fn distinct(&self, dimension: Dimension) -> usize {
        self.parts(dimension).filter(|(value, _)| !value.is_empty()).count()
    }

    /// The value of `dimension` with most clicks, the empty one left out.
    pub fn most(&self, dimension: Dimension) -> Option<String> {
        let named = self.parts(dimension).filter(|(value, _)| !value.is_empty());
        let mut named: Vec<_> = named.collect();
        named.sort_by_key(|&(_, clicks)| std::cmp::Reverse(clicks));
        named.first().map(|(value, _)| (*value).to_owned())
    }

    fn parts(&self, dimension: Dimension) -> impl Iterator<Item = (&str, u64)> {
        let shares = Dimension::ALL.into_iter().zip(&self.counts.shares);
        shares
            .filter(move |(known, _)| *known == dimension)
            .flat_map(|(_, shares)| shares)
            .map(|share| (share.value.as_str(), self.counting.clicks(share.clicks, share.bots)))
            .filter(|&(_, clicks)| clicks > 0)
    }
}
