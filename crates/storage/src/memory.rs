//! [`MemoryStore`]: what the contract means, in the plainest code.
//!
//! One lock over ordered maps, scans where a backend has an index. It is what backends are held
//! against and what tests of everything above a store run on. It is never fast on purpose and
//! keeps nothing on a disk; what a power cut would take from a real store, [`MemoryStore::power_cut`]
//! takes from this one.

mod check;
mod clicks;
mod links;
mod transfer;

use std::{
    collections::BTreeMap,
    ops::Range,
    path::Path,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use waypost_link::{
    Change, Claim, ClickId, KeyId, Link, LinkId, Noun, Record, Remembered, Revision, Timestamp,
    WorkspaceId,
};

use self::{clicks::Clicks, links::Links};
use crate::{
    Appended, Batch, Bucket, ClickQuery, ClickScope, ClickStore, Committed, Epoch, Error, Event,
    Facet, Feed, LinkCount, LinkCountQuery, LinkQuery, LinkStore, Maintain, Mark, Page, ReadAgent,
    RecordQuery, Recorded, Report, Result, Sink, StoredClick, TallyQuery, Totals, Trim, Trimmed,
    Window, transfer::Part,
};

/// A store in memory.
///
/// ```
/// use waypost_storage::{AgentDetails, LinkStore, memory::MemoryStore};
/// let store = MemoryStore::new(|_| AgentDetails::default());
/// assert_eq!(store.link_count(None), Ok(0));
/// ```
pub struct MemoryStore {
    links: Mutex<Links>,
    /// Held by whose turn it is.
    turn: Mutex<()>,
    /// Woken by every commit that the feed carries.
    moved: Condvar,
    clicks: Mutex<Clicks>,
    /// The clicks as they are on the imagined disk, where that is not as they are.
    saved: Mutex<Option<Clicks>>,
    /// What a copy has noted of its parts.
    notes: Mutex<BTreeMap<Part, Vec<u8>>>,
    read_agent: ReadAgent,
}

impl MemoryStore {
    /// An empty store that looks into user agents with `read_agent`.
    pub fn new(read_agent: ReadAgent) -> Self {
        Self {
            links: Mutex::default(),
            turn: Mutex::default(),
            moved: Condvar::new(),
            clicks: Mutex::default(),
            saved: Mutex::new(None),
            notes: Mutex::default(),
            read_agent,
        }
    }

    /// Another store with the same in it: what a backup would be.
    pub fn copy(&self) -> Self {
        Self {
            links: Mutex::new(self.links.lock().clone()),
            turn: Mutex::default(),
            moved: Condvar::new(),
            clicks: Mutex::new(self.clicks.lock().clone()),
            saved: Mutex::new(None),
            notes: Mutex::default(),
            read_agent: self.read_agent,
        }
    }

    /// Loses what a power cut may take: all batches that were appended and not made durable.
    pub fn power_cut(&self) {
        let mut clicks = self.clicks.lock();
        if let Some(saved) = self.saved.lock().take() {
            *clicks = saved;
        }
    }

    /// Does `work` to the clicks and makes the outcome durable, with all before it.
    fn durably<T>(&self, work: impl FnOnce(&mut Clicks) -> T) -> T {
        let mut clicks = self.clicks.lock();
        let done = work(&mut clicks);
        *self.saved.lock() = None;
        done
    }
}

impl LinkStore for MemoryStore {
    fn commit(&self, changes: &[Change], now: Timestamp) -> Result<Committed> {
        let committed = self.links.lock().commit(changes, now)?;
        self.moved.notify_all();
        Ok(committed)
    }

    fn in_turn(&self, edit: &mut dyn FnMut()) -> Result<()> {
        let _turn = self.turn.lock();
        edit();
        Ok(())
    }

    fn link(&self, id: LinkId) -> Result<Option<Link>> {
        Ok(self.links.lock().link(id))
    }

    fn links(&self, query: &LinkQuery) -> Result<Page<Link, LinkId>> {
        Ok(self.links.lock().links(query))
    }

    fn link_count(&self, workspace: Option<WorkspaceId>) -> Result<u64> {
        Ok(self.links.lock().link_count(workspace))
    }

    fn facets(
        &self,
        workspace: WorkspaceId,
        attribute: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Facet>> {
        Ok(self.links.lock().facets(workspace, attribute, after, limit))
    }

    fn holder(&self, claim: &Claim) -> Result<Option<u64>> {
        Ok(self.links.lock().holder(claim))
    }

    fn record(&self, noun: Noun, id: u64) -> Result<Option<Record>> {
        Ok(self.links.lock().record(noun, id))
    }

    fn records(&self, query: &RecordQuery) -> Result<Page<Record, u64>> {
        Ok(self.links.lock().records(query))
    }

    fn remembered(&self, scope: &[u8; 32], now: Timestamp) -> Result<Option<Remembered>> {
        Ok(self.links.lock().remembered(scope, now).cloned())
    }

    fn touch(&self, keys: &[(KeyId, Timestamp)]) -> Result<()> {
        self.links.lock().touch(keys);
        Ok(())
    }

    fn replay(&self, after: Revision, limit: usize) -> Result<Vec<Feed>> {
        self.links.lock().replay(after, limit)
    }

    fn wait(&self, after: Revision, timeout: Duration) -> Result<Revision> {
        let mut links = self.links.lock();
        // A timeout too long for the clock is for ever.
        let end = Instant::now().checked_add(timeout);
        while links.head() <= after {
            match end {
                None => self.moved.wait(&mut links),
                Some(end) if self.moved.wait_until(&mut links, end).timed_out() => break,
                Some(_) => {}
            }
        }
        Ok(links.head())
    }

    fn head(&self) -> Result<Revision> {
        Ok(self.links.lock().head())
    }

    fn forget(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        Ok(self.links.lock().forget(before, now))
    }
}

impl Sink for MemoryStore {
    fn append(&self, mark: Mark, batch: &Batch) -> Result<Appended> {
        let mut clicks = self.clicks.lock();
        self.saved.lock().get_or_insert_with(|| clicks.clone());
        clicks.append(mark, batch, self.read_agent)
    }

    fn durable(&self, epoch: Epoch) -> Result<u64> {
        let clicks = self.clicks.lock();
        Ok(self.saved.lock().as_ref().unwrap_or(&clicks).mark(epoch))
    }

    fn flush(&self) -> Result<()> {
        self.durably(|_| Ok(()))
    }

    fn forget_epoch(&self, epoch: Epoch) -> Result<()> {
        self.durably(|clicks| clicks.forget_epoch(epoch));
        Ok(())
    }
}

impl ClickStore for MemoryStore {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>> {
        let record = |clicks: &mut Clicks| {
            events.iter().map(|event| clicks.record(event, self.read_agent)).collect()
        };
        Ok(self.durably(record))
    }

    fn clicks(&self, query: &ClickQuery) -> Result<Page<StoredClick, Vec<u8>>> {
        Ok(self.clicks.lock().clicks(query))
    }

    fn click(&self, id: ClickId) -> Result<Option<StoredClick>> {
        Ok(self.clicks.lock().click(id))
    }

    fn totals(&self, links: &[LinkId]) -> Result<Vec<Totals>> {
        let clicks = self.clicks.lock();
        Ok(links.iter().map(|&link| clicks.totals(link)).collect())
    }

    fn tally(&self, query: &TallyQuery) -> Result<Vec<Bucket>> {
        Ok(self.clicks.lock().tally(query))
    }

    fn count(&self, scope: ClickScope, range: Range<Timestamp>) -> Result<Window> {
        Ok(self.clicks.lock().count_raw(scope, &range))
    }

    fn link_counts(&self, query: &LinkCountQuery) -> Result<Page<LinkCount, LinkId>> {
        Ok(self.clicks.lock().link_counts(query))
    }

    fn trim(&self, trim: Trim) -> Result<Trimmed> {
        Ok(self.durably(|clicks| clicks.trim(trim)))
    }
}

impl Maintain for MemoryStore {
    fn check(&self) -> Result<Report> {
        Ok(check::check(&self.links.lock(), &self.clicks.lock()))
    }

    /// A model can't fill a directory: always `Unusable`, see [`MemoryStore::copy`].
    fn backup(&self, _dir: &Path) -> Result<()> {
        Err(Error::Unusable("a store in memory can't be backed up to a directory".into()))
    }

    fn ping(&self) -> Result<()> {
        Ok(())
    }
}

/// Up to `limit` of what was `found`, and where to go on if there is more.
fn page<T, C>(
    mut found: impl Iterator<Item = T>,
    limit: usize,
    cursor: impl Fn(&T) -> C,
) -> Page<T, C> {
    let items: Vec<_> = found.by_ref().take(crate::page_limit(limit)).collect();
    let next = found.next().and_then(|_| items.last().map(cursor));
    Page { items, next }
}
