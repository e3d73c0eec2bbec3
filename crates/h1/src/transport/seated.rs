//! A connection's place in the table of deadlines: what it waits for, and until when.

use std::os::fd::RawFd;
use std::sync::Arc;

use super::deadlines::{Seat, Wait};
use super::session::{Session, Turn};
use super::shared::Shared;
use crate::connection::Phase;

/// A place, until it is dropped; that must be before the socket is closed.
pub(crate) struct Seated<H> {
    seat: Seat,
    shared: Arc<Shared<H>>,
}

impl<H> Seated<H> {
    /// A place for this socket; `None` where all are taken.
    pub(crate) fn new(shared: &Arc<Shared<H>>, fd: RawFd) -> Option<Self> {
        let seat = shared.state.table.enter(fd)?;
        Some(Self { seat, shared: Arc::clone(shared) })
    }

    /// Notes that the connection runs again; true, once, if its deadline has passed.
    pub(crate) fn resume(&self) -> bool {
        self.shared.state.table.resume(&self.seat)
    }

    /// Notes what it waits for after this turn. Who waits for nothing has no deadline.
    pub(crate) fn stamp(&self, turn: &Turn, session: &mut Session) {
        let write_time = self.shared.service.limits.write_time;
        let (wait, until) = match turn {
            Turn::Read => {
                let (phase, until) = session.read_deadline(&self.shared);
                let wait = if phase == Phase::Idle { Wait::Idle } else { Wait::Request };
                (wait, Some(until))
            }
            // What was said last may still be on its way.
            Turn::Write | Turn::Close => (Wait::Peer, Some(session.deadline_in(write_time))),
            Turn::Linger => (Wait::Peer, Some(session.linger_deadline())),
            Turn::Deferred(_) => (Wait::Promise, None),
            Turn::Again => return,
        };
        let state = &self.shared.state;
        state.table.stamp(&self.seat, wait, until.map(|until| state.clock.millis(until)));
    }
}

impl<H> Drop for Seated<H> {
    fn drop(&mut self) {
        self.shared.state.table.leave(&self.seat);
    }
}
