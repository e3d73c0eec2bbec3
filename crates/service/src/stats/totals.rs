//! What links have had in all, and in rolling windows; links ranked by it.

use waypost_link::{LinkId, Timestamp};
use waypost_storage::{ClickScope, Detail, Grain, Order, window};

use super::{Stats, Subject};
use crate::{Fault, Result, limits};

/// What a link has had in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// The link.
    pub link: LinkId,
    /// Clicks.
    pub clicks: u64,
    /// Those of bots, whether they count or not.
    pub bots: u64,
    /// Conversions.
    pub conversions: u64,
    /// The earliest time clicked; `None` without clicks.
    pub first: Option<Timestamp>,
    /// The latest time clicked.
    pub last: Option<Timestamp>,
}

/// What one or several links have had in all, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many links.
    pub links: u64,
    /// Clicks.
    pub clicks: u64,
    /// Those of bots, whether they count or not.
    pub bots: u64,
    /// Conversions.
    pub conversions: u64,
    /// Visitors and sessions, each once, whichever links they clicked.
    pub unique: u64,
    /// The earliest time clicked; `None` without clicks.
    pub first: Option<Timestamp>,
    /// The latest time clicked.
    pub last: Option<Timestamp>,
}

/// What links may be ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Clicks of the last 24 hours.
    Day,
    /// Clicks in all.
    Total,
    /// The last click; links without any are the oldest.
    Last,
}

/// What a plan counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Links, archived ones included.
    pub links: u64,
    /// Clicks of the last 30 days.
    pub clicks_30d: u64,
}

impl Stats<'_> {
    /// What each of `links` has had in all, in that order.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn totals(&self, links: &[LinkId]) -> Result<Vec<Total>> {
        let total = |found: waypost_storage::Totals| {
            let clicks = self.counting.clicks(found.clicks, found.bots);
            Total {
                link: found.link,
                clicks,
                bots: found.bots,
                conversions: found.conversions,
                first: found.first.filter(|_| clicks > 0),
                last: found.last.filter(|_| clicks > 0),
            }
        };
        Ok(self.service.clicks.totals(links)?.into_iter().map(total).collect())
    }

    /// What one link has had in all.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn total(&self, link: LinkId) -> Result<Total> {
        Ok(self.totals(&[link])?.pop().unwrap_or(Total { link, ..Total::default() }))
    }

    /// What `links` have had in all, together: a job's, an application's, a collection's, or one.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for more than [`limits::MERGED`] links; [`Fault::Store`].
    pub fn summary(&self, links: &[LinkId]) -> Result<Summary> {
        let subject = Subject::Links(links.to_vec());
        let all = self.tally(&subject, Grain::All, (0, 1), Detail::Visitors)?.next();
        let mut summary = Summary {
            links: links.len() as u64,
            unique: all.map_or(0, |(_, all)| self.counting.unique(&all)),
            ..Summary::default()
        };
        self.totals(links)?.iter().for_each(|total| summary.add(total));
        Ok(summary)
    }

    /// Clicks of `subject` in the last `span` microseconds, to the microsecond. Clicks that were
    /// reported a little ahead of time count already.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn rolling(&self, subject: &Subject, span: i64) -> Result<u64> {
        let since = self.service.now().plus(-span);
        let scopes = self.click_scopes(subject);
        scopes.into_iter().map(|scope| self.since(scope, since)).sum()
    }

    /// Clicks of the last 24 hours of each of these.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn day_counts(&self, totals: &[Total]) -> Result<Vec<u64>> {
        let since = self.service.now().plus(-Timestamp::DAY);
        let count = |total: &Total| match total.last {
            Some(last) if last >= since => self.since(ClickScope::Link(total.link), since),
            _ => Ok(0),
        };
        totals.iter().map(count).collect()
    }

    /// The first `limit` of `items` in the order of their links' clicks, ties by id.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for more than [`limits::RANKED`] items; [`Fault::Store`].
    pub fn rank<T>(
        &self,
        items: Vec<T>,
        link: impl Fn(&T) -> LinkId,
        by: Rank,
        order: Order,
        limit: usize,
    ) -> Result<Vec<T>> {
        if items.len() > limits::RANKED {
            let most = limits::RANKED;
            return Err(Fault::invalid("sort", format!("at most {most} links can be sorted so")));
        }
        let links: Vec<_> = items.iter().map(link).collect();
        let totals = self.totals(&links)?;
        let keys = self.keys(&totals, by)?;
        let mut ranked: Vec<_> = keys.into_iter().zip(links).zip(items).collect();
        ranked.sort_unstable_by(|(a, _), (b, _)| match order {
            Order::Ascending => a.cmp(b),
            Order::Descending => b.cmp(a),
        });
        Ok(ranked.into_iter().take(limit).map(|(_, item)| item).collect())
    }

    /// What a plan counts; clicks of redirects as they stood within the last second.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn usage(&self) -> Result<Usage> {
        let links = self.service.store.link_count(Some(self.workspace))?;
        let read = || self.rolling(&Subject::Workspace, 30 * Timestamp::DAY);
        let clicks_30d = self.service.recent.of(self.workspace, read)?;
        Ok(Usage { links, clicks_30d })
    }

    fn since(&self, scope: ClickScope, since: Timestamp) -> Result<u64> {
        let found = window(&*self.service.clicks, scope, since, Timestamp(i64::MAX))?;
        Ok(self.counting.clicks(found.clicks, found.bots))
    }

    fn keys(&self, totals: &[Total], by: Rank) -> Result<Vec<u64>> {
        Ok(match by {
            Rank::Day => self.day_counts(totals)?,
            Rank::Total => totals.iter().map(|total| total.clicks).collect(),
            // Times before 1970 were never clicked at; 0 is for links without clicks.
            Rank::Last => totals.iter().map(|total| total.last.map_or(0, after_epoch)).collect(),
        })
    }
}

impl Summary {
    fn add(&mut self, total: &Total) {
        self.clicks += total.clicks;
        self.bots += total.bots;
        self.conversions += total.conversions;
        self.first = [self.first, total.first].into_iter().flatten().min();
        self.last = self.last.max(total.last);
    }
}

fn after_epoch(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0)
}
