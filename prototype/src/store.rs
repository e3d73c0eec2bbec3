//! LMDB: blocks appended, roll-ups put in key order, one transaction with the mark.
//!
//! blocks  (run u32, first link u64, number u32) big-endian → groups of (link 8, clicks 4, then 24 bytes a click)
//! strings (flush u32, part u32) → the strings that this flush's blocks name
//! hours   (hour u32, link u64) → bucket; totals link u64 → count, bots, last hour; marks epoch → sequence
//!
//! A run is sorted by link, so "this link's clicks, newest first" is: its newest hour bucket → the runs it names → one
//! seek in `blocks` a run. No posting is ever put.

use crate::fold::{Bucket, Visitors};
use crate::journal::Record;
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions, PutFlags, WithoutTls};
use std::ops::Bound;
use std::path::Path;

pub const BLOCK: usize = 16_000;
type Table = Database<'static, Bytes, Bytes>;

pub struct Store {
    pub env: Env<WithoutTls>,
    blocks: Table,
    strings: Table,
    hours: Table,
    totals: Table,
    marks: Table,
    postings: Table,
}

/// Encoded blocks that wait for the flush: what raw clicks cost in memory.
#[derive(Default)]
pub struct Blocks {
    pub data: Vec<u8>,
    pub ends: Vec<([u8; 16], usize)>,
    pub start: usize,
    pub first: u64,
    pub number: u32,
    pub postings: Option<Vec<[u8; 12]>>,
}

impl Blocks {
    #[inline]
    pub fn add(&mut self, run: u32, link: u64, clicks: &mut dyn Iterator<Item = &Record>, mut left: usize) {
        if let Some(p) = &mut self.postings {
            let mut key = [0; 12];
            key[..8].copy_from_slice(&link.to_be_bytes());
            key[8..].copy_from_slice(&run.to_be_bytes());
            p.push(key);
        }
        while left > 0 {
            if self.data.len() == self.start {
                self.first = link;
            }
            let room = BLOCK.saturating_sub(self.data.len() - self.start + 12) / 24;
            let n = left.min(room.max(1));
            self.data.extend_from_slice(&link.to_le_bytes());
            self.data.extend_from_slice(&(n as u32).to_le_bytes());
            clicks.take(n).for_each(|r| self.data.extend_from_slice(&r.block_bytes()));
            left -= n;
            if self.data.len() - self.start + 36 > BLOCK {
                self.close(run);
            }
        }
    }

    pub fn close(&mut self, run: u32) {
        if self.data.len() > self.start {
            self.ends.push((block_key(run, self.first, self.number), self.data.len()));
            self.number += 1;
            self.start = self.data.len();
        }
    }

    fn clear(&mut self) {
        self.data.clear();
        self.ends.clear();
        self.start = 0;
        self.number = 0;
    }
}

fn block_key(run: u32, link: u64, number: u32) -> [u8; 16] {
    let mut key = [0; 16];
    key[..4].copy_from_slice(&run.to_be_bytes());
    key[4..12].copy_from_slice(&link.to_be_bytes());
    key[12..].copy_from_slice(&number.to_be_bytes());
    key
}

fn hour_key(hour: u32, link: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&hour.to_be_bytes());
    key[4..].copy_from_slice(&link.to_be_bytes());
    key
}

fn varint(out: &mut Vec<u8>, mut n: u32) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// A bucket as stored: complete in itself (hosts and languages as text), so nothing has to be kept to read it.
pub fn encode(b: &mut Bucket, names: &[String], out: &mut Vec<u8>) {
    out.clear();
    varint(out, b.count);
    varint(out, b.bots);
    varint(out, b.len as u32);
    for (k, n) in b.cells() {
        let (dim, value) = ((k >> 29) as u8, k & 0x1FFF_FFFF);
        out.push(dim);
        if dim == 1 || dim == 2 {
            let name = &names[value as usize].as_bytes()[..if dim == 1 { 20 } else { 5 }];
            out.push(name.len() as u8);
            out.extend_from_slice(name);
        } else {
            varint(out, value);
        }
        varint(out, n);
    }
    match &mut b.visitors {
        Visitors::Hashes(v) => {
            v.sort_unstable();
            v.dedup();
            v.iter().for_each(|h| out.extend_from_slice(&h.to_le_bytes()));
        }
        Visitors::Registers(r) => out.extend_from_slice(&r[..]),
    }
}

#[derive(Default, Clone, Copy)]
pub struct Written {
    pub blocks: u64,
    pub buckets: u64,
    pub bucket_bytes: u64,
    pub strings: u64,
}

impl Store {
    pub fn open(path: &Path) -> Self {
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.map_size(8 << 30).max_dbs(8);
        // SAFETY: a directory of our own, opened once, not touched by anything else.
        let env = unsafe { options.open(path) }.expect("open");
        let w = env.write_txn().expect("txn");
        let names = ["blocks", "strings", "hours", "totals", "marks", "postings"];
        let [blocks, strings, hours, totals, marks, postings] = env
            .create_databases_and_commit(w, |opener, w| {
                let [a, b, c, d, e, f] = names.map(|name| opener.create_database::<Bytes, Bytes>(w, Some(name)));
                Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit([a?, b?, c?, d?, e?, f?]))
            })
            .expect("tables")
            .unwrap_commit();
        Store { env, blocks, strings, hours, totals, marks, postings }
    }

    /// Everything since the last flush, in one sorted pass. `clock` is told after each part: blocks, postings, buckets, totals, commit.
    pub fn flush(&self, flush: u32, hour: u32, blocks: &mut Blocks, strings: &mut Vec<u8>, buckets: &mut [Bucket], workspace: &mut Bucket, names: &[String], mut clock: impl FnMut(usize)) -> Written {
        let mut done = Written { strings: strings.len() as u64, ..Written::default() };
        let mut w = self.env.write_txn().expect("txn");
        let mut from = 0;
        for (key, end) in &blocks.ends {
            self.blocks.put_with_flags(&mut w, PutFlags::APPEND, key, &blocks.data[from..*end]).expect("block");
            done.blocks += (*end - from) as u64;
            from = *end;
        }
        for (i, part) in strings.chunks(BLOCK).enumerate() {
            self.strings.put_with_flags(&mut w, PutFlags::APPEND, &hour_key(flush, i as u64), part).expect("strings");
        }
        clock(0);
        for key in blocks.postings.iter_mut().flat_map(|p| p.drain(..).collect::<Vec<_>>()) {
            self.postings.put(&mut w, &key, &[]).expect("posting");
        }
        clock(1);
        let mut dirty: Vec<_> = buckets.iter_mut().filter(|b| b.dirty).collect();
        dirty.sort_unstable_by_key(|b| b.link);
        let mut value = Vec::with_capacity(8192);
        for b in dirty.iter_mut().map(|b| &mut **b).chain([workspace]) {
            encode(b, names, &mut value);
            self.hours.put(&mut w, &hour_key(hour, b.link), &value).expect("hour");
            done.bucket_bytes += value.len() as u64;
            done.buckets += 1;
        }
        clock(2);
        for b in &mut dirty {
            let mut total = [0u8; 24];
            let key = b.link.to_be_bytes();
            if let Some(old) = self.totals.get(&w, &key).expect("total") {
                total.copy_from_slice(old);
            }
            total[..4].copy_from_slice(&b.count.to_le_bytes());
            self.totals.put(&mut w, &key, &total).expect("total");
            b.dirty = false;
        }
        self.marks.put(&mut w, b"epoch", &flush.to_le_bytes()).expect("mark");
        clock(3);
        w.commit().expect("commit");
        clock(4);
        blocks.clear();
        strings.clear();
        done
    }

    /// The newest `limit` clicks of a link, given the runs its hour bucket names.
    pub fn newest(&self, link: u64, runs: &[u32], limit: usize, out: &mut Vec<u8>) {
        let r = self.env.read_txn().expect("txn");
        for &run in runs.iter().rev() {
            let back = self.blocks.rev_range(&r, &(Bound::Unbounded, Bound::Included(&block_key(run, link, u32::MAX)[..]))).expect("range");
            for item in back {
                let (key, value) = item.expect("block");
                let mine = key[..4] == run.to_be_bytes();
                if !mine || !group(value, link, out) || key[4..12] != link.to_be_bytes() || out.len() / 24 >= limit {
                    break;
                }
            }
            if out.len() / 24 >= limit {
                return;
            }
        }
    }
}

/// Appends the link's clicks of a block; false when it has none.
fn group(mut block: &[u8], link: u64, out: &mut Vec<u8>) -> bool {
    while let Some((head, rest)) = block.split_first_chunk::<12>() {
        let n = 24 * u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
        if head[..8] == link.to_le_bytes() {
            out.extend_from_slice(&rest[..n]);
            return true;
        }
        block = &rest[n..];
    }
    false
}
