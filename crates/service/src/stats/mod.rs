//! Statistics: the numbers that dialects, pages and the command line show, all from roll-ups.
//!
//! [`Stats`] is a workspace's view: it knows whether the workspace excludes bots
//! (`exclude_bots`), so that no caller has to, and whether clicks or visitors, every number leaves
//! them out where it does. What is asked is a [`Subject`] (a link, several merged, the workspace)
//! over [`Days`], which are UTC days. The cost depends on the window and on the number of links,
//! never on the number of clicks; raw clicks are read for lists of clicks, and for the part of one
//! hour in which a rolling window begins.
//!
//! | shown | from |
//! |---|---|
//! | golinks `clicks` of links and collections; tracking `click_count`; linktrack `count_total`, `conversions`, `updated_at` | [`Stats::totals`] |
//! | tracking `click_statistics`, `unique_sessions` of a link, job, application or function | [`Stats::summary`] |
//! | tracking `clicks_24h`, `clicks_7d`; linktrack `count_day` | [`Stats::rolling`], [`Stats::day_counts`] |
//! | linktrack's sorts by clicks | [`Stats::rank`] |
//! | tracking `click_timeline`; linktrack history; golinks `recent_clicks` | [`Stats::newest`], [`Stats::clicks`] |
//! | tracking `report` | [`Stats::groups`], [`Stats::distinct`], [`Stats::figures`] |
//! | linkpack `stats` | [`Stats::range`] |
//! | golinks `usage` | [`Stats::usage`] |
//! | golinks statistics of a link or collection | [`Stats::picture`] |
//! | the public page of a link, `/{code}+` | [`Stats::all_time`] |
//! | golinks overview | [`Stats::overview`] |
//!
//! Choices: where bots count, unique visitors include them; the first and the last click of a link
//! may be a bot's even where bots are excluded, since roll-ups keep one pair of times.
//!
//! Nothing here knows a wire format, and nothing is written.

mod clicks;
mod clock;
mod days;
mod figures;
mod groups;
mod links;
mod overview;
mod picture;
mod recent;
#[cfg(test)]
mod tests;
mod totals;

pub use clock::Clock;
pub use days::{DayCount, Days};
pub use figures::{Figures, Part};
pub use groups::Group;
pub use links::{Growth, LinkClicks, Performance};
pub use overview::Overview;
pub use picture::{Comparison, Picture};
pub(crate) use recent::Recent;
pub use totals::{Rank, Summary, Total, Usage};
use waypost_link::{LinkId, Noun, Record, WorkspaceId};
use waypost_storage::{ClickScope, Counts, Detail, Grain, Scope, TallyQuery};

use crate::{Fault, Result, Service, limits};

/// Whose clicks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One link's.
    Link(LinkId),
    /// Those of several links, together: a visitor of two of them is one. At most
    /// [`limits::MERGED`].
    Links(Vec<LinkId>),
    /// All of the workspace.
    Workspace,
}

/// What a workspace's clicks come to.
///
/// Links are asked for by id and taken to be the workspace's own: whoever asks has found them
/// there.
#[derive(Clone, Copy)]
pub struct Stats<'s> {
    service: &'s Service,
    workspace: WorkspaceId,
    counting: Counting,
}

/// Which clicks count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counting {
    bots: bool,
}

impl Service {
    /// The statistics of a workspace.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn stats(&self, workspace: WorkspaceId) -> Result<Stats<'_>> {
        let Some(Record::Workspace(found)) = self.store.record(Noun::Workspace, workspace.0)?
        else {
            return Err(Fault::NotFound(format!("workspace {workspace}")));
        };
        let counting = Counting { bots: !found.excludes_bots() };
        Ok(Stats { service: self, workspace, counting })
    }
}

impl Stats<'_> {
    /// Whether clicks of known crawlers count.
    pub fn counts_bots(&self) -> bool {
        self.counting.bots
    }

    /// The buckets of `subject` that hold anything, by their number.
    fn tally(
        &self,
        subject: &Subject,
        grain: Grain,
        (from, to): (i64, i64),
        detail: Detail,
    ) -> Result<impl Iterator<Item = (i64, Counts)>> {
        let query = TallyQuery { scope: self.scope(subject)?, grain, from, to, detail };
        let buckets = self.service.clicks.tally(&query)?;
        Ok(buckets.into_iter().map(|bucket| (bucket.start, bucket.counts)))
    }

    fn scope(&self, subject: &Subject) -> Result<Scope> {
        Ok(match subject {
            Subject::Link(link) => Scope::Links(vec![*link]),
            Subject::Links(links) if links.len() > limits::MERGED => {
                let most = limits::MERGED;
                return Err(Fault::invalid("links", format!("at most {most} links at once")));
            }
            Subject::Links(links) => Scope::Links(links.clone()),
            Subject::Workspace => Scope::Workspace(self.workspace),
        })
    }

    /// The same, one after the other, as raw clicks are kept.
    fn click_scopes(&self, subject: &Subject) -> Vec<ClickScope> {
        match subject {
            Subject::Link(link) => vec![ClickScope::Link(*link)],
            Subject::Links(links) => links.iter().copied().map(ClickScope::Link).collect(),
            Subject::Workspace => vec![ClickScope::Workspace(self.workspace)],
        }
    }
}

impl Counting {
    /// Clicks, bots' among them where they count.
    fn clicks(self, clicks: u64, bots: u64) -> u64 {
        if self.bots { clicks } else { clicks.saturating_sub(bots) }
    }

    /// The clicks of a bucket.
    fn of(self, counts: &Counts) -> u64 {
        self.clicks(counts.clicks, counts.bots)
    }

    /// Who clicked.
    fn unique(self, counts: &Counts) -> u64 {
        if !self.bots || counts.robots.is_empty() {
            return counts.visitors.count();
        }
        let mut all = counts.visitors.clone();
        all.merge(&counts.robots);
        all.count()
    }
}
