//! An index on huge pages: what changes leave behind is reclaimed there, and nothing gets lost.

use waypost_index::{Entry, Index};
use waypost_link::{DomainId, Link, Revision};

use crate::fixture::{link, name, update};

/// With destinations of a kilobyte, more than an index must have to stand on huge pages.
const LINKS: u64 = 40_000;

/// Destinations of all lengths up to 1,800 bytes, in no order: short ones fit the ends of chunks.
fn long(n: u64, version: u64) -> Link {
    let length = (n * 7_919 + version * 271) % 1_800;
    let to = format!("https://example.com/{version}/{}", "a".repeat(length as usize));
    link(n + 1, version, &name(0, &format!("code{n}")), &to)
}

#[test]
fn every_link_is_what_its_last_change_made_it() {
    let index = Index::new();
    let loader = index.loader();
    (0..LINKS).for_each(|n| loader.links([(&long(n, 1), 0)]));
    loader.publish(Revision(1));
    let changed: Vec<_> = (0..LINKS).map(|n| long(n * 7_919 % LINKS, 2)).collect();
    for (revision, link) in (2..).zip(&changed) {
        index.apply(Revision(revision), &[update(link, &link.name())]);
    }
    assert_eq!(index.stats().links as u64, LINKS);
    for expected in changed {
        let is_it = |entry: Entry<'_>| {
            entry.id == expected.id && entry.destination == expected.destination.as_str()
        };
        let code = expected.slug.as_str();
        assert_eq!(index.with(DomainId::DEFAULT, code, is_it), Some(true), "{code}");
    }
}
