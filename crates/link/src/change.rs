//! The one write vocabulary: services make changes, stores commit them whole or not at all, and
//! the index applies what the feed brings.

use crate::{
    Hostname, Key, Link, LinkId, Name, Noun, Record, Timestamp, WorkspaceId, record::DomainStatus,
};

/// One step of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new link. Its id and version are unassigned here, assigned in the feed.
    CreateLink(Box<Link>),
    /// A link as it shall be. `link.version` is the version that was read (in the feed: the new
    /// one), `was` the name it had then, so that nobody who follows needs to look it up.
    UpdateLink {
        /// The whole new state.
        link: Box<Link>,
        /// Its name before.
        was: Name,
    },
    /// A link is gone, and its clicks will follow.
    DeleteLink {
        /// The link.
        id: LinkId,
        /// Its workspace.
        workspace: WorkspaceId,
        /// Its name.
        was: Name,
    },
    /// A small object: new where its id is unassigned, replaced whole otherwise. Nodes, and leases
    /// without news, are not in the feed.
    PutRecord(Record),
    /// A small object is gone.
    DeleteRecord {
        /// Its kind.
        noun: Noun,
        /// Its id.
        id: u64,
    },
    /// Keeps the answer to a repeated request. Not in the feed.
    Remember(Remembered),
}

/// What an `Idempotency-Key` brings back (SPEC 4): the ids that its commit made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// SHA-256 of the API key's id, the route and the idempotency key.
    pub scope: [u8; 32],
    /// SHA-256 of the request's body: another body under the same key is refused.
    pub request: [u8; 32],
    /// The status that was answered.
    pub status: u16,
    /// The ids made, in the order of the commit; the store fills them in.
    pub ids: Vec<u64>,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// A thing that only one object may hold, checked inside the commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// A code on a domain: a link's.
    Name(Name),
    /// A workspace's name.
    Workspace(String),
    /// A key's public id.
    Login(String),
    /// The hash of a key's token.
    Token([u8; 32]),
    /// A custom hostname, while its domain isn't removed.
    Hostname(Hostname),
    /// A rotator's alias.
    Alias(String),
    /// An Amazon store of a workspace.
    AmazonStore(WorkspaceId, String),
    /// A link's alert at a threshold.
    Alert(LinkId, u64),
    /// A node's name.
    Node(String),
    /// A node's lease of a link's limit; the link's account where the node is 0.
    Lease(LinkId, u64),
    /// A setting's name.
    Setting(String),
    /// A remembered answer's scope. Its holder is no object: read it with `remembered`.
    Scope([u8; 32]),
}

impl Link {
    /// What this link holds.
    pub fn claim(&self) -> Claim {
        Claim::Name(self.name())
    }
}

impl Record {
    /// What this record holds: at most two things.
    pub fn claims(&self) -> Vec<Claim> {
        match self {
            Self::Workspace(workspace) => vec![Claim::Workspace(workspace.name.clone())],
            Self::Key(Key { login, token_hash, .. }) => {
                vec![Claim::Login(login.clone()), Claim::Token(*token_hash)]
            }
            Self::Domain(domain) if domain.status == DomainStatus::Removed => Vec::new(),
            Self::Domain(domain) => vec![Claim::Hostname(domain.hostname.clone())],
            Self::Collection(collection) => {
                collection.alias.iter().cloned().map(Claim::Alias).collect()
            }
            Self::Tag(tag) => vec![Claim::AmazonStore(tag.workspace, tag.store.clone())],
            Self::Pixel(_) => Vec::new(),
            Self::Alert(alert) => vec![Claim::Alert(alert.link, alert.threshold)],
            Self::Node(node) => vec![Claim::Node(node.name.clone())],
            Self::Lease(lease) => vec![Claim::Lease(lease.link, lease.node.0)],
            Self::Setting(setting) => vec![Claim::Setting(setting.name.clone())],
        }
    }
}

impl Change {
    /// Whether the feed carries it: everything that an index or another node may need.
    pub fn is_followed(&self) -> bool {
        match self {
            Self::PutRecord(record) => record.is_followed(),
            Self::DeleteRecord { noun, .. } => noun.is_followed(),
            Self::CreateLink(_) | Self::UpdateLink { .. } | Self::DeleteLink { .. } => true,
            Self::Remember(_) => false,
        }
    }
}
