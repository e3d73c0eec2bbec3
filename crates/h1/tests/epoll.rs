//! The engine over sockets that are watched with epoll, with a coroutine for each connection that stays.

#![allow(missing_docs)]

mod common;
mod served;

/// For [`common`].
const IO_URING: bool = false;

#[test]
fn without_io_uring_every_connection_that_stays_has_a_coroutine() {
    let server = common::serve();
    common::Client::connect(&server).get("/");
    assert_eq!(server.counters().io_uring.load(std::sync::atomic::Ordering::Relaxed), 0);
}
