//! Copies all that redirects need, page by page: from the store or its snapshot, into the index or
//! a snapshot.
//!
//! The head is read first, then everything page by page while the source goes on, then the commits
//! made meanwhile. Those see to it that what comes out is one state: the index holds versions
//! against each other, and a snapshot has what the last commit said of each object.

use std::{
    panic::resume_unwind,
    sync::mpsc::{self, SyncSender},
    thread,
};

use waypost_index::{Index, Loader};
use waypost_link::{Link, LinkId, Noun, Record, Revision};
use waypost_storage::{
    Feed, LinkQuery, Order, Page, RecordQuery, Result, Snapshot, SpentPage, limits::PAGE,
};

use crate::Store;

/// The records that redirects need.
pub(crate) const NOUNS: &[Noun] =
    &[Noun::Workspace, Noun::Domain, Noun::Collection, Noun::Tag, Noun::Pixel];
/// Commits of the feed taken at once.
const FEED: usize = 1_000;
/// Links of a page that is read from a file of this machine: so few that they are still in a processor's cache
/// when they are put in place.
const NEAR: usize = 1_000;
/// Links of a page that is asked for elsewhere, which takes its time however few they are.
const FAR: usize = PAGE;
/// Links read before they are put in place: more of them are more memory.
const AHEAD: usize = 10_000;

/// Where everything is read.
pub(crate) trait Source: Sync {
    /// The last commit.
    fn head(&self) -> Result<Revision>;
    /// A page of records.
    fn records(&self, noun: Noun, after: Option<u64>) -> Result<Page<Record, u64>>;
    /// Links of a page.
    fn page(&self) -> usize;
    /// A page of links.
    fn links(&self, after: Option<LinkId>) -> Result<SpentPage>;
    /// Commits after this one.
    fn replay(&self, after: Revision) -> Result<Vec<Feed>>;
}

/// Where it goes.
pub(crate) trait Target {
    /// Takes a page of records.
    fn records(&self, records: Vec<Record>) -> Result<()>;
    /// Takes a page of links.
    fn links(&self, links: &[Link], spent: &[u64]) -> Result<()>;
    /// Takes commits made since the pages were begun.
    fn apply(&self, feeds: &[Feed]) -> Result<()>;
}

/// Puts all of `source` in place of what `index` held.
pub(crate) fn load(index: &Index, source: &dyn Source) -> Result<()> {
    let loader = index.loader();
    let revision = copy(source, &loader)?;
    loader.publish(revision);
    Ok(())
}

/// Copies all of `source` to `target`; the commit that `target` is then at.
pub(crate) fn copy(source: &dyn Source, target: &dyn Target) -> Result<Revision> {
    let mut applied = source.head()?;
    NOUNS.iter().try_for_each(|noun| records(source, target, *noun))?;
    all_links(source, target)?;
    let head = source.head()?;
    while applied < head {
        let feeds = source.replay(applied)?;
        target.apply(&feeds)?;
        applied = feeds.last().map_or(head, |feed| feed.revision);
    }
    Ok(applied)
}

/// How many clicks each of `links` has spent; zero for those without a limit of this node's own, which
/// are not asked.
fn spent(links: &[Link], store: &Store) -> Result<Vec<u64>> {
    let limited: Vec<LinkId> =
        links.iter().filter(|link| has_own_limit(link, store)).map(|link| link.id).collect();
    let totals = spent_of(&limited, store)?;
    let mut totals = totals.into_iter();
    let own = |link| if has_own_limit(link, store) { totals.next() } else { None };
    Ok(links.iter().map(own).map(Option::unwrap_or_default).collect())
}

/// Whether a link's clicks are limited, and nobody else counts them: where nodes share the store, they
/// are lent, whatever is stored.
pub(crate) fn has_own_limit(link: &Link, store: &Store) -> bool {
    !store.shared && link.max_clicks.is_some()
}

/// How many clicks these links have spent.
pub(crate) fn spent_of(links: &[LinkId], store: &Store) -> Result<Vec<u64>> {
    let totals = if links.is_empty() { Vec::new() } else { store.clicks.totals(links)? };
    Ok(totals.iter().map(|totals| totals.spent).collect())
}

fn records(source: &dyn Source, target: &dyn Target, noun: Noun) -> Result<()> {
    let mut after = None;
    loop {
        let page = source.records(noun, after)?;
        target.records(page.items)?;
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Pages are read and decoded by a thread of their own, while this one puts the page before in place: half of the time
/// is spent on either.
fn all_links(source: &dyn Source, target: &dyn Target) -> Result<()> {
    let (sender, pages) = mpsc::sync_channel(AHEAD / source.page());
    thread::scope(|scope| {
        let reading = scope.spawn(move || read(source, &sender));
        let taken = pages
            .iter()
            .try_for_each(|SpentPage { page, spent }| target.links(&page.items, &spent));
        // Whoever still reads sees that nobody takes its pages.
        drop(pages);
        reading.join().unwrap_or_else(|panic| resume_unwind(panic)).and(taken)
    })
}

/// Reads every page, until the end or until nobody takes them.
fn read(source: &dyn Source, to: &SyncSender<SpentPage>) -> Result<()> {
    let mut after = None;
    loop {
        let page = source.links(after)?;
        after = page.page.next;
        if to.send(page).is_err() || after.is_none() {
            return Ok(());
        }
    }
}

impl Source for Store {
    fn head(&self) -> Result<Revision> {
        self.links.head()
    }

    fn records(&self, noun: Noun, after: Option<u64>) -> Result<Page<Record, u64>> {
        let order = Order::Ascending;
        self.links.records(&RecordQuery { noun, workspace: None, order, after, limit: PAGE })
    }

    fn page(&self) -> usize {
        if self.shared { FAR } else { NEAR }
    }

    fn links(&self, after: Option<LinkId>) -> Result<SpentPage> {
        let (order, limit) = (Order::Ascending, self.page());
        let query = LinkQuery { order, after, limit, ..LinkQuery::default() };
        let page = self.links.links(&query)?;
        let spent = spent(&page.items, self)?;
        Ok(SpentPage { page, spent })
    }

    fn replay(&self, after: Revision) -> Result<Vec<Feed>> {
        self.links.replay(after, FEED)
    }
}

/// A snapshot as a source: nobody changes it meanwhile.
pub(crate) struct Still<'s>(pub(crate) &'s dyn Snapshot, pub(crate) Revision);

impl Source for Still<'_> {
    fn head(&self) -> Result<Revision> {
        Ok(self.1)
    }

    fn records(&self, noun: Noun, after: Option<u64>) -> Result<Page<Record, u64>> {
        self.0.records(noun, after, PAGE)
    }

    fn page(&self) -> usize {
        NEAR
    }

    fn links(&self, after: Option<LinkId>) -> Result<SpentPage> {
        self.0.links(after, self.page())
    }

    fn replay(&self, _: Revision) -> Result<Vec<Feed>> {
        Ok(Vec::new())
    }
}

impl Target for Loader<'_> {
    fn records(&self, records: Vec<Record>) -> Result<()> {
        Loader::records(self, records);
        Ok(())
    }

    fn links(&self, links: &[Link], spent: &[u64]) -> Result<()> {
        Loader::links(self, links.iter().zip(spent.iter().copied()));
        Ok(())
    }

    fn apply(&self, feeds: &[Feed]) -> Result<()> {
        feeds.iter().for_each(|feed| drop(Loader::apply(self, feed.revision, &feed.changes)));
        Ok(())
    }
}
