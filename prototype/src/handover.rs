//! Worker to writer: a click is encoded once, into bytes, without allocation, unsafe or lock.
//!
//! (a) a queue of 512-byte records against (b) a recycled batch of 32 KiB that lies in a one-slot queue: the worker
//! pops it, appends, puts it back; the writer steals it every tick; full ones and empty ones travel in two queues.

use crate::load::Facts;
use crossbeam_queue::ArrayQueue;

pub const BATCH: usize = 32 * 1024;
pub const HEAD: usize = 36;
/// The longest click: a longer user agent or referrer is cut by the worker.
pub const CLICK: usize = 1024;

pub struct Batch(pub Vec<u8>);

pub struct Handover {
    slot: ArrayQueue<Box<Batch>>,
    pub full: ArrayQueue<Box<Batch>>,
    free: ArrayQueue<Box<Batch>>,
    /// The few emptied last, still in the cache: taken before `free`.
    warm: ArrayQueue<Box<Batch>>,
}

/// head: time 8, link 8, workspace 4, ip 4, country 2, rule 2, flags 2, lengths 2 + 2 + 2; then the three strings.
#[inline]
pub fn encode(f: &Facts<'_>, out: &mut Vec<u8>) {
    let mut head = [0u8; HEAD];
    head[0..8].copy_from_slice(&f.time.to_le_bytes());
    head[8..16].copy_from_slice(&f.link.to_le_bytes());
    head[16..20].copy_from_slice(&1u32.to_le_bytes());
    head[20..24].copy_from_slice(&f.ip.to_le_bytes());
    head[24..26].copy_from_slice(&f.country.to_le_bytes());
    head[30..32].copy_from_slice(&(f.ua.len() as u16).to_le_bytes());
    head[32..34].copy_from_slice(&(f.referrer.len() as u16).to_le_bytes());
    head[34..36].copy_from_slice(&(f.lang.len() as u16).to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(f.ua);
    out.extend_from_slice(f.referrer);
    out.extend_from_slice(f.lang);
}

#[derive(Clone, Copy)]
pub struct Raw<'a> {
    pub facts: (u64, u64, u32, u16),
    pub ua: &'a [u8],
    pub referrer: &'a [u8],
    pub lang: &'a [u8],
}

/// Takes the first click off `bytes`; `None` at the end and for anything cut short.
#[inline]
pub fn decode<'a>(bytes: &mut &'a [u8]) -> Option<Raw<'a>> {
    let (h, rest) = bytes.split_first_chunk::<HEAD>()?;
    let u16_at = |i: usize| u16::from_le_bytes([h[i], h[i + 1]]);
    let u64_at = |i: usize| u64::from_le_bytes([h[i], h[i + 1], h[i + 2], h[i + 3], h[i + 4], h[i + 5], h[i + 6], h[i + 7]]);
    let (ua, rest) = rest.split_at_checked(usize::from(u16_at(30)))?;
    let (referrer, rest) = rest.split_at_checked(usize::from(u16_at(32)))?;
    let (lang, rest) = rest.split_at_checked(usize::from(u16_at(34)))?;
    *bytes = rest;
    Some(Raw { facts: (u64_at(0), u64_at(8), u32::from_le_bytes([h[20], h[21], h[22], h[23]]), u16_at(24)), ua, referrer, lang })
}

impl Handover {
    pub fn new(batches: usize) -> Self {
        let h = Handover { slot: ArrayQueue::new(1), full: ArrayQueue::new(batches), free: ArrayQueue::new(batches), warm: ArrayQueue::new(8) };
        for _ in 0..batches {
            let _ = h.free.push(Box::new(Batch(Vec::with_capacity(BATCH))));
        }
        h
    }

    /// The worker's side. False: no empty batch was left (a server would count a dropped click).
    #[inline]
    pub fn offer(&self, f: &Facts<'_>) -> bool {
        let Some(mut batch) = self.slot.pop().or_else(|| self.warm.pop()).or_else(|| self.free.pop()) else { return false };
        encode(f, &mut batch.0);
        let back = if batch.0.len() + CLICK > BATCH { &self.full } else { &self.slot };
        let _ = back.push(batch);
        true
    }

    /// The writer's side: full batches first, then (at a tick) what the worker has begun.
    pub fn take(&self, tick: bool) -> Option<Box<Batch>> {
        self.full.pop().or_else(|| if tick { self.slot.pop() } else { None })
    }

    pub fn recycle(&self, mut batch: Box<Batch>) {
        batch.0.clear();
        if let Err(batch) = self.warm.push(batch) {
            let _ = self.free.push(batch);
        }
    }
}
