//! [`ClickStore`]: clicks, their roll-ups, and the promise that none counts twice.

use std::{net::IpAddr, ops::Range};

use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};

use crate::{
    Batch, Bucket, ClickQuery, ClickScope, LinkCount, LinkCountQuery, Page, Result, TallyQuery,
    Totals, Window,
};

/// One run of one writer: random, so that no two ever share their sequence numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u128);

/// Names a journal batch for ever: the same mark is the same batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Whose.
    pub epoch: Epoch,
    /// Counts up from 1 in its epoch.
    pub sequence: u64,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Taken: every statistic sees it from now on, or once the store has caught up
    /// ([`Sink::behind`]).
    Fresh {
        /// Clicks of links that are deleted: not kept.
        discarded: u64,
    },
    /// It was here before: nothing was counted.
    Duplicate,
}

/// Where the click writer's batches go.
pub trait Sink: Send + Sync {
    /// Takes a batch, once: batches of an epoch come in the order of their sequence, repeated
    /// ones are known by it. Statistics see it at once, as long as the store is not
    /// [behind](Sink::behind); it is durable once [`Sink::durable`] says so, and until then the
    /// caller keeps it.
    ///
    /// Sequences may have gaps, but none comes after a higher one, unless it is repeated. Which
    /// links are deleted is known from [`Trim::Link`].
    ///
    /// # Errors
    /// `Full`, `Unavailable`: nothing was taken, offer it again later. `Corrupt`: the batch's
    /// clicks can't be read, and nothing was taken.
    fn append(&self, mark: Mark, batch: &Batch) -> Result<Appended>;

    /// The last sequence of `epoch` that is on disk, with all before it; 0 where none is, or the
    /// epoch is forgotten.
    ///
    /// # Errors
    /// `Unavailable`.
    fn durable(&self, epoch: Epoch) -> Result<u64>;

    /// When the oldest click was received that was taken and that statistics don't show: the store
    /// can't keep up, and reads don't wait for it. `None` where they show all.
    fn behind(&self) -> Option<Timestamp> {
        None
    }

    /// Makes durable what was taken, so that statistics show it.
    ///
    /// # Errors
    /// `Full`, `Unavailable`: what was taken is still there, and still not durable.
    fn flush(&self) -> Result<()>;

    /// Forgets the mark of an epoch that will never be heard of again.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    fn forget_epoch(&self, epoch: Epoch) -> Result<()>;
}

/// A click that somebody reports, rather than a redirect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewClick {
    /// Its name, chosen by the caller: `received` is the time of receipt.
    pub id: ClickId,
    /// The link's owner.
    pub workspace: WorkspaceId,
    /// When it was clicked, which statistics go by.
    pub clicked_at: Timestamp,
    /// The visitor's address, in the form that is kept.
    pub ip: Option<String>,
    /// ISO 3166-1 alpha-2 in capitals.
    pub country: Option<[u8; 2]>,
    /// `User-Agent`.
    pub user_agent: String,
    /// The referrer's host.
    pub referrer: String,
    /// The first language.
    pub language: String,
    /// The caller's session.
    pub session: Option<String>,
    /// Hash of session, or of address, user agent and day: who counts as one visitor.
    pub visitor: u64,
    /// `email`, `direct`, …
    pub source: String,
    /// A JSON object, as sent.
    pub metadata: Option<String>,
    /// A repetition with the same key is the same click: SHA-256 of what makes it so.
    pub dedupe: Option<[u8; 32]>,
}

/// A click that another program has put into the store beside Waypost, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// The link.
    pub link: LinkId,
    /// The link's owner.
    pub workspace: WorkspaceId,
    /// When it was put there.
    pub received: Timestamp,
    /// When it was clicked.
    pub clicked_at: Timestamp,
    /// The visitor's address.
    pub ip: Option<IpAddr>,
    /// `User-Agent`.
    pub user_agent: String,
    /// The referring page, a URL.
    pub referrer: String,
    /// The program's session.
    pub session: Option<String>,
    /// `email`, `direct`, …
    pub source: String,
    /// A JSON object.
    pub metadata: Option<String>,
}

/// A conversion of a click.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// The click; each converts once.
    pub click: ClickId,
    /// The link's owner.
    pub workspace: WorkspaceId,
    /// When.
    pub at: Timestamp,
    /// What it was worth, as sent.
    pub value: Option<String>,
}

/// What doesn't pass through the journal: stored before it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A reported click.
    Click(Box<NewClick>),
    /// A conversion.
    Conversion(Conversion),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Stored.
    Stored(ClickId),
    /// Known before, by this id; nothing was counted.
    Duplicate(ClickId),
    /// The link is deleted, or the click to convert doesn't exist.
    Unknown,
}

/// A raw click, looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredClick {
    /// Its name.
    pub id: ClickId,
    /// The link's owner.
    pub workspace: WorkspaceId,
    /// When it was clicked.
    pub clicked_at: Timestamp,
    /// The visitor's address, in the form that is kept.
    pub ip: Option<String>,
    /// ISO 3166-1 alpha-2 in capitals.
    pub country: Option<[u8; 2]>,
    /// `User-Agent`.
    pub user_agent: String,
    /// What that says: `Chrome`, …
    pub browser: &'static str,
    /// `Windows`, …
    pub os: &'static str,
    /// `Mobile`, …
    pub device: &'static str,
    /// Whether it is a known crawler.
    pub bot: bool,
    /// The referrer's host.
    pub referrer: String,
    /// The first language.
    pub language: String,
    /// The caller's session.
    pub session: Option<String>,
    /// `redirect`, `email`, `direct`, …
    pub source: String,
    /// A JSON object, as sent.
    pub metadata: Option<String>,
    /// The id of the rule that served it.
    pub rule: String,
}

/// What may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trim {
    /// Raw clicks received before this; roll-ups stay. A click that is gone can't convert; the
    /// dedupe key of a reported one may be forgotten with it.
    Before(Timestamp),
    /// Everything of a deleted link: raw clicks, roll-ups, dedupe keys, conversions, and its share
    /// in its workspace's buckets; later clicks of it are discarded. Doing it again does nothing.
    ///
    /// The visitors of the workspace's buckets stay, since a sketch can't forget: until a bucket
    /// is empty they still count those who only clicked links that are deleted.
    Link(LinkId, WorkspaceId),
}

/// What a trim took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Raw clicks.
    pub clicks: u64,
    /// Whether there is more to do: a trim works a bounded time.
    pub more: bool,
}

/// Clicks and their roll-ups.
pub trait ClickStore: Sink {
    /// Stores events durably, each once, in one group commit; the next read sees them. Each event
    /// sees those before it. A conversion counts in the buckets of its own time.
    ///
    /// # Errors
    /// `Full`, `Unavailable`: none was stored.
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>>;

    /// Stores some of the clicks that other programs have put into the store, each once, as what
    /// `look` makes of it; how many there were. Where no other program can, there are none.
    ///
    /// # Errors
    /// `Full`, `Unavailable`, and those of `look`: none was taken.
    fn take_inserted(&self, look: &dyn Fn(&Inserted) -> Result<NewClick>) -> Result<u64> {
        let _ = look;
        Ok(0)
    }

    /// A page of raw clicks.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`: as every read.
    fn clicks(&self, query: &ClickQuery) -> Result<Page<StoredClick, Vec<u8>>>;

    /// How many raw clicks there are of `scope` at `range.start` or later and before `range.end`.
    ///
    /// # Errors
    /// As every read.
    fn count(&self, scope: ClickScope, range: Range<Timestamp>) -> Result<Window>;

    /// The click of this id, while it is kept.
    ///
    /// # Errors
    /// As every read.
    fn click(&self, id: ClickId) -> Result<Option<StoredClick>>;

    /// What each of `links` has had in all, in that order; zeros for one never clicked.
    ///
    /// # Errors
    /// As every read.
    fn totals(&self, links: &[LinkId]) -> Result<Vec<Totals>>;

    /// The buckets that hold anything, oldest first.
    ///
    /// # Errors
    /// As every read.
    fn tally(&self, query: &TallyQuery) -> Result<Vec<Bucket>>;

    /// The links clicked in a range of days with their counts, by link.
    ///
    /// # Errors
    /// As every read.
    fn link_counts(&self, query: &LinkCountQuery) -> Result<Page<LinkCount, LinkId>>;

    /// Takes away what may go, for a bounded time.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    fn trim(&self, trim: Trim) -> Result<Trimmed>;
}
