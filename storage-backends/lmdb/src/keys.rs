//! How keys are spelled, so that LMDB's byte order is the order that is asked for.
//!
//! Ids are eight big-endian bytes, always last; what an index goes by is before them. Texts in
//! the middle of a key carry their length in front. A claim too long for LMDB is hashed: only
//! equality is ever asked of it.

use sha2::{Digest, Sha256};
use waypost_link::{
    Claim, CollectionId, DomainId, Noun, Timestamp, WorkspaceId,
    limits::{ATTRIBUTE_BYTES, ATTRIBUTE_NAME_BYTES},
};

use crate::limits;

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

/// The number of a noun in keys: part of the format.
pub(crate) const fn noun(noun: Noun) -> u8 {
    match noun {
        Noun::Workspace => 1,
        Noun::Key => 2,
        Noun::Domain => 3,
        Noun::Collection => 4,
        Noun::Tag => 5,
        Noun::Pixel => 6,
        Noun::Alert => 7,
        Noun::Node => 8,
        Noun::Lease => 9,
        Noun::Setting => 10,
    }
}

/// The noun of this number.
pub(crate) fn read_noun(number: u8) -> Option<Noun> {
    Noun::ALL.into_iter().find(|known| noun(*known) == number)
}

/// A record.
pub(crate) fn record(kind: Noun, id: u64) -> Vec<u8> {
    with_id(&[noun(kind)], id)
}

/// What the records of a workspace begin with.
pub(crate) fn owned(kind: Noun, workspace: WorkspaceId) -> Vec<u8> {
    with_id(&[noun(kind)], workspace.0)
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

/// A claim; [`Claim::Scope`] has none, its table is `remembered`.
pub(crate) fn claim(claim: &Claim) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(32);
    match claim {
        Claim::Name(name) => {
            key.push(1);
            domain(&mut key, name.domain);
            key.extend_from_slice(name.slug.as_str().as_bytes());
        }
        Claim::Workspace(name) => text(&mut key, 2, name),
        Claim::Login(login) => text(&mut key, 3, login),
        Claim::Token(hash) => {
            key.push(4);
            key.extend_from_slice(hash);
        }
        Claim::Hostname(hostname) => text(&mut key, 5, hostname.as_str()),
        Claim::Alias(alias) => text(&mut key, 6, alias),
        Claim::AmazonStore(workspace, store) => {
            key.push(7);
            key.extend_from_slice(&workspace.0.to_be_bytes());
            key.extend_from_slice(store.as_bytes());
        }
        Claim::Alert(link, threshold) => pair(&mut key, 8, link.0, *threshold),
        Claim::Node(name) => text(&mut key, 9, name),
        Claim::Lease(link, node) => pair(&mut key, 10, link.0, *node),
        Claim::Setting(name) => text(&mut key, 11, name),
        Claim::Scope(_) => return None,
    }
    Some(shortened(key))
}

fn named(workspace: WorkspaceId, name: &str) -> Vec<u8> {
    let mut key = with_id(&[], workspace.0);
    key.push(name.len() as u8);
    key.extend_from_slice(name.as_bytes());
    key
}

/// A domain in as few bytes as it needs: its length, then those bytes. The default one needs one.
fn domain(key: &mut Vec<u8>, domain: DomainId) {
    let bytes = domain.0.to_be_bytes();
    let zeros = domain.0.leading_zeros() as usize / 8;
    key.push((ID - zeros) as u8);
    key.extend_from_slice(&bytes[zeros..]);
}

fn text(key: &mut Vec<u8>, kind: u8, text: &str) {
    key.push(kind);
    key.extend_from_slice(text.as_bytes());
}

fn pair(key: &mut Vec<u8>, kind: u8, first: u64, second: u64) {
    key.push(kind);
    key.extend_from_slice(&first.to_be_bytes());
    key.extend_from_slice(&second.to_be_bytes());
}

/// A key that LMDB takes: a long one keeps its kind, marked, and becomes its SHA-256.
fn shortened(key: Vec<u8>) -> Vec<u8> {
    match key.first() {
        Some(kind) if key.len() > limits::KEY => {
            let mut short = vec![kind | 0x80];
            short.extend_from_slice(&Sha256::digest(&key));
            short
        }
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use waypost_link::{Hostname, LinkId, Name, Slug};

    use super::*;

    #[test]
    fn every_claim_has_a_key_of_its_own() {
        let long = "x".repeat(600);
        let name = |domain, slug: &str| Name {
            domain: DomainId(domain),
            slug: Slug::parse(slug).unwrap(),
        };
        let claims = [
            Claim::Name(name(0, "a")),
            Claim::Name(name(1, "a")),
            Claim::Name(name(256, "a")),
            Claim::Name(name(u64::MAX, "a")),
            Claim::Name(name(0, &"é".repeat(64))),
            Claim::Workspace("a".into()),
            Claim::Login("a".into()),
            Claim::Token([1; 32]),
            Claim::Hostname(Hostname::parse("a.example").unwrap()),
            Claim::Alias("a".into()),
            Claim::Alias(long.clone()),
            Claim::Alias(format!("{long}y")),
            Claim::AmazonStore(WorkspaceId(1), "US".into()),
            Claim::AmazonStore(WorkspaceId(2), "US".into()),
            Claim::Alert(LinkId(1), 2),
            Claim::Alert(LinkId(2), 1),
            Claim::Lease(LinkId(1), 2),
            Claim::Node("a".into()),
            Claim::Node(long),
            Claim::Setting("a".into()),
        ];
        let keys: std::collections::BTreeSet<_> = claims.iter().filter_map(claim).collect();
        assert_eq!(keys.len(), claims.len());
        assert!(keys.iter().all(|key| key.len() <= limits::KEY));
    }

    #[test]
    fn nouns_are_numbered() {
        for (at, kind) in Noun::ALL.into_iter().enumerate() {
            assert_eq!((usize::from(noun(kind)), read_noun(noun(kind))), (at + 1, Some(kind)));
        }
        assert_eq!((read_noun(0), read_noun(11)), (None, None));
    }

    #[test]
    fn times_are_in_order() {
        let times = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(times.windows(2).all(|pair| time(Timestamp(pair[0])) < time(Timestamp(pair[1]))));
    }

    #[test]
    fn an_attribute_knows_its_facet() {
        let (name, value) = ("n".repeat(64), "v".repeat(256));
        let key = with_id(&attribute(WorkspaceId(7), &name, &value), 9);
        assert!(key.len() <= limits::KEY);
        assert_eq!(facet_of_attribute(&key), Some(facet(WorkspaceId(7), &name, &value)));
        assert_eq!(id_of(&key), Some(9));
    }
}
