//! The small nouns: what a store keeps beside links and clicks.

use std::collections::BTreeMap;

use crate::{
    AlertId, CollectionId, DomainId, Hostname, KeyId, Lease, LinkId, Node, PixelId, SettingId,
    TagId, Timestamp, WorkspaceId,
};

/// The kinds of [`Record`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noun {
    /// [`Workspace`]
    Workspace,
    /// [`Key`]
    Key,
    /// [`Domain`]
    Domain,
    /// [`Collection`]
    Collection,
    /// [`AmazonTag`]
    Tag,
    /// [`Pixel`]
    Pixel,
    /// [`Alert`]
    Alert,
    /// [`Node`]
    Node,
    /// [`Lease`]
    Lease,
    /// [`Setting`]
    Setting,
}

/// One small object. Its id 0 asks the store for a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A tenant.
    Workspace(Workspace),
    /// An API key.
    Key(Key),
    /// A custom hostname.
    Domain(Domain),
    /// A group of links.
    Collection(Collection),
    /// An Amazon affiliate tag.
    Tag(AmazonTag),
    /// A tracking pixel.
    Pixel(Pixel),
    /// An email to be sent, or sent.
    Alert(Alert),
    /// A redirect node.
    Node(Node),
    /// A node's share of a click limit.
    Lease(Lease),
    /// A store-wide value.
    Setting(Setting),
}

impl Noun {
    /// Every noun.
    pub const ALL: [Self; 10] = [
        Self::Workspace,
        Self::Key,
        Self::Domain,
        Self::Collection,
        Self::Tag,
        Self::Pixel,
        Self::Alert,
        Self::Node,
        Self::Lease,
        Self::Setting,
    ];

    /// Whether the feed says that one is gone.
    pub const fn is_followed(self) -> bool {
        !matches!(self, Self::Node | Self::Lease)
    }
}

macro_rules! each {
    ($record:expr, $object:ident => $value:expr) => {
        match $record {
            Record::Workspace($object) => $value,
            Record::Key($object) => $value,
            Record::Domain($object) => $value,
            Record::Collection($object) => $value,
            Record::Tag($object) => $value,
            Record::Pixel($object) => $value,
            Record::Alert($object) => $value,
            Record::Node($object) => $value,
            Record::Lease($object) => $value,
            Record::Setting($object) => $value,
        }
    };
}

impl Record {
    /// Which kind it is.
    pub fn noun(&self) -> Noun {
        match self {
            Self::Workspace(_) => Noun::Workspace,
            Self::Key(_) => Noun::Key,
            Self::Domain(_) => Noun::Domain,
            Self::Collection(_) => Noun::Collection,
            Self::Tag(_) => Noun::Tag,
            Self::Pixel(_) => Noun::Pixel,
            Self::Alert(_) => Noun::Alert,
            Self::Node(_) => Noun::Node,
            Self::Lease(_) => Noun::Lease,
            Self::Setting(_) => Noun::Setting,
        }
    }

    /// Its id, 0 where it has none yet.
    pub fn id(&self) -> u64 {
        each!(self, object => object.id.0)
    }

    /// Gives it the id that the store chose.
    pub fn set_id(&mut self, id: u64) {
        each!(self, object => object.id.0 = id);
    }

    /// The workspace it belongs to: a workspace belongs to itself, nodes, leases and settings to
    /// none.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        match self {
            Self::Workspace(workspace) => Some(workspace.id),
            Self::Key(key) => Some(key.workspace),
            Self::Domain(domain) => Some(domain.workspace),
            Self::Collection(collection) => Some(collection.workspace),
            Self::Tag(tag) => Some(tag.workspace),
            Self::Pixel(pixel) => Some(pixel.workspace),
            Self::Alert(alert) => Some(alert.workspace),
            Self::Node(_) | Self::Lease(_) | Self::Setting(_) => None,
        }
    }

    /// Whether the feed carries it: a node says every few seconds that it is there, and a lease is
    /// its node's own affair, unless there is [`News`](crate::News).
    pub fn is_followed(&self) -> bool {
        match self {
            Self::Node(_) => false,
            Self::Lease(lease) => lease.news.is_some(),
            _ => true,
        }
    }

    /// What counts its puts, where puts are counted: one may only take the place of the version
    /// before.
    pub fn version(&self) -> Option<u64> {
        match self {
            Self::Lease(lease) => Some(lease.version),
            _ => None,
        }
    }

    /// Whether a record of `version` may take this one's place.
    pub fn is_succeeded_by(&self, version: Option<u64>) -> bool {
        version == self.version().map(|own| own.wrapping_add(1))
    }
}

/// The tenant: owns links, keys, domains, collections, tags, pixels and settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workspace {
    /// Assigned by the store.
    pub id: WorkspaceId,
    /// Unique in the store; `default` always exists.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// `base_url`, `timezone`, `plan`, `alert_email`, `profile.LinkedIn`, …
    pub settings: BTreeMap<String, String>,
}

impl Workspace {
    /// Whether clicks of known crawlers are left out of every count (SPEC 5).
    pub fn excludes_bots(&self) -> bool {
        self.settings.get("exclude_bots").is_some_and(|on| on == "true")
    }
}

/// What a `staff` key may do, a bit each (SPEC 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions(pub u16);

impl Permissions {
    /// Reading the workspace: its settings, collections, tags, pixels, domains and keys.
    pub const WORKSPACE_READ: Self = Self(1);
    /// Changing those.
    pub const WORKSPACE_WRITE: Self = Self(1 << 1);
    /// Reading links.
    pub const LINKS_READ: Self = Self(1 << 2);
    /// Making, changing and deleting links.
    pub const LINKS_WRITE: Self = Self(1 << 3);
    /// Reading clicks and statistics.
    pub const STATS_READ: Self = Self(1 << 4);
    /// Recording clicks.
    pub const CLICKS_WRITE: Self = Self(1 << 5);
    /// Registering and removing domains.
    pub const DOMAINS_WRITE: Self = Self(1 << 6);
    /// Making and revoking keys.
    pub const KEYS_WRITE: Self = Self(1 << 7);

    /// Every permission with its name.
    pub const NAMES: [(Self, &'static str); 8] = [
        (Self::WORKSPACE_READ, "workspace.read"),
        (Self::WORKSPACE_WRITE, "workspace.write"),
        (Self::LINKS_READ, "links.read"),
        (Self::LINKS_WRITE, "links.write"),
        (Self::STATS_READ, "stats.read"),
        (Self::CLICKS_WRITE, "clicks.write"),
        (Self::DOMAINS_WRITE, "domains.write"),
        (Self::KEYS_WRITE, "keys.write"),
    ];

    /// The permission of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(permission, _)| *permission)
    }

    /// Whether all of `other` are among these.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Whose rights a key acts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// All permissions.
    Owner,
    /// These and no others.
    Staff(Permissions),
}

impl Role {
    /// Whether this role may do `permission`.
    pub const fn may(self, permission: Permissions) -> bool {
        match self {
            Self::Owner => true,
            Self::Staff(own) => own.has(permission),
        }
    }

    /// Whether `other` may do nothing that this role may not.
    pub const fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Owner, _) => true,
            (Self::Staff(_), Self::Owner) => false,
            (Self::Staff(own), Self::Staff(other)) => own.has(other),
        }
    }
}

/// An API credential. The token itself is never kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Assigned by the store.
    pub id: KeyId,
    /// Whose workspace it opens.
    pub workspace: WorkspaceId,
    /// Public name, unique in the store.
    pub login: String,
    /// SHA-256 of the token, unique in the store.
    pub token_hash: [u8; 32],
    /// The first characters of the token's random part, for people to tell keys apart.
    pub prefix: String,
    /// A human's label.
    pub label: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Written at most once a minute, outside the feed.
    pub last_used_at: Option<Timestamp>,
    /// From then on it opens nothing.
    pub revoked_at: Option<Timestamp>,
}

/// How far a hostname has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DomainStatus {
    /// Registered, not proven.
    #[default]
    Pending,
    /// Proven: it resolves.
    Active,
    /// Its proof failed.
    Failed,
    /// Refused by the provider.
    Blocked,
    /// Given up; the name stays unknown to the default domain, and free to be claimed.
    Removed,
}

impl DomainStatus {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Removed => "removed",
        }
    }
}

/// How a hostname is proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// By fetching a token through itself.
    #[default]
    Own,
    /// By Cloudflare's Custom Hostnames.
    Cloudflare,
}

/// A custom hostname of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Assigned by the store.
    pub id: DomainId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// Unique in the store while it isn't removed.
    pub hostname: Hostname,
    /// How far it has come.
    pub status: DomainStatus,
    /// How it is proven.
    pub provider: Provider,
    /// What `/.well-known/waypost/{token}` must serve.
    pub token: String,
    /// The provider's own id.
    pub provider_id: Option<String>,
    /// The provider's word on the certificate.
    pub ssl_status: Option<String>,
    /// Why the proof failed.
    pub verification_errors: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the provider was last asked.
    pub synced_at: Option<Timestamp>,
}

impl Domain {
    /// What the path begins with that proves a hostname; its token follows.
    pub const PROOF_PATH: &'static str = "/.well-known/waypost/";

    /// What is served there. It doesn't contain the token, so a server that echoes what it is asked
    /// proves nothing.
    ///
    /// ```
    /// assert_eq!(waypost_link::Domain::proof(waypost_link::DomainId(7)), "waypost domain 7\n");
    /// ```
    pub fn proof(id: DomainId) -> String {
        format!("waypost domain {id}\n")
    }

    /// The path that proves it, where it is proven by what is fetched through itself.
    pub fn proof_path(&self) -> Option<String> {
        let own = self.provider == Provider::Own;
        own.then(|| format!("{}{}", Self::PROOF_PATH, self.token))
    }
}

/// A named group of links; linktrack's `group`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// Assigned by the store.
    pub id: CollectionId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// Not unique.
    pub name: String,
    /// A human's description.
    pub description: Option<String>,
    /// A colour of the palette, `#rrggbb`.
    pub color: String,
    /// Marked by its owner.
    pub starred: bool,
    /// Whether `/c/{alias}` picks a member.
    pub rotator_enabled: bool,
    /// Unique in the store.
    pub alias: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An Amazon affiliate tag, unique by workspace and store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AmazonTag {
    /// Assigned by the store.
    pub id: TagId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// A key of the store catalog, such as `US`.
    pub store: String,
    /// The affiliate tag.
    pub tag: String,
    /// Whether it is used.
    pub active: bool,
    /// Whether visitors are mapped to their country's store.
    pub geo_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A tracking pixel that fires on interstitials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pixel {
    /// Assigned by the store.
    pub id: PixelId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// `meta`, `tiktok` or `google`.
    pub platform: String,
    /// The platform's own id.
    pub pixel_id: String,
    /// A human's label.
    pub label: String,
    /// Whether it fires.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An email that a link's click count asked for: unique by link and threshold, so sent once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alert {
    /// Assigned by the store.
    pub id: AlertId,
    /// Whose alert address it goes to.
    pub workspace: WorkspaceId,
    /// The link.
    pub link: LinkId,
    /// The click that was reached.
    pub threshold: u64,
    /// When it was reached.
    pub created_at: Timestamp,
    /// How often sending failed.
    pub attempts: u32,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
}

/// A store-wide value, such as the secret that keys visitor hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Assigned by the store.
    pub id: SettingId,
    /// Unique in the store.
    pub name: String,
    /// Its bytes.
    pub value: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_have_one_name_each() {
        for (permission, name) in Permissions::NAMES {
            assert_eq!(Permissions::named(name), Some(permission));
            assert!(Role::Owner.may(permission));
            assert!(!Role::Staff(Permissions::default()).may(permission));
        }
        assert_eq!(Permissions::named("links"), None);
    }

    #[test]
    fn a_record_takes_its_id() {
        let mut record = Record::Collection(Collection::default());
        record.set_id(7);
        assert_eq!((record.noun(), record.id()), (Noun::Collection, 7));
    }
}
