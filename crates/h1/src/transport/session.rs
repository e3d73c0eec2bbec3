//! One connection's turns: flush what is left, read what is there, answer all of it, write once.
//!
//! A turn never waits, so it runs the same in an acceptor, before the socket is registered anywhere, in a proactor's round, and in
//! the connection's own coroutine. What it can't finish it keeps; the keeping is the exception.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::scratch::Scratch;
use super::shared::Shared;
use crate::Handler;
use crate::connection::{Connection, Next, Phase};
use crate::deferred::Slot;
use crate::limits::{LINGER_BYTES, LINGER_TIME, TURNS_IN_A_ROW};

/// A non-blocking byte stream. TLS would be another.
pub(crate) trait Stream: Read + Write {
    /// Tells the peer that nothing more will come.
    fn finish(&self);
}

impl Stream for &TcpStream {
    fn finish(&self) {
        let _ = self.shutdown(std::net::Shutdown::Write);
    }
}

/// What a connection waits for after a turn.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Nothing: there may be more to do at once.
    Again,
    /// Bytes from the peer.
    Read,
    /// Room for what was written.
    Write,
    /// A handler's promise.
    Deferred(Arc<Slot>),
    /// The peer's end of the connection; what it still sends is thrown away.
    Linger,
    /// It is over.
    Close,
}

/// Where the next turn goes on.
#[derive(Debug)]
enum After {
    Read,
    /// With bytes that were read but not looked at.
    Kept,
    Deferred(Arc<Slot>),
    Close {
        linger: bool,
    },
    Linger,
}

impl From<Next> for After {
    fn from(next: Next) -> Self {
        match next {
            Next::Read => Self::Read,
            Next::Again => Self::Kept,
            Next::Deferred(slot) => Self::Deferred(slot),
            Next::Close { linger } => Self::Close { linger },
        }
    }
}

#[derive(PartialEq, Eq)]
enum Written {
    All,
    Blocked,
    Failed,
}

/// A connection with all that it must keep between turns.
pub(crate) struct Session {
    connection: Connection,
    /// Bytes of a request that is not whole, or that waits its turn.
    input: Vec<u8>,
    /// Answers that the peer did not take yet, and how much of them it did.
    output: Vec<u8>,
    taken: usize,
    after: After,
    /// The last read did not empty the socket, or an event said that there is more.
    pub(crate) readable: bool,
    /// The peer has finished sending: there will be no further event for it.
    pub(crate) half_closed: bool,
    discarded: usize,
    /// The clock at the last turn, and what was waited for since when.
    now: Instant,
    waiting: (Phase, u64, Instant),
}

impl Session {
    pub(crate) fn new(peer: SocketAddr, proxy: bool, now: Instant) -> Self {
        Self {
            connection: Connection::new(peer, proxy),
            input: Vec::new(),
            output: Vec::new(),
            taken: 0,
            after: After::Read,
            readable: true,
            half_closed: false,
            discarded: 0,
            now,
            waiting: (Phase::Head, 0, now),
        }
    }

    /// Takes a turn. `late` if the deadline of the last wait has passed, or the server wants idle connections gone: what an
    /// idle peer has sent at the last moment is answered all the same.
    #[inline(never)]
    pub(crate) fn turn<H: Handler>(
        &mut self,
        mut stream: impl Stream,
        shared: &Shared<H>,
        late: bool,
    ) -> Turn {
        let mut scratch = Scratch::take();
        let turn = self.turn_with(&mut stream, shared, late, &mut scratch);
        scratch.give_back();
        turn
    }

    /// What the current wait for bytes is, and until when it may last.
    pub(crate) fn read_deadline<H>(&mut self, shared: &Shared<H>) -> (Phase, Instant) {
        let limits = &shared.service.limits;
        let (phase, heads) = (self.connection.phase(), self.connection.heads());
        // The first head is due from the start, whether it has begun or not.
        let due = if heads == 0 && phase == Phase::Idle { Phase::Head } else { phase };
        if (self.waiting.0, self.waiting.1) != (due, heads) {
            self.waiting = (due, heads, self.now);
        }
        let time = match due {
            Phase::Idle => limits.idle_time,
            Phase::Head => limits.head_time,
            Phase::Body => limits.body_time,
        };
        (phase, self.waiting.2 + time)
    }

    /// Until when a wait of this length, begun at the last turn, may last.
    pub(crate) fn deadline_in(&self, time: Duration) -> Instant {
        self.now + time
    }

    /// How long the peer is listened to after the last answer.
    pub(crate) fn linger_deadline(&self) -> Instant {
        self.now + LINGER_TIME
    }

    fn turn_with<H: Handler>(
        &mut self,
        stream: &mut impl Stream,
        shared: &Shared<H>,
        late: bool,
        scratch: &mut Scratch,
    ) -> Turn {
        if shared.state.is_stopping() {
            return Turn::Close;
        }
        match self.write_kept(stream) {
            Written::All => {}
            Written::Blocked => return Turn::Write,
            Written::Failed => return Turn::Close,
        }
        let Scratch { input, output } = scratch;
        let next = match std::mem::replace(&mut self.after, After::Read) {
            After::Read if late && self.connection.phase() != Phase::Idle => {
                self.time_out(shared, output)
            }
            After::Read => match self.read(stream, shared, input, output) {
                Ok(next) => next,
                Err(turn) => return turn,
            },
            After::Kept => self.answer_kept(stream, shared, output),
            After::Deferred(slot) => match slot.take() {
                Some(response) => {
                    self.now = shared.state.clock.now().instant;
                    self.connection.complete(&response, shared.state.is_draining(), output)
                }
                None => return self.settle(stream, Next::Deferred(slot)),
            },
            After::Close { linger } => Next::Close { linger },
            After::Linger => return self.linger(stream, input, late),
        };
        match self.write(stream, output) {
            Written::Failed => Turn::Close,
            Written::Blocked => {
                self.after = After::from(next);
                Turn::Write
            }
            Written::All => self.settle(stream, next),
        }
    }

    fn time_out<H: Handler>(&mut self, shared: &Shared<H>, out: &mut Vec<u8>) -> Next {
        let batch = shared.state.batch();
        self.now = batch.moment.instant;
        self.connection.time_out(&shared.service, batch, out)
    }

    /// Reads once and answers what is whole.
    #[inline]
    fn read<H: Handler>(
        &mut self,
        stream: &mut impl Stream,
        shared: &Shared<H>,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Next, Turn> {
        let n = match stream.read(input) {
            Ok(0) => {
                let batch = shared.state.batch();
                return Ok(self.connection.end_of_input(&shared.service, batch, out));
            }
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                return Err(self.settle(stream, Next::Read));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(Turn::Again),
            Err(_) => return Err(Turn::Close),
        };
        self.readable = n == input.len() || self.half_closed;
        if self.input.is_empty() {
            let (used, next) = self.answer(stream, shared, &input[..n], out);
            self.input.extend_from_slice(&input[used..n]);
            Ok(next)
        } else {
            self.input.extend_from_slice(&input[..n]);
            Ok(self.answer_kept(stream, shared, out))
        }
    }

    fn answer_kept<H: Handler>(
        &mut self,
        stream: &mut impl Stream,
        shared: &Shared<H>,
        out: &mut Vec<u8>,
    ) -> Next {
        let mut kept = std::mem::take(&mut self.input);
        let (used, next) = self.answer(stream, shared, &kept, out);
        if used < kept.len() {
            kept.drain(..used);
            self.input = kept;
        }
        next
    }

    /// Answers batch after batch, writing each, until the bytes are used up, the peer stops taking answers, or the turn
    /// has lasted long enough.
    #[inline]
    fn answer<H: Handler>(
        &mut self,
        stream: &mut impl Stream,
        shared: &Shared<H>,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> (usize, Next) {
        let batch = shared.state.batch();
        self.now = batch.moment.instant;
        let mut used = 0;
        for _ in 1..TURNS_IN_A_ROW {
            let (n, next) = self.connection.advance(&shared.service, batch, &bytes[used..], out);
            used += n;
            if !matches!(next, Next::Again) {
                return (used, next);
            }
            match self.write(stream, out) {
                Written::All => {}
                Written::Blocked => return (used, next),
                Written::Failed => return (bytes.len(), Next::Close { linger: false }),
            }
        }
        (used, Next::Again)
    }

    /// Writes the batch; what the peer does not take is kept.
    #[inline]
    fn write(&mut self, stream: &mut impl Stream, out: &mut Vec<u8>) -> Written {
        if out.is_empty() {
            return if self.output.is_empty() { Written::All } else { Written::Blocked };
        }
        let (written, n) = write_all(stream, out);
        if written == Written::Blocked {
            self.output.extend_from_slice(&out[n..]);
        }
        out.clear();
        written
    }

    fn write_kept(&mut self, stream: &mut impl Stream) -> Written {
        if self.output.is_empty() {
            return Written::All;
        }
        let (written, n) = write_all(stream, &self.output[self.taken..]);
        self.taken += n;
        if written == Written::All {
            self.output = Vec::new();
            self.taken = 0;
        }
        written
    }

    /// All is written: what to wait for.
    fn settle(&mut self, stream: &mut impl Stream, next: Next) -> Turn {
        match next {
            Next::Read if self.readable => Turn::Again,
            Next::Read => Turn::Read,
            Next::Again => {
                self.after = After::Kept;
                Turn::Again
            }
            Next::Deferred(slot) => {
                self.after = After::Deferred(Arc::clone(&slot));
                Turn::Deferred(slot)
            }
            Next::Close { linger: false } => Turn::Close,
            Next::Close { linger: true } => {
                stream.finish();
                self.after = After::Linger;
                Turn::Again
            }
        }
    }

    /// Throws away what the peer still sends, so that closing does not destroy the answer on its way.
    fn linger(&mut self, stream: &mut impl Stream, input: &mut [u8], late: bool) -> Turn {
        self.after = After::Linger;
        while !late && self.discarded < LINGER_BYTES {
            match stream.read(input) {
                Ok(n) if n > 0 => self.discarded += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Turn::Linger,
                _ => return Turn::Close,
            }
        }
        Turn::Close
    }
}

fn write_all(stream: &mut impl Stream, bytes: &[u8]) -> (Written, usize) {
    let mut n = 0;
    while n < bytes.len() {
        match stream.write(&bytes[n..]) {
            Ok(0) => return (Written::Failed, n),
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return (Written::Blocked, n);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return (Written::Failed, n),
        }
    }
    (Written::All, n)
}
