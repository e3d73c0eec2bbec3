//! The coroutine of a connection that stays, where there is no io_uring: take turns, and between them wait for the socket.

use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};

use may::io::{CoIo, WaitIo};

use super::seated::Seated;
use super::session::{Session, Turn};
use super::shared::Permit;
use super::wake::wake;
use super::{stack, sys};
use crate::Handler;
use crate::limits::TURNS_IN_A_ROW;

// The events that the scheduler reports, as epoll names them.
const IN: usize = 0x1;
const OUT: usize = 0x4;
const ERR: usize = 0x8;
const HUP: usize = 0x10;
const RDHUP: usize = 0x2000;
/// Its own event: somebody called the waker.
pub(crate) const WOKEN: usize = 0x8000_0000;

/// A descriptor to watch; whoever owns the socket keeps it open for longer.
pub(crate) struct Watched(pub(crate) RawFd);

impl AsRawFd for Watched {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// A connection with its socket, its place in the table and its right to exist. The order of the fields is the order in which
/// they go: events off, place left, socket closed, connection uncounted — a descriptor's number may be in use again as
/// soon as it is closed.
struct Lasting<H> {
    watch: CoIo<Watched>,
    seat: Seated<H>,
    stream: TcpStream,
    session: Session,
    permit: Permit<H>,
}

/// Gives a connection a coroutine, which goes on after `turn`. `here` is the descriptor whose worker is the current one.
/// Where there is no place or no memory for it, the connection is closed.
pub(crate) fn spawn<H: Handler>(
    here: RawFd,
    stream: TcpStream,
    session: Session,
    permit: Permit<H>,
    turn: Turn,
) {
    let fd = stream.as_raw_fd();
    let workers = i32::try_from(may::config().get_workers()).unwrap_or(1).max(1);
    let run = move || {
        if let Some(mut connection) = Lasting::new(stream, session, permit) {
            connection.run(turn);
        }
    };
    let spawned =
        if fd % workers == here % workers { sys::spawn_here(fd, run) } else { sys::spawn(fd, run) };
    if let Err(error) = spawned {
        tracing::error!(%error, "can't start a coroutine");
    }
}

impl<H: Handler> Lasting<H> {
    fn new(stream: TcpStream, session: Session, permit: Permit<H>) -> Option<Self> {
        let fd = stream.as_raw_fd();
        let seat = Seated::new(&permit.shared, fd)?;
        let watch = CoIo::new(Watched(fd)).ok()?;
        Some(Self { watch, seat, stream, session, permit })
    }

    fn run(&mut self, first: Turn) {
        let mut turn = first;
        let mut in_a_row = 0;
        loop {
            in_a_row = match turn {
                Turn::Close => return,
                Turn::Again if in_a_row < TURNS_IN_A_ROW => in_a_row + 1,
                other => {
                    self.wait_after(other);
                    0
                }
            };
            let late = self.seat.resume();
            turn = stack::on_workers(|| self.session.turn(&self.stream, &self.permit.shared, late));
        }
    }

    /// Waits for what the turn asked for.
    fn wait_after(&mut self, turn: Turn) {
        self.seat.stamp(&turn, &mut self.session);
        match turn {
            Turn::Read | Turn::Linger => self.wait_for(IN | RDHUP),
            Turn::Write => self.wait_for(OUT),
            Turn::Deferred(slot) => {
                let (fd, waker) = (self.watch.as_raw_fd(), self.watch.waker());
                if slot.wake_with(move || wake(fd, waker)) {
                    self.wait_for(WOKEN);
                }
            }
            Turn::Again => self.step_aside(),
            Turn::Close => {}
        }
    }

    /// Lets the worker look at its other sockets. A plain yield would not: the scheduler runs what is ready before it polls.
    fn step_aside(&mut self) {
        wake(self.watch.as_raw_fd(), self.watch.waker());
        self.wait_for(WOKEN);
    }

    /// Waits for one of these events, noting all others. A fatal event or a wake ends every wait.
    fn wait_for(&mut self, wanted: usize) {
        loop {
            let events = self.watch.wait_io();
            self.session.readable |= events & (IN | RDHUP | HUP | ERR) != 0;
            self.session.half_closed |= events & (RDHUP | HUP) != 0;
            if events & (wanted | HUP | ERR | WOKEN) != 0 {
                return;
            }
        }
    }
}
