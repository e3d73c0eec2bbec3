//! What a plain link costs in memory, counted by the allocator; and that a lookup allocates
//! nothing. Alone in its binary, since every allocation counts.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use waypost_index::Index;
use waypost_link::{
    Change, Destination, DomainId, Link, LinkId, Revision, Slug, Timestamp, WorkspaceId,
};

const LINKS: u64 = 200_000;
/// The bound, in bytes a link over those of its code and destination.
const BOUND: usize = 48;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `dealloc`'s contract, which is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn link(n: u64, version: u64) -> Link {
    let slug = Slug::parse(&format!("{:07x}", n.wrapping_mul(0x9e37_79b1) & 0xfff_ffff)).unwrap();
    let to = format!("https://www.example.com/articles/2026/title-{n:08}-{:08}", version % 100);
    let to = Destination::restore(&to).unwrap();
    let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
    Link { id: LinkId(n + 1), version, ..link }
}

/// Bytes of all codes and destinations: each link's are as long as the next's.
fn payload() -> usize {
    let link = link(0, 1);
    LINKS as usize * (link.slug.as_str().len() + link.destination.as_str().len())
}

/// Bytes a link over the payload, after checking that the index counts as the allocator does.
fn overhead(index: &Index, before: usize, what: &str) -> f64 {
    let allocated = LIVE.load(Ordering::Relaxed) - before;
    let stats = index.stats();
    assert_eq!(stats.links as u64, LINKS);
    let over = (allocated - payload()) as f64 / LINKS as f64;
    println!("{what}: {over:.1} B a link over code and destination; {stats:?}");
    let unaccounted = allocated.abs_diff(stats.bytes);
    assert!(unaccounted < allocated / 200, "{what}: {unaccounted} bytes not accounted for");
    over
}

fn loaded(index: &Index) {
    let loader = index.loader();
    (0..LINKS).for_each(|n| loader.links([(&link(n, 1), 0)]));
    loader.publish(Revision(1));
}

fn updated(index: &Index) {
    for commit in 0..LINKS / 1_000 {
        let changes: Vec<_> = (0..1_000).map(|n| update(commit * 1_000 + n)).collect();
        index.apply(Revision(2 + commit), &changes);
    }
}

fn update(nth: u64) -> Change {
    let link = link(nth * 7_919 % (LINKS - 1), nth + 2);
    let was = link.name();
    Change::UpdateLink { link: Box::new(link), was }
}

#[test]
fn a_plain_link_costs_little_and_a_lookup_allocates_nothing() {
    let before = LIVE.load(Ordering::Relaxed);
    let index = Index::new();
    loaded(&index);
    assert!(overhead(&index, before, "loaded") <= BOUND as f64);

    let codes: Vec<_> = (0..LINKS).step_by(7).map(|n| link(n, 1)).collect();
    index.with(DomainId::DEFAULT, "first", |_| ());
    let calls = CALLS.load(Ordering::Relaxed);
    let found = codes.iter().filter(|link| {
        let found = index.with(link.domain, link.slug.as_str(), |entry| entry.id == link.id);
        found == Some(true)
    });
    assert_eq!(found.count(), codes.len());
    assert_eq!(CALLS.load(Ordering::Relaxed), calls, "a lookup allocated");
    drop(codes);

    updated(&index);
    assert!(overhead(&index, before, "updated") <= BOUND as f64);
}
