//! A connection is served by one thread, whatever it does.
//!
//! Coroutines that move between threads would carry thread-locals along, which is undefined behaviour. The optimizer must be
//! on to make trouble of it, so this runs with every `cargo test`, and longer in release, which links with LTO:
//! `cargo test --release -p waypost-h1 --test workers`.

#![allow(missing_docs)]

mod common;

use std::collections::HashSet;
use std::thread::{self, ThreadId};
use std::time::Duration;

use common::{Client, Odd, builder, request, runtime};
use waypost_h1::Runtime;

/// For [`common`].
const IO_URING: bool = true;
/// Connections of each habit, all at once.
const CONNECTIONS: usize = 12;
const ROUNDS: usize = if cfg!(debug_assertions) { 12 } else { 300 };

/// What connections do, again and again.
const HABITS: &[fn(&mut Client)] = &[
    one_at_a_time,
    promised,
    promises_in_a_pipeline,
    byte_by_byte,
    a_long_pipeline,
    slow_to_read,
    idle_in_between,
];

fn one_at_a_time(client: &mut Client) {
    (0..20).for_each(|_| assert_eq!(client.get("/a").body, "/a"));
}

/// Answered by four other threads: now before the connection waits, now while it does.
fn promised(client: &mut Client) {
    (0..20).for_each(|_| assert_eq!(client.get("/later").body, "later"));
}

fn promises_in_a_pipeline(client: &mut Client) {
    client.send(&(request("/later") + &request("/b")).repeat(10));
    for _ in 0..10 {
        assert_eq!(client.answer().body, "later");
        assert_eq!(client.answer().body, "/b");
    }
}

fn byte_by_byte(client: &mut Client) {
    for byte in request("/bytes").chars() {
        client.send(&byte.to_string());
    }
    assert_eq!(client.answer().body, "/bytes");
}

/// Longer than what is answered in a row: the connection steps aside in between.
fn a_long_pipeline(client: &mut Client) {
    client.send(&request("/c").repeat(1_000));
    (0..1_000).for_each(|_| assert_eq!(client.answer().body, "/c"));
}

/// More than the sockets hold: the server waits until it may write again.
fn slow_to_read(client: &mut Client) {
    client.send(&(request("/large").repeat(12) + &request("/later")));
    thread::sleep(Duration::from_millis(2));
    (0..12).for_each(|_| assert_eq!(client.answer().body.len(), 256 * 1024));
    assert_eq!(client.answer().body, "later");
}

fn idle_in_between(client: &mut Client) {
    thread::sleep(Duration::from_millis(5));
    assert_eq!(client.get("/d").body, "/d");
}

#[test]
fn a_connection_never_changes_its_thread() {
    for io_uring in [true, false] {
        check(Runtime { io_uring, ..runtime() });
    }
}

fn check(runtime: Runtime) {
    let handler = Odd::new();
    let workers = handler.workers.clone();
    let server = builder().runtime(runtime).bind().unwrap().serve(handler).unwrap();
    thread::scope(|scope| {
        for habit in HABITS.iter().cycle().take(HABITS.len() * CONNECTIONS) {
            scope.spawn(|| {
                let mut client = Client::connect(&server);
                client.get("/first");
                (0..ROUNDS).for_each(|_| habit(&mut client));
            });
        }
    });
    let workers = workers.lock().unwrap();
    assert_eq!(workers.len(), HABITS.len() * CONNECTIONS);
    let mut all: HashSet<ThreadId> = HashSet::new();
    for (peer, threads) in &*workers {
        // The first request came with the connection and was answered where that was accepted.
        let own: HashSet<ThreadId> = threads[1..].iter().copied().collect();
        assert_eq!(own.len(), 1, "{peer} was served by {own:?}");
        all.extend(&own);
    }
    assert_eq!(all.len(), 2, "both workers served");
}
