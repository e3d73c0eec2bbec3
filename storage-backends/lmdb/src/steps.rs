//! What a commit shall write, spelled out before it reaches the write thread.
//!
//! Encoding, checksums and index keys cost more than the writing: the caller's thread does them,
//! many at a time, and the write thread only looks up, decides and copies. A new object's value
//! doesn't hold its id, and its version is known beforehand, so a value is final here.

use waypost_link::{
    Change, Claim, CollectionId, Link, LinkId, Noun, Record, Remembered, WorkspaceId,
};

use crate::{codec, keys};

/// One change, spelled out.
pub(crate) enum Step {
    /// A new link.
    Create(LinkStep),
    /// A link as it shall be.
    Update(LinkStep),
    /// A link goes.
    Delete(LinkId),
    /// A record, new or replaced.
    Put(RecordStep),
    /// A record goes.
    Drop(Noun, u64),
    /// An answer is kept.
    Remember(Remembered),
}

/// A link's new state.
pub(crate) struct LinkStep {
    /// Its id, where it has one.
    pub(crate) id: LinkId,
    /// The version that was read.
    pub(crate) version: u64,
    /// Its value, sealed, in the version after that.
    pub(crate) value: Vec<u8>,
    /// What indexes see of it.
    pub(crate) face: Face,
}

/// What claims and indexes see of a link.
#[derive(PartialEq, Eq)]
pub(crate) struct Face {
    /// Its owner.
    pub(crate) workspace: WorkspaceId,
    /// Its collection.
    pub(crate) collection: Option<CollectionId>,
    /// What it holds, and that claim's key.
    pub(crate) claim: (Claim, Vec<u8>),
    /// For each attribute the front of its index key, and its facet's key.
    pub(crate) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A record's new state.
pub(crate) struct RecordStep {
    /// Its kind.
    pub(crate) noun: Noun,
    /// Its id, 0 where it has none yet.
    pub(crate) id: u64,
    /// Its value, sealed.
    pub(crate) value: Vec<u8>,
    /// What counts its puts.
    pub(crate) version: Option<u64>,
    /// Whether the feed carries it.
    pub(crate) followed: bool,
    /// Its workspace; a workspace's own is not known before it has an id.
    pub(crate) workspace: Option<WorkspaceId>,
    /// What it holds.
    pub(crate) claims: Vec<(Claim, Vec<u8>)>,
}

impl Step {
    /// Spells out `change`.
    pub(crate) fn of(change: &Change) -> Self {
        match change {
            Change::CreateLink(link) => Self::Create(LinkStep::of(link, 0)),
            Change::UpdateLink { link, .. } => Self::Update(LinkStep::of(link, link.version)),
            Change::DeleteLink { id, .. } => Self::Delete(*id),
            Change::PutRecord(record) => Self::Put(RecordStep::of(record)),
            Change::DeleteRecord { noun, id } => Self::Drop(*noun, *id),
            Change::Remember(remembered) => Self::Remember(remembered.clone()),
        }
    }

    /// Spells out a link in the version that it has.
    pub(crate) fn as_it_is(link: &Link) -> Self {
        Self::Create(LinkStep::of(link, link.version.wrapping_sub(1)))
    }

    /// Spells out a record.
    pub(crate) fn of_record(record: &Record) -> Self {
        Self::Put(RecordStep::of(record))
    }
}

impl LinkStep {
    fn of(link: &Link, version: u64) -> Self {
        let value = codec::seal(codec::link_bytes(link, version.wrapping_add(1)));
        Self { id: link.id, version, value, face: Face::of(link) }
    }
}

impl Face {
    /// What claims and indexes see of `link`.
    pub(crate) fn of(link: &Link) -> Self {
        let keys = |(name, value)| {
            let front = keys::attribute(link.workspace, name, value);
            (front, keys::facet(link.workspace, name, value))
        };
        let claim = link.claim();
        let key = codec::claim(&claim).unwrap_or_default();
        Self {
            workspace: link.workspace,
            collection: link.collection,
            claim: (claim, key),
            attributes: link.attributes.iter().map(keys).collect(),
        }
    }
}

impl RecordStep {
    fn of(record: &Record) -> Self {
        Self {
            noun: record.noun(),
            id: record.id(),
            value: codec::seal(codec::record_bytes(record)),
            version: record.version(),
            followed: record.is_followed(),
            workspace: record.workspace(),
            claims: claims(record),
        }
    }

    /// Whose it is once it has this id.
    pub(crate) fn owner(&self, id: u64) -> Option<WorkspaceId> {
        if self.noun == Noun::Workspace { Some(WorkspaceId(id)) } else { self.workspace }
    }
}

/// What `record` holds, with the claims' keys.
pub(crate) fn claims(record: &Record) -> Vec<(Claim, Vec<u8>)> {
    let with_key = |claim: Claim| codec::claim(&claim).map(|key| (claim, key));
    record.claims().into_iter().filter_map(with_key).collect()
}
