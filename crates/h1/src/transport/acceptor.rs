//! Taking connections from the kernel and answering the first requests on the spot.
//!
//! With deferred accept the first request is there when the connection is; a handler that never blocks answers it before the socket
//! is registered anywhere and before a coroutine exists. Most short connections need neither.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use may::io::{CoIo, WaitIo};

use super::coroutine::{self, WOKEN, Watched};
use super::proactor::{self, Inbox};
use super::session::{Session, Turn};
use super::shared::{Full, Permit, Shared};
use super::sys;
use super::wake::wake;
use crate::limits::{ACCEPTS_IN_A_ROW, DRAIN_ROUNDS, TURNS_IN_A_ROW};
use crate::{Counters, Handler, Refusal};

const OVERLOADED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Accepts on one listener until the server drains.
pub(crate) struct Acceptor<H> {
    watch: CoIo<Watched>,
    listener: TcpListener,
    proxy: bool,
    shared: Arc<Shared<H>>,
    /// Held so that there is one descriptor left when all others are taken.
    reserve: Option<File>,
    /// Who takes the connections that stay; without one each has a coroutine.
    proactor: Option<Arc<Inbox<H>>>,
}

/// Starts an acceptor on the worker that its listener belongs to.
pub(crate) fn start<H: Handler>(
    listener: TcpListener,
    proxy: bool,
    shared: Arc<Shared<H>>,
    io_uring: bool,
) -> io::Result<()> {
    let fd = listener.as_raw_fd();
    let watch = CoIo::new(Watched(fd)).map_err(io::Error::from)?;
    shared.state.accepting.fetch_add(1, Ordering::SeqCst);
    shared.state.add_acceptor(fd, watch.waker());
    let reserve = open_reserve();
    let acceptor = Acceptor { watch, listener, proxy, shared, reserve, proactor: None };
    sys::spawn(fd, move || acceptor.run(io_uring))
}

impl<H: Handler> Acceptor<H> {
    fn run(mut self, io_uring: bool) {
        if io_uring {
            self.proactor = proactor::start(self.fd(), &self.shared)
                .inspect_err(|error| tracing::info!(%error, "no io_uring here: epoll it is"))
                .ok();
        }
        let mut last_rounds = 0..DRAIN_ROUNDS;
        loop {
            match self.accept_some() {
                Ok(()) if self.shared.state.is_draining() && last_rounds.next().is_none() => break,
                Ok(()) => self.step_aside(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.shared.state.is_draining() {
                        break;
                    }
                    self.watch.wait_io();
                }
                Err(error) => self.pause(&error),
            }
        }
        if let Some(inbox) = &self.proactor {
            inbox.close();
        }
        let shared = Arc::clone(&self.shared);
        drop(self);
        shared.state.accepting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Accepts a batch; an error says why it ended early.
    fn accept_some(&mut self) -> io::Result<()> {
        for _ in 0..ACCEPTS_IN_A_ROW {
            match sys::accept(self.fd()) {
                Ok((stream, peer)) => self.welcome(stream, peer),
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn welcome(&self, stream: TcpStream, peer: SocketAddr) {
        let permit = match Permit::new(&self.shared, peer.ip()) {
            Ok(permit) => permit,
            Err(full) => return self.turn_away(&stream, &full),
        };
        let now = self.shared.state.clock.now().instant;
        let mut session = Session::new(peer, self.proxy, now);
        let mut turn = Turn::Again;
        for _ in 0..TURNS_IN_A_ROW {
            turn = session.turn(&stream, &self.shared, false);
            if !matches!(turn, Turn::Again) {
                break;
            }
        }
        if matches!(turn, Turn::Close) {
            Counters::add_nonzero(&self.shared.service.counters.inline, 1);
            return;
        }
        match &self.proactor {
            Some(inbox) => {
                Counters::add_nonzero(&self.shared.service.counters.io_uring, 1);
                inbox.adopt(stream, session, permit, turn);
            }
            None => coroutine::spawn(self.fd(), stream, session, permit, turn),
        }
    }

    /// Answers 503 without looking at the request. What was sent is read first, or closing would destroy the answer.
    fn turn_away(&self, mut stream: &TcpStream, full: &Full) {
        let counters = &self.shared.service.counters;
        match full {
            Full::Server => counters.refuse(Refusal::Overloaded),
            Full::Address => Counters::add_nonzero(&counters.per_ip, 1),
        }
        let _ = stream.read(&mut [0; 2048]);
        let _ = stream.write(OVERLOADED);
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }

    /// Out of descriptors or memory: tells the next in line and waits until the deadline thread says to try again, instead of
    /// spinning on a listener that stays readable.
    fn pause(&mut self, error: &io::Error) {
        tracing::warn!(%error, "accepting pauses");
        Counters::add_nonzero(&self.shared.service.counters.accept_pauses, 1);
        if self.reserve.take().is_some()
            && let Ok((stream, _)) = sys::accept(self.fd())
        {
            self.turn_away(&stream, &Full::Server);
        }
        self.reserve = open_reserve();
        self.shared.state.pause_acceptor(self.fd(), self.watch.waker());
        while self.watch.wait_io() & WOKEN == 0 {}
    }

    fn step_aside(&self) {
        wake(self.fd(), self.watch.waker());
        self.watch.wait_io();
    }

    fn fd(&self) -> RawFd {
        self.listener.as_raw_fd()
    }
}

fn open_reserve() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Errors of the connection that would have been accepted, not of the listener (accept(2)).
fn is_of_the_connection(error: &io::Error) -> bool {
    const OF_THE_CONNECTION: [i32; 11] = [
        libc::ECONNABORTED,
        libc::EINTR,
        libc::EPROTO,
        libc::ENETDOWN,
        libc::ENOPROTOOPT,
        libc::EHOSTDOWN,
        libc::ENONET,
        libc::EHOSTUNREACH,
        libc::ENETUNREACH,
        libc::EPERM,
        libc::ETIMEDOUT,
    ];
    error.raw_os_error().is_some_and(|code| OF_THE_CONNECTION.contains(&code))
}
