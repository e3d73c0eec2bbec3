//! The index: what readers look up, and what the follower tells it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use waypost_link::{Change, DomainId, LinkId, Revision};

use crate::{
    Directory, Entry, Loader, Spent,
    limits::PREFETCHED_AT_ONCE,
    shard::Shard,
    sync::{ArcSwap, AtomicU64, Condvar, Mutex, Ordering, PoisonError, lock, wait_while},
    writer::{Counters, Hasher, Shards, Writer},
};

/// Links by (domain, code), and the small nouns of redirects. See the crate's page.
pub struct Index {
    hasher: Hasher,
    shards: Shards,
    directory: ArcSwap<Directory>,
    writer: Mutex<Writer>,
    applied: AtomicU64,
    waiting: (Mutex<()>, Condvar),
    started: Instant,
    confirmed_ms: AtomicU64,
    stats: ArcSwap<Stats>,
}

/// What the index holds, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Links.
    pub links: usize,
    /// Bytes that the tables have allocated: slots, arenas, waste and room
    /// for more; not the options aside.
    pub bytes: usize,
    /// Bytes of entries that are no longer, to be reclaimed by the next rebuild of their table.
    pub waste: usize,
    /// Links with a click limit.
    pub limited: usize,
    /// Tables rebuilt so far.
    pub rebuilds: u64,
}

impl Index {
    /// An empty index that has applied nothing.
    pub fn new() -> Self {
        Self::with_writer(Writer::new(Hasher::default(), Counters::default(), false))
    }

    /// An empty index of a node that shares limits with others: it redirects what it is lent of
    /// them (see [`Lent`](crate::Lent)), which is nothing yet.
    pub fn lending() -> Self {
        Self::with_writer(Writer::new(Hasher::default(), Counters::default(), true))
    }

    /// Calls `read` with the link of `code` (decoded) on `domain`: what a redirect does.
    ///
    /// Wait-free, without allocation. The entry is borrowed for the call only, and `read` must
    /// not yield or block: it runs under a guard of this thread.
    #[inline]
    pub fn with<R>(
        &self,
        domain: DomainId,
        code: &str,
        read: impl FnOnce(Entry<'_>) -> R,
    ) -> Option<R> {
        let key = self.hasher.key(domain, code);
        let table = self.shards[Shard::of(key.hash)].load();
        table.find(key).map(read)
    }

    /// Has the processor fetch what looking up these codes (decoded) will read, so that many
    /// lookups wait for memory together: first for the line of each code, then for the entries. Of
    /// more than [`limits::PREFETCHED_AT_ONCE`](crate::limits::PREFETCHED_AT_ONCE) codes the rest
    /// is left out.
    ///
    /// Wait-free, without allocation, and of no effect but on time.
    ///
    /// ```
    /// # use waypost_index::Index;
    /// # use waypost_link::DomainId;
    /// # let (index, codes) = (Index::new(), ["spring", "summer"]);
    /// index.prefetch(codes.map(|code| (DomainId::DEFAULT, code)));
    /// for code in codes {
    ///     index.with(DomainId::DEFAULT, code, |link| println!("{}", link.destination));
    /// }
    /// ```
    pub fn prefetch(&self, names: impl IntoIterator<Item = (DomainId, impl AsRef<str>)>) {
        let shard = |hash| &self.shards[Shard::of(hash)];
        let (mut hashes, mut count) = ([0; PREFETCHED_AT_ONCE], 0);
        for (hash, (domain, code)) in hashes.iter_mut().zip(names) {
            *hash = self.hasher.key(domain, code.as_ref()).hash;
            shard(*hash).prefetch(*hash);
            count += 1;
        }
        for &hash in &hashes[..count] {
            shard(hash).load().prefetch_entry(hash);
        }
    }

    /// Calls `read` with the hostnames, rotators and workspaces, under the same rules as
    /// [`Index::with`].
    #[inline]
    pub fn with_directory<R>(&self, read: impl FnOnce(&Directory) -> R) -> R {
        read(&self.directory.load())
    }

    /// Applies one commit of the feed, whole: after it, [`Index::applied`] is `revision`.
    ///
    /// Commits come in order, each at least once: one at or before [`Index::applied`] is ignored,
    /// and so is a link of a version that is already held. Several threads may call this; they
    /// take turns.
    ///
    /// Gives the links that became limited by an update and may already have clicks: tell each by
    /// [`Index::set_spent`].
    pub fn apply(&self, revision: Revision, changes: &[Change]) -> Vec<LinkId> {
        let mut writer = lock(&self.writer);
        if revision > self.applied() {
            self.write(&mut writer, revision, changes);
        }
        writer.take_limited()
    }

    /// Applies changes that were found missing here; [`Index::applied`] stays. Versions hold as
    /// for [`Index::apply`], and it gives what that gives.
    pub fn repair(&self, changes: &[Change]) -> Vec<LinkId> {
        let mut writer = lock(&self.writer);
        self.write(&mut writer, self.applied(), changes);
        writer.take_limited()
    }

    /// The last commit that lookups show.
    pub fn applied(&self) -> Revision {
        Revision(self.applied.load(Ordering::Acquire))
    }

    /// Waits until `revision` is applied, or `timeout` is over; whether it is applied. Blocks its
    /// thread: never for a coroutine.
    pub fn wait_applied(&self, revision: Revision, timeout: Duration) -> bool {
        wait_while(&self.waiting, timeout, || self.applied() < revision);
        self.applied() >= revision
    }

    /// Says how many clicks the limited link `id` had before its counter began; false where it
    /// has no limit. May be said again: the last word counts.
    ///
    /// A counter begins in the same atomic store that makes the limit visible: every redirect
    /// that sees the limit counts on it, none that doesn't. So for a link given by
    /// [`Index::apply`], note the time before that call, wait until the clicks queued by then are
    /// stored, and say how many of the stored ones are older. Until then the limit counts from 0.
    pub fn set_spent(&self, id: LinkId, before: u64) -> bool {
        let writer = lock(&self.writer);
        writer.counters.get(&id).map(|counter| counter.set_before(before)).is_some()
    }

    /// The links with a click limit, and how many clicks each has spent by now.
    pub fn spent(&self) -> Vec<(LinkId, u64)> {
        let writer = lock(&self.writer);
        writer.counters.iter().map(|(id, counter)| (*id, counter.total())).collect()
    }

    /// The counter of the limited link `id`; `None` where it has no limit.
    pub fn counter(&self, id: LinkId) -> Option<Arc<Spent>> {
        lock(&self.writer).counters.get(&id).cloned()
    }

    /// A loader that fills a new index beside this one and puts it in this one's place: at the
    /// start, and when the feed no longer reaches back to [`Index::applied`].
    pub fn loader(&self) -> Loader<'_> {
        let writer = lock(&self.writer);
        let staged = Writer::new(writer.hasher.clone(), writer.counters.clone(), writer.lends);
        Loader::new(self, staged)
    }

    /// Says that the follower has just seen that there is nothing newer than what is applied.
    /// Tables that went out of use are freed on this occasion.
    pub fn confirm(&self) {
        lock(&self.writer).free_retired();
        self.touch();
    }

    /// How long ago the index was last known to be up to date.
    pub fn age(&self) -> Duration {
        let confirmed = Duration::from_millis(self.confirmed_ms.load(Ordering::Acquire));
        self.started.elapsed().saturating_sub(confirmed)
    }

    /// What it held after the last commit. Wait-free.
    pub fn stats(&self) -> Stats {
        **self.stats.load()
    }

    pub(crate) fn with_writer(writer: Writer) -> Self {
        Self {
            hasher: writer.hasher.clone(),
            shards: writer.tables().map(|table| Shard::new(&table)).collect(),
            directory: ArcSwap::default(),
            writer: Mutex::new(writer),
            applied: AtomicU64::new(0),
            waiting: (Mutex::new(()), Condvar::new()),
            started: Instant::now(),
            confirmed_ms: AtomicU64::new(0),
            stats: ArcSwap::default(),
        }
    }

    /// Takes over all that `staged` holds, as the state at `revision`.
    pub(crate) fn take_over(&self, staged: Self, revision: Revision) {
        let staged = staged.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut writer = lock(&self.writer);
        let old = std::mem::replace(&mut *writer, staged);
        writer.succeed(old);
        let tables: Vec<_> = writer.tables().collect();
        for (shard, table) in self.shards.iter().zip(tables) {
            writer.retire(shard.swap(table));
        }
        self.finish(&mut writer, revision);
    }

    fn write(&self, writer: &mut Writer, revision: Revision, changes: &[Change]) {
        for change in changes {
            writer.apply(&self.shards, change);
        }
        self.finish(writer, revision);
    }

    /// Publishes what a commit changed beside links, then its number.
    fn finish(&self, writer: &mut Writer, revision: Revision) {
        if let Some(directory) = writer.directory() {
            self.directory.store(directory.into());
        }
        writer.free_retired();
        self.stats.store(writer.stats().into());
        self.touch();
        let waiting = lock(&self.waiting.0);
        self.applied.store(revision.0, Ordering::Release);
        drop(waiting);
        self.waiting.1.notify_all();
    }

    fn touch(&self) {
        let age = self.started.elapsed().as_millis();
        self.confirmed_ms.store(u64::try_from(age).unwrap_or(u64::MAX), Ordering::Release);
    }

    pub(crate) fn shards(&self) -> &Shards {
        &self.shards
    }

    pub(crate) fn writer(&self) -> &Mutex<Writer> {
        &self.writer
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}
