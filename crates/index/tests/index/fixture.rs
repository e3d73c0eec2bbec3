//! Links, records and readings that the tests share.

use std::collections::BTreeSet;

use waypost_index::{Entry, Index, Rotation};
use waypost_link::{
    Change, Collection, CollectionId, Destination, DomainId, Link, LinkId, Name, Record, Slug,
    Timestamp, WorkspaceId,
};

pub(crate) fn name(domain: u64, code: &str) -> Name {
    Name { domain: DomainId(domain), slug: Slug::parse(code).unwrap() }
}

pub(crate) fn destination(text: &str) -> Destination {
    Destination::restore(text).unwrap()
}

pub(crate) fn link(id: u64, version: u64, name: &Name, to: &str) -> Link {
    let slug = name.slug.clone();
    let link = Link::new(WorkspaceId(1), name.domain, slug, destination(to), Timestamp(0));
    Link { id: LinkId(id), version, ..link }
}

pub(crate) fn create(link: &Link) -> Change {
    Change::CreateLink(Box::new(link.clone()))
}

pub(crate) fn update(link: &Link, was: &Name) -> Change {
    Change::UpdateLink { link: Box::new(link.clone()), was: was.clone() }
}

pub(crate) fn delete(link: &Link) -> Change {
    Change::DeleteLink { id: link.id, workspace: link.workspace, was: link.name() }
}

/// A collection with a rotator at `/c/{alias}`.
pub(crate) fn rotator(id: u64, alias: &str) -> Record {
    Record::Collection(Collection {
        id: CollectionId(id),
        rotator_enabled: true,
        alias: Some(alias.into()),
        ..Collection::default()
    })
}

/// All that a redirect can see of a link, as text.
pub(crate) fn seen(index: &Index, name: &Name) -> Option<String> {
    index.with(name.domain, name.slug.as_str(), |entry: Entry<'_>| {
        let details = entry.details.map(|details| {
            let max = details.limit.as_ref().map(|limit| limit.max);
            (max, details.utm.source.clone(), details.rules.len(), details.expires_at)
        });
        let Entry { id, workspace, domain, version, status, flags, code, destination, .. } = entry;
        format!("{id} {workspace} {domain} {version} {status:?} {flags:?} {code} {destination} {details:?}")
    })
}

/// What [`seen`] should give for `link`.
pub(crate) fn expected(link: &Link) -> String {
    let plain = link.max_clicks.is_none() && link.utm.is_empty() && link.expires_at.is_none();
    let details = (!plain)
        .then(|| (link.max_clicks, link.utm.source.clone(), link.rules.len(), link.expires_at));
    let Link { id, workspace, domain, version, status, flags, slug, destination, .. } = link;
    format!(
        "{id} {workspace} {domain} {version} {status:?} {flags:?} {slug} {destination} {details:?}"
    )
}

/// The members of a rotation: every one is picked once.
pub(crate) fn members(rotation: &Rotation) -> BTreeSet<Name> {
    let length = rotation.len() as u128;
    let picks = (0..length).map(|nth| (((nth << 64) / length) as u64).saturating_add(1));
    let picked: Vec<_> = picks.map(|random| rotation.pick(random).unwrap()).collect();
    let set: BTreeSet<_> = picked.iter().map(|name| (**name).clone()).collect();
    assert_eq!(set.len(), picked.len(), "a member stands twice");
    set
}

/// SplitMix64.
pub(crate) fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
