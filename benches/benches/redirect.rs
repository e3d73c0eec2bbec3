//! The steps of a redirect, from memory: what `cargo xtask prove` counts in instructions, in time.
//!
//! `cargo bench -p waypost-benches --bench redirect`

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use waypost_benches::{
    Fixed, LINKS, browser, click, code, engine, facts, index, index_with_rules, redirect, small,
};
use waypost_clicks::{Drain, queue};
use waypost_h1::{Conversation, Limits, Reply};
use waypost_redirect::{Method, Scratch};

/// Memory for clicks, and how many are made before the queue is emptied, outside of the timing.
const QUEUE: usize = 16 << 20;
const ROUND: u64 = 10_000;

/// A request through the protocol core, and a fixed answer.
fn parse(c: &mut Criterion) {
    for (name, request) in
        [("parse/small", small as fn(&str) -> String), ("parse/browser", browser)]
    {
        let requests: Vec<_> = (1..=LINKS).map(|n| request(&code(n))).collect();
        let mut requests = requests.iter().cycle();
        let mut conversation = Conversation::new(Fixed, Limits::default());
        c.bench_function(name, |bencher| {
            bencher.iter(|| {
                let request = requests.next().map_or("", String::as_str);
                conversation.feed(black_box(request.as_bytes()))
            });
        });
    }
}

/// A redirect's status, fields and destination into a connection's buffer.
fn encode(c: &mut Criterion) {
    let mut out = Vec::with_capacity(4096);
    c.bench_function("encode", |bencher| {
        bencher.iter(|| {
            out.clear();
            black_box(redirect(Reply::to_get(black_box(&mut out), 1_800_000_000)))
        });
    });
}

/// Facts to answer, the click recorded.
fn decide(c: &mut Criterion) {
    let paths: Vec<_> = (1..=LINKS).map(|n| format!("/{}", code(n))).collect();
    for (name, index) in [("decide/plain", index()), ("decide/rules", index_with_rules())] {
        let (recorder, mut drain) = queue(1, QUEUE);
        let engine = engine(index, recorder);
        let (mut scratch, mut paths) = (Scratch::default(), paths.iter().cycle());
        c.bench_function(name, |bencher| {
            emptied(bencher, &mut drain, || {
                let path = paths.next().map_or("", String::as_str);
                black_box(engine.decide(&facts(Method::Get, path), &mut scratch).outcome());
            });
        });
    }
}

/// A click into the queue.
fn push(c: &mut Criterion) {
    let (recorder, mut drain) = queue(1, QUEUE);
    let mut n = 0;
    c.bench_function("push", |bencher| {
        emptied(bencher, &mut drain, || {
            n += 1;
            assert!(recorder.record(0, black_box(&click(n))), "the queue is too small");
        });
    });
}

/// Measures `step`, and empties the queue that it fills where nobody looks.
fn emptied(bencher: &mut Bencher<'_>, drain: &mut Drain, mut step: impl FnMut()) {
    bencher.iter_custom(|times| {
        let mut spent = Duration::ZERO;
        for from in (0..times).step_by(ROUND as usize) {
            let start = Instant::now();
            (from..times.min(from + ROUND)).for_each(|_| step());
            spent += start.elapsed();
            drain.take(|_| ());
        }
        spent
    });
}

criterion_group!(benches, parse, encode, decide, push);
criterion_main!(benches);
