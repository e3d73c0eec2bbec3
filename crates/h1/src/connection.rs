//! One connection's protocol, without its socket: bytes in, answers out.
//!
//! The transport hands over whatever it has read and an output buffer; [`Connection::advance`] answers every request that
//! is whole, so that a pipelined batch leaves in one write, and says what it waits for. It holds no
//! buffers of its own but a body that is on its way: an idle connection costs a few words.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::body::Incoming;
use crate::deferred::Slot;
use crate::handler::{Answered, Outcome};
use crate::head::{self, Framing, Origin, Parsed};
use crate::limits::{BATCH_BYTES, BATCH_REQUESTS, HEADERS_MAX, HEADERS_USUAL, LEADING_EMPTY_LINES};
use crate::line::Line;
use crate::reply::Exchange;
use crate::service::{Batch, Service, exchange_of, foresee, guarded};
use crate::{BodyPolicy, Counters, Handler, Head, Refusal, Reply, Request, Response, proxy};

/// What the connection waits for.
#[derive(Debug)]
pub(crate) enum Next {
    /// More bytes.
    Read,
    /// Nothing: it has had its share of this turn and can go on.
    Again,
    /// The answer that a handler promised.
    Deferred(Arc<Slot>),
    /// The end, once the output is written. `linger` where the peer may still be sending: closing at once could destroy
    /// the answer before it is read.
    Close { linger: bool },
}

/// What a peer is late with; each has its own deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Head,
    Body,
}

#[derive(Debug)]
enum State {
    /// A PROXY header comes first.
    Proxy,
    Head,
    Body(Box<Incoming>),
    Deferred(Exchange),
    Closed,
}

/// The protocol state of one connection.
#[derive(Debug)]
pub(crate) struct Connection {
    state: State,
    peer: SocketAddr,
    /// Bytes of the buffered head that were searched for its end; 0 before the first look.
    scanned: usize,
    empty_lines: usize,
    /// Heads that were whole.
    heads: u64,
}

/// One step of [`Connection::advance`].
enum Step {
    Used(usize),
    Need,
    End(usize, Next),
}

impl Connection {
    pub(crate) fn new(peer: SocketAddr, proxy: bool) -> Self {
        let state = if proxy { State::Proxy } else { State::Head };
        Self { state, peer, scanned: 0, empty_lines: 0, heads: 0 }
    }

    /// Answers what is whole in `input` into `out`. Returns the bytes used and what to do next; what was not used
    /// must come again in front of what is read later.
    pub(crate) fn advance<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> (usize, Next) {
        let mut used = 0;
        let mut requests = 0;
        // The first request, which is often the only one, is not looked for by itself.
        let mut foreseen = 1;
        let next = loop {
            let rest = &input[used..];
            if requests >= BATCH_REQUESTS || out.len() >= BATCH_BYTES {
                break if rest.is_empty() { Next::Read } else { Next::Again };
            }
            if requests >= foreseen && !rest.is_empty() {
                foreseen += foresee(service, rest);
            }
            let step = match self.state {
                State::Proxy => self.read_proxy(rest),
                State::Head => self.read_head(service, batch, rest, out, &mut requests),
                State::Body(_) => self.read_body(service, batch, rest, out, &mut requests),
                State::Deferred(_) | State::Closed => break Next::Close { linger: true },
            };
            match step {
                Step::Used(n) => used += n,
                Step::Need => break Next::Read,
                Step::End(n, next) => {
                    used += n;
                    break next;
                }
            }
        };
        Counters::add_nonzero(&service.counters.requests, u64::from(requests));
        (used, next)
    }

    /// Writes the answer that was waited for.
    pub(crate) fn complete(
        &mut self,
        response: &Response,
        draining: bool,
        out: &mut Vec<u8>,
    ) -> Next {
        let State::Deferred(exchange) = self.state else {
            return Next::Close { linger: true };
        };
        self.state = State::Head;
        let exchange = Exchange { close: exchange.close || draining, ..exchange };
        match self.settle(Reply::new(out, exchange).respond(response), exchange, true) {
            Next::Read => Next::Again,
            next => next,
        }
    }

    /// The deadline of the current phase has passed: 408, unless nothing was asked yet.
    pub(crate) fn time_out<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        out: &mut Vec<u8>,
    ) -> Next {
        if !self.has_begun() {
            return Next::Close { linger: false };
        }
        self.refuse(service, batch, Refusal::Timeout, out)
    }

    /// The peer has finished sending. A request cut short is told so; it may still be listening.
    pub(crate) fn end_of_input<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        out: &mut Vec<u8>,
    ) -> Next {
        if self.has_begun() {
            let _ = self.refuse(service, batch, Refusal::Malformed, out);
        }
        self.state = State::Closed;
        Next::Close { linger: false }
    }

    /// What it waits for while it waits for bytes.
    pub(crate) fn phase(&self) -> Phase {
        match self.state {
            State::Body(_) => Phase::Body,
            State::Head if self.scanned == 0 => Phase::Idle,
            _ => Phase::Head,
        }
    }

    /// Heads read so far: tells one wait for a head from the next.
    pub(crate) fn heads(&self) -> u64 {
        self.heads
    }

    fn has_begun(&self) -> bool {
        self.scanned > 0 || matches!(self.state, State::Body(_))
    }

    fn read_proxy(&mut self, input: &[u8]) -> Step {
        match proxy::parse(input) {
            Ok(None) => Step::Need,
            Ok(Some(announced)) => {
                self.peer = announced.client.unwrap_or(self.peer);
                self.state = State::Head;
                Step::Used(announced.length)
            }
            Err(proxy::Malformed) => {
                self.state = State::Closed;
                Step::End(0, Next::Close { linger: false })
            }
        }
    }

    #[inline]
    fn read_head<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        input: &[u8],
        out: &mut Vec<u8>,
        requests: &mut u32,
    ) -> Step {
        match input {
            [] => return Step::Need,
            [b'\r', b'\n', ..] if self.empty_lines < LEADING_EMPTY_LINES => {
                self.empty_lines += 1;
                self.scanned = 0;
                return Step::Used(2);
            }
            [b'\r'] => {
                self.scanned = 1;
                return Step::Need;
            }
            [b'\r' | b'\n', ..] => {
                return Step::End(0, self.refuse(service, batch, Refusal::Malformed, out));
            }
            _ => {}
        }
        match self.look(service, batch, input, out, requests) {
            Ok(step) => step,
            Err(why) => Step::End(0, self.refuse(service, batch, why, out)),
        }
    }

    /// Looks whether the head is whole and, if so, acts on it.
    fn look<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        input: &[u8],
        out: &mut Vec<u8>,
        requests: &mut u32,
    ) -> Result<Step, Refusal> {
        let Service { limits, .. } = service;
        if self.scanned > 0 && !head::ends_after(input, self.scanned) {
            self.scanned = input.len();
            head::check_partial::<()>(input, limits)?;
            return Ok(Step::Need);
        }
        match self.parse::<H, HEADERS_USUAL>(service, batch, input, out, requests) {
            Err(Refusal::HeadTooLarge) if limits.headers > HEADERS_USUAL => {
                self.parse_many(service, batch, input, out, requests)
            }
            done => done,
        }
    }

    /// Again with the large table, for the few heads that need it: to clear it would cost every request.
    #[cold]
    #[inline(never)]
    fn parse_many<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        input: &[u8],
        out: &mut Vec<u8>,
        requests: &mut u32,
    ) -> Result<Step, Refusal> {
        self.parse::<H, HEADERS_MAX>(service, batch, input, out, requests)
    }

    /// Parses what may be a whole head with room for `N` fields and, if it is one, acts on it.
    #[inline]
    fn parse<H: Handler, const N: usize>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        input: &[u8],
        out: &mut Vec<u8>,
        requests: &mut u32,
    ) -> Result<Step, Refusal> {
        let mut lines = [Line::default(); N];
        let origin = self.origin(service, batch);
        let Some(parsed) = head::parse(input, &mut lines, origin)? else {
            self.scanned = input.len();
            return Ok(Step::Need);
        };
        self.scanned = 0;
        self.empty_lines = 0;
        self.heads += 1;
        *requests += 1;
        Ok(self.act(service, batch, &parsed, input, out))
    }

    fn origin<'a, H>(&self, service: &'a Service<H>, batch: Batch) -> Origin<'a> {
        Origin { limits: &service.limits, peer: self.peer, received: batch.moment }
    }

    /// A head is whole: answers it, or begins to read its body.
    #[inline]
    fn act<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        parsed: &Parsed<'_>,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Step {
        let rest = input.len() - parsed.length;
        if parsed.framing == Framing::None {
            return self.answer(service, batch, parsed, b"", rest, parsed.length, out);
        }
        self.begin_body(service, batch, parsed, input, out)
    }

    /// A body is announced: answers at once if it is here or not wanted, else begins to read it.
    fn begin_body<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        parsed: &Parsed<'_>,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Step {
        let (head, rest) = input.split_at(parsed.length);
        let (keep, max) = match service.handler.body(&parsed.head) {
            BodyPolicy::Ignore => (false, service.limits.body_bytes),
            BodyPolicy::Collect { max } => (true, max),
            BodyPolicy::Refuse => {
                let last = Parsed { keep_alive: false, ..*parsed };
                return self.answer(service, batch, &last, b"", 1, input.len(), out);
            }
        };
        let incoming = match parsed.framing {
            Framing::Length(length) if length > max => {
                let why = Refusal::BodyTooLarge;
                return self.refuse_head(service, batch, &parsed.head, why, out).into();
            }
            Framing::Length(length) if length <= rest.len() as u64 => {
                let (body, rest) = rest.split_at(usize::try_from(length).unwrap_or(rest.len()));
                let used = head.len() + body.len();
                let body = if keep { body } else { b"" };
                return self.answer(service, batch, parsed, body, rest.len(), used, out);
            }
            Framing::Length(length) => Incoming::sized(head.to_vec(), length, keep),
            _ => Incoming::chunked(head.to_vec(), max, keep),
        };
        if parsed.expects_continue && rest.is_empty() {
            out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        self.state = State::Body(Box::new(incoming));
        Step::Used(parsed.length)
    }

    fn read_body<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        input: &[u8],
        out: &mut Vec<u8>,
        requests: &mut u32,
    ) -> Step {
        let State::Body(incoming) = &mut self.state else {
            return Step::Need;
        };
        match incoming.feed(input) {
            Ok((used, false)) if used > 0 => Step::Used(used),
            Ok((_, false)) => Step::Need,
            Ok((used, true)) => {
                let State::Body(incoming) = std::mem::replace(&mut self.state, State::Head) else {
                    return Step::Need;
                };
                *requests += 1;
                let (rest, used) = (input.len() - used, used);
                self.with_head(service, batch, &incoming, |connection, parsed| {
                    let out = &mut *out;
                    connection.answer(service, batch, parsed, &incoming.body, rest, used, out)
                })
            }
            Err(why) => Step::End(0, self.refuse(service, batch, why, out)),
        }
    }

    /// Parses the head of a body again: it was whole and in order when the body began.
    #[inline(never)]
    fn with_head<H: Handler, T>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        incoming: &Incoming,
        then: impl FnOnce(&mut Self, &Parsed<'_>) -> T,
    ) -> T
    where
        T: From<Next>,
    {
        let mut lines = [Line::default(); HEADERS_MAX];
        match head::parse(&incoming.head, &mut lines, self.origin(service, batch)) {
            Ok(Some(parsed)) => then(self, &parsed),
            _ => Next::Close { linger: true }.into(),
        }
    }

    /// Calls the handler and settles what becomes of the connection. `rest` bytes follow the request, which itself
    /// took `used`.
    #[allow(clippy::too_many_arguments)]
    fn answer<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        parsed: &Parsed<'_>,
        body: &[u8],
        rest: usize,
        used: usize,
        out: &mut Vec<u8>,
    ) -> Step {
        let last = !parsed.keep_alive || (batch.draining && rest == 0);
        let exchange = exchange_of(&parsed.head, last, batch);
        let request = Request { head: &parsed.head, body };
        let outcome = guarded(service, exchange, out, |reply| {
            if request.path() == "*" {
                return reply.status(204).header("Allow", ALLOWED).empty();
            }
            service.handler.handle(&request, reply)
        });
        match self.settle(outcome, exchange, rest > 0 || parsed.keep_alive) {
            Next::Read => Step::Used(used),
            next => Step::End(used, next),
        }
    }

    /// What an answer means for the connection. `linger` if it closes and the peer does not expect that.
    fn settle(&mut self, outcome: Outcome, exchange: Exchange, linger: bool) -> Next {
        match outcome.0 {
            Answered::Now { close: false } => Next::Read,
            Answered::Now { close: true } => {
                self.state = State::Closed;
                Next::Close { linger }
            }
            Answered::Later(slot) => {
                self.state = State::Deferred(exchange);
                Next::Deferred(slot)
            }
        }
    }

    /// Refuses in the engine's name, or, where the head is known to be in order, in the handler's; then the end.
    fn refuse<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        why: Refusal,
        out: &mut Vec<u8>,
    ) -> Next {
        if let State::Body(incoming) = std::mem::replace(&mut self.state, State::Closed) {
            return self.with_head(service, batch, &incoming, |connection, parsed| {
                connection.refuse_head(service, batch, &parsed.head, why, out)
            });
        }
        service.counters.refuse(why);
        let exchange = Exchange {
            head_only: false,
            close: true,
            http10: false,
            unix_seconds: batch.moment.unix_micros / 1_000_000,
        };
        let _written = Reply::new(out, exchange).refusal(why);
        Next::Close { linger: true }
    }

    fn refuse_head<H: Handler>(
        &mut self,
        service: &Service<H>,
        batch: Batch,
        head: &Head<'_>,
        why: Refusal,
        out: &mut Vec<u8>,
    ) -> Next {
        service.counters.refuse(why);
        let exchange = exchange_of(head, true, batch);
        let outcome =
            guarded(service, exchange, out, |reply| service.handler.refuse(head, why, reply));
        self.settle(outcome, exchange, true)
    }
}

/// What `OPTIONS *` says: the methods that this server knows at all (RFC 9110 section 9.3.7).
const ALLOWED: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

impl From<Next> for Step {
    fn from(next: Next) -> Self {
        Self::End(0, next)
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
