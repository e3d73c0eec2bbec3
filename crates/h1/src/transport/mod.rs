//! The protocol core on sockets: listeners, io_uring or coroutines, deadlines, stopping.
//!
//! A connection's life: an acceptor takes it from the kernel and, without registering it anywhere, reads once, answers and
//! writes. Most short connections end there. One that stays goes to its listener's [`proactor`], which serves all of them through
//! io_uring. Where the kernel has none, or none for us (containers often forbid it), it gets a [`coroutine`] on the worker
//! that its descriptor belongs to. Both have the same sessions take the same turns, and every connection has a place in the table of
//! deadlines, which one thread watches.
//!
//! What keeps this sound on `may`, whose coroutines are stackful: a coroutine is woken by its own descriptor or through
//! [`wake::wake`] only, so that it always runs on the same worker; nothing bound to a thread is held while it waits; and it
//! never sleeps, parks or locks across a wait.

mod acceptor;
mod clock;
mod coroutine;
mod deadlines;
mod listener;
#[cfg(all(test, feature = "model"))]
mod model;
mod panics;
mod per_ip;
mod proactor;
mod ring;
mod runtime;
mod scratch;
mod seated;
mod server;
mod session;
mod shared;
mod stack;
mod sys;
mod wake;

pub use listener::Bound;
pub use per_ip::PerIp;
pub use runtime::Runtime;
pub use server::{Drained, Metrics, Server, ServerBuilder, Stopper};
