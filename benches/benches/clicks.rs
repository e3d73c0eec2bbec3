//! A click after the redirect: out of the queue into the journal, and out of a batch into roll-ups.
//!
//! Both are wall time of a click on an otherwise idle machine, disk included, where many come at
//! once; `cargo run --release -p waypost-lmdb --example append` has the store's CPU time.
//!
//! `cargo bench -p waypost-benches --bench clicks`

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use waypost_benches::{
    click,
    clicks::{BATCH, Forgetful, batch},
};
use waypost_clicks::{Config, Pipeline};
use waypost_link::LinkId;
use waypost_lmdb::{LmdbStore, Options};
use waypost_storage::{ClickStore, Detail, Epoch, Grain, Mark, Scope, Sink, TallyQuery};

/// Clicks that are recorded before the journal is waited for.
const ROUND: u64 = 50_000;
/// Links that the batches are of.
const LINKS: u64 = 100_000;
/// Batches between flushes, as under load.
const FLUSH: u64 = 100;

/// Queue, writer and journal, to a store that keeps nothing.
fn journal(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let config = Config::new(dir.path(), [7; 16]);
    let pipeline = Pipeline::start(&config, Arc::new(Forgetful::default())).expect("a pipeline");
    let mut group = c.benchmark_group("clicks");
    group.throughput(Throughput::Elements(ROUND));
    group.bench_function("journal", |bencher| {
        bencher.iter(|| {
            let recorder = pipeline.recorder();
            assert!((0..ROUND).all(|n| recorder.record(0, &click(n))), "a click was dropped");
            assert!(pipeline.settle(Duration::from_secs(30)), "the journal is behind");
        });
    });
    group.finish();
    assert!(pipeline.close(Duration::from_secs(30)));
}

/// A batch into the store, and folded because somebody asks.
fn tally(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = LmdbStore::open(dir.path(), &Options { map_size: 8 << 30, ..Options::default() })
        .expect("a store");
    let scope = Scope::Links(vec![LinkId(1)]);
    let query =
        TallyQuery { scope, grain: Grain::Hour, from: 0, to: i64::MAX, detail: Detail::Sums };
    let mut sequence = 0;
    let mut group = c.benchmark_group("clicks");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("tally", |bencher| {
        bencher.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                let batch = batch(sequence, LINKS);
                sequence += 1;
                let start = Instant::now();
                store.append(Mark { epoch: Epoch(1), sequence }, &batch).expect("append");
                store.tally(&query).expect("a tally");
                spent += start.elapsed();
                if sequence.is_multiple_of(FLUSH) {
                    store.flush().expect("flush");
                }
            }
            spent
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(3));
    targets = journal, tally
}
criterion_main!(benches);
