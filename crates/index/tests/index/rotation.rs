//! Rotators: who is a member, and that each is as likely as the next.

use std::collections::BTreeMap;

use waypost_index::Index;
use waypost_link::{Change, CollectionId, Flags, Link, Noun, Revision, Timestamp};

use crate::fixture::{create, delete, link, members, mix, name, rotator, update};

fn member(n: u64) -> Link {
    let link = link(n, 1, &name(0, &format!("member{n}")), "https://example.com/");
    Link { collection: Some(CollectionId(1)), ..link }
}

fn listed(index: &Index) -> Option<Vec<String>> {
    index.with_directory(|directory| {
        let rotation = directory.rotator("mix")?;
        Some(members(rotation).iter().map(|name| name.slug.to_string()).collect())
    })
}

#[test]
fn who_is_a_member() {
    let index = Index::new();
    let (one, two) = (member(1), member(2));
    let change = |version: u64, edit: fn(&mut Link)| {
        let mut next = member(2);
        next.version = version;
        edit(&mut next);
        update(&next, &member(2).name())
    };
    let renamed = {
        let slug = name(0, "renamed").slug;
        Link { slug, version: 9, ..member(2) }
    };
    let other = rotator(1, "other");
    for (revision, (change, expected)) in (1..).zip([
        (create(&one), None),
        (Change::PutRecord(rotator(1, "mix")), Some(vec!["member1"])),
        (create(&two), Some(vec!["member1", "member2"])),
        (change(2, |link| link.flags = Flags(0)), Some(vec!["member1"])),
        (change(3, |_| {}), Some(vec!["member1", "member2"])),
        (change(4, |link| link.archived_at = Some(Timestamp(1))), Some(vec!["member1"])),
        (change(5, |_| {}), Some(vec!["member1", "member2"])),
        (change(6, |link| link.collection = Some(CollectionId(2))), Some(vec!["member1"])),
        (change(7, |link| link.collection = None), Some(vec!["member1"])),
        (change(8, |_| {}), Some(vec!["member1", "member2"])),
        (update(&renamed, &two.name()), Some(vec!["member1", "renamed"])),
        (delete(&one), Some(vec!["renamed"])),
        (delete(&renamed), Some(vec![])),
        (Change::PutRecord(other), None),
        (Change::PutRecord(rotator(1, "mix")), Some(vec![])),
        (Change::DeleteRecord { noun: Noun::Collection, id: 1 }, None),
    ]) {
        let text = format!("{revision}: {change:?}");
        index.apply(Revision(revision), &[change]);
        let expected = expected.map(|names| names.into_iter().map(String::from).collect());
        assert_eq!(listed(&index), expected, "{text}");
    }
}

#[test]
fn each_member_is_as_likely_as_the_next() {
    let index = Index::new();
    let mut changes: Vec<_> = (1..=9).map(|n| create(&member(n))).collect();
    changes.push(Change::PutRecord(rotator(1, "mix")));
    changes.extend([3, 9].map(|n| delete(&member(n))));
    index.apply(Revision(1), &changes);
    let mut picked = BTreeMap::<String, u32>::new();
    index.with_directory(|directory| {
        let rotation = directory.rotator("mix").unwrap();
        for n in 0..70_000 {
            *picked.entry(rotation.pick(mix(n)).unwrap().slug.to_string()).or_default() += 1;
        }
    });
    assert_eq!(picked.len(), 7);
    assert!(picked.values().all(|&times| (9_600..10_400).contains(&times)), "{picked:?}");
}
