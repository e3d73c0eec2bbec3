//! Running out of descriptors: alone in its process, because the limit is the process's.

#![allow(missing_docs, unsafe_code)]

mod common;

use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use common::{Client, request, serve};

/// For [`common`].
const IO_URING: bool = true;

/// Sets the soft limit; the hard one stays.
fn limit_descriptors(max: libc::rlim_t) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit for the length of the call.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    limit.rlim_cur = max;
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
}

#[test]
fn out_of_descriptors_it_waits_without_spinning_and_recovers() {
    let server = serve();
    Client::connect(&server).get("/");
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as libc::rlim_t;
    let mut clients: Vec<TcpStream> =
        (0..60).map(|_| TcpStream::connect(server.addresses()[0]).unwrap()).collect();
    limit_descriptors(open + 60 + 10);
    for client in &mut clients {
        std::io::Write::write_all(client, request("/").as_bytes()).unwrap();
    }
    thread::sleep(Duration::from_millis(500));
    let pauses = server.counters().accept_pauses.load(Ordering::Relaxed);
    assert!((1..200).contains(&pauses), "{pauses}");
    drop(clients);
    limit_descriptors(1024);
    assert_eq!(Client::connect(&server).get("/").status, 200);
}
