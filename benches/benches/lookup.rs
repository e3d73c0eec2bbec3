//! A link by its code: the index against the maps that one would otherwise take.
//!
//! Every lookup reads the destination's first and last byte, as an answer would, and codes are
//! asked for in an order made beforehand, one after the other in memory. Neither map can be
//! changed while it is read; the index can, and its figures include the guard that allows it.
//!
//! `cargo bench -p waypost-benches --bench lookup`

use std::{collections::HashMap, hint::black_box, sync::Arc, time::Instant};

use ahash::RandomState;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hashbrown::HashTable;
use waypost_benches::clicks::mix;
use waypost_index::Index;
use waypost_link::{
    Change, Destination, DomainId, Flags, Link, LinkId, Revision, Slug, Status, Timestamp,
    WorkspaceId,
};

type Code = [u8; 8];
const SIZES: [u64; 2] = [10_000, 1_000_000];
const QUERIES: usize = 1 << 20;
/// Requests of a round of a busy listener.
const ROUND: usize = 32;

/// What the maps keep of a link, beside its code.
struct Plain {
    id: u64,
    _workspace: u64,
    _status: Status,
    _flags: Flags,
    destination: Box<str>,
}

/// The same with its code, for the table that hashes what it finds in the value.
struct Whole {
    code: Box<str>,
    plain: Plain,
}

fn code(n: u64) -> Code {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = mix(n);
    std::array::from_fn(|_| {
        let digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
        digit
    })
}

fn destination(n: u64) -> String {
    format!("https://www.example.com/articles/2026/some-title-{n:011}")
}

fn text(code: &Code) -> &str {
    std::str::from_utf8(code).expect("digits and letters")
}

fn link(n: u64) -> Link {
    let slug = Slug::parse(text(&code(n))).expect("a code");
    let to = Destination::restore(&destination(n)).expect("a destination");
    let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
    Link { id: LinkId(n + 1), version: 1, ..link }
}

fn plain(n: u64) -> Plain {
    Plain {
        id: n + 1,
        _workspace: 1,
        _status: Status::Found,
        _flags: Flags::ACTIVE,
        destination: destination(n).into(),
    }
}

fn index(links: u64) -> Index {
    let all: Vec<_> = (0..links).map(link).collect();
    let (index, start) = (Index::new(), Instant::now());
    let loader = index.loader();
    loader.links(all.iter().map(|link| (link, 0)));
    loader.publish(Revision(1));
    println!("{links} links loaded in {:.0?}", start.elapsed());
    index
}

fn touch(id: u64, destination: &str) -> u64 {
    let bytes = destination.as_bytes();
    id ^ u64::from(bytes[0]) ^ u64::from(bytes[bytes.len() - 1])
}

/// Prints what a link costs in memory beyond its code and destination; a test of the index
/// checks its figures against the allocator's.
fn report(index: &Index) {
    let stats = index.stats();
    let payload = size_of::<Code>() + destination(0).len();
    let over = stats.bytes as f64 / stats.links as f64 - payload as f64;
    println!("{} links: {over:.1} bytes a link over code and destination", stats.links);
}

/// The orders in which links are asked for, by name.
fn orders(links: u64) -> [(&'static str, Vec<Code>); 3] {
    let order = |nth: &dyn Fn(u64) -> u64| (0..QUERIES as u64).map(|n| code(nth(n))).collect();
    let share = |n: u64| mix(n ^ 0xabcd) as f64 / u64::MAX as f64;
    [
        ("hits", order(&|n| mix(n ^ 0x1234) % links)),
        ("misses", order(&|n| links + mix(n ^ 0x1234) % (1 << 40))),
        ("zipf", order(&|n| mix((links as f64).powf(share(n)) as u64) % links)),
    ]
}

/// Measures one lookup, going round `codes`.
fn measure(c: &mut Criterion, name: &str, links: u64, look: &dyn Fn(&str) -> u64) {
    let mut group = c.benchmark_group("lookup");
    group.throughput(Throughput::Elements(1));
    for (order, codes) in orders(links) {
        let mut at = 0;
        let id = BenchmarkId::new(format!("{name}/{order}"), links);
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                at = (at + 1) % QUERIES;
                black_box(look(text(&codes[at])))
            });
        });
    }
    group.finish();
}

/// Measures one lookup of a round, in which the memory of all is asked for before the first, as listeners do.
fn measure_rounds(c: &mut Criterion, index: &Index, links: u64, look: &dyn Fn(&str) -> u64) {
    let mut group = c.benchmark_group("lookup");
    group.throughput(Throughput::Elements(1));
    for (order, codes) in orders(links) {
        let mut rounds = codes.chunks_exact(ROUND).cycle();
        let mut round = || {
            let codes = rounds.next().unwrap_or_default();
            index.prefetch(codes.iter().map(|code| (DomainId::DEFAULT, text(code))));
            codes.iter().fold(0, |all, code| all ^ look(text(code)))
        };
        let id = BenchmarkId::new(format!("index_in_rounds/{order}"), links);
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|lookups| {
                let (start, rounds) = (Instant::now(), lookups.div_ceil(ROUND as u64));
                for _ in 0..rounds {
                    black_box(round());
                }
                start.elapsed().mul_f64(lookups as f64 / (rounds * ROUND as u64) as f64)
            });
        });
    }
    group.finish();
}

fn lookup(c: &mut Criterion) {
    for links in SIZES {
        let index = index(links);
        report(&index);
        let look = |code: &str| {
            let found = index.with(DomainId::DEFAULT, code, |e| touch(e.id.0, e.destination));
            found.unwrap_or_default()
        };
        measure(c, "index", links, &look);
        measure_rounds(c, &index, links, &look);
        drop(index);

        let map: HashMap<Box<str>, Arc<Plain>, RandomState> =
            (0..links).map(|n| (text(&code(n)).into(), Arc::new(plain(n)))).collect();
        measure(c, "std_map", links, &|code| {
            map.get(code).map_or(0, |plain| touch(plain.id, &plain.destination))
        });
        drop(map);

        let keys = RandomState::new();
        let mut table: HashTable<Box<Whole>> = HashTable::new();
        for whole in (0..links).map(|n| Whole { code: text(&code(n)).into(), plain: plain(n) }) {
            let hash = keys.hash_one(&*whole.code);
            table.insert_unique(hash, Box::new(whole), |held| keys.hash_one(&*held.code));
        }
        measure(c, "hashbrown_table", links, &|code| {
            let found = table.find(keys.hash_one(code), |whole| &*whole.code == code);
            found.map_or(0, |whole| touch(whole.plain.id, &whole.plain.destination))
        });
    }
}

/// What any lookup waits for, once or more: one load from a random place in as much memory as the index
/// of a million links has, whose address the load before it says.
fn memory(c: &mut Criterion) {
    const LINES: usize = (107 << 20) / size_of::<[u64; 8]>();
    let mut lines: Vec<[u64; 8]> = (0..LINES as u64).map(|next| [next; 8]).collect();
    // One circle through all of them (Sattolo).
    for last in (1..LINES).rev() {
        lines.swap(last, (mix(last as u64) % last as u64) as usize);
    }
    let mut at = 0;
    c.bench_function("memory/a load that waits for another", |bencher| {
        bencher.iter(|| {
            at = lines[at][0] as usize;
            black_box(at)
        });
    });
}

/// What a change costs its writer, with the rebuilds that it brings about.
fn change(c: &mut Criterion) {
    for links in SIZES {
        let index = index(links);
        let mut revision = 1;
        c.bench_with_input(BenchmarkId::new("change/update", links), &links, |bencher, &links| {
            bencher.iter(|| {
                revision += 1;
                let link = Link { version: revision, ..link(mix(revision) % links) };
                let was = link.name();
                let change = Change::UpdateLink { link: Box::new(link), was };
                index.apply(Revision(revision), &[change])
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(2))
        .sample_size(20);
    targets = memory, lookup, change
}
criterion_main!(benches);
