//! The thread that makes the journal survive a power cut, so that the writer need not wait for it.
//!
//! A write is followed by a sync at once where none was made for a while, and by one every
//! `click_sync_ms` under load; the time that the last sync took is reckoned in.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use crate::{backlog::Backlog, journal::DiskFile};

#[derive(Default)]
pub(crate) struct Syncer {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    /// Files written since they were synced: the open one, and those before it.
    files: Vec<Arc<dyn DiskFile>>,
    failed: bool,
    ended: bool,
    done: bool,
}

impl Syncer {
    /// The writer's: `file` has bytes that are not synced.
    pub(crate) fn written(&self, file: Arc<dyn DiskFile>) {
        let mut state = self.state.lock();
        let first = state.files.is_empty();
        if !state.files.last().is_some_and(|last| Arc::ptr_eq(last, &file)) {
            state.files.push(file);
        }
        drop(state);
        if first {
            self.wake.notify_all();
        }
    }

    /// The writer's: whether a sync has failed since it asked last. What the file holds is then
    /// unknown, and a later sync of it proves nothing.
    pub(crate) fn has_failed(&self) -> bool {
        std::mem::take(&mut self.state.lock().failed)
    }

    /// The writer's last call: syncs what is left, and ends the thread.
    pub(crate) fn end(&self) {
        self.state.lock().ended = true;
        self.wake.notify_all();
        let mut state = self.state.lock();
        while !state.done {
            self.wake.wait(&mut state);
        }
    }

    pub(crate) fn run(&self, every: Duration, backlog: &Backlog) {
        let mut next = Instant::now();
        while let Some(files) = self.wait(next) {
            let begun = Instant::now();
            for file in files {
                if let Err(error) = file.sync() {
                    self.state.lock().failed = true;
                    backlog.counters.journal.report("the click journal can't be synced", &error);
                }
            }
            next = begun + every.saturating_sub(begun.elapsed()).max(every / 4);
        }
        self.state.lock().done = true;
        self.wake.notify_all();
    }

    /// The files to sync, not before `next` unless this is the end; `None` when all is done.
    fn wait(&self, next: Instant) -> Option<Vec<Arc<dyn DiskFile>>> {
        let mut state = self.state.lock();
        while state.files.is_empty() && !state.ended {
            self.wake.wait(&mut state);
        }
        while !state.ended && !self.wake.wait_until(&mut state, next).timed_out() {}
        let files = std::mem::take(&mut state.files);
        (!files.is_empty()).then_some(files)
    }
}
