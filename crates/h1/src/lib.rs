//! HTTP/1.1 and HTTP/1.0 for servers whose handlers never block.
//!
//! Two halves. The *protocol core* does no I/O: bytes go in, requests come out, answers go in, bytes come
//! out; it is tested and fuzzed from memory, cut at every byte. The *transport* puts it on sockets: io_uring where the kernel has it,
//! stackful coroutines (`may`) and epoll where not. What has arrived is taken at once, every request in it is answered into one
//! buffer, that is sent at once, and only then the connection waits.
//!
//! # How to build a server on it
//!
//! Implement [`Handler`]; `examples/hello.rs` is a whole server.
//!
//! - [`Handler::handle`] gets a [`Request`] whose every part was checked (method, target, host, framing, sizes) and a [`Reply`].
//!   It answers at once — [`Reply::status`], [`Reply::text`], or [`Reply::encoded`] with bytes made beforehand — or takes a
//!   [`Deferred`] with [`Reply::defer`], gives it to another thread and returns; [`Deferred::complete`] sends the [`Response`].
//!   Because it never blocks, the first requests of a connection are answered straight after `accept`.
//! - [`Handler::body`] says what becomes of a body: [`BodyPolicy`].
//! - [`Handler::prefetch`] is told what comes next, so that memory is waited for once for many requests.
//! - [`Handler::refuse`] gives the engine's own 413 and body 400 another shape; all other refusals ([`Refusal`]) come before
//!   a handler could know what was asked.
//!
//! Content-Length, Date, Connection, HEAD, `100 Continue`, `OPTIONS *`, pipelining and the statuses 400, 408, 413, 414, 417,
//! 431, 501, 503 and 505 are the engine's business.
//!
//! [`Conversation`] drives a handler from memory, for tests and fuzzing; [`Server`] puts it on the network.
//!
//! # One thing to mind
//!
//! No crate in the build may turn on `may`'s feature `work_steal`, which is among its default features (and
//! `may_minihttp`'s): a connection must wake on the thread it slept on. `cargo tree -e features -i may` shows who asks for it.
//!
//! It knows nothing of links, JSON or storage, and never waits for anything but its own sockets and a [`Deferred`].

mod authority;
mod body;
mod chunked;
mod connection;
mod conversation;
mod counters;
mod date;
mod deferred;
mod field;
mod handler;
mod head;
mod limits;
mod line;
mod preview;
mod proxy;
mod refusal;
mod reply;
mod request;
mod scan;
mod service;
mod status;
mod sync;
mod transport;

pub use conversation::Conversation;
pub use counters::Counters;
pub use deferred::Deferred;
pub use field::Field;
pub use handler::{BodyPolicy, Handler, Outcome};
pub use limits::{HEADERS_MAX, Limits, default_max_connections};
pub use preview::Preview;
pub use refusal::Refusal;
pub use reply::{Answer, Body, Reply, Response};
pub use request::{Head, Method, Moment, Request, Version};
pub use transport::{Bound, Drained, Metrics, PerIp, Runtime, Server, ServerBuilder, Stopper};
