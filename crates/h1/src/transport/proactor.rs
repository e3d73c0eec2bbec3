//! The connections that stay, where the kernel has io_uring: one coroutine serves all that a listener has accepted.
//!
//! It does what a coroutine for each does, with the same sessions and deadlines, but by rounds: the kernel has received already what
//! arrived meanwhile, all of it is answered, and all answers are handed over at once. So the kernel's code and ours take
//! turns by the batch and not by the request, each finds its cache warm, and there are a few system calls a round. An
//! idle connection needs no stack.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use may::io::{CoIo, WaitIo};
use parking_lot::Mutex;
use slab::Slab;

use super::coroutine::Watched;
use super::ring::{Buffer, Event, Ring};
use super::seated::Seated;
use super::session::{Session, Stream, Turn};
use super::shared::{Permit, Shared};
use super::stack;
use super::sys::{self, Bell};
use crate::limits::{
    KEPT_BYTES, PREVIEWS, ROUNDS_IN_A_ROW, SEND_BYTES, SPARE_OUTPUTS, TURNS_IN_A_ROW,
};
use crate::{Handler, Preview, service};

/// The way to a proactor, from any thread.
pub(crate) struct Inbox<H> {
    letters: Mutex<Vec<Letter<H>>>,
    bell: Bell,
}

enum Letter<H> {
    /// A connection that stays, and what its last turn asked for.
    Connection(Box<Held<H>>, Turn),
    /// The promise that this connection waits for was kept.
    Kept(usize),
    /// There will be no further connections.
    Last,
}

impl<H> Inbox<H> {
    /// Hands a connection over, after `turn`. Where there is no place for it, it is closed.
    pub(crate) fn adopt(&self, stream: TcpStream, session: Session, permit: Permit<H>, turn: Turn) {
        if let Some(held) = Held::new(stream, session, permit) {
            self.post(Letter::Connection(Box::new(held), turn));
        }
    }

    /// Lets the proactor end once its connections have.
    pub(crate) fn close(&self) {
        self.post(Letter::Last);
    }

    fn post(&self, letter: Letter<H>) {
        self.letters.lock().push(letter);
        self.bell.ring();
    }
}

/// Starts one on the worker that `listener` belongs to, which must be the current one.
///
/// # Errors
/// Where the kernel has no io_uring for us: too old, or forbidden.
pub(crate) fn start<H: Handler>(
    listener: RawFd,
    shared: &Arc<Shared<H>>,
) -> io::Result<Arc<Inbox<H>>> {
    let workers = i32::try_from(may::config().get_workers()).unwrap_or(1).max(1);
    let bell = Bell::new(listener % workers, workers)?;
    let ring = stack::on_workers(|| Ring::new(bell.as_raw_fd()))?;
    let fd = bell.as_raw_fd();
    let watch = CoIo::new(Watched(fd)).map_err(io::Error::from)?;
    let inbox = Arc::new(Inbox { letters: Mutex::default(), bell });
    let proactor = Proactor {
        shared: Arc::clone(shared),
        watch,
        ring,
        inbox: Arc::clone(&inbox),
        connections: Slab::new(),
        ready: VecDeque::new(),
        events: Vec::new(),
        spare: Vec::new(),
        last: false,
    };
    sys::spawn_here(fd, move || proactor.run())?;
    Ok(inbox)
}

struct Proactor<H> {
    shared: Arc<Shared<H>>,
    watch: CoIo<Watched>,
    ring: Ring,
    inbox: Arc<Inbox<H>>,
    connections: Slab<Box<Held<H>>>,
    /// Connections that have more to do although nothing happened.
    ready: VecDeque<usize>,
    events: Vec<Event>,
    /// Empty buffers for answers.
    spare: Vec<Vec<u8>>,
    last: bool,
}

impl<H: Handler> Proactor<H> {
    fn run(mut self) {
        loop {
            let more = stack::on_workers(|| self.rounds());
            if self.last && self.connections.is_empty() {
                return;
            }
            match more {
                Ok(true) => self.inbox.bell.ring(),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "io_uring fails"),
            }
            self.watch.wait_io();
        }
    }

    /// Rounds until there is nothing to do, or other coroutines and the event loop are to have their turn; whether there may be
    /// more to do.
    fn rounds(&mut self) -> io::Result<bool> {
        for _ in 0..ROUNDS_IN_A_ROW {
            if !self.round()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Does all that there is to do now; whether there may be more already: the kernel reports a few events at a time, and rings
    /// the bell for the first only.
    fn round(&mut self) -> io::Result<bool> {
        if !self.ring.has_events() {
            self.ring.enter()?;
        }
        let mut events = std::mem::take(&mut self.events);
        self.ring.read_events(&mut events);
        let more = !events.is_empty();
        events.chunks(PREVIEWS).for_each(|events| self.preview(events));
        events.drain(..).for_each(|event| self.attend(event));
        self.events = events;
        let letters = std::mem::take(&mut *self.inbox.letters.lock());
        letters.into_iter().for_each(|letter| self.open(letter));
        for _ in 0..self.ready.len() {
            if let Some(key) = self.ready.pop_front() {
                self.serve(key, None);
            }
        }
        if self.ring.has_requests() {
            self.ring.enter()?;
        }
        Ok(more || self.ring.has_events() || !self.ready.is_empty())
    }

    /// Tells the handler what has arrived with these events, [`PREVIEWS`] at most, where that is more than one request.
    fn preview(&self, events: &[Event]) {
        let (mut coming, mut count) = ([Preview::default(); PREVIEWS], 0);
        for event in events {
            let Event::Received { arrived: Ok(Some(buffer)), .. } = event else { continue };
            if let Some(preview) = Preview::of(self.ring.bytes(buffer)) {
                coming[count] = preview;
                count += 1;
            }
        }
        if count > 1 {
            service::prefetch(&self.shared.service, &coming[..count]);
        }
    }

    fn attend(&mut self, event: Event) {
        match event {
            Event::Received { key, arrived, more } => self.received(key, arrived, more),
            Event::Sent { key, bytes, result } => self.sent(key, bytes, &result),
        }
    }

    fn open(&mut self, letter: Letter<H>) {
        match letter {
            Letter::Kept(key) => self.serve(key, None),
            Letter::Last => self.last = true,
            Letter::Connection(held, turn) => {
                let key = self.connections.insert(held);
                let held = &mut self.connections[key];
                let after = held.wait_after(turn, key, &self.inbox, false);
                self.follow_up(key, after);
            }
        }
    }

    fn received(&mut self, key: usize, arrived: io::Result<Option<Buffer>>, more: bool) {
        let Some(held) = self.connections.get_mut(key) else { return };
        held.receiving = more;
        match arrived {
            Ok(Some(buffer)) => return self.serve(key, Some(buffer)),
            Ok(None) => held.ended = Some(End::Finished),
            // It goes on as soon as there are buffers, or room to keep what is in them.
            Err(error) if is_for_now(&error) => return self.follow_up(key, After::Wait),
            Err(_) => held.ended = Some(End::Failed),
        }
        self.serve(key, None);
    }

    fn sent(&mut self, key: usize, mut bytes: Vec<u8>, result: &io::Result<()>) {
        if self.spare.len() < SPARE_OUTPUTS {
            bytes.clear();
            self.spare.push(bytes);
        }
        let Some(held) = self.connections.get_mut(key) else { return };
        held.sending = false;
        if result.is_err() {
            held.fail();
        }
        if held.waits_to_write || result.is_err() {
            self.serve(key, None);
        } else if held.closing || held.finishing.get() {
            self.follow_up(key, After::Wait);
        }
    }

    /// Lets a connection take turns, with what has arrived.
    fn serve(&mut self, key: usize, buffer: Option<Buffer>) {
        let Some(held) = self.connections.get_mut(key) else { return };
        let arrived = buffer.as_ref().map_or(&[][..], |buffer| self.ring.bytes(buffer));
        let mut after = After::Wait;
        if !held.closing {
            held.output = self.spare.pop().unwrap_or_default();
            after = held.turns(key, &self.inbox, arrived);
        }
        if let Some(buffer) = buffer {
            self.ring.recycle(buffer);
        }
        self.follow_up(key, after);
    }

    /// Has the kernel do what the connection needs next.
    fn follow_up(&mut self, key: usize, after: After) {
        let held = &mut self.connections[key];
        let output = std::mem::take(&mut held.output);
        if !output.is_empty() {
            held.sending = true;
            self.ring.send(key, held.stream.as_raw_fd(), output);
        } else if output.capacity() > 0 {
            self.spare.push(output);
        }
        if !held.sending && held.finishing.replace(false) {
            let _ = held.stream.shutdown(Shutdown::Write);
        }
        match after {
            After::More => self.ready.push_back(key),
            After::Close => held.closing = true,
            After::Wait => {}
        }
        if held.closing {
            return self.close(key);
        }
        if held.receiving && held.kept.len() >= KEPT_BYTES && !held.stopped {
            held.stopped = true;
            self.ring.stop_receiving(key);
        } else if !held.receiving && held.kept.is_empty() && held.ended.is_none() {
            (held.receiving, held.stopped) = (true, false);
            self.ring.receive(key, held.stream.as_raw_fd());
        }
    }

    /// Closes a connection, as soon as the kernel has nothing more to do with it.
    fn close(&mut self, key: usize) {
        let held = &mut self.connections[key];
        if held.sending {
            return;
        }
        if !held.receiving {
            self.connections.remove(key);
        } else if !std::mem::replace(&mut held.cut, true) {
            // Ends the receiving as well.
            let _ = held.stream.shutdown(Shutdown::Both);
        }
    }
}

/// Whether receiving ended for a reason that passes.
fn is_for_now(error: &io::Error) -> bool {
    let passing = [libc::ENOBUFS, libc::ECANCELED, libc::EINTR, libc::EAGAIN];
    error.raw_os_error().is_some_and(|code| passing.contains(&code))
}

/// What becomes of a connection after its turns.
#[derive(Clone, Copy)]
enum After {
    /// It waits for the kernel, or for a promise.
    Wait,
    /// It has had its share, and can go on.
    More,
    Close,
}

/// Why nothing more arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Finished,
    Failed,
}

/// A connection with its socket, its place in the table and its right to exist. The first four fields go in their order: place left,
/// socket closed, connection uncounted.
struct Held<H> {
    seat: Seated<H>,
    stream: TcpStream,
    session: Session,
    permit: Permit<H>,
    /// What has arrived and was not read yet.
    kept: Vec<u8>,
    /// What was written in these turns.
    output: Vec<u8>,
    ended: Option<End>,
    /// What the kernel is doing: receiving (and was told to stop), sending.
    receiving: bool,
    stopped: bool,
    sending: bool,
    waits_to_write: bool,
    /// The peer is to be told that nothing more comes, once all is sent.
    finishing: Cell<bool>,
    closing: bool,
    /// Both directions were shut down.
    cut: bool,
}

impl<H> Held<H> {
    fn new(stream: TcpStream, session: Session, permit: Permit<H>) -> Option<Self> {
        Some(Self {
            seat: Seated::new(&permit.shared, stream.as_raw_fd())?,
            stream,
            session,
            permit,
            kept: Vec::new(),
            output: Vec::new(),
            ended: None,
            receiving: false,
            stopped: false,
            sending: false,
            waits_to_write: false,
            finishing: Cell::new(false),
            closing: false,
            cut: false,
        })
    }

    fn fail(&mut self) {
        self.ended = Some(End::Failed);
        self.kept = Vec::new();
    }
}

impl<H: Handler> Held<H> {
    /// Takes turns until there is something to wait for; what it doesn't read of `arrived` it keeps.
    fn turns(&mut self, key: usize, inbox: &Arc<Inbox<H>>, arrived: &[u8]) -> After {
        let mut kept = std::mem::take(&mut self.kept);
        if !kept.is_empty() {
            kept.extend_from_slice(arrived);
        }
        let mut input = if kept.is_empty() { arrived } else { &kept };
        let mut after = After::More;
        for _ in 0..TURNS_IN_A_ROW {
            let late = self.seat.resume();
            let mut pipe = Pipe {
                input: &mut input,
                ended: self.ended,
                output: &mut self.output,
                sending: self.sending,
                finishing: &self.finishing,
            };
            let turn = self.session.turn(&mut pipe, &self.permit.shared, late);
            after = self.wait_after(turn, key, inbox, !input.is_empty());
            if !matches!(after, After::More) {
                break;
            }
        }
        self.kept.extend_from_slice(input);
        after
    }

    /// Notes what the turn asked for; `more`: there are bytes that it didn't read.
    fn wait_after(&mut self, turn: Turn, key: usize, inbox: &Arc<Inbox<H>>, more: bool) -> After {
        self.seat.stamp(&turn, &mut self.session);
        self.waits_to_write = false;
        let can_go_on = match turn {
            Turn::Again => true,
            Turn::Close => return After::Close,
            Turn::Read | Turn::Linger => more || self.ended.is_some(),
            Turn::Write => {
                self.waits_to_write = self.sending || !self.output.is_empty();
                !self.waits_to_write
            }
            Turn::Deferred(slot) => {
                let inbox = Arc::clone(inbox);
                !slot.wake_with(move || inbox.post(Letter::Kept(key)))
            }
        };
        if can_go_on { After::More } else { After::Wait }
    }
}

/// A stream to a session: what has arrived, and what is to be sent.
struct Pipe<'p, 'b> {
    input: &'p mut &'b [u8],
    ended: Option<End>,
    output: &'p mut Vec<u8>,
    sending: bool,
    finishing: &'p Cell<bool>,
}

impl Read for &mut Pipe<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.ended {
            _ if !self.input.is_empty() => self.input.read(into),
            Some(End::Finished) => Ok(0),
            Some(End::Failed) => Err(io::ErrorKind::ConnectionReset.into()),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for &mut Pipe<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.ended == Some(End::Failed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = SEND_BYTES.saturating_sub(self.output.len());
        if self.sending || room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = bytes.len().min(room);
        self.output.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for &mut Pipe<'_, '_> {
    fn finish(&self) {
        self.finishing.set(true);
    }
}
