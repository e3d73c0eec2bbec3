//! What all connections of a server share, and the right to be one of them.

use std::net::IpAddr;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use may::io::WaitIoWaker;
use parking_lot::Mutex;

use super::clock::Clock;
use super::deadlines::Table;
use super::per_ip::Ledger;
use super::wake::wake;
use crate::Counters;
use crate::service::{Batch, Service};

/// One server.
pub(crate) struct Shared<H> {
    pub(crate) service: Service<H>,
    pub(crate) state: State,
}

/// The part of a server that does not depend on its handler.
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) table: Table,
    pub(crate) ledger: Option<Ledger>,
    pub(crate) max_connections: u64,
    /// No new connections; each connection ends with its next answer.
    pub(crate) draining: AtomicBool,
    /// Nothing is waited for any more.
    pub(crate) stopping: AtomicBool,
    /// Acceptors that still hold their listener.
    pub(crate) accepting: AtomicUsize,
    acceptors: Mutex<Vec<(RawFd, WaitIoWaker)>>,
    /// Acceptors that ran out of descriptors and wait for the deadline thread to wake them.
    paused: Mutex<Vec<(RawFd, WaitIoWaker)>>,
}

impl State {
    pub(crate) fn new(max_connections: usize, ledger: Option<Ledger>) -> Self {
        Self {
            clock: Clock::new(),
            table: Table::new(max_connections),
            ledger,
            max_connections: max_connections as u64,
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            accepting: AtomicUsize::new(0),
            acceptors: Mutex::new(Vec::new()),
            paused: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn batch(&self) -> Batch {
        Batch { moment: self.clock.now(), draining: self.is_draining() }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn add_acceptor(&self, fd: RawFd, waker: WaitIoWaker) {
        self.acceptors.lock().push((fd, waker));
    }

    pub(crate) fn pause_acceptor(&self, fd: RawFd, waker: WaitIoWaker) {
        self.paused.lock().push((fd, waker));
    }

    /// Lets acceptors that had paused try again.
    pub(crate) fn resume_acceptors(&self) {
        let paused = std::mem::take(&mut *self.paused.lock());
        paused.into_iter().for_each(|(fd, waker)| wake(fd, waker));
    }

    /// Stops accepting. Acceptors take what the kernel has already accepted for them, then close their listeners.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        let acceptors = std::mem::take(&mut *self.acceptors.lock());
        acceptors.into_iter().for_each(|(fd, waker)| wake(fd, waker));
    }
}

/// A connection's right to exist: while it lives, the connection is counted.
pub(crate) struct Permit<H> {
    pub(crate) shared: Arc<Shared<H>>,
    ip: Option<IpAddr>,
}

/// Why a connection may not exist.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Server,
    Address,
}

impl<H> Permit<H> {
    pub(crate) fn new(shared: &Arc<Shared<H>>, ip: IpAddr) -> Result<Self, Full> {
        let counters = &shared.service.counters;
        Counters::add_nonzero(&counters.accepted, 1);
        let ip = match &shared.state.ledger {
            Some(ledger) => ledger.enter(ip).map_err(|()| Full::Address)?,
            None => None,
        };
        let open = counters.open.fetch_add(1, Ordering::Relaxed);
        let permit = Self { shared: Arc::clone(shared), ip };
        if open < shared.state.max_connections { Ok(permit) } else { Err(Full::Server) }
    }
}

impl<H> Drop for Permit<H> {
    fn drop(&mut self) {
        if let (Some(ledger), Some(ip)) = (&self.shared.state.ledger, self.ip) {
            ledger.leave(ip);
        }
        self.shared.service.counters.open.fetch_sub(1, Ordering::Release);
    }
}
