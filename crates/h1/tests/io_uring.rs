//! The engine over io_uring. Where the kernel has none, or forbids it, this runs as `epoll.rs` does, and says so.

#![allow(missing_docs)]

mod common;
mod served;

use std::sync::atomic::Ordering;

use common::Client;
use io_uring::IoUring;

/// For [`common`].
const IO_URING: bool = true;

/// What the engine needs came with Linux 6.1, and so did the flags asked for here.
fn is_there() -> bool {
    let ring: std::io::Result<IoUring> =
        IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(8);
    ring.map(drop).inspect_err(|error| eprintln!("NOT TESTED: io_uring: {error}")).is_ok()
}

#[test]
fn connections_that_stay_are_served_through_it() {
    let server = common::serve();
    let mut client = Client::connect(&server);
    for _ in 0..3 {
        client.get("/");
    }
    assert_eq!(server.counters().io_uring.load(Ordering::Relaxed), u64::from(is_there()));
}
