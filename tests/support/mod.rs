//! What the tests stand on: a waypost process with a data directory, a raw HTTP client, and a
//! network that fails.

mod client;
mod process;
mod proxy;

pub(crate) use client::{Answer, Client, exchange};
pub(crate) use process::{Backend, Data, Server, await_that, free_port};
pub(crate) use proxy::{Fault, Proxy};
