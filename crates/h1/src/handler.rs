//! The interface between the engine and whoever answers requests.
//!
//! A handler never blocks: it either answers at once, into the connection's output buffer, or takes a
//! [`Deferred`](crate::Deferred) and lets another thread answer later. That rule is what lets
//! the engine call it straight after `accept`, before a coroutine exists.

use crate::deferred::Slot;
use crate::{Head, Preview, Refusal, Reply, Request};
use std::sync::Arc;

/// What to do with a request's body; asked once the head is there and only if a body is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyPolicy {
    /// Read it, check its framing, throw it away (up to [`Limits::body_bytes`](crate::Limits)), then call the handler.
    Ignore,
    /// Collect it for [`Request::body`]; more than `max` bytes is 413.
    Collect {
        /// Bytes of the decoded body.
        max: u64,
    },
    /// Call the handler now without the body, then close the connection. For what is refused whatever the body says.
    Refuse,
}

/// Answers requests. One handler serves all connections of a server, from several threads at once.
///
/// ```
/// use waypost_h1::{Handler, Outcome, Reply, Request};
///
/// struct Hello;
///
/// impl Handler for Hello {
///     fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
///         match request.path() {
///             "/" => reply.text(200, "hello\n"),
///             _ => reply.text(404, "not found\n"),
///         }
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// What to do with the body of this request. By default a body is ignored.
    fn body(&self, head: &Head<'_>) -> BodyPolicy {
        let _ = head;
        BodyPolicy::Ignore
    }

    /// Answers a request. It must not block, sleep, or wait for a lock that can be held long: the answer is written
    /// through `reply` before it returns, or promised with [`Reply::defer`]. A panic becomes a 500.
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome;

    /// Told of requests that are answered next, so that it can have the processor fetch what it will look up for them: those
    /// behind the first of a pipeline, and, over io_uring, the first ones of several connections. It is told maybe of a part of
    /// them, and of what turns out to be no request; by default it does nothing. A panic is counted, and changes nothing.
    fn prefetch(&self, coming: &[Preview<'_>]) {
        let _ = coming;
    }

    /// Answers in the engine's place when it refuses a request whose head is in order: 413, or 400 for a body
    /// whose framing is broken. For servers whose errors have a shape of their own. The connection closes afterwards.
    fn refuse(&self, head: &Head<'_>, why: Refusal, reply: Reply<'_>) -> Outcome {
        let _ = head;
        reply.refusal(why)
    }
}

/// Proof that a request was answered or its answer was promised; only [`Reply`] makes one.
#[must_use = "return it from the handler"]
#[derive(Debug)]
pub struct Outcome(pub(crate) Answered);

#[derive(Debug)]
pub(crate) enum Answered {
    /// Written into the output buffer; `close` where the answer announced the end of the connection.
    Now { close: bool },
    /// Promised: the connection waits for this slot.
    Later(Arc<Slot>),
}
