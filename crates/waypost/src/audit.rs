//! The audit: holds the index against the store every so often, a page of links at a time.
//!
//! The feed brings every change, so nothing should ever be found. It is the follower that looks,
//! between two commits: nobody else changes the index, and where the store's head is the commit
//! that the index is at, before and after a page was read, the two must agree.

use std::time::{Duration, Instant};

use waypost_index::Index;
use waypost_link::{Link, LinkId};
use waypost_storage::{LinkQuery, LinkStore, Order, Result};

/// Links of a page: read in a few milliseconds, for which news must wait.
const PAGE: usize = 1_000;
/// Pause between two pages.
const PACE: Duration = Duration::from_millis(100);
/// How often a page is read that differs while the store goes on, before it is left to the next
/// round.
const TRIES: u32 = 10;

/// How far the audit has come.
pub(crate) struct Audit {
    every: Duration,
    due: Instant,
    after: Option<LinkId>,
    tries: u32,
    differed: bool,
}

/// What a page showed.
pub(crate) enum Found {
    /// Nothing wrong.
    Nothing,
    /// Links that the index has otherwise, or not at all.
    Differing(Vec<Link>),
    /// So many links in the index that the store doesn't have.
    Surplus(u64),
}

impl Audit {
    /// An audit that begins a round `every` so often.
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, due: Instant::now() + every, after: None, tries: 0, differed: false }
    }

    /// Looks at the next page, if it is time for one.
    pub(crate) fn step(&mut self, store: &dyn LinkStore, index: &Index) -> Result<Found> {
        if Instant::now() < self.due {
            return Ok(Found::Nothing);
        }
        let (order, after) = (Order::Ascending, self.after);
        let page = store.links(&LinkQuery { order, after, limit: PAGE, ..LinkQuery::default() })?;
        let mut links = page.items;
        links.retain(|link| !agrees(index, link));
        if !links.is_empty() && !is_level(store, index)? {
            self.tries += 1;
            if self.tries < TRIES {
                return Ok(Found::Nothing);
            }
            links.clear();
        }
        let found = match (links.is_empty(), page.next) {
            (false, _) => Found::Differing(links),
            (true, None) if !self.differed => surplus(store, index)?,
            (true, _) => Found::Nothing,
        };
        self.turn(page.next, &found);
        Ok(found)
    }

    /// On to the next page, or to the next round.
    fn turn(&mut self, next: Option<LinkId>, found: &Found) {
        self.differed |= matches!(found, Found::Differing(_));
        self.differed &= next.is_some();
        self.due = Instant::now() + if next.is_some() { PACE } else { self.every };
        (self.after, self.tries) = (next, 0);
    }
}

/// Whether the index has `link` in this version, under its name.
pub(crate) fn agrees(index: &Index, link: &Link) -> bool {
    let held = index.with(link.domain, link.slug.as_str(), |entry| (entry.id, entry.version));
    held == Some((link.id, link.version))
}

/// Whether the store is at the commit that the index is at.
fn is_level(store: &dyn LinkStore, index: &Index) -> Result<bool> {
    Ok(store.head()? == index.applied())
}

/// Links that only the index has: all of the store's were seen there, so a count tells.
fn surplus(store: &dyn LinkStore, index: &Index) -> Result<Found> {
    let (held, count) = (index.stats().links as u64, store.link_count(None)?);
    match held.saturating_sub(count) {
        0 => Ok(Found::Nothing),
        more if is_level(store, index)? => Ok(Found::Surplus(more)),
        _ => Ok(Found::Nothing),
    }
}
