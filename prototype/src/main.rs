//! A throw-away: what does a click cost from the worker to the store, and which design costs least?
//!
//! Prints CPU nanoseconds a click (user + system, all threads) for each stage and for the whole, uniform and Zipf.
//! `cargo run --release [clicks [stages]]`. The answer is written down elsewhere; nothing here is used by the product.

mod dict;
mod fold;
mod handover;
mod journal;
mod load;
mod store;

use crossbeam_queue::ArrayQueue;
use fold::Fold;
use handover::{Batch, Handover, BATCH};
use journal::{Dicts, Journal, Record};
use load::Load;
use std::hint::black_box;
use std::time::Duration;
use store::{Blocks, Store, Written};

/// Clicks in 10 ms and in 100 ms at half a million a second.
const TICK: usize = 5_000;
const SYNC: usize = 50_000;

fn cpu(clock: libc::clockid_t) -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec that lives here.
    unsafe { libc::clock_gettime(clock, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

fn pin(core: Option<usize>) {
    // SAFETY: a zeroed cpu_set_t is an empty set; the call reads it only.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        for c in 0..8 {
            if core.is_none_or(|only| only == c) {
                libc::CPU_SET(c, &mut set);
            }
        }
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    }
}

/// The better of two: the machine is shared.
fn best(n: usize, mut f: impl FnMut()) -> f64 {
    (0..2).map(|_| {
        let t = cpu(libc::CLOCK_THREAD_CPUTIME_ID);
        f();
        (cpu(libc::CLOCK_THREAD_CPUTIME_ID) - t) as f64 / n as f64
    }).fold(f64::MAX, f64::min)
}

fn drawing(load: &Load, n: usize) -> f64 {
    best(n, || (0..n).for_each(|i| { let f = load.facts(i); black_box((f.time, f.link, f.ip, f.country, f.ua[0] ^ f.ua[64] ^ f.ua[f.ua.len() - 1], f.referrer[0] ^ f.referrer[f.referrer.len() - 1], f.lang[0])); }))
}

#[derive(Clone, Copy)]
struct Inline { len: u16, bytes: [u8; 510] }

fn queue_of_records(load: &Load, n: usize) -> f64 {
    let queue: ArrayQueue<Inline> = ArrayQueue::new(8192);
    let mut scratch = Vec::with_capacity(1024);
    let mut sum = 0u64;
    let ns = best(n, || for i in 0..n {
        scratch.clear();
        handover::encode(&load.facts(i), &mut scratch);
        let mut r = Inline { len: scratch.len() as u16, bytes: [0; 510] };
        r.bytes[..scratch.len()].copy_from_slice(&scratch);
        let _ = queue.push(r);
        if i % TICK == TICK - 1 {
            while let Some(r) = queue.pop() { sum += u64::from(r.bytes[usize::from(r.len) - 1]); }
        }
    });
    black_box(sum);
    ns
}

fn queue_of_batches(load: &Load, n: usize) -> f64 {
    let h = Handover::new(64);
    let mut sum = 0u64;
    let ns = best(n, || for i in 0..n {
        assert!(h.offer(&load.facts(i)));
        if i % TICK == TICK - 1 {
            while let Some(b) = h.take(true) { sum += b.0.iter().step_by(64).map(|&x| u64::from(x)).sum::<u64>(); h.recycle(b); }
        }
    });
    black_box(sum);
    ns
}

fn batches(load: &Load, n: usize) -> Vec<(Batch, usize)> {
    let mut all = Vec::new();
    let mut b = Vec::with_capacity(BATCH);
    let mut count = 0;
    for i in 0..n {
        handover::encode(&load.facts(i), &mut b);
        count += 1;
        if b.len() + handover::CLICK > BATCH || i == n - 1 {
            all.push((Batch(std::mem::replace(&mut b, Vec::with_capacity(BATCH))), std::mem::take(&mut count)));
        }
    }
    all
}

/// (ns a click without the file, with it, bytes a click)
fn journal(input: &[(Batch, usize)], n: usize, interned: bool) -> (f64, f64) {
    let mut bytes = 0;
    let ns = best(n, || {
        let mut j = Journal::new(tempfile::tempfile().expect("file"));
        let (mut dicts, mut pending) = (Dicts::new(), Vec::with_capacity(TICK * 2));
        let (mut tick, mut sync) = (0, 0);
        for (b, count) in input {
            if interned { j.add(b, load::BASE, &mut dicts, &mut pending, &mut Vec::new()) } else { j.add_raw(b) }
            tick += count;
            sync += count;
            if tick >= TICK { j.write(); tick = 0; pending.clear(); }
            if sync >= SYNC { j.sync(); sync = 0; }
        }
        j.write();
        j.sync();
        bytes = j.bytes;
    });
    (ns, bytes as f64 / n as f64)
}

fn records(input: &[(Batch, usize)]) -> (Vec<Record>, Dicts) {
    let (mut dicts, mut all) = (Dicts::new(), Vec::new());
    let mut j = Journal::new(tempfile::tempfile().expect("file"));
    for (b, _) in input {
        j.add(b, load::BASE, &mut dicts, &mut all, &mut Vec::new());
        j.write();
    }
    (all, dicts)
}

fn folding(all: &[Record], dicts: &Dicts, run: usize, split: bool, blocks: bool, long: usize) -> f64 {
    best(all.len(), || {
        let mut f = Fold::new(split);
        f.long = long;
        let mut out = Blocks::default();
        for (i, part) in all.chunks(run).enumerate() {
            f.fold(i as u32, part, dicts, |clicks, link, n| if blocks { out.add(i as u32, link, clicks, n) });
        }
        black_box((f.workspace.count, out.data.len()));
    })
}

#[derive(Clone, Copy)]
struct Policy { run: usize, flush: usize, postings: bool }

/// Everything after the hand-over; `spent` is CPU by stage: intern, write + sync, fold, blocks, postings, buckets, totals, commit.
struct Writer<'a> {
    journal: Journal,
    dicts: Dicts,
    pending: Vec<Record>,
    strings: Vec<u8>,
    fold: Fold,
    blocks: Blocks,
    store: &'a Store,
    names: Vec<String>,
    policy: Policy,
    run: u32,
    flush: u32,
    unflushed: usize,
    spent: [u64; 8],
    last: u64,
    written: Written,
}

impl<'a> Writer<'a> {
    fn new(store: &'a Store, policy: Policy) -> Self {
        Writer {
            journal: Journal::new(tempfile::tempfile().expect("file")), dicts: Dicts::new(), pending: Vec::with_capacity(policy.run + TICK), strings: Vec::new(),
            fold: Fold::new(false), blocks: Blocks { postings: policy.postings.then(Vec::new), ..Blocks::default() }, store,
            names: (0..300).map(|i| format!("site-{i:03}.example.com")).collect(), policy, run: 0, flush: 0, unflushed: 0,
            spent: [0; 8], last: cpu(libc::CLOCK_THREAD_CPUTIME_ID), written: Written::default(),
        }
    }
    fn lap(&mut self, stage: usize) {
        let now = cpu(libc::CLOCK_THREAD_CPUTIME_ID);
        self.spent[stage] += now - self.last;
        self.last = now;
    }
    fn batch(&mut self, b: &Batch) -> usize {
        let before = self.pending.len();
        self.journal.add(b, load::BASE, &mut self.dicts, &mut self.pending, &mut self.strings);
        self.pending.len() - before
    }
    fn tick(&mut self, sync: bool) {
        self.lap(0);
        self.journal.write();
        if sync { self.journal.sync(); }
        self.lap(1);
        if self.pending.len() >= self.policy.run { self.fold(); }
        if self.unflushed >= self.policy.flush { self.flush(); }
    }
    fn fold(&mut self) {
        let (run, blocks) = (self.run, &mut self.blocks);
        self.fold.fold(run, &self.pending, &self.dicts, |clicks, link, n| blocks.add(run, link, clicks, n));
        self.blocks.close(run);
        self.unflushed += self.pending.len();
        self.pending.clear();
        self.run += 1;
        self.lap(2);
    }
    fn flush(&mut self) {
        let (spent, last) = (&mut self.spent, &mut self.last);
        let w = self.store.flush(self.flush, 491_000, &mut self.blocks, &mut self.strings, &mut self.fold.buckets, &mut self.fold.workspace, &self.names, |part| {
            let now = cpu(libc::CLOCK_THREAD_CPUTIME_ID);
            spent[3 + part] += now - *last;
            *last = now;
        });
        self.written.blocks += w.blocks;
        self.written.buckets += w.buckets;
        self.written.bucket_bytes += w.bucket_bytes;
        self.written.strings += w.strings;
        self.flush += 1;
        self.unflushed = 0;
        // A segment ends with its flush, so its strings are the flush's strings.
        self.journal.next_segment();
    }
    fn bytes(&self) -> usize {
        self.fold.bytes() + self.pending.capacity() * size_of::<Record>() + self.blocks.data.capacity()
    }
    fn finish(&mut self) {
        self.tick(true);
        if !self.pending.is_empty() { self.fold(); }
        if self.unflushed > 0 { self.flush(); }
    }
}

/// One thread hands clicks over, one writes; CPU of both, less the drawing of the clicks.
fn pipeline(load: &Load, n: usize, policy: Policy, core: Option<usize>) {
    let dir = tempfile::tempdir_in(".").expect("dir");
    let store = Store::open(dir.path());
    pin(core);
    let draw = drawing(load, n);
    let (t, wall) = (cpu(libc::CLOCK_PROCESS_CPUTIME_ID), std::time::Instant::now());
    let h = Handover::new(32);
    let mut w = Writer::new(&store, policy);
    let mut produced = 0;
    std::thread::scope(|s| {
        let producer = s.spawn(|| {
            let t = cpu(libc::CLOCK_THREAD_CPUTIME_ID);
            for i in 0..n {
                while !h.offer(&load.facts(i)) { std::thread::sleep(Duration::from_micros(200)); }
            }
            cpu(libc::CLOCK_THREAD_CPUTIME_ID) - t
        });
        let (mut seen, mut tick, mut sync) = (0, 0, 0);
        w.lap(0);
        while seen < n {
            let Some(b) = h.take(producer.is_finished()) else { std::thread::sleep(Duration::from_micros(200)); continue };
            let got = w.batch(&b);
            h.recycle(b);
            seen += got;
            tick += got;
            sync += got;
            if tick >= TICK {
                w.tick(sync >= SYNC);
                tick = 0;
                if sync >= SYNC { sync = 0; }
            }
        }
        w.finish();
        produced = producer.join().expect("producer");
    });
    let total = (cpu(libc::CLOCK_PROCESS_CPUTIME_ID) - t) as f64 / n as f64 - draw;
    let per = |x: u64| x as f64 / n as f64;
    print!("  run {:>4}k flush {:>4}k {:9}{:8} | {total:4.0} |", policy.run / 1000, policy.flush / 1000, if policy.postings { "postings" } else { "" }, if core.is_some() { "one core" } else { "free" });
    print!(" {:4.0} |", per(produced) - draw);
    w.spent.iter().for_each(|&x| print!(" {:4.0}", per(x)));
    let file = store.env.real_disk_size().unwrap_or(0);
    println!(" | journal {:.0} B, blocks {:.1} B + strings {:.1} B, buckets {} x {} B, file {:.0} B a click | memory {} MiB | {:.1} s", per(w.journal.bytes), per(w.written.blocks), per(w.written.strings), w.written.buckets, w.written.bucket_bytes / w.written.buckets, per(file), w.bytes() >> 20, wall.elapsed().as_secs_f32());
    if policy.run == 250_000 && core.is_some() { queries(&store, &w); }
    pin(None);
}

fn queries(store: &Store, w: &Writer<'_>) {
    let mut out = Vec::new();
    let mut found = 0;
    let some: Vec<_> = w.fold.buckets.iter().step_by(50).collect();
    let t = cpu(libc::CLOCK_THREAD_CPUTIME_ID);
    for b in &some {
        out.clear();
        store.newest(b.link, &b.runs(), 100, &mut out);
        found += out.len() / 24;
        assert!(out.len() / 24 >= (b.count as usize).min(100), "a link's clicks must all be found");
    }
    println!("    newest 100 of a link: {:.1} µs, {} found", (cpu(libc::CLOCK_THREAD_CPUTIME_ID) - t) as f64 / some.len() as f64 / 1000.0, found / some.len());
}

fn main() {
    let n = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(4_000_000);
    for zipf in [false, true] {
        let load = Load::new(n, zipf);
        println!("{} over {} links, {n} clicks; CPU ns a click", if zipf { "Zipf" } else { "Uniform" }, load::LINKS);
        pin(Some(1));
        stages(&load, n);
        if std::env::args().nth(2).is_some_and(|a| a == "stages") { continue; }
        println!("  end to end                                | all  | hand | intern, write+sync, fold+blocks, put blocks, postings, buckets, totals, commit");
        for flush in [2_000_000, 4_000_000] {
            pipeline(&load, n, Policy { run: 250_000, flush, postings: false }, Some(1));
        }
        pipeline(&load, n, Policy { run: 1_000_000, flush: 4_000_000, postings: false }, Some(1));
        pipeline(&load, n, Policy { run: 250_000, flush: 2_000_000, postings: true }, Some(1));
        pipeline(&load, n, Policy { run: 250_000, flush: 2_000_000, postings: false }, None);
    }
}

fn stages(load: &Load, n: usize) {
    let draw = drawing(load, n);
    println!("  drawing the click (not counted)      {draw:6.1}");
    println!("  hand-over: queue of 512-byte records {:6.1}", queue_of_records(load, n) - draw);
    println!("  hand-over: recycled 32 KiB batch     {:6.1}", queue_of_batches(load, n) - draw);
    let part = n.min(1_000_000);
    let input = batches(load, part);
    for (name, interned) in [("raw", false), ("interned", true)] {
        let (ns, bytes) = journal(&input, part, interned);
        println!("  journal: {name:9} write + sync        {ns:6.1}   {bytes:.0} B a click");
    }
    let input = batches(load, n);
    let (all, dicts) = records(&input);
    drop(input);
    for run in [170, 5_000, 50_000, 250_000, 1_000_000] {
        println!("  fold in runs of {run:>7}              {:6.1}", folding(&all, &dicts, run, false, false, fold::LONG));
    }
    for long in [4, 16] {
        println!("  each link once (all in one run), dense from {long:>2} {:6.1}", folding(&all, &dicts, n, false, false, long));
    }
    println!("  runs of 1000000, dense from 4        {:6.1}", folding(&all, &dicts, 1_000_000, false, false, 4));
    println!("  the same, 250000, three agent dims   {:6.1}", folding(&all, &dicts, 250_000, true, false, fold::LONG));
    println!("  the same, 250000, with blocks        {:6.1}", folding(&all, &dicts, 250_000, false, true, fold::LONG));
}
