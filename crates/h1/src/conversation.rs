//! A connection without a socket: the whole protocol, driven from memory.
//!
//! For tests of handlers and for fuzzing. What it answers is, byte for byte but for the date, what a socket would get.

use std::net::SocketAddr;
use std::sync::mpsc;

use crate::connection::{Connection, Next};
use crate::deferred::Slot;
use crate::service::{Batch, Service};
use crate::{Counters, Handler, Limits, Moment, Response};

/// One connection to a handler, in memory.
///
/// ```
/// use waypost_h1::{Conversation, Handler, Limits, Outcome, Reply, Request};
///
/// struct Hello;
///
/// impl Handler for Hello {
///     fn handle(&self, _: &Request<'_>, reply: Reply<'_>) -> Outcome {
///         reply.text(200, "hello\n")
///     }
/// }
///
/// let mut conversation = Conversation::new(Hello, Limits::default());
/// assert!(conversation.feed(b"GET / HTTP/1.1\r\nHo").is_empty());
/// assert!(conversation.feed(b"st: a\r\n\r\n").ends_with(b"\r\n\r\nhello\n"));
/// assert!(conversation.feed(b"nonsense\r\n\r\n").starts_with(b"HTTP/1.1 400 "));
/// assert!(conversation.is_over());
/// ```
pub struct Conversation<H> {
    service: Service<H>,
    connection: Connection,
    input: Vec<u8>,
    over: bool,
}

impl<H> std::fmt::Debug for Conversation<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation").field("over", &self.over).finish_non_exhaustive()
    }
}

impl<H: Handler> Conversation<H> {
    /// A new connection from `127.0.0.1:1`.
    pub fn new(handler: H, limits: Limits) -> Self {
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        Self::from_peer(handler, limits, peer)
    }

    /// A new connection from this address.
    pub fn from_peer(handler: H, limits: Limits, peer: SocketAddr) -> Self {
        let service = Service { handler, limits, counters: Counters::default() };
        Self { service, connection: Connection::new(peer, false), input: Vec::new(), over: false }
    }

    /// Says this and returns the answers to all that is whole by now. It waits for promised answers.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.feed_into(bytes, &mut out);
        out
    }

    /// As [`Conversation::feed`], appending the answers to `out`.
    pub fn feed_into(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.input.extend_from_slice(bytes);
        while !self.over {
            let (used, next) = self.connection.advance(&self.service, now(), &self.input, out);
            self.input.drain(..used);
            let next = match next {
                Next::Deferred(slot) => self.connection.complete(&wait_for(&slot), false, out),
                next => next,
            };
            match next {
                Next::Again => {}
                Next::Read => break,
                _ => self.over = true,
            }
        }
    }

    /// Ends the client's side and returns what is still answered.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.over {
            self.connection.end_of_input(&self.service, now(), &mut out);
            self.over = true;
        }
        out
    }

    /// Whether the server has closed the connection.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The handler.
    #[must_use]
    pub fn handler(&self) -> &H {
        &self.service.handler
    }
}

/// Waits for a promised answer; a promise is always kept, if only by 503.
fn wait_for(slot: &Slot) -> Response {
    let (filled, wait) = mpsc::channel();
    let wake = move || {
        let _ = filled.send(());
    };
    if slot.wake_with(wake) {
        let _ = wait.recv();
    }
    slot.take().unwrap_or_else(|| Response::new(503))
}

fn now() -> Batch {
    Batch { moment: Moment::now(), draining: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, Reply, Request};

    struct Slow;

    impl Handler for Slow {
        fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
            let (deferred, outcome) = reply.defer();
            let path = request.path().to_owned();
            std::thread::spawn(move || deferred.complete(Response::new(200).body(path)));
            outcome
        }
    }

    #[test]
    fn promises_are_waited_for_in_order() {
        let mut conversation = Conversation::new(Slow, Limits::default());
        let input: String =
            (0..200).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
        let out = String::from_utf8(conversation.feed(input.as_bytes())).unwrap();
        let bodies = out.split("\r\n\r\n/").skip(1).map(|rest| {
            rest.bytes().take_while(u8::is_ascii_digit).fold(0, |n, b| n * 10 + u32::from(b - b'0'))
        });
        assert!(bodies.eq(0..200), "{out}");
        assert!(!conversation.is_over());
        assert!(conversation.finish().is_empty() && conversation.is_over());
    }
}
