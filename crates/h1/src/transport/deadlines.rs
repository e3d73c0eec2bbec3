//! Deadlines for all connections: a table of stamps and one thread that looks through it.
//!
//! Before it waits, a connection stores until when: one relaxed store, no timer. The thread shuts down the sockets that are late,
//! which wakes them as any other event of the socket does. A descriptor must not be closed, and its number
//! given to another socket, between the look and the shutdown: each place has a lock that both take.

use std::net::Shutdown;
use std::os::fd::RawFd;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

#[cfg(all(test, feature = "model"))]
use super::model::shutdown;
#[cfg(not(all(test, feature = "model")))]
use super::sys::shutdown;
use crate::sync::{AtomicBool, AtomicU64, Mutex};

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The next request: the connection may be closed without loss.
    Idle = 1,
    /// The rest of a request: it is owed a 408.
    Request = 2,
    /// The peer to take its answer, or to close: it is simply cut.
    Peer = 3,
    /// A handler's promise: no deadline of ours.
    Promise = 4,
}

const PLACES: usize = if cfg!(feature = "model") { 1 } else { 256 };
const FREE: RawFd = -1;
const NEVER: u64 = u64::MAX >> 3;

#[derive(Debug)]
struct Place {
    /// The deadline in milliseconds of the server's clock, shifted by 3, and the [`Wait`]; 0 while it runs.
    stamp: AtomicU64,
    late: AtomicBool,
    fd: Mutex<RawFd>,
}

impl Place {
    fn new() -> Self {
        Self { stamp: AtomicU64::new(0), late: AtomicBool::new(false), fd: Mutex::new(FREE) }
    }

    /// Shuts the socket down if `due` still says so of its stamp under the lock.
    fn shut(&self, due: impl Fn(u64) -> bool, how: impl Fn(u64) -> Shutdown) {
        if !due(self.stamp.load(Ordering::Relaxed)) {
            return;
        }
        let fd = self.fd.lock();
        let stamp = self.stamp.load(Ordering::Relaxed);
        if *fd != FREE && due(stamp) {
            self.late.store(true, Ordering::Release);
            self.stamp.store(0, Ordering::Relaxed);
            shutdown(*fd, how(stamp));
        }
    }
}

/// The places of all connections that stay.
#[derive(Debug)]
pub(crate) struct Table {
    pages: Box<[OnceLock<Box<[Place]>>]>,
    free: Mutex<Free>,
}

#[derive(Debug)]
struct Free {
    returned: Vec<u32>,
    fresh: usize,
}

impl Table {
    pub(crate) fn new(capacity: usize) -> Self {
        let pages = (0..capacity.div_ceil(PLACES)).map(|_| OnceLock::new()).collect();
        Self { pages, free: Mutex::new(Free { returned: Vec::new(), fresh: 0 }) }
    }

    /// Gives a socket a place; `None` where all are taken.
    pub(crate) fn enter(&self, fd: RawFd) -> Option<Seat> {
        let index = {
            let mut free = self.free.lock();
            match free.returned.pop() {
                Some(index) => index as usize,
                None if free.fresh < self.pages.len() * PLACES => {
                    free.fresh += 1;
                    free.fresh - 1
                }
                None => return None,
            }
        };
        let page = self.pages.get(index / PLACES)?;
        let page = page.get_or_init(|| (0..PLACES).map(|_| Place::new()).collect());
        let place = page.get(index % PLACES)?;
        place.stamp.store(0, Ordering::Relaxed);
        place.late.store(false, Ordering::Relaxed);
        *place.fd.lock() = fd;
        Some(Seat(index))
    }

    /// Takes a socket out, before it is closed.
    pub(crate) fn leave(&self, seat: &Seat) {
        if let Some(place) = self.place(seat) {
            *place.fd.lock() = FREE;
            self.free.lock().returned.push(u32::try_from(seat.0).unwrap_or(u32::MAX));
        }
    }

    /// Notes what a connection waits for, and until when in milliseconds of the server's clock.
    #[inline]
    pub(crate) fn stamp(&self, seat: &Seat, wait: Wait, until: Option<u64>) {
        if let Some(place) = self.place(seat) {
            let until = until.unwrap_or(NEVER).min(NEVER);
            place.stamp.store(until << 3 | wait as u64, Ordering::Relaxed);
        }
    }

    /// Notes that a connection runs again; true, once, if it was shut down meanwhile.
    #[inline]
    pub(crate) fn resume(&self, seat: &Seat) -> bool {
        self.place(seat).is_some_and(|place| {
            place.stamp.store(0, Ordering::Relaxed);
            place.late.load(Ordering::Acquire) && place.late.swap(false, Ordering::AcqRel)
        })
    }

    /// Shuts down every socket whose deadline lies before `now`.
    pub(crate) fn reap(&self, now: u64) {
        let how = |stamp| match stamp & 7 {
            stamp if stamp == Wait::Peer as u64 => Shutdown::Both,
            _ => Shutdown::Read,
        };
        self.each(|place| place.shut(|stamp| stamp != 0 && stamp >> 3 < now, how));
    }

    /// Ends the connections that wait for their next request and whose deadline for it lies before `until`.
    pub(crate) fn close_idle(&self, until: u64) {
        let idle = |stamp| stamp & 7 == Wait::Idle as u64 && stamp >> 3 < until;
        self.each(|place| place.shut(idle, |_| Shutdown::Read));
    }

    /// Cuts every connection, whatever it does.
    pub(crate) fn cut_all(&self) {
        self.each(|place| place.shut(|_| true, |_| Shutdown::Both));
    }

    fn each(&self, act: impl Fn(&Place)) {
        self.pages.iter().filter_map(OnceLock::get).flatten().for_each(act);
    }

    #[inline]
    fn place(&self, seat: &Seat) -> Option<&Place> {
        self.pages.get(seat.0 / PLACES)?.get()?.get(seat.0 % PLACES)
    }
}

/// A connection's place in the table.
#[derive(Debug)]
pub(crate) struct Seat(usize);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, client)
    }

    /// Whether the peer was told that the connection is over.
    fn is_cut(mut client: &TcpStream) -> bool {
        client.set_nonblocking(true).unwrap();
        matches!(client.read(&mut [0]), Ok(0))
    }

    #[test]
    fn only_what_is_late_is_shut_down() {
        let table = Table::new(4);
        let (server, client) = pair();
        let seat = table.enter(server.as_raw_fd()).unwrap();
        table.reap(1_000);
        assert!(!table.resume(&seat), "running");
        for (wait, until, late, cut) in [
            (Wait::Promise, None, false, false),
            (Wait::Request, Some(1_000), false, false),
            (Wait::Request, Some(999), true, false),
            (Wait::Peer, Some(999), true, true),
        ] {
            table.stamp(&seat, wait, until);
            table.reap(1_000);
            assert_eq!(table.resume(&seat), late, "{wait:?} {until:?}");
            assert!(!table.resume(&seat), "said once");
            assert_eq!(is_cut(&client), cut, "{wait:?} {until:?}");
        }
    }

    #[test]
    fn a_place_left_is_safe_and_used_again() {
        let table = Table::new(1);
        let (server, client) = pair();
        let seats: Vec<_> = (0..PLACES).map_while(|_| table.enter(server.as_raw_fd())).collect();
        assert_eq!(seats.len(), PLACES);
        assert!(table.enter(server.as_raw_fd()).is_none());
        seats.iter().for_each(|seat| table.leave(seat));
        table.cut_all();
        assert!(!is_cut(&client));
        let seat = table.enter(server.as_raw_fd()).unwrap();
        table.close_idle(1_000);
        assert!(!table.resume(&seat), "not idle");
        for (until, late) in [(1_000, false), (999, true)] {
            table.stamp(&seat, Wait::Idle, Some(until));
            table.close_idle(1_000);
            assert_eq!(table.resume(&seat), late);
        }
        table.cut_all();
        assert!(is_cut(&client));
    }
}
