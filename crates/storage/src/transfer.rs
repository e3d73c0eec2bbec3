//! [`Transfer`]: what a store keeps, piece by piece and in no backend's spelling, so that it can
//! move to another.
//!
//! A piece is a row that both sides understand: a link with its id and version, a bucket's counts
//! with their sketches, a raw click. Reading gives pieces by page; restoring adds them to a store
//! that began empty, and notes in the same step how far it has come, so that a copy that was
//! killed goes on where it was and nothing is added twice. [`copy`](copy()) is who drives both.
//!
//! Marks of journals are no piece: what is in a journal belongs to the store it was written for.
//! Neither are nodes and leases, which say who works on a store, nor its own number
//! ([`STORE_ID`]): a copy counts its commits for itself.

mod copy;
mod figures;

use waypost_link::{
    ClickId, Link, LinkId, Noun, Record, Remembered, Revision, Timestamp, WorkspaceId,
};

use crate::{
    ClickQuery, ClickScope, Counts, Grain, LinkQuery, LinkStore, Order, Page, RecordQuery, Result,
    StoredClick,
};

pub use copy::{Copied, CopyError, Side, assert_whole, copy, unfinished};
pub use figures::Figures;

/// The setting that says which store it is: a copy is another.
pub const STORE_ID: &str = "store_id";

/// A part of a store, moved one after the other in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Part {
    /// Workspaces, keys, domains, settings, …
    Records = 1,
    /// Links.
    Links,
    /// Answers to requests with an idempotency key.
    Answers,
    /// Deleted links whose clicks are discarded.
    Purged,
    /// Roll-ups.
    Buckets,
    /// What a link has beside its buckets.
    Extras,
    /// Raw clicks.
    Clicks,
    /// Dedupe keys of reported clicks.
    Dedupe,
    /// Clicks that converted.
    Conversions,
    /// How far raw clicks were trimmed.
    Retention,
    /// The head of the feed and the last ids: a store that has it is whole.
    State,
}

impl Part {
    /// All of them, in the order they are moved.
    pub const ALL: [Self; 11] = [
        Self::Records,
        Self::Links,
        Self::Answers,
        Self::Purged,
        Self::Buckets,
        Self::Extras,
        Self::Clicks,
        Self::Dedupe,
        Self::Conversions,
        Self::Retention,
        Self::State,
    ];

    /// Whether it is about clicks: a store may keep those apart.
    pub const fn is_of_clicks(self) -> bool {
        !matches!(self, Self::Records | Self::Links | Self::Answers | Self::State)
    }
}

/// Whose bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A link's.
    Link(LinkId),
    /// Its workspace's own.
    Workspace,
}

/// A row of a store.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// A link as it is.
    Link(Box<Link>),
    /// A record as it is; a key with the last time it was used.
    Record(Box<Record>),
    /// A remembered answer with the ids that were made.
    Answer(Remembered),
    /// A deleted link whose clicks are discarded.
    Purged(LinkId),
    /// What is to be added to a bucket; several may be of the same.
    Bucket {
        /// The workspace.
        workspace: WorkspaceId,
        /// Whose of that workspace.
        owner: Owner,
        /// How wide.
        grain: Grain,
        /// Which one.
        start: i64,
        /// What it holds.
        counts: Box<Counts>,
    },
    /// What is to be added to a link beside its buckets; several may be of the same.
    Extra(Extra),
    /// A raw click.
    Click(Box<StoredClick>),
    /// A dedupe key, and the click it belongs to.
    Dedupe([u8; 32], ClickId),
    /// A click that converted: when, and what it was worth.
    Conversion(ClickId, Timestamp, Option<String>),
    /// Raw clicks received before this are gone.
    Retention(Timestamp),
    /// The feed's head, and the last ids given: to links, then to each noun by its number
    /// ([`codec::noun`](crate::codec::noun)).
    State(Revision, Vec<u64>),
}

/// What a link has beside its buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra {
    /// The link.
    pub link: LinkId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// Clicks that count towards its limit.
    pub spent: u64,
    /// The earliest time clicked.
    pub first: Option<Timestamp>,
    /// The latest time clicked.
    pub last: Option<Timestamp>,
}

/// A store that can be read whole, and made from what was read.
pub trait Transfer: Send + Sync {
    /// A page of a part that only this trait can read: all but links, records and raw clicks. The
    /// order is the store's own, the cursor opaque.
    ///
    /// # Errors
    /// As every read.
    fn pieces(
        &self,
        part: Part,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Piece, Vec<u8>>>;

    /// Adds `pieces` of `part` and keeps `note`, durably, both or neither. The store began empty;
    /// nobody else works on it.
    ///
    /// # Errors
    /// `Full`, `Unavailable`: nothing was done, or it is not known. `Corrupt`: a piece of another
    /// part.
    fn restore(&self, part: Part, pieces: &[Piece], note: &[u8]) -> Result<()>;

    /// What was noted last with this part.
    ///
    /// # Errors
    /// As every read.
    fn note(&self, part: Part) -> Result<Option<Vec<u8>>>;

    /// Forgets all notes: the store is whole.
    ///
    /// # Errors
    /// `Full`, `Unavailable`.
    fn forget_notes(&self) -> Result<()>;
}

/// A page of any part of a store.
fn read(
    side: &Side<'_>,
    part: Part,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<Piece, Vec<u8>>> {
    match part {
        Part::Records => records(side.links, after, limit),
        Part::Links => links(side.links, after, limit),
        Part::Clicks => clicks(side, after, limit),
        _ => side.transfer.pieces(part, after, limit),
    }
}

fn links(
    store: &dyn LinkStore,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<Piece, Vec<u8>>> {
    let after = after.map(|after| LinkId(number(after)));
    let page = store.links(&LinkQuery {
        order: Order::Ascending,
        after,
        limit,
        ..LinkQuery::default()
    })?;
    Ok(Page {
        items: page.items.into_iter().map(|link| Piece::Link(Box::new(link))).collect(),
        next: page.next.map(|next| next.0.to_be_bytes().to_vec()),
    })
}

/// Cursor: the noun's place, and the last id.
fn records(
    store: &dyn LinkStore,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<Piece, Vec<u8>>> {
    let (at, rest) = split(after);
    let Some(&noun) = MOVED.get(at as usize) else { return Ok(Page { items: vec![], next: None }) };
    let query = RecordQuery {
        noun,
        workspace: None,
        order: Order::Ascending,
        after: rest.map(number),
        limit,
    };
    let page = store.records(&query)?;
    let next = match page.next {
        Some(id) => Some(join(at, &id.to_be_bytes())),
        None => ((at as usize) + 1 < MOVED.len()).then(|| join(at + 1, &[])),
    };
    let records = page.items.into_iter().filter(|record| !is_own(record));
    Ok(Page { items: records.map(|record| Piece::Record(Box::new(record))).collect(), next })
}

/// Whether a record says which store it is in.
fn is_own(record: &Record) -> bool {
    matches!(record, Record::Setting(setting) if setting.name == STORE_ID)
}

/// Nouns that are moved.
const MOVED: [Noun; 8] = [
    Noun::Workspace,
    Noun::Key,
    Noun::Domain,
    Noun::Collection,
    Noun::Tag,
    Noun::Pixel,
    Noun::Alert,
    Noun::Setting,
];

/// Cursor: the workspace, and the cursor in it.
fn clicks(side: &Side<'_>, after: Option<&[u8]>, limit: usize) -> Result<Page<Piece, Vec<u8>>> {
    let (workspace, rest) = split(after);
    if workspace == 0 {
        return Ok(Page { items: vec![], next: next_workspace(side.links, 0)? });
    }
    let query = ClickQuery {
        scope: ClickScope::Workspace(WorkspaceId(workspace)),
        from: None,
        before: None,
        order: Order::Ascending,
        after: rest.map(<[u8]>::to_vec),
        limit,
    };
    let page = side.clicks.clicks(&query)?;
    let next = match page.next {
        Some(next) => Some(join(workspace, &next)),
        None => next_workspace(side.links, workspace)?,
    };
    Ok(Page { items: page.items.into_iter().map(|c| Piece::Click(Box::new(c))).collect(), next })
}

fn next_workspace(store: &dyn LinkStore, after: u64) -> Result<Option<Vec<u8>>> {
    let query = RecordQuery {
        noun: Noun::Workspace,
        workspace: None,
        order: Order::Ascending,
        after: Some(after),
        limit: 1,
    };
    let page = store.records(&query)?;
    Ok(page.items.first().map(|workspace| join(workspace.id(), &[])))
}

/// The number in front of a cursor, and what is behind it.
fn split(cursor: Option<&[u8]>) -> (u64, Option<&[u8]>) {
    match cursor.and_then(|cursor| cursor.split_first_chunk::<8>()) {
        Some((first, rest)) => (u64::from_be_bytes(*first), Some(rest).filter(|r| !r.is_empty())),
        None => (0, None),
    }
}

fn join(first: u64, rest: &[u8]) -> Vec<u8> {
    [&first.to_be_bytes()[..], rest].concat()
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
