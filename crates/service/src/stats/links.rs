//! How a workspace's links do, one against the other and against the days before.
//!
//! Looked at are the newest [`limits::SURVEYED`] links; which of them were clicked comes from
//! roll-ups by link, read once for these days and once for those before.

use std::{cmp::Reverse, collections::HashMap};

use waypost_link::{Flags, Link, LinkId};
use waypost_storage::{LinkCountQuery, LinkQuery};

use super::{DayCount, Days, Stats};
use crate::{Result, limits};

/// A link and its clicks in a range of days.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkClicks {
    /// The link.
    pub link: Link,
    /// Its clicks.
    pub clicks: u64,
}

/// A link that was clicked more than before.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// The link.
    pub link: Link,
    /// Its clicks in these days.
    pub clicks: u64,
    /// How many percent more than in as many days before; `None` where there were none.
    pub delta_pct: Option<f64>,
}

/// How links do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Performance {
    /// Percent of active links that were clicked, 0 to 100.
    pub health: u64,
    /// Links that are active and not archived.
    pub active: u64,
    /// Links clicked more than in as many days before.
    pub growing: u64,
    /// Links clicked less than in as many days before.
    pub declining: u64,
    /// Those that gained most clicks.
    pub top_growing: Vec<Growth>,
}

/// What one pass over the links of a workspace finds.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) performance: Performance,
    pub(super) created: Vec<DayCount>,
    pub(super) top: Vec<LinkClicks>,
}

/// A link's clicks in these days and in those before.
#[derive(Clone, Copy, Debug, Default)]
struct Change {
    now: u64,
    before: u64,
}

impl Stats<'_> {
    /// Clicks of each link that was clicked in `days`, bots' left out where they don't count.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn link_clicks(&self, days: Days) -> Result<HashMap<LinkId, u64>> {
        let (from, to) = days.range();
        let (workspace, limit) = (self.workspace, waypost_storage::limits::PAGE);
        let mut query = LinkCountQuery { workspace, from, to, after: None, limit };
        let mut counts = HashMap::new();
        loop {
            let page = self.service.clicks.link_counts(&query)?;
            let counted = page.items.iter();
            let counted = counted.map(|n| (n.link, self.counting.clicks(n.clicks, n.bots)));
            counts.extend(counted.filter(|&(_, clicks)| clicks > 0));
            if page.next.is_none() {
                return Ok(counts);
            }
            query.after = page.next;
        }
    }

    pub(super) fn survey(&self, days: Days) -> Result<Survey> {
        let mut changes = HashMap::<LinkId, Change>::new();
        for (link, clicks) in self.link_clicks(days)? {
            changes.entry(link).or_default().now = clicks;
        }
        for (link, clicks) in self.link_clicks(days.before())? {
            changes.entry(link).or_default().before = clicks;
        }
        let mut seen = Seen::default();
        self.newest_links(|link| seen.add(link, changes.get(&link.id).copied()))?;
        self.conclude(seen, days)
    }

    fn conclude(&self, mut seen: Seen, days: Days) -> Result<Survey> {
        let performance = Performance {
            health: (seen.clicked * 100).checked_div(seen.active).unwrap_or(0),
            active: seen.active,
            growing: seen.growing.len() as u64,
            declining: seen.declining,
            top_growing: self.top_growing(&mut seen.growing)?,
        };
        let created = days.rows(seen.created.into_iter());
        Ok(Survey { performance, created, top: self.top_clicked(seen.counts)? })
    }

    fn top_growing(&self, growing: &mut [(LinkId, Change)]) -> Result<Vec<Growth>> {
        growing.sort_unstable_by_key(|&(link, change)| (Reverse(change.now - change.before), link));
        let top = growing.iter().take(limits::TOP_LINKS);
        let growth = top.map(|&(id, change)| {
            let delta_pct = percent_more(change.now, change.before);
            let link = self.service.store.link(id)?;
            Ok(link.map(|link| Growth { link, clicks: change.now, delta_pct }))
        });
        growth.filter_map(Result::transpose).collect()
    }

    fn top_clicked(&self, mut counts: Vec<(LinkId, u64)>) -> Result<Vec<LinkClicks>> {
        counts.sort_unstable_by_key(|&(link, clicks)| (Reverse(clicks), link));
        let top = counts.into_iter().take(limits::TOP_LINKS);
        let clicked = top.map(|(id, clicks)| {
            let link = self.service.store.link(id)?;
            Ok(link.map(|link| LinkClicks { link, clicks }))
        });
        clicked.filter_map(Result::transpose).collect()
    }

    /// Calls `each` for the newest links of the workspace.
    fn newest_links(&self, mut each: impl FnMut(&Link)) -> Result<()> {
        let limit = waypost_storage::limits::PAGE;
        let workspace = Some(self.workspace);
        let mut query = LinkQuery { workspace, limit, ..LinkQuery::default() };
        for _ in 0..limits::SURVEYED / limit {
            let page = self.service.links(&query)?;
            page.items.iter().for_each(&mut each);
            if page.next.is_none() {
                break;
            }
            query.after = page.next;
        }
        Ok(())
    }
}

/// What a survey has seen so far.
#[derive(Debug, Default)]
struct Seen {
    active: u64,
    /// Of these, those that were clicked.
    clicked: u64,
    growing: Vec<(LinkId, Change)>,
    declining: u64,
    /// The day each link was made.
    created: Vec<(i64, u64)>,
    counts: Vec<(LinkId, u64)>,
}

impl Seen {
    fn add(&mut self, link: &Link, change: Option<Change>) {
        let change = change.unwrap_or_default();
        self.created.push((link.created_at.day(), 1));
        if link.flags.has(Flags::ACTIVE) && link.archived_at.is_none() {
            self.active += 1;
            self.clicked += u64::from(change.now > 0);
        }
        if change.now > 0 {
            self.counts.push((link.id, change.now));
        }
        if change.now > change.before {
            self.growing.push((link.id, change));
        }
        self.declining += u64::from(change.now < change.before);
    }
}

/// How many percent `now` is more than `before`, to a tenth; `None` where there was nothing.
pub(super) fn percent_more(now: u64, before: u64) -> Option<f64> {
    let share = (before > 0).then(|| (now as f64 - before as f64) / before as f64)?;
    Some((share * 1000.0).round() / 10.0)
}
