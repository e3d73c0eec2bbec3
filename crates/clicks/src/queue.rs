//! The hand-over: clicks from many workers to one writer, without a lock, an allocation or a wait.
//!
//! Clicks travel in buffers of [`limits::BUFFER`] bytes, of which there is a fixed number. Every
//! buffer is owned by exactly one party at a time: a worker that appends, a slot, a queue, or the
//! writer. A worker has a lane, a slot that holds its part-filled buffer: it swaps the buffer out,
//! appends one click and swaps it back in, two uncontended atomic exchanges. A full buffer goes to
//! a queue, and an empty one is taken from another. The writer steals part-filled buffers from the
//! lanes every few milliseconds. Threads that share a lane are correct too, only slower: whoever
//! finds the slot empty takes another buffer.
//!
//! No buffer left means that the writer does not keep up: the click is counted as dropped, the
//! worker goes on. It never waits.

use std::{
    cell::Cell,
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use crossbeam_utils::CachePadded;
use waypost_link::Click;

use crate::{
    limits,
    raw::Buffer,
    sync::{ArrayQueue, AtomicCell, AtomicU64, AtomicUsize, yield_now},
};

/// Where clicks are recorded. Cheap to clone; every clone records into the same queue.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Queue>);

/// Where recorded clicks come out: the writer's end, of which there is one.
#[derive(Debug)]
pub struct Drain(Arc<Queue>);

/// A queue of its own: what [`crate::Pipeline`] is built on, and what a test of recording needs.
///
/// `lanes` is how many threads record without touching each other's memory (rounded up to a power
/// of two, at most [`limits::LANES`]); `bytes` bounds the clicks that wait, and is never less than
/// two buffers a lane.
///
/// ```
/// use waypost_link::{Click, LinkId, Timestamp, WorkspaceId};
/// let (recorder, mut drain) = waypost_clicks::queue(1, 1 << 20);
/// let click = Click {
///     link: LinkId(7),
///     workspace: WorkspaceId(1),
///     at: Timestamp(0),
///     salt: 0,
///     ip: [192, 0, 2, 1].into(),
///     country: None,
///     spent: false,
///     user_agent: b"curl/8.5.0",
///     referrer: b"",
///     language: b"",
///     rule: "",
/// };
/// assert!(recorder.record(0, &click));
/// let mut links = Vec::new();
/// drain.take(|click| links.push(click.link));
/// assert_eq!(links, [LinkId(7)]);
/// ```
pub fn queue(lanes: usize, bytes: usize) -> (Recorder, Drain) {
    let lanes = lanes.clamp(1, limits::LANES).next_power_of_two();
    let buffers = (bytes / limits::BUFFER).max(2 * lanes);
    let queue = Queue {
        lanes: (0..lanes).map(|_| CachePadded::default()).collect(),
        full: ArrayQueue::new(buffers),
        parted: ArrayQueue::new(buffers),
        warm: ArrayQueue::new(limits::WARM),
        cold: ArrayQueue::new(buffers),
        buffers,
        waiting: AtomicUsize::new(0),
        recorded: AtomicU64::new(0),
        dropped: AtomicU64::new(0),
    };
    (0..buffers).for_each(|_| queue.recycle(Buffer::new()));
    let queue = Arc::new(queue);
    (Recorder(Arc::clone(&queue)), Drain(queue))
}

impl Recorder {
    /// Records a click; false where it was dropped, and counted so, because every buffer is full
    /// or the pipeline is closed.
    ///
    /// `lane` is the number of the calling worker: any number will do, equal numbers contend. Who
    /// has no number takes [`Recorder::lane`]. Header values are cut to [`limits`].
    #[inline]
    pub fn record(&self, lane: usize, click: &Click<'_>) -> bool {
        self.0.record(lane, click)
    }

    /// A number for the calling thread, the same on every call.
    pub fn lane() -> usize {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        thread_local!(static LANE: Cell<Option<usize>> = const { Cell::new(None) });
        LANE.with(|lane| {
            let number = lane.get().unwrap_or_else(|| NEXT.fetch_add(1, Relaxed));
            lane.set(Some(number));
            number
        })
    }

    /// Clicks in full buffers that the writer has not taken yet; those in the lanes' part-filled
    /// buffers, at most one a lane, don't count.
    pub fn depth(&self) -> usize {
        self.0.waiting.load(Relaxed)
    }

    /// Clicks that the writer has taken since the start.
    pub fn recorded(&self) -> u64 {
        self.0.recorded.load(Relaxed)
    }

    /// Clicks dropped since the start because no buffer was left.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }
}

impl Drain {
    pub(crate) fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }

    /// Hands out every click that was recorded before the call, and maybe some that are recorded
    /// meanwhile; gives their number. It is bounded: no buffer is taken twice.
    pub fn take(&mut self, mut each: impl FnMut(Click<'_>)) -> usize {
        let queue = &*self.0;
        let (mut taken, mut left) = (0, queue.buffers);
        while left > 0
            && let Some(buffer) = queue.next_full()
        {
            taken += queue.empty(buffer, &mut each);
            left -= 1;
        }
        while left > 0
            && let Some(buffer) = queue.parted.pop()
        {
            taken += queue.empty(buffer, &mut each);
            left -= 1;
        }
        for lane in &queue.lanes {
            if let Some(buffer) = lane.swap(None) {
                taken += queue.empty(buffer, &mut each);
            }
        }
        taken
    }

    /// Takes the last clicks and ends the queue: from now on every click is dropped and counted.
    ///
    /// Ends when it has collected every buffer, so that no click of a worker that was recording
    /// meanwhile is missed; false where a buffer did not come back within `patience`.
    pub fn finish(&mut self, patience: Duration, mut each: impl FnMut(Click<'_>)) -> bool {
        let queue = &*self.0;
        let (end, mut held) = (Instant::now() + patience, 0);
        loop {
            let empty = std::iter::from_fn(|| queue.unused());
            held += empty.count();
            let parted = std::iter::from_fn(|| queue.parted.pop());
            let begun = queue.lanes.iter().filter_map(|lane| lane.swap(None));
            for buffer in std::iter::from_fn(|| queue.next_full()).chain(parted).chain(begun) {
                queue.read(&buffer, &mut each);
                held += 1;
            }
            if held >= queue.buffers {
                return true;
            }
            if Instant::now() > end {
                return false;
            }
            yield_now();
        }
    }
}

/// A slot for one buffer: empty, or holding a buffer with at least one click.
#[derive(Default)]
struct Slot(AtomicCell<Option<Box<Buffer>>>);

impl Slot {
    #[inline]
    fn swap(&self, buffer: Option<Box<Buffer>>) -> Option<Box<Buffer>> {
        self.0.swap(buffer)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}

#[derive(Debug)]
struct Queue {
    lanes: Box<[CachePadded<Slot>]>,
    full: ArrayQueue<Box<Buffer>>,
    /// Part-filled buffers that found their slot taken by another thread's.
    parted: ArrayQueue<Box<Buffer>>,
    warm: ArrayQueue<Box<Buffer>>,
    cold: ArrayQueue<Box<Buffer>>,
    buffers: usize,
    waiting: AtomicUsize,
    recorded: AtomicU64,
    dropped: AtomicU64,
}

impl Queue {
    #[inline]
    fn record(&self, lane: usize, click: &Click<'_>) -> bool {
        // The number of lanes is a power of two, so the mask keeps `lane` among them.
        let Some(slot) = self.lanes.get(lane & (self.lanes.len() - 1)) else { return false };
        let Some(mut buffer) = slot.swap(None).or_else(|| self.another()) else {
            return self.overflow();
        };
        buffer.push(click);
        if buffer.is_full() {
            self.complete(buffer);
        } else if let Some(other) = slot.swap(Some(buffer)) {
            self.part(other);
        }
        true
    }

    #[cold]
    #[inline(never)]
    fn another(&self) -> Option<Box<Buffer>> {
        self.parted.pop().or_else(|| self.unused())
    }

    #[cold]
    #[inline(never)]
    fn overflow(&self) -> bool {
        self.dropped.fetch_add(1, Relaxed);
        false
    }

    #[cold]
    #[inline(never)]
    fn complete(&self, buffer: Box<Buffer>) {
        self.waiting.fetch_add(buffer.clicks(), Relaxed);
        // A queue has room for every buffer there is.
        let _ = self.full.push(buffer);
    }

    #[cold]
    #[inline(never)]
    fn part(&self, buffer: Box<Buffer>) {
        let _ = self.parted.push(buffer);
    }

    fn unused(&self) -> Option<Box<Buffer>> {
        self.warm.pop().or_else(|| self.cold.pop())
    }

    fn next_full(&self) -> Option<Box<Buffer>> {
        let buffer = self.full.pop()?;
        self.waiting.fetch_sub(buffer.clicks(), Relaxed);
        Some(buffer)
    }

    fn read(&self, buffer: &Buffer, mut each: impl FnMut(Click<'_>)) -> usize {
        self.recorded.fetch_add(buffer.clicks() as u64, Relaxed);
        buffer.iter().for_each(&mut each);
        buffer.clicks()
    }

    fn empty(&self, buffer: Box<Buffer>, each: impl FnMut(Click<'_>)) -> usize {
        let clicks = self.read(&buffer, each);
        self.recycle(buffer);
        clicks
    }

    fn recycle(&self, mut buffer: Box<Buffer>) {
        buffer.clear();
        if let Err(buffer) = self.warm.push(buffer) {
            let _ = self.cold.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use waypost_link::{LinkId, Timestamp, WorkspaceId};

    use super::*;

    fn click(link: u64, user_agent: &[u8]) -> Click<'_> {
        Click {
            link: LinkId(link),
            workspace: WorkspaceId(1),
            at: Timestamp(link as i64),
            salt: 0,
            ip: [192, 0, 2, 1].into(),
            country: None,
            spent: false,
            user_agent,
            referrer: b"",
            language: b"",
            rule: "",
        }
    }

    #[cfg(not(feature = "model"))]
    #[test]
    fn a_slot_is_lock_free() {
        assert!(AtomicCell::<Option<Box<Buffer>>>::is_lock_free());
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let (recorder, mut drain) = queue(1, 0);
        let agent = [b'a'; 400];
        let taken = (0..1_000).filter(|n| recorder.record(0, &click(*n, &agent))).count();
        assert!((100..200).contains(&taken), "two buffers took {taken}");
        assert_eq!(recorder.dropped(), 1_000 - taken as u64);
        let full = recorder.depth();
        assert!(full > taken / 3 && full <= taken, "{full} of {taken} wait");
        let mut links = Vec::new();
        assert_eq!(drain.take(|click| links.push(click.link.0)), taken);
        assert_eq!(links, (0..taken as u64).collect::<Vec<_>>());
        assert_eq!((recorder.depth(), recorder.recorded()), (0, taken as u64));
        assert!(recorder.record(0, &click(1, b"room again")));
    }

    #[test]
    fn after_the_end_every_click_is_dropped() {
        let (recorder, mut drain) = queue(4, 0);
        assert!(recorder.record(2, &click(1, b"")));
        let mut seen = 0;
        assert!(drain.finish(Duration::from_secs(60), |_| seen += 1));
        assert_eq!((seen, recorder.recorded()), (1, 1));
        assert!((0..8).all(|lane| !recorder.record(lane, &click(1, b""))));
        assert_eq!(recorder.dropped(), 8);
    }

    /// Producers on own and on shared lanes, a writer that steals all the time, and an end in the
    /// middle of it: every click either came out once or was counted as dropped.
    #[test]
    fn nothing_is_lost_or_doubled() {
        const CLICKS: u64 = 30_000;
        for (threads, lanes, bytes) in [(1, 1, 0), (4, 4, 1 << 20), (4, 1, 1 << 20), (6, 2, 0)] {
            let (recorder, mut drain) = queue(lanes, bytes);
            let mut seen = vec![0_u8; threads * CLICKS as usize];
            let accepted: u64 = thread::scope(|scope| {
                let producers: Vec<_> = (0..threads as u64)
                    .map(|thread| {
                        let recorder = recorder.clone();
                        scope.spawn(move || {
                            let links = thread * CLICKS..(thread + 1) * CLICKS;
                            let agent = [b'a'; 120];
                            let lane = thread as usize;
                            links.filter(|n| recorder.record(lane, &click(*n, &agent))).count()
                        })
                    })
                    .collect();
                let mut count = |click: Click<'_>| {
                    assert_eq!(click.user_agent, [b'a'; 120]);
                    seen[click.link.0 as usize] += 1;
                };
                for _ in 0..300 {
                    drain.take(&mut count);
                    thread::yield_now();
                }
                assert!(drain.finish(Duration::from_secs(60), &mut count));
                producers.into_iter().map(|producer| producer.join().unwrap() as u64).sum()
            });
            let out: u64 = seen.iter().map(|&times| u64::from(times)).sum();
            assert!(seen.iter().all(|&times| times <= 1), "{threads} threads, {lanes} lanes");
            assert_eq!((accepted, recorder.recorded()), (out, out));
            assert_eq!(out + recorder.dropped(), threads as u64 * CLICKS);
        }
    }

    #[test]
    fn a_thread_keeps_its_lane() {
        let mine = Recorder::lane();
        assert_eq!(Recorder::lane(), mine);
        assert_ne!(thread::spawn(Recorder::lane).join().unwrap(), mine);
    }
}
