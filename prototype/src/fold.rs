//! Records to roll-ups: sorted by link, then each link's run folded into its open hour.
//!
//! The sort is a radix sort of (link - least link, position): two or three passes. A long run is counted in dense
//! arrays first (as the workspace always is), a short one by a linear scan of the bucket's few dozen keys.

use crate::journal::{Dicts, Record};
use hashbrown::HashMap;

/// Values a dimension and bucket; the rest counts under value 0, `Other`.
pub const VALUES: u8 = 200;
/// Hashes kept exactly; past it 4,096 registers (1.6 %).
pub const EXACT: usize = 256;
/// From this many clicks of one link in a run, count densely.
pub const LONG: usize = 32;
pub const DIMS: usize = 8;
const RUNS: u32 = 7;
const DIM_SHIFT: u32 = 29;
const DENSE: u32 = 1 << 13;

pub enum Visitors {
    Hashes(Vec<u32>),
    Registers(Box<[u8; 4096]>),
}

impl Visitors {
    /// Appends; duplicates are squeezed out whenever the vector would grow, and when it is read or stored.
    #[inline]
    pub fn add(&mut self, hash: u32) {
        match self {
            Visitors::Hashes(v) => {
                if v.len() == v.capacity() && v.len() >= 16 {
                    self.squeeze(hash);
                } else {
                    v.push(hash);
                }
            }
            Visitors::Registers(r) => register(r, hash),
        }
    }

    #[cold]
    fn squeeze(&mut self, hash: u32) {
        let Visitors::Hashes(v) = self else { return };
        v.sort_unstable();
        v.dedup();
        v.push(hash);
        if v.len() > EXACT {
            let mut r = Box::new([0u8; 4096]);
            v.iter().for_each(|&h| register(&mut r, h));
            *self = Visitors::Registers(r);
        }
    }
}

#[inline]
fn register(r: &mut [u8; 4096], hash: u32) {
    let rank = ((hash << 12) | 0xFFF).leading_zeros() as u8 + 1;
    let at = &mut r[(hash >> 20) as usize];
    *at = (*at).max(rank);
}

pub struct Bucket {
    pub link: u64,
    pub count: u32,
    pub bots: u32,
    /// Groups of 16 keys and, beside them, their 16 counts: one allocation, and a scan reads whole cache lines.
    /// A key is the dimension (3 bits) and a value id; dimension 7 holds the runs (see `Blocks`) with this link's
    /// clicks of this hour: the way from statistics to raw clicks.
    cells: Vec<[[u32; 16]; 2]>,
    pub len: usize,
    distinct: [u8; DIMS],
    pub dirty: bool,
    pub visitors: Visitors,
}

impl Bucket {
    fn new(link: u64) -> Self {
        Bucket { link, count: 0, bots: 0, cells: Vec::with_capacity(2), len: 0, distinct: [0; DIMS], dirty: false, visitors: Visitors::Hashes(Vec::with_capacity(16)) }
    }

    #[inline]
    fn add(&mut self, key: u32, n: u32) {
        for [keys, counts] in &mut self.cells {
            if keys.iter().fold(false, |hit, &k| hit | (k == key)) {
                if let Some(i) = keys.iter().position(|&k| k == key) {
                    counts[i] += n;
                }
                return;
            }
        }
        self.admit(key, n);
    }

    fn admit(&mut self, key: u32, n: u32) {
        let seen = &mut self.distinct[(key >> DIM_SHIFT) as usize];
        if *seen == VALUES && key >> DIM_SHIFT != RUNS && key << 3 != 0 {
            return self.add(key >> DIM_SHIFT << DIM_SHIFT, n);
        }
        *seen = seen.saturating_add(1);
        self.push(key, n);
    }

    fn push(&mut self, key: u32, n: u32) {
        if self.len == self.cells.len() * 16 {
            if self.cells.len() == self.cells.capacity() {
                self.cells.reserve_exact(2.max(self.cells.len() / 2));
            }
            self.cells.push([[u32::MAX; 16], [0; 16]]);
        }
        let [keys, counts] = &mut self.cells[self.len / 16];
        keys[self.len % 16] = key;
        counts[self.len % 16] = n;
        self.len += 1;
    }

    pub fn cells(&self) -> impl Iterator<Item = (u32, u32)> {
        self.cells.iter().flat_map(|[k, n]| k.iter().copied().zip(n.iter().copied())).take(self.len)
    }

    pub fn runs(&self) -> Vec<u32> {
        self.cells().filter(|(k, _)| k >> DIM_SHIFT == RUNS).map(|(k, _)| k & 0x1FFF_FFFF).collect()
    }

    fn bytes(&self) -> usize {
        let visitors = match &self.visitors { Visitors::Hashes(v) => v.capacity() * 4, Visitors::Registers(_) => 4096 };
        size_of::<Self>() + self.cells.capacity() * 128 + visitors
    }
}

#[inline]
pub fn key(dim: u32, value: u32) -> u32 {
    dim << DIM_SHIFT | value
}

/// Counters addressed by (dimension, value), emptied by their list of touched keys.
struct Dense {
    counts: Vec<u32>,
    touched: Vec<u32>,
}

impl Dense {
    fn new() -> Self {
        Dense { counts: vec![0; DIMS * DENSE as usize], touched: Vec::new() }
    }
    #[inline]
    fn add(&mut self, key: u32) {
        let at = ((key >> DIM_SHIFT) * DENSE + (key & (DENSE - 1))) as usize;
        if self.counts[at] == 0 {
            self.touched.push(key);
        }
        self.counts[at] += 1;
    }
    fn drain(&mut self, into: &mut Bucket) {
        for key in self.touched.drain(..) {
            let at = ((key >> DIM_SHIFT) * DENSE + (key & (DENSE - 1))) as usize;
            into.add(key, std::mem::take(&mut self.counts[at]));
        }
    }
}

pub struct Fold {
    slots: HashMap<u64, u32>,
    pub buckets: Vec<Bucket>,
    pub workspace: Bucket,
    order: Vec<u64>,
    spare: Vec<u64>,
    of_workspace: Dense,
    of_run: Dense,
    /// Browser, OS and device as three dimensions instead of one agent class.
    pub split: bool,
    pub long: usize,
}

impl Fold {
    pub fn new(split: bool) -> Self {
        let mut workspace = Bucket::new(1);
        workspace.visitors = Visitors::Registers(Box::new([0; 4096]));
        Fold { slots: HashMap::default(), buckets: Vec::new(), workspace, order: Vec::new(), spare: Vec::new(), of_workspace: Dense::new(), of_run: Dense::new(), split, long: LONG }
    }

    pub fn bytes(&self) -> usize {
        self.buckets.iter().map(Bucket::bytes).sum::<usize>() + self.slots.capacity() * 17 + (self.order.capacity() + self.spare.capacity()) * 8
    }

    /// Folds a run; `each` sees every link's clicks, in link order, while they are in the cache.
    pub fn fold(&mut self, run: u32, records: &[Record], dicts: &Dicts, mut each: impl FnMut(&mut dyn Iterator<Item = &Record>, u64, usize)) {
        self.sort(records);
        let order = std::mem::take(&mut self.order);
        let mut at = 0;
        while at < order.len() {
            let link = records[order[at] as u32 as usize].link;
            let n = 1 + order[at + 1..].iter().take_while(|&&o| o >> 32 == order[at] >> 32).count();
            let clicks = &order[at..at + n];
            self.fold_link(run, link, clicks, records, dicts);
            each(&mut clicks.iter().map(|&o| &records[o as u32 as usize]), link, n);
            at += n;
        }
        self.order = order;
        self.of_workspace.drain(&mut self.workspace);
        self.workspace.count += records.len() as u32;
    }

    fn fold_link(&mut self, run: u32, link: u64, clicks: &[u64], records: &[Record], dicts: &Dicts) {
        let next = self.buckets.len() as u32;
        let slot = *self.slots.entry(link).or_insert(next);
        if slot == next {
            self.buckets.push(Bucket::new(link));
        }
        let bucket = &mut self.buckets[slot as usize];
        bucket.dirty = true;
        bucket.count += clicks.len() as u32;
        bucket.push(key(RUNS, run), clicks.len() as u32);
        let long = clicks.len() >= self.long;
        let Visitors::Registers(all) = &mut self.workspace.visitors else { return };
        for &o in clicks {
            let r = &records[o as u32 as usize];
            let class = dicts.agents.derived[r.ua as usize];
            let values = [
                key(0, u32::from(r.country)),
                key(1, dicts.referrers.derived[r.referrer as usize]),
                key(2, dicts.langs.derived[usize::from(r.lang)]),
                key(3, u32::from(r.rule)),
                if self.split { key(4, class % 4) } else { key(4, class) },
                key(5, class % 12),
                key(6, class % 7),
            ];
            let values = if self.split { &values[..] } else { &values[..5] };
            for &k in values {
                self.of_workspace.add(k);
                if long { self.of_run.add(k) } else { bucket.add(k, 1) }
            }
            bucket.bots += u32::from(r.flags & 1);
            bucket.visitors.add(r.visitor);
            register(all, r.visitor);
        }
        if long {
            self.of_run.drain(bucket);
        }
    }

    /// `order` becomes (link - least) << 32 | position, sorted; stable, so a link's clicks stay in time order.
    fn sort(&mut self, records: &[Record]) {
        let least = records.iter().map(|r| r.link).min().unwrap_or(0);
        let most = records.iter().map(|r| r.link).max().unwrap_or(0);
        self.order.clear();
        assert!(most - least < 1 << 32, "a wider range of ids would sort (link, position) pairs by comparison");
        self.order.extend(records.iter().enumerate().map(|(i, r)| (r.link - least) << 32 | i as u64));
        if records.len() < 1024 {
            return self.order.sort_unstable();
        }
        let bits = 64 - (most - least).leading_zeros();
        let passes = bits.div_ceil(11).max(1);
        let width = bits.div_ceil(passes).max(1);
        self.spare.resize(records.len(), 0);
        for p in 0..passes {
            let shift = 32 + p * width;
            let digit = |o: u64| (o >> shift) as usize & ((1 << width) - 1);
            let mut starts = vec![0u32; 1 << width];
            self.order.iter().for_each(|&o| starts[digit(o)] += 1);
            let mut sum = 0;
            starts.iter_mut().for_each(|s| sum += std::mem::replace(s, sum));
            for &o in &self.order {
                let at = &mut starts[digit(o)];
                self.spare[*at as usize] = o;
                *at += 1;
            }
            std::mem::swap(&mut self.order, &mut self.spare);
        }
    }
}
