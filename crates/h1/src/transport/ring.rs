//! An io_uring and the memory that it reads and writes: what the kernel is asked for, and what came of it.
//!
//! Bytes of all sockets arrive in buffers of the ring's, of which the kernel takes one whenever there is something to put into it;
//! bytes to send are the ring's until they are sent. So nothing that the kernel still uses can be freed or changed by mistake,
//! and one system call hands over what a whole round has to say. A ring belongs to one thread.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::{EnterFlags, IoUring, cqueue, opcode, squeue, types};

/// Requests that are handed over at once, at most.
const SUBMISSIONS: u32 = 512;
/// Results that the kernel has room for; more wait with it.
const COMPLETIONS: u32 = 4096;
/// Events that are read at once.
const EVENTS: usize = 256;
/// Buffers that bytes arrive in: a power of two.
const BUFFERS: u16 = 256;
/// Bytes of one.
const BUFFER_BYTES: usize = 4096;
/// The kernel's name for them: a ring has one group.
const GROUP: u16 = 0;

// What a result is about: the upper half of its mark; the lower is the connection's key.
const RECEIVED: u64 = 1 << 32;
const SENT: u64 = 2 << 32;
const CANCELLED: u64 = 3 << 32;
const KEY: u64 = RECEIVED - 1;

/// What the kernel has to say about a connection.
pub(crate) enum Event {
    /// Bytes have arrived (`None`: there will be no more); while `more`, it goes on receiving.
    Received { key: usize, arrived: io::Result<Option<Buffer>>, more: bool },
    /// All of these bytes were sent, or not.
    Sent { key: usize, bytes: Vec<u8>, result: io::Result<()> },
}

/// Bytes that have arrived; to be given back with [`Ring::recycle`].
#[must_use]
pub(crate) struct Buffer {
    id: u16,
    length: usize,
}

/// An io_uring of the thread that made it.
pub(crate) struct Ring {
    ring: IoUring,
    buffers: Buffers,
    requests: VecDeque<squeue::Entry>,
    /// By key: what is being sent.
    sending: Vec<Vec<u8>>,
    /// Requests of which the last result has not come.
    pending: usize,
}

impl Ring {
    /// A ring that rings this eventfd when there is something to look at.
    ///
    /// # Errors
    /// Where the kernel is too old for it (Linux 6.1 is not), or doesn't allow it.
    pub(crate) fn new(bell: RawFd) -> io::Result<Self> {
        let ring: IoUring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_cqsize(COMPLETIONS)
            .build(SUBMISSIONS)?;
        let buffers = Buffers::new();
        // SAFETY: the entries are a page of zeroes, as many as said, and stay where they are until the ring is gone.
        unsafe {
            let entries = buffers.entries.as_ptr() as u64;
            ring.submitter().register_buf_ring_with_flags(entries, BUFFERS, GROUP, 0)?;
        }
        ring.submitter().register_eventfd(bell)?;
        Ok(Self { ring, buffers, requests: VecDeque::new(), sending: Vec::new(), pending: 0 })
    }

    /// Has what arrives at `socket` reported, time and again, until a result says that there is no more.
    pub(crate) fn receive(&mut self, key: usize, socket: RawFd) {
        let receive = opcode::RecvMulti::new(types::Fd(socket), GROUP).build();
        self.pending += 1;
        // SAFETY: the buffers are the ring's own.
        unsafe { self.push(receive.user_data(RECEIVED | key as u64)) };
    }

    /// Ends that; a last result still comes.
    pub(crate) fn stop_receiving(&mut self, key: usize) {
        let cancel = opcode::AsyncCancel::new(RECEIVED | key as u64).build();
        // SAFETY: no memory is involved.
        unsafe { self.push(cancel.user_data(CANCELLED | key as u64)) };
    }

    /// Sends all of `bytes`. A key sends one thing at a time.
    pub(crate) fn send(&mut self, key: usize, socket: RawFd, bytes: Vec<u8>) {
        if self.sending.len() <= key {
            self.sending.resize_with(key + 1, Vec::new);
        }
        debug_assert!(self.sending[key].is_empty());
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let send = opcode::Send::new(types::Fd(socket), bytes.as_ptr(), length)
            .flags(libc::MSG_WAITALL | libc::MSG_NOSIGNAL)
            .build();
        self.sending[key] = bytes;
        self.pending += 1;
        // SAFETY: the bytes are the ring's now, which neither changes nor frees them before their result is there.
        unsafe { self.push(send.user_data(SENT | key as u64)) };
    }

    /// # Safety
    /// What the request names in memory must be valid until its last result is there.
    unsafe fn push(&mut self, request: squeue::Entry) {
        self.requests.push_back(request);
    }

    /// Hands over what was asked for, and has the kernel report what there is by now; it doesn't wait.
    ///
    /// # Errors
    /// What a broken ring meets with. That results are in the way, or a signal, is none.
    pub(crate) fn enter(&mut self) -> io::Result<()> {
        loop {
            let waiting = self.fill();
            let flags = EnterFlags::GETEVENTS.bits();
            // SAFETY: as many requests are handed over as were pushed, and there is no argument.
            let entered =
                unsafe { self.ring.submitter().enter::<libc::sigset_t>(waiting, 0, flags, None) };
            match entered.map_err(|error| (error.raw_os_error(), error)) {
                Ok(taken) if taken > 0 && !self.requests.is_empty() => {}
                Ok(_) | Err((Some(libc::EINTR | libc::EAGAIN | libc::EBUSY), _)) => return Ok(()),
                Err((_, error)) => return Err(error),
            }
        }
    }

    /// Moves requests to where the kernel sees them, as many as have room there; how many there are.
    fn fill(&mut self) -> u32 {
        let mut queue = self.ring.submission();
        while let Some(request) = self.requests.pop_front_if(|_| !queue.is_full()) {
            // SAFETY: whoever pushed it has promised that what it names is valid.
            let _has_room = unsafe { queue.push(&request) };
        }
        queue.len() as u32
    }

    /// Whether there is something to hand over.
    pub(crate) fn has_requests(&mut self) -> bool {
        !self.requests.is_empty() || !self.ring.submission().is_empty()
    }

    /// Whether there are events to be read.
    pub(crate) fn has_events(&mut self) -> bool {
        !self.ring.completion().is_empty()
    }

    /// Moves the next events that are there to `events`.
    pub(crate) fn read_events(&mut self, events: &mut Vec<Event>) {
        for result in self.ring.completion().take(EVENTS) {
            let (mark, flags) = (result.user_data(), result.flags());
            let key = (mark & KEY) as usize;
            let count = usize::try_from(result.result())
                .map_err(|_| io::Error::from_raw_os_error(-result.result()));
            let more = cqueue::more(flags);
            self.pending -= usize::from(!more && mark & !KEY != CANCELLED);
            events.push(match mark & !KEY {
                RECEIVED => {
                    let arrived = match (count, cqueue::buffer_select(flags)) {
                        (Ok(length), Some(id)) if length > 0 => Ok(Some(Buffer { id, length })),
                        (count, unused) => {
                            unused.into_iter().for_each(|id| self.buffers.offer(id));
                            count.map(|_| None)
                        }
                    };
                    Event::Received { key, arrived, more }
                }
                SENT => {
                    let bytes = std::mem::take(&mut self.sending[key]);
                    let whole = |sent| match sent == bytes.len() {
                        true => Ok(()),
                        false => Err(io::ErrorKind::WriteZero.into()),
                    };
                    let result = count.and_then(whole);
                    Event::Sent { key, bytes, result }
                }
                _ => continue,
            });
        }
    }

    /// What is in a buffer.
    pub(crate) fn bytes(&self, buffer: &Buffer) -> &[u8] {
        self.buffers.bytes(buffer)
    }

    /// Lets a buffer be used again.
    #[expect(clippy::needless_pass_by_value, reason = "who gives it back has it no more")]
    pub(crate) fn recycle(&mut self, buffer: Buffer) {
        self.buffers.offer(buffer.id);
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if self.pending > 0 {
            // The kernel ends what is under way after this, so what that uses is left to it.
            self.sending.drain(..).for_each(std::mem::forget);
            self.buffers.lent = true;
        }
    }
}

/// The buffers that bytes arrive in, and a page of entries that tells the kernel which of them are free.
struct Buffers {
    entries: NonNull<types::BufRingEntry>,
    tail: u16,
    /// Somebody else may still write there.
    lent: bool,
}

// SAFETY: the memory is this value's own, wherever it is.
unsafe impl Send for Buffers {}

impl Buffers {
    /// Bytes of the page of entries.
    const ENTRIES: usize = BUFFERS as usize * size_of::<types::BufRingEntry>();
    /// The entries, aligned as the kernel wants them, and the buffers behind them.
    const LAYOUT: Layout = {
        let bytes = Self::ENTRIES + BUFFERS as usize * BUFFER_BYTES;
        match Layout::from_size_align(bytes, 4096) {
            Ok(layout) => layout,
            Err(_) => panic!("a size too large"),
        }
    };

    fn new() -> Self {
        // SAFETY: the layout is not empty.
        let all = NonNull::new(unsafe { alloc(Self::LAYOUT) });
        let Some(all) = all else { handle_alloc_error(Self::LAYOUT) };
        // SAFETY: that many bytes were allocated. All are touched: what a ring holds it holds from the start, and no flood of
        // requests makes it more.
        unsafe { all.write_bytes(0, Self::LAYOUT.size()) };
        let entries = all.cast();
        let mut buffers = Self { entries, tail: 0, lent: false };
        (0..BUFFERS).for_each(|id| buffers.offer(id));
        buffers
    }

    /// Where buffer `id` begins.
    fn start(&self, id: u16) -> NonNull<u8> {
        let id = usize::from(id % BUFFERS);
        // SAFETY: this is inside of the allocation for every number below BUFFERS.
        unsafe { self.entries.cast::<u8>().add(Self::ENTRIES + id * BUFFER_BYTES) }
    }

    fn bytes(&self, buffer: &Buffer) -> &[u8] {
        let length = buffer.length.min(BUFFER_BYTES);
        // SAFETY: the buffer is initialised memory, and the kernel doesn't write there before it is offered again, for which
        // whoever has borrowed `self` must have let go of it.
        unsafe { std::slice::from_raw_parts(self.start(buffer.id).as_ptr(), length) }
    }

    /// Tells the kernel that a buffer is free.
    fn offer(&mut self, id: u16) {
        let start = self.start(id);
        // SAFETY: the place is one of the entries, of which the kernel reads none from the tail on; the tail is a number of
        // two bytes, aligned, in the first entry, where nobody else writes.
        unsafe {
            let mut entry = self.entries.add(usize::from(self.tail % BUFFERS));
            let entry = entry.as_mut();
            entry.set_addr(start.as_ptr() as u64);
            entry.set_len(BUFFER_BYTES as u32);
            entry.set_bid(id);
            self.tail = self.tail.wrapping_add(1);
            let tail = types::BufRingEntry::tail(self.entries.as_ptr()).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        if !self.lent {
            // SAFETY: it was allocated with this layout, and nobody uses it any more.
            unsafe { dealloc(self.entries.as_ptr().cast(), Self::LAYOUT) };
        }
    }
}
