//! The protocol core on sockets: listeners, coroutines, deadlines, stopping.
//!
//! A connection's life: an acceptor takes it from the kernel and, without registering it anywhere, reads once, answers and
//! writes. Most short connections end there. One that stays gets a coroutine on the worker that its descriptor belongs
//! to, and a place in the table of deadlines, which one thread watches.
//!
//! What keeps this sound on `may`, whose coroutines are stackful: a connection is woken by its own socket or through
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
mod runtime;
mod scratch;
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
