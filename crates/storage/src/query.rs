//! What may be asked: queries are data, pages are cut by key, never by offset.

use waypost_link::{CollectionId, DomainId, Flags, Link, LinkId, Noun, Timestamp, WorkspaceId};

use crate::{Detail, Grain, Scope, limits};

/// One page of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, Cursor> {
    /// What fits, in the order asked for.
    pub items: Vec<T>,
    /// Ask again with this as `after` for more; `None` at the end. A page may be short, even
    /// empty, and still not be the last: a store reads a bounded number of entries a page.
    pub next: Option<Cursor>,
}

/// The order of a page, by id or by time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    #[default]
    Descending,
}

/// Which links. All conditions must hold; one that is `None` always does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkQuery {
    /// Of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// On this domain.
    pub domain: Option<DomainId>,
    /// In this collection.
    pub collection: Option<CollectionId>,
    /// With this attribute of this value.
    pub attribute: Option<(String, String)>,
    /// Archived, or not.
    pub archived: Option<bool>,
    /// Active, or not.
    pub active: Option<bool>,
    /// Made at this time or later.
    pub created_from: Option<Timestamp>,
    /// Made before this time.
    pub created_before: Option<Timestamp>,
    /// Code, title, destination or a tag contains this, without case.
    pub text: Option<String>,
    /// By id.
    pub order: Order,
    /// After this one, in that order.
    pub after: Option<LinkId>,
    /// At most this many, see [`page_limit`].
    pub limit: usize,
}

impl LinkQuery {
    /// Whether `link` meets all conditions: what a backend asks of each link that its index
    /// offers. Case is Unicode's, folded by lower-casing.
    pub fn fits(&self, link: &Link) -> bool {
        let is = |wanted: Option<bool>, state: bool| wanted.is_none_or(|wanted| wanted == state);
        self.workspace.is_none_or(|workspace| workspace == link.workspace)
            && self.domain.is_none_or(|domain| domain == link.domain)
            && self.collection.is_none_or(|collection| link.collection == Some(collection))
            && self
                .attribute
                .as_ref()
                .is_none_or(|(name, value)| link.attributes.get(name) == Some(value.as_str()))
            && is(self.archived, link.archived_at.is_some())
            && is(self.active, link.flags.has(Flags::ACTIVE))
            && self.created_from.is_none_or(|from| link.created_at >= from)
            && self.created_before.is_none_or(|before| link.created_at < before)
            && self.text.as_ref().is_none_or(|text| mentions(link, &text.to_lowercase()))
    }
}

/// Which records of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordQuery {
    /// The kind.
    pub noun: Noun,
    /// Of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// By id.
    pub order: Order,
    /// After this one, in that order.
    pub after: Option<u64>,
    /// At most this many, as in [`LinkQuery`].
    pub limit: usize,
}

/// Whose clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickScope {
    /// One link's.
    Link(LinkId),
    /// A workspace's.
    Workspace(WorkspaceId),
}

/// Which raw clicks, ordered by the time clicked, then by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickQuery {
    /// Whose.
    pub scope: ClickScope,
    /// Clicked at this time or later.
    pub from: Option<Timestamp>,
    /// Clicked before this time.
    pub before: Option<Timestamp>,
    /// By time.
    pub order: Order,
    /// Opaque; from the page before.
    pub after: Option<Vec<u8>>,
    /// At most this many, as in [`LinkQuery`].
    pub limit: usize,
}

/// Which roll-up buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyQuery {
    /// Whose; several links are merged into one answer.
    pub scope: Scope,
    /// How wide a bucket is.
    pub grain: Grain,
    /// The first bucket: hours or days since 1970; of no account for all time.
    pub from: i64,
    /// The bucket after the last.
    pub to: i64,
    /// How much of each bucket.
    pub detail: Detail,
}

/// Which links of a workspace were clicked, and how often, in a range of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkCountQuery {
    /// Whose.
    pub workspace: WorkspaceId,
    /// The first UTC day, counted from 1970.
    pub from: i64,
    /// The day after the last.
    pub to: i64,
    /// After this link.
    pub after: Option<LinkId>,
    /// At most this many, as in [`LinkQuery`].
    pub limit: usize,
}

/// How many items a page may have that was asked for with `limit`: at least 1, at most
/// [`limits::PAGE`].
pub fn page_limit(limit: usize) -> usize {
    limit.clamp(1, limits::PAGE)
}

fn mentions(link: &Link, text: &str) -> bool {
    [link.slug.as_str(), link.destination.as_str()]
        .into_iter()
        .chain(link.title.as_deref())
        .chain(link.tags.iter().map(String::as_str))
        .any(|field| field.to_lowercase().contains(text))
}
