//! Loading beside an index in use, and taking its place.

use std::collections::BTreeSet;

use waypost_index::Index;
use waypost_link::{Change, Link, Revision};

use crate::fixture::{create, expected, link, name, rotator, seen, update};

fn nth(n: u64) -> Link {
    link(n, 1, &name(n % 3, &format!("code{n}")), &format!("https://example.com/{n}"))
}

#[test]
fn a_load_replaces_everything_at_once_it_is_published() {
    let index = Index::new();
    let before: Vec<_> = (0..500).map(|n| create(&nth(n + 1))).collect();
    index.apply(Revision(1), &before);
    index.apply(Revision(2), &[Change::PutRecord(rotator(1, "old"))]);
    let loader = index.loader();
    (300..2_000).for_each(|n| loader.links([(&nth(n + 1), 0)]));
    loader.records([rotator(2, "new")]);
    loader.apply(Revision(5), &[create(&nth(2_001))]);
    assert_eq!((index.stats().links, index.applied()), (500, Revision(2)), "not yet");
    loader.publish(Revision(5));
    for n in 0..2_001 {
        let link = nth(n + 1);
        let there = (n >= 300).then(|| expected(&link));
        assert_eq!(seen(&index, &link.name()), there, "{n}");
    }
    let aliases = |alias| index.with_directory(|directory| directory.rotator(alias).is_some());
    assert_eq!((aliases("old"), aliases("new")), (false, true));
    assert_eq!((index.stats().links, index.applied()), (1_701, Revision(5)));
}

/// The scan saw one link under a name that another had when it was read.
#[test]
fn a_name_that_changed_hands_during_the_scan() {
    let [a, b, c, z] = ["one", "two", "three", "four"].map(|code| name(0, code));
    let one = |version, name| link(1, version, name, "https://example.com/one");
    let two = |version, name| link(2, version, name, "https://example.com/two");
    let index = Index::new();
    let loader = index.loader();
    loader.links([(&one(2, &b), 0), (&two(2, &b), 0)]);
    for (revision, (link, was)) in (3..).zip([(one(2, &b), &a), (one(3, &c), &b), (two(2, &b), &z)])
    {
        loader.apply(Revision(revision), &[update(&link, was)]);
    }
    loader.publish(Revision(5));
    for (name, expects) in
        [(a, None), (b.clone(), Some(two(2, &b))), (c.clone(), Some(one(3, &c))), (z, None)]
    {
        assert_eq!(seen(&index, &name), expects.as_ref().map(expected), "{name:?}");
    }
    assert_eq!(index.stats().links, 2);
}

#[test]
fn a_load_that_is_dropped_leaves_no_trace() {
    let index = Index::new();
    let loader = index.loader();
    loader.links([(&nth(1), 0)]);
    drop(loader);
    assert_eq!(seen(&index, &nth(1).name()), None);
}

#[test]
fn codes_as_long_and_strange_as_they_may_be() {
    let index = Index::new();
    let wide: BTreeSet<String> = (0..400u32)
        .map(|n| {
            let last = char::from_u32(0x1f300 + n).unwrap();
            "🎉".repeat(63) + &last.to_string()
        })
        .collect();
    let links: Vec<Link> = (1..)
        .zip(&wide)
        .map(|(id, code)| {
            let destination = format!("https://example.com/{}", "a".repeat(8_000));
            link(id, u64::MAX, &name((1 << 53) - 1, code), &destination)
        })
        .collect();
    index.apply(Revision(1), &links.iter().map(create).collect::<Vec<_>>());
    for link in &links {
        assert_eq!(seen(&index, &link.name()), Some(expected(link)));
        assert_eq!(seen(&index, &name(0, link.slug.as_str())), None);
    }
}
