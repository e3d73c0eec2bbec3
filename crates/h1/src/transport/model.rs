//! The hand-overs of a connection under a model checker: every interleaving of its worker with the thread that
//! answers for it, and with the one that keeps deadlines. `cargo xtask test models` runs it.

use std::net::Shutdown;
use std::os::fd::RawFd;
use std::sync::Arc;

use loom::sync::Notify;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use loom::thread;

use super::deadlines::{Table, Wait};
use crate::Response;
use crate::deferred::{Deferred, Slot};

const FD: RawFd = 7;

loom::lazy_static! {
    /// Whether [`FD`] is still the connection's.
    static ref OPEN: AtomicBool = AtomicBool::new(true);
    static ref SHUT: AtomicUsize = AtomicUsize::new(0);
    static ref EVENT: Notify = Notify::new();
}

/// What the table does to sockets.
pub(super) fn shutdown(fd: RawFd, _: Shutdown) {
    assert_eq!(fd, FD);
    assert!(OPEN.load(SeqCst), "another connection's socket was shut down");
    SHUT.fetch_add(1, SeqCst);
    EVENT.notify();
}

/// A promise kept by another thread, or broken: the connection always wakes, and finds one answer.
#[test]
fn a_promise_is_answered_once() {
    for (kept, status) in [(true, 201), (false, 503)] {
        loom::model(move || {
            let slot = Slot::new();
            let promise = Deferred::new(Arc::clone(&slot));
            let answering = thread::spawn(move || match kept {
                true => promise.complete(Response::new(201)),
                false => drop(promise),
            });
            let bell = Arc::new(Notify::new());
            let answer = loop {
                if let Some(answer) = slot.take() {
                    break answer;
                }
                let rung = Arc::clone(&bell);
                if slot.wake_with(move || rung.notify()) {
                    bell.wait(); // which may also end for no reason, as a wait for a socket may
                }
            };
            assert_eq!(answer.status(), status);
            assert!(slot.take().is_none());
            answering.join().unwrap();
        });
    }
}

/// A connection that goes while its deadline passes: its descriptor is never shut down once it is closed.
#[test]
fn a_closed_descriptor_is_left_alone() {
    loom::model(|| {
        let table = Arc::new(Table::new(1));
        let seat = table.enter(FD).unwrap();
        table.stamp(&seat, Wait::Idle, Some(5));
        let reaping = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.reap(10))
        };
        table.resume(&seat);
        table.leave(&seat);
        OPEN.store(false, SeqCst);
        reaping.join().unwrap();
    });
}

/// A deadline that passes while the connection waits, or wakes just then: who is shut down is told so, once.
#[test]
fn who_is_late_is_told() {
    loom::model(|| {
        let table = Arc::new(Table::new(1));
        let seat = table.enter(FD).unwrap();
        table.stamp(&seat, Wait::Request, Some(5));
        let reaping = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.reap(10))
        };
        // Something else wakes it, and it waits again with the same deadline.
        let mut told = usize::from(table.resume(&seat));
        table.stamp(&seat, Wait::Request, Some(5));
        reaping.join().unwrap();
        table.reap(10);
        EVENT.wait();
        told += usize::from(table.resume(&seat));
        assert!((1..=SHUT.load(SeqCst)).contains(&told), "{told} of {}", SHUT.load(SeqCst));
        assert!(!table.resume(&seat));
    });
}
