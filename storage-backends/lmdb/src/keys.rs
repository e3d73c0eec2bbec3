//! How keys are spelled, so that LMDB's byte order is the order that is asked for.
//!
//! Ids are eight big-endian bytes, always last; what an index goes by is before them. Texts in
//! the middle of a key carry their length in front.

use waypost_link::{
    CollectionId, Noun, Timestamp, WorkspaceId,
    limits::{ATTRIBUTE_BYTES, ATTRIBUTE_NAME_BYTES},
};

use crate::codec;

/// Bytes of an id in a key.
pub(crate) const ID: usize = 8;

/// `prefix`, then `id`.
pub(crate) fn with_id(prefix: &[u8], id: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len() + ID);
    key.extend_from_slice(prefix);
    key.extend_from_slice(&id.to_be_bytes());
    key
}

/// The id at the end of `key`.
pub(crate) fn id_of(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// A record.
pub(crate) fn record(kind: Noun, id: u64) -> Vec<u8> {
    with_id(&[codec::noun(kind)], id)
}

/// What the records of a workspace begin with.
pub(crate) fn owned(kind: Noun, workspace: WorkspaceId) -> Vec<u8> {
    with_id(&[codec::noun(kind)], workspace.0)
}

/// What the links of a workspace begin with.
pub(crate) fn workspace(workspace: WorkspaceId) -> Vec<u8> {
    with_id(&[], workspace.0)
}

/// What the links of a collection begin with.
pub(crate) fn collection(collection: CollectionId) -> Vec<u8> {
    with_id(&[], collection.0)
}

/// What the facets of an attribute begin with: its values follow, in their order. `None` for a
/// name that no attribute can have.
pub(crate) fn facets(workspace: WorkspaceId, name: &str) -> Option<Vec<u8>> {
    (name.len() <= ATTRIBUTE_NAME_BYTES).then(|| named(workspace, name))
}

/// The facet of a value of an attribute that a link has.
pub(crate) fn facet(workspace: WorkspaceId, name: &str, value: &str) -> Vec<u8> {
    let mut key = named(workspace, name);
    key.extend_from_slice(value.as_bytes());
    key
}

/// What the links with this value of an attribute begin with; both are of a link.
pub(crate) fn attribute(workspace: WorkspaceId, name: &str, value: &str) -> Vec<u8> {
    let mut key = named(workspace, name);
    key.extend_from_slice(&(value.len() as u16).to_be_bytes());
    key.extend_from_slice(value.as_bytes());
    key
}

/// [`attribute`] and [`facet`] of what somebody asks for; `None` where no link can have it.
pub(crate) fn asked(workspace: WorkspaceId, name: &str, value: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let fits = name.len() <= ATTRIBUTE_NAME_BYTES && value.len() <= ATTRIBUTE_BYTES;
    fits.then(|| (attribute(workspace, name, value), facet(workspace, name, value)))
}

/// The facet of a key that [`attribute`] began.
pub(crate) fn facet_of_attribute(key: &[u8]) -> Option<Vec<u8>> {
    let name = usize::from(*key.get(ID)?);
    let (front, rest) = key.split_at_checked(ID + 1 + name)?;
    let (length, rest) = rest.split_first_chunk()?;
    let value = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
    Some([front, value].concat())
}

/// A part of a feed entry.
pub(crate) fn feed(revision: u64, part: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..ID].copy_from_slice(&revision.to_be_bytes());
    key[ID..].copy_from_slice(&part.to_be_bytes());
    key
}

/// The revision and part of a feed's key.
pub(crate) fn read_feed(key: &[u8]) -> Option<(u64, u32)> {
    let (revision, part) = key.split_first_chunk()?;
    Some((u64::from_be_bytes(*revision), u32::from_be_bytes(part.try_into().ok()?)))
}

/// When a remembered answer goes.
pub(crate) fn expiry(at: Timestamp, scope: &[u8; 32]) -> Vec<u8> {
    let mut key = time(at).to_vec();
    key.extend_from_slice(scope);
    key
}

/// A time, in order from the most negative on.
pub(crate) fn time(at: Timestamp) -> [u8; 8] {
    ((at.0 as u64) ^ (1 << 63)).to_be_bytes()
}

/// Where `meta` keeps the last id given to a noun, or a link.
pub(crate) const fn counter(kind: Option<Noun>) -> &'static str {
    match kind {
        None => "id/link",
        Some(Noun::Workspace) => "id/workspace",
        Some(Noun::Key) => "id/key",
        Some(Noun::Domain) => "id/domain",
        Some(Noun::Collection) => "id/collection",
        Some(Noun::Tag) => "id/tag",
        Some(Noun::Pixel) => "id/pixel",
        Some(Noun::Alert) => "id/alert",
        Some(Noun::Node) => "id/node",
        Some(Noun::Lease) => "id/lease",
        Some(Noun::Setting) => "id/setting",
    }
}

fn named(workspace: WorkspaceId, name: &str) -> Vec<u8> {
    let mut key = with_id(&[], workspace.0);
    key.push(name.len() as u8);
    key.extend_from_slice(name.as_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_order() {
        let times = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(times.windows(2).all(|pair| time(Timestamp(pair[0])) < time(Timestamp(pair[1]))));
    }

    #[test]
    fn an_attribute_knows_its_facet() {
        let (name, value) = ("n".repeat(64), "v".repeat(256));
        let key = with_id(&attribute(WorkspaceId(7), &name, &value), 9);
        assert!(key.len() <= crate::limits::KEY);
        assert_eq!(facet_of_attribute(&key), Some(facet(WorkspaceId(7), &name, &value)));
        assert_eq!(id_of(&key), Some(9));
    }
}
