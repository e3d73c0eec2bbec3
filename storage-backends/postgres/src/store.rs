//! [`PostgresStore`]: a database, opened.

use std::{
    ops::Range,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use waypost_link::{
    Change, Claim, ClickId, KeyId, Link, LinkId, Noun, Record, Remembered, Revision, Timestamp,
    WorkspaceId,
};
use waypost_storage::{
    Appended, Batch, Bucket, ClickQuery, ClickScope, ClickStore, Committed, Epoch, Error, Event,
    Facet, Feed, Inserted, LinkCount, LinkCountQuery, LinkQuery, LinkStore, Maintain, Mark,
    NewClick, Page, RecordQuery, Recorded, Report, Result, Sink, StoredClick, TallyQuery, Totals,
    Trim, Trimmed, Window, codec,
};

use crate::{
    Options,
    ask::Ask,
    check,
    clicks::Clicks,
    commit,
    database::Database,
    limits,
    listen::{self, Hints},
    query, read,
    turn::Turn,
    worker::Worker,
};

/// A store in a PostgreSQL database, shared by any number of nodes.
///
/// Dropping it leaves clicks that wait to their journal; [`Sink::flush`] writes them first.
pub struct PostgresStore {
    pub(crate) database: Arc<Database>,
    hints: Arc<Hints>,
    pub(crate) clicks: Arc<Clicks>,
    turn: Turn,
    _listener: Option<Worker>,
    _flusher: Worker,
}

impl PostgresStore {
    /// Opens the database of `options`, and brings its schema up to date.
    ///
    /// # Errors
    /// `Unusable`: the options. `Unavailable`: the database can't be reached.
    pub fn open(options: &Options) -> Result<Self> {
        let store = Self::new(options)?;
        store.head()?;
        Ok(store)
    }

    /// The database of `options`, which need not be there yet: what reaches it first brings its
    /// schema up to date.
    ///
    /// # Errors
    /// `Unusable`: the options. `Unavailable`: no thread could be started.
    pub fn new(options: &Options) -> Result<Self> {
        let database = Arc::new(Database::new(options)?);
        let hints = Arc::new(Hints::default());
        let listen = || listen::start(Arc::clone(&database), Arc::clone(&hints));
        let listener = options.notify.then(listen).transpose()?;
        let clicks = Arc::new(Clicks::new(Arc::clone(&database)));
        let flusher = write_old(Arc::clone(&clicks))?;
        let turn = Turn::default();
        Ok(Self { database, hints, clicks, turn, _listener: listener, _flusher: flusher })
    }
}

/// Writes clicks that have waited long enough, and closes hours that are over.
fn write_old(clicks: Arc<Clicks>) -> Result<Worker> {
    let mut close_at = Instant::now() + limits::CLOSE;
    Worker::start("pg-flush", move |_| {
        thread::park_timeout(limits::LOOK);
        // Who appends or reads next meets the same error and says so.
        let _ = clicks.flush_old();
        if Instant::now() >= close_at && clicks.close_hours() != Ok(true) {
            close_at = Instant::now() + limits::CLOSE;
        }
    })
}

impl LinkStore for PostgresStore {
    fn commit(&self, changes: &[Change], now: Timestamp) -> Result<Committed> {
        let committed = commit::commit(&self.database, changes, now)?;
        self.hints.give();
        Ok(committed)
    }

    fn in_turn(&self, edit: &mut dyn FnMut()) -> Result<()> {
        self.turn.take(&self.database, edit)
    }

    fn link(&self, id: LinkId) -> Result<Option<Link>> {
        self.database.with(|client| read::link_of(client, id))
    }

    fn links(&self, query: &LinkQuery) -> Result<Page<Link, LinkId>> {
        self.database.with(|client| query::links(client, query))
    }

    fn link_count(&self, workspace: Option<WorkspaceId>) -> Result<u64> {
        self.database.with(|client| read::link_count(client, workspace))
    }

    fn facets(
        &self,
        workspace: WorkspaceId,
        attribute: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Facet>> {
        self.database.with(|client| read::facets(client, workspace, attribute, after, limit))
    }

    fn holder(&self, claim: &Claim) -> Result<Option<u64>> {
        self.database.with(|client| read::holder(client, claim))
    }

    fn holders(&self, claims: &[Claim]) -> Result<Vec<Option<u64>>> {
        let keys: Vec<_> = claims.iter().map(codec::claim).collect();
        self.database.with(|client| read::holders(client, &keys))
    }

    fn record(&self, noun: Noun, id: u64) -> Result<Option<Record>> {
        self.database.with(|client| read::record_of(client, noun, id))
    }

    fn record_holding(&self, noun: Noun, claim: &Claim) -> Result<Option<Record>> {
        self.database.with(|client| read::record_holding(client, noun, claim))
    }

    fn records(&self, query: &RecordQuery) -> Result<Page<Record, u64>> {
        self.database.with(|client| query::records(client, query))
    }

    fn remembered(&self, scope: &[u8; 32], now: Timestamp) -> Result<Option<Remembered>> {
        let answer = self.database.with(|client| read::remembered_of(client, scope))?;
        Ok(answer.filter(|answer| answer.expires_at > now))
    }

    fn touch(&self, keys: &[(KeyId, Timestamp)]) -> Result<()> {
        self.database.with(|client| read::touch(client, keys))
    }

    fn replay(&self, after: Revision, limit: usize) -> Result<Vec<Feed>> {
        self.database.with(|client| read::replay(client, after, limit))
    }

    /// Woken by this node's commits and by NOTIFY; else the head is looked at every 500 ms.
    fn wait(&self, after: Revision, timeout: Duration) -> Result<Revision> {
        let end = Instant::now().checked_add(timeout);
        loop {
            let hints = self.hints.count();
            let head = self.head()?;
            let poll = Instant::now() + limits::POLL;
            let is_over = || end.is_some_and(|end| Instant::now() >= end);
            if head > after || is_over() {
                return Ok(head);
            }
            let hinted = self.hints.wait(hints, end.map_or(poll, |end| end.min(poll)));
            // Who waited in vain asks again, and need not be told anew.
            if !hinted && is_over() {
                return Ok(head);
            }
        }
    }

    fn head(&self) -> Result<Revision> {
        self.database.with(read::head)
    }

    fn forget(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        read::forget(&self.database, before, now)
    }
}

impl Sink for PostgresStore {
    fn append(&self, mark: Mark, batch: &Batch) -> Result<Appended> {
        self.clicks.append(mark, batch)
    }

    fn durable(&self, epoch: Epoch) -> Result<u64> {
        self.clicks.durable(epoch)
    }

    fn behind(&self) -> Option<Timestamp> {
        self.clicks.behind()
    }

    fn flush(&self) -> Result<()> {
        self.clicks.flush()
    }

    fn forget_epoch(&self, epoch: Epoch) -> Result<()> {
        self.clicks.forget_epoch(epoch)
    }
}

impl ClickStore for PostgresStore {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>> {
        self.clicks.record(events)
    }

    fn take_inserted(&self, look: &dyn Fn(&Inserted) -> Result<NewClick>) -> Result<u64> {
        self.clicks.take_inserted(look)
    }

    fn clicks(&self, query: &ClickQuery) -> Result<Page<StoredClick, Vec<u8>>> {
        self.clicks.clicks(query)
    }

    fn count(&self, scope: ClickScope, range: Range<Timestamp>) -> Result<Window> {
        self.clicks.count(scope, range)
    }

    fn click(&self, id: ClickId) -> Result<Option<StoredClick>> {
        self.clicks.click(id)
    }

    fn totals(&self, links: &[LinkId]) -> Result<Vec<Totals>> {
        self.clicks.totals(links)
    }

    fn tally(&self, query: &TallyQuery) -> Result<Vec<Bucket>> {
        self.clicks.tally(query)
    }

    fn link_counts(&self, query: &LinkCountQuery) -> Result<Page<LinkCount, LinkId>> {
        self.clicks.link_counts(query)
    }

    fn trim(&self, trim: Trim) -> Result<Trimmed> {
        self.clicks.trim(trim)
    }
}

impl Maintain for PostgresStore {
    fn check(&self) -> Result<Report> {
        self.clicks.flush()?;
        check::check(&self.database)
    }

    /// Always `Unusable`: `pg_dump` and base backups do it better.
    fn backup(&self, _dir: &Path) -> Result<()> {
        Err(Error::Unusable("a PostgreSQL store is backed up with pg_dump or a base backup".into()))
    }

    fn ping(&self) -> Result<()> {
        self.database.write(|txn| {
            Ok(txn.ask("SELECT one FROM waypost.state FOR UPDATE SKIP LOCKED", &[]).map(drop)?)
        })
    }
}
