//! [`Faulty`]: any store, made to fail on purpose.
//!
//! A script says which calls of which operation fail, with what, and whether before or after the
//! store did its work: an error after it is an acknowledgement that got lost, which is what makes
//! retries interesting. Calls are counted. Without a script it is the store that it wraps, and
//! passes the conformance suite like it.
//!
//! It breaks one promise knowingly: [`Error`] says that nothing of a failed call
//! was done.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::Path,
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use waypost_link::{
    Change, Claim, ClickId, KeyId, Link, LinkId, Noun, Record, Remembered, Revision, Timestamp,
    WorkspaceId,
};

use crate::{
    Appended, Batch, Bucket, ClickQuery, ClickScope, ClickStore, Committed, Epoch, Error, Event,
    Facet, Feed, Inserted, LinkCount, LinkCountQuery, LinkQuery, LinkStore, Maintain, Mark,
    NewClick, Page, RecordQuery, Recorded, Report, Result, Sink, StoredClick, TallyQuery, Totals,
    Transfer, Trim, Trimmed, Window,
    transfer::{Part, Piece},
};

macro_rules! operations {
    ($($name:ident $text:literal,)*) => {
        /// The operations of a store, by the methods' names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // named and documented as the methods are
        pub enum Operation { $($name,)* }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As metrics and messages call it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

operations! {
    Commit "commit",
    InTurn "in_turn",
    Link "link",
    Links "links",
    LinkCount "link_count",
    Facets "facets",
    Holder "holder",
    Record "record",
    Records "records",
    Remembered "remembered",
    Touch "touch",
    Replay "replay",
    Wait "wait",
    Head "head",
    Forget "forget",
    Append "append",
    Durable "durable",
    Flush "flush",
    ForgetEpoch "forget_epoch",
    RecordEvents "record_events",
    TakeInserted "take_inserted",
    Clicks "clicks",
    Click "click",
    Totals "totals",
    Tally "tally",
    LinkCounts "link_counts",
    Count "count",
    Trim "trim",
    Check "check",
    Backup "backup",
    Ping "ping",
    Pieces "pieces",
    Restore "restore",
    Note "note",
    ForgetNotes "forget_notes",
}

/// What goes wrong with the calls of an operation.
///
/// ```
/// use waypost_storage::{Error, fault::Fault};
/// let away = Error::Unavailable("away".into());
/// // The third and fourth call from now on are done, and nobody hears of it.
/// let fault = Fault::new(away).after(2).times(2).lost();
/// # let _ = fault;
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    error: Error,
    /// Calls that still go well.
    skip: u64,
    /// Calls that then fail; `None`: all.
    left: Option<u64>,
    lost: bool,
}

impl Fault {
    /// Every call fails with `error`, with nothing done, until told otherwise.
    pub fn new(error: Error) -> Self {
        Self { error, skip: 0, left: None, lost: false }
    }

    /// The first `calls` go well.
    #[must_use]
    pub fn after(self, calls: u64) -> Self {
        Self { skip: calls, ..self }
    }

    /// Only `calls` fail, then all is well again.
    #[must_use]
    pub fn times(self, calls: u64) -> Self {
        Self { left: Some(calls), ..self }
    }

    /// The store does its work, and the answer gets lost.
    #[must_use]
    pub fn lost(self) -> Self {
        Self { lost: true, ..self }
    }

    /// Whether the next call fails.
    fn strikes(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        match &mut self.left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

#[derive(Default)]
struct Script {
    faults: BTreeMap<Operation, Fault>,
    delays: BTreeMap<Operation, Duration>,
    calls: BTreeMap<Operation, u64>,
    hidden: BTreeSet<Revision>,
}

/// A store that fails by a script.
///
/// ```
/// use waypost_storage::{AgentDetails, Error, LinkStore, memory::MemoryStore};
/// use waypost_storage::fault::{Fault, Faulty, Operation};
///
/// let store = Faulty::new(MemoryStore::new(|_| AgentDetails::default()));
/// store.fail(Operation::Head, Fault::new(Error::Unavailable("away".into())).times(1));
/// assert!(store.head().is_err() && store.head().is_ok());
/// assert_eq!(store.calls(Operation::Head), 2);
/// ```
#[derive(Default)]
pub struct Faulty<S> {
    store: S,
    script: Mutex<Script>,
}

impl<S> Faulty<S> {
    /// `store`, in which nothing fails yet.
    pub fn new(store: S) -> Self {
        Self { store, script: Mutex::default() }
    }

    /// The store itself, which never fails on purpose and whose calls are not counted.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// From now on `operation` fails by `fault`, and by no earlier one.
    pub fn fail(&self, operation: Operation, fault: Fault) {
        self.script.lock().faults.insert(operation, fault);
    }

    /// From now on every operation fails with `error`: the store is away.
    pub fn fail_all(&self, error: &Error) {
        for &operation in Operation::ALL {
            self.fail(operation, Fault::new(error.clone()));
        }
    }

    /// From now on every call of `operation` takes this much longer.
    pub fn delay(&self, operation: Operation, by: Duration) {
        self.script.lock().delays.insert(operation, by);
    }

    /// `replay` tells nothing of what the commit `revision` changed, as if the feed had lost it.
    pub fn hide(&self, revision: Revision) {
        self.script.lock().hidden.insert(revision);
    }

    /// From now on nothing fails or is delayed.
    pub fn heal(&self) {
        let mut script = self.script.lock();
        script.faults.clear();
        script.delays.clear();
    }

    /// How often `operation` was called, failed calls included.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.script.lock().calls.get(&operation).copied().unwrap_or(0)
    }

    /// One call of `operation`, by the script.
    fn call<T>(&self, operation: Operation, work: impl FnOnce(&S) -> Result<T>) -> Result<T> {
        let (fault, delay) = self.next(operation);
        if let Some(delay) = delay {
            thread::sleep(delay);
        }
        match fault {
            None => work(&self.store),
            Some(Fault { error, lost: false, .. }) => Err(error),
            Some(Fault { error, .. }) => work(&self.store).and(Err(error)),
        }
    }

    fn next(&self, operation: Operation) -> (Option<Fault>, Option<Duration>) {
        let mut script = self.script.lock();
        *script.calls.entry(operation).or_default() += 1;
        let delay = script.delays.get(&operation).copied();
        let fault = script.faults.get_mut(&operation);
        (fault.and_then(|fault| fault.strikes().then(|| fault.clone())), delay)
    }
}

impl<S: LinkStore> LinkStore for Faulty<S> {
    fn commit(&self, changes: &[Change], now: Timestamp) -> Result<Committed> {
        self.call(Operation::Commit, |store| store.commit(changes, now))
    }

    fn in_turn(&self, edit: &mut dyn FnMut()) -> Result<()> {
        self.call(Operation::InTurn, |store| store.in_turn(edit))
    }

    fn link(&self, id: LinkId) -> Result<Option<Link>> {
        self.call(Operation::Link, |store| store.link(id))
    }

    fn links(&self, query: &LinkQuery) -> Result<Page<Link, LinkId>> {
        self.call(Operation::Links, |store| store.links(query))
    }

    fn link_count(&self, workspace: Option<WorkspaceId>) -> Result<u64> {
        self.call(Operation::LinkCount, |store| store.link_count(workspace))
    }

    fn facets(
        &self,
        workspace: WorkspaceId,
        attribute: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Facet>> {
        self.call(Operation::Facets, |store| store.facets(workspace, attribute, after, limit))
    }

    fn holder(&self, claim: &Claim) -> Result<Option<u64>> {
        self.call(Operation::Holder, |store| store.holder(claim))
    }

    fn holders(&self, claims: &[Claim]) -> Result<Vec<Option<u64>>> {
        self.call(Operation::Holder, |store| store.holders(claims))
    }

    fn record(&self, noun: Noun, id: u64) -> Result<Option<Record>> {
        self.call(Operation::Record, |store| store.record(noun, id))
    }

    fn records(&self, query: &RecordQuery) -> Result<Page<Record, u64>> {
        self.call(Operation::Records, |store| store.records(query))
    }

    fn remembered(&self, scope: &[u8; 32], now: Timestamp) -> Result<Option<Remembered>> {
        self.call(Operation::Remembered, |store| store.remembered(scope, now))
    }

    fn touch(&self, keys: &[(KeyId, Timestamp)]) -> Result<()> {
        self.call(Operation::Touch, |store| store.touch(keys))
    }

    fn replay(&self, after: Revision, limit: usize) -> Result<Vec<Feed>> {
        let mut feeds = self.call(Operation::Replay, |store| store.replay(after, limit))?;
        let hidden = self.script.lock().hidden.clone();
        let lost = feeds.iter_mut().filter(|feed| hidden.contains(&feed.revision));
        lost.for_each(|feed| feed.changes.clear());
        Ok(feeds)
    }

    fn wait(&self, after: Revision, timeout: Duration) -> Result<Revision> {
        self.call(Operation::Wait, |store| store.wait(after, timeout))
    }

    fn head(&self) -> Result<Revision> {
        self.call(Operation::Head, LinkStore::head)
    }

    fn forget(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        self.call(Operation::Forget, |store| store.forget(before, now))
    }
}

impl<S: Sink> Sink for Faulty<S> {
    fn append(&self, mark: Mark, batch: &Batch) -> Result<Appended> {
        self.call(Operation::Append, |store| store.append(mark, batch))
    }

    fn durable(&self, epoch: Epoch) -> Result<u64> {
        self.call(Operation::Durable, |store| store.durable(epoch))
    }

    fn behind(&self) -> Option<Timestamp> {
        self.store.behind()
    }

    fn flush(&self) -> Result<()> {
        self.call(Operation::Flush, Sink::flush)
    }

    fn forget_epoch(&self, epoch: Epoch) -> Result<()> {
        self.call(Operation::ForgetEpoch, |store| store.forget_epoch(epoch))
    }
}

impl<S: ClickStore> ClickStore for Faulty<S> {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>> {
        self.call(Operation::RecordEvents, |store| store.record(events))
    }

    fn take_inserted(&self, look: &dyn Fn(&Inserted) -> Result<NewClick>) -> Result<u64> {
        self.call(Operation::TakeInserted, |store| store.take_inserted(look))
    }

    fn clicks(&self, query: &ClickQuery) -> Result<Page<StoredClick, Vec<u8>>> {
        self.call(Operation::Clicks, |store| store.clicks(query))
    }

    fn click(&self, id: ClickId) -> Result<Option<StoredClick>> {
        self.call(Operation::Click, |store| store.click(id))
    }

    fn totals(&self, links: &[LinkId]) -> Result<Vec<Totals>> {
        self.call(Operation::Totals, |store| store.totals(links))
    }

    fn tally(&self, query: &TallyQuery) -> Result<Vec<Bucket>> {
        self.call(Operation::Tally, |store| store.tally(query))
    }

    fn count(&self, scope: ClickScope, range: Range<Timestamp>) -> Result<Window> {
        self.call(Operation::Count, |store| store.count(scope, range.clone()))
    }

    fn link_counts(&self, query: &LinkCountQuery) -> Result<Page<LinkCount, LinkId>> {
        self.call(Operation::LinkCounts, |store| store.link_counts(query))
    }

    fn trim(&self, trim: Trim) -> Result<Trimmed> {
        self.call(Operation::Trim, |store| store.trim(trim))
    }
}

impl<S: Maintain> Maintain for Faulty<S> {
    fn check(&self) -> Result<Report> {
        self.call(Operation::Check, Maintain::check)
    }

    fn backup(&self, dir: &Path) -> Result<()> {
        self.call(Operation::Backup, |store| store.backup(dir))
    }

    fn ping(&self) -> Result<()> {
        self.call(Operation::Ping, Maintain::ping)
    }
}

impl<S: Transfer> Transfer for Faulty<S> {
    fn pieces(
        &self,
        part: Part,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Piece, Vec<u8>>> {
        self.call(Operation::Pieces, |store| store.pieces(part, after, limit))
    }

    fn restore(&self, part: Part, pieces: &[Piece], note: &[u8]) -> Result<()> {
        self.call(Operation::Restore, |store| store.restore(part, pieces, note))
    }

    fn note(&self, part: Part) -> Result<Option<Vec<u8>>> {
        self.call(Operation::Note, |store| store.note(part))
    }

    fn forget_notes(&self) -> Result<()> {
        self.call(Operation::ForgetNotes, Transfer::forget_notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AgentDetails, BatchBuilder, memory::MemoryStore};

    fn store() -> Faulty<MemoryStore> {
        Faulty::new(MemoryStore::new(|_| AgentDetails::default()))
    }

    fn away() -> Error {
        Error::Unavailable("away".into())
    }

    #[test]
    fn which_calls_fail() {
        let fault = || Fault::new(away());
        for (fault, fails) in [
            (fault(), [true, true, true, true]),
            (fault().times(2), [true, true, false, false]),
            (fault().after(1), [false, true, true, true]),
            (fault().after(2).times(1), [false, false, true, false]),
            (fault().times(0), [false, false, false, false]),
        ] {
            let store = store();
            store.fail(Operation::Head, fault.clone());
            assert_eq!([(); 4].map(|()| store.head().is_err()), fails, "{fault:?}");
            assert_eq!(store.calls(Operation::Head), 4);
            assert!(store.ping().is_ok());
        }
    }

    #[test]
    fn a_lost_acknowledgement_is_work_done() {
        let batch = {
            let mut bytes = Vec::new();
            BatchBuilder::default().finish(&mut bytes);
            Batch::decode(bytes).unwrap()
        };
        let mark = Mark { epoch: Epoch(1), sequence: 1 };
        for (fault, then) in [
            (Fault::new(away()), Appended::Fresh { discarded: 0 }),
            (Fault::new(away()).lost(), Appended::Duplicate),
        ] {
            let store = store();
            store.fail(Operation::Append, fault);
            assert_eq!(store.append(mark, &batch), Err(away()));
            store.heal();
            assert_eq!(store.append(mark, &batch), Ok(then));
        }
    }

    #[test]
    fn a_store_that_is_away_fails_in_everything() {
        let store = store();
        store.fail_all(&away());
        assert_eq!(store.ping(), Err(away()));
        assert_eq!(store.check(), Err(away()));
        assert_eq!(LinkStore::record(&store, Noun::Key, 1), Err(away()));
        assert_eq!(ClickStore::record(&store, &[]), Err(away()));
        assert_eq!(Operation::ALL.iter().map(|&op| store.calls(op)).sum::<u64>(), 4);
        store.heal();
        assert_eq!(store.ping(), Ok(()));
    }
}
