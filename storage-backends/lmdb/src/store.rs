//! [`LmdbStore`]: a data directory, opened.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use waypost_link::{
    Change, Claim, KeyId, Link, LinkId, Noun, Record, Remembered, Revision, Timestamp, WorkspaceId,
};
use waypost_storage::{
    Committed, Facet, Feed, LinkQuery, LinkStore, Maintain, Page, RecordQuery, Report, Result,
};

use crate::{
    check,
    clicks::Clicks,
    environment::{self, Environment},
    fault::Tried,
    feed, limits, query,
    read::View,
    tables::LinkTable,
    turn::Turn,
    write,
    writer::Rhythm,
};

/// How a store is opened.
///
/// ```
/// let options = waypost_lmdb::Options { map_size: 8 << 30, ..Default::default() };
/// assert!(options.map_size < waypost_lmdb::limits::MAP_SIZE);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Address space of each of the two environments, in bytes: what its file may grow to. It
    /// costs no memory and no disk. A file that is larger already keeps its size. By default
    /// [`limits::MAP_SIZE`], 256 GiB; take 8 GiB where address space is short (tests, valgrind).
    pub map_size: u64,
    /// Least time from one commit of links to the next, unless [`limits::ENOUGH`] changes wait. A
    /// commit by itself takes the CPU of several changes: who has better uses for it lets changes
    /// wait for each other. By default zero, nobody waits.
    pub commit_interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { map_size: limits::MAP_SIZE, commit_interval: Duration::ZERO }
    }
}

/// A store in a directory: `links/` and `clicks/` below it are LMDB environments.
///
/// Several processes may have it open, but one process only once at a time. Dropping it finishes
/// the writes that wait.
///
/// ```
/// use waypost_link::*;
/// use waypost_lmdb::{LmdbStore, Options};
/// use waypost_storage::LinkStore;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// let store = LmdbStore::open(dir.path(), &Options::default())?;
/// let destination = Destination::parse("https://example.com/", &Schemes::default())?;
/// let link =
///     Link::new(WorkspaceId(1), DomainId::DEFAULT, Slug::parse("hi")?, destination, Timestamp(0));
/// let committed = store.commit(&[Change::CreateLink(Box::new(link))], Timestamp(0))?;
/// assert_eq!(store.link(LinkId(committed.ids[0]))?.unwrap().slug.as_str(), "hi");
/// # Ok(()) }
/// ```
pub struct LmdbStore {
    pub(crate) links: Environment<LinkTable>,
    pub(crate) clicks: Clicks,
    turn: Turn,
}

impl LmdbStore {
    /// Opens the store in `dir`, which is made where it is missing.
    ///
    /// # Errors
    /// `Unusable`: not a directory, not writable, written by a newer version, or open in this
    /// process already. `Corrupt`: a file that was cut off or overwritten. `Full`, `Unavailable`.
    pub fn open(dir: &Path, options: &Options) -> Result<Self> {
        environment::make_dir(dir)?;
        let rhythm = Rhythm { interval: options.commit_interval, ..Rhythm::default() };
        Ok(Self {
            links: Environment::open_with(&dir.join("links"), options.map_size, rhythm)?,
            clicks: Clicks::open(&dir.join("clicks"), options.map_size)?,
            turn: Turn::open(dir)?,
        })
    }

    /// Asks the links.
    pub(crate) fn view<R>(&self, question: impl FnOnce(View<'_>) -> Tried<R>) -> Result<R> {
        self.links.read(|tables, txn| question(View::new(tables, txn)))
    }
}

impl LinkStore for LmdbStore {
    fn commit(&self, changes: &[Change], now: Timestamp) -> Result<Committed> {
        write::commit(&self.links, changes, now)
    }

    fn in_turn(&self, edit: &mut dyn FnMut()) -> Result<()> {
        self.turn.take(edit)
    }

    fn link(&self, id: LinkId) -> Result<Option<Link>> {
        self.view(|view| view.link(id))
    }

    fn links(&self, query: &LinkQuery) -> Result<Page<Link, LinkId>> {
        self.view(|view| query::links(view, query))
    }

    fn link_count(&self, workspace: Option<WorkspaceId>) -> Result<u64> {
        self.view(|view| view.link_count(workspace))
    }

    fn facets(
        &self,
        workspace: WorkspaceId,
        attribute: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Facet>> {
        self.view(|view| view.facets(workspace, attribute, after, limit))
    }

    fn holder(&self, claim: &Claim) -> Result<Option<u64>> {
        self.view(|view| view.holder(claim))
    }

    fn record(&self, noun: Noun, id: u64) -> Result<Option<Record>> {
        self.view(|view| view.record(noun, id))
    }

    fn record_holding(&self, noun: Noun, claim: &Claim) -> Result<Option<Record>> {
        self.view(|view| match view.holder(claim)? {
            Some(id) => view.record(noun, id),
            None => Ok(None),
        })
    }

    fn records(&self, query: &RecordQuery) -> Result<Page<Record, u64>> {
        self.view(|view| query::records(view, query))
    }

    fn remembered(&self, scope: &[u8; 32], now: Timestamp) -> Result<Option<Remembered>> {
        let answer = self.view(|view| view.remembered(scope))?;
        Ok(answer.filter(|answer| answer.expires_at > now))
    }

    fn touch(&self, keys: &[(KeyId, Timestamp)]) -> Result<()> {
        write::touch(&self.links, keys)
    }

    fn replay(&self, after: Revision, limit: usize) -> Result<Vec<Feed>> {
        self.view(|view| feed::replay(view, after, limit))
    }

    /// Woken by commits of this process at once; those of others are looked for every
    /// [`limits::POLL`].
    fn wait(&self, after: Revision, timeout: Duration) -> Result<Revision> {
        let end = Instant::now().checked_add(timeout);
        loop {
            let head = self.head()?;
            let poll = Instant::now() + limits::POLL;
            if head > after || end.is_some_and(|end| Instant::now() >= end) {
                return Ok(head);
            }
            let until = end.map_or(poll, |end| end.min(poll));
            self.links.wait_for_commit(until, || Ok(self.head()? > after))?;
        }
    }

    fn head(&self) -> Result<Revision> {
        self.view(|view| view.meta(feed::HEAD).map(Revision))
    }

    fn forget(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        write::forget(&self.links, before, now)
    }
}

impl Maintain for LmdbStore {
    fn check(&self) -> Result<Report> {
        let mut report = self.view(check::links)?;
        self.clicks.check(&mut report)?;
        Ok(report)
    }

    fn backup(&self, dir: &Path) -> Result<()> {
        // Clicks first: a click of a link that the copy doesn't know is discarded, a link whose
        // clicks it doesn't know would have lost them.
        environment::make_empty_dir(dir)?;
        let (clicks, links) = (dir.join("clicks"), dir.join("links"));
        self.clicks.environment().copy(&clicks)?;
        self.links.copy(&links)?;
        environment::finish_copy(&clicks)?;
        environment::finish_copy(&links)
    }

    fn ping(&self) -> Result<()> {
        self.head()?;
        self.links.write(|_, _| Ok(()))?;
        self.clicks.environment().write(|_, _| Ok(()))
    }
}
