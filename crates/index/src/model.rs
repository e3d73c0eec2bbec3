//! The index under a model checker: every interleaving of a reader with the writer.
//!
//! A reader finds a link's old entry or its new one, whole, and never neither; and who has waited
//! for a commit sees it. `cargo xtask test models` runs it.

use std::{sync::Arc, time::Duration};

use loom::thread;
use waypost_link::{
    Change, Destination, DomainId, Link, LinkId, Revision, Schemes, Slug, Timestamp, WorkspaceId,
};

use crate::Index;

const CODE: &str = "code";

fn link(version: u64) -> Box<Link> {
    let to = Destination::parse(&format!("https://{version}.example/"), &Schemes::default());
    let slug = Slug::parse(CODE).expect("a slug");
    let (workspace, domain) = (WorkspaceId(1), DomainId::DEFAULT);
    let mut link = Link::new(workspace, domain, slug, to.expect("a URL"), Timestamp(0));
    (link.id, link.version) = (LinkId(1), version);
    Box::new(link)
}

fn update(version: u64) -> Change {
    let link = link(version);
    Change::UpdateLink { was: link.name(), link }
}

/// The version that a reader finds; its destination must be the one of that version.
fn found(index: &Index) -> Option<u64> {
    index.with(DomainId::DEFAULT, CODE, |entry| {
        assert_eq!(entry.destination, format!("https://{}.example/", entry.version));
        entry.version
    })
}

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_branches = 20_000;
    builder.check(model);
}

/// An index with one link, shared.
fn index() -> Arc<Index> {
    let index = Arc::new(Index::new());
    index.apply(Revision(1), &[Change::CreateLink(link(1))]);
    index
}

#[test]
fn a_reader_finds_the_old_entry_or_the_new_one() {
    check(|| {
        let index = index();
        let reading = {
            let index = Arc::clone(&index);
            thread::spawn(move || [found(&index), found(&index)])
        };
        index.apply(Revision(2), &[update(2)]);
        let versions = reading.join().unwrap();
        assert!(matches!(versions, [Some(1), Some(1 | 2)] | [Some(2), Some(2)]), "{versions:?}");
    });
}

#[test]
fn a_link_appears_and_goes() {
    check(|| {
        let index = Arc::new(Index::new());
        let reading = {
            let index = Arc::clone(&index);
            thread::spawn(move || found(&index))
        };
        index.apply(Revision(1), &[Change::CreateLink(link(1))]);
        let was = link(1).name();
        index.apply(
            Revision(2),
            &[Change::DeleteLink { id: LinkId(1), was, workspace: WorkspaceId(1) }],
        );
        let version = reading.join().unwrap();
        assert!(matches!(version, None | Some(1)), "{version:?}");
    });
}

#[test]
fn who_waits_for_a_commit_sees_it() {
    check(|| {
        let index = index();
        let reading = {
            let index = Arc::clone(&index);
            thread::spawn(move || {
                assert!(index.wait_applied(Revision(2), Duration::MAX));
                found(&index)
            })
        };
        index.apply(Revision(2), &[update(2)]);
        assert_eq!(reading.join().unwrap(), Some(2));
    });
}

/// Updates until the table's arena is full of waste, so that it is rebuilt and swapped.
#[test]
fn a_rebuilt_table_takes_the_place_of_the_old_one() {
    check(|| {
        let index = index();
        let reading = {
            let index = Arc::clone(&index);
            thread::spawn(move || [found(&index), found(&index)])
        };
        for version in 2..=4 {
            index.apply(Revision(version), &[update(version)]);
        }
        assert!(index.stats().rebuilds > 0);
        let [first, second] = reading.join().unwrap();
        assert!(first.is_some() && first <= second, "{first:?} {second:?}");
    });
}
