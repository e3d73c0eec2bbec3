//! What the tests stand on: a waypost process with a data directory, and a raw HTTP client.

mod client;
mod process;

pub(crate) use client::{Answer, Client, exchange};
pub(crate) use process::{Backend, Data, Server, await_that, free_port};
