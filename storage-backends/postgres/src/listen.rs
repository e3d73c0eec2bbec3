//! Waiting for the next revision: woken by this node's commits and by NOTIFY, else by polling.
//!
//! NOTIFY is a hint and nothing else: where it is off, lost or late, whoever waits looks at the
//! head every [`limits::POLL`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use parking_lot::{Condvar, Mutex};
use postgres::fallible_iterator::FallibleIterator as _;
use waypost_storage::Result;

use crate::{commit::CHANNEL, database::Database, limits, patience, worker::Worker};

/// Counts the hints that the head may have moved.
#[derive(Default)]
pub(crate) struct Hints {
    count: Mutex<u64>,
    given: Condvar,
}

impl Hints {
    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        *self.count.lock()
    }

    /// The head may have moved.
    pub(crate) fn give(&self) {
        *self.count.lock() += 1;
        self.given.notify_all();
    }

    /// Waits until there were more than `count`, or `until`; whether there were.
    pub(crate) fn wait(&self, count: u64, until: Instant) -> bool {
        let mut now = self.count.lock();
        while *now == count && !self.given.wait_until(&mut now, until).timed_out() {}
        *now > count
    }
}

/// A thread that listens to the database and gives `hints`.
pub(crate) fn start(database: Arc<Database>, hints: Arc<Hints>) -> Result<Worker> {
    Worker::start("pg-listen", move |stop| {
        // Where it can't listen, polling goes on; it tries again a little later.
        if listen(&database, &hints, stop).is_err() {
            thread::sleep(limits::LISTEN);
        }
    })
}

/// Listens on one connection until it breaks or it is time to stop.
fn listen(database: &Database, hints: &Hints, stop: &AtomicBool) -> std::result::Result<(), ()> {
    let mut client = database.connect().map_err(drop)?;
    client.batch_execute(&format!("LISTEN {CHANNEL}")).map_err(drop)?;
    // What was notified before this connection listened.
    hints.give();
    let mut asked = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        if asked.elapsed() >= limits::KEEPALIVE {
            let _patience = patience::silence(Some(limits::CONNECT));
            client.simple_query("").map_err(drop)?;
            asked = Instant::now();
        }
        {
            // Silence is what there mostly is.
            let _patience = patience::silence(None);
            let mut notifications = client.notifications();
            let mut few = notifications.timeout_iter(limits::LISTEN);
            while few.next().map_err(drop)?.is_some() {
                hints.give();
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
        if client.is_closed() {
            return Err(());
        }
    }
    Ok(())
}
