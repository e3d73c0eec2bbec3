//! One link's lease, as this node has it: granted by the store, opened piece by piece, spent.
//!
//! A piece stands in the ledger before it can be spent, so what is opened is never less than what
//! a dead node may have spent.

use std::{io, sync::Arc, time::Instant};

use waypost_index::{Lent, Spent};
use waypost_link::LinkId;

use super::ledger::{Ledger, Of};

/// A lease is opened by this part of what is not open.
pub(super) const PIECES: u64 = 8;

/// One link's lease.
pub(super) struct Book {
    pub(super) counter: Arc<Spent>,
    pub(super) since: u64,
    pub(super) granted: u64,
    /// How many of those were made spendable.
    pub(super) opened: u64,
    /// How many of those are counted in the store, as far as it was told.
    pub(super) counted: u64,
    /// How many were taken last.
    pub(super) fresh: u64,
    pub(super) max: u64,
    /// Counts what was heard of clicks that came back.
    pub(super) news: u64,
    pub(super) asked: Option<Instant>,
    /// Counts answers to those who ask, and says what the last one was.
    pub(super) turn: (u64, bool),
}

impl Book {
    pub(super) fn new(counter: Arc<Spent>) -> Self {
        Self {
            counter,
            since: 0,
            granted: 0,
            opened: 0,
            counted: 0,
            fresh: 0,
            max: 0,
            news: 0,
            asked: None,
            turn: (0, false),
        }
    }

    pub(super) fn lent(&self) -> Option<&Lent> {
        self.counter.lent()
    }

    pub(super) fn left(&self) -> u64 {
        self.lent().map_or(0, Lent::left)
    }

    pub(super) fn is_out(&self) -> bool {
        self.lent().is_some_and(Lent::is_out)
    }

    pub(super) fn set_out(&self, out: bool) {
        if let Some(lent) = self.lent() {
            lent.set_out(out);
        }
    }

    /// Takes over what the store says of the lease.
    pub(super) fn adopt(
        &mut self,
        link: LinkId,
        (since, granted): (u64, u64),
        ledger: &mut Ledger,
    ) {
        if self.since != since {
            self.close(link, ledger);
            (self.since, self.counted) = (since, 0);
            self.opened = ledger.opened(Of { link, since });
        }
        self.granted = granted;
    }

    /// Makes a piece of what was granted spendable; false where there is none, or no way to write
    /// it down.
    pub(super) fn open(&mut self, link: LinkId, ledger: &mut Ledger) -> bool {
        let closed = self.granted.saturating_sub(self.opened);
        let piece = (closed / PIECES).max(1).min(closed);
        let (Some(lent), 1..) = (self.counter.lent(), piece) else { return false };
        if let Err(error) = write(ledger, link, self.since, self.opened + piece) {
            tracing::warn!(%error, "the ledger of leases can't be written");
            return false;
        }
        self.opened += piece;
        lent.add(piece);
        true
    }

    /// Makes everything unspendable that isn't spent.
    pub(super) fn close(&mut self, link: LinkId, ledger: &mut Ledger) {
        let unspent = self.lent().map_or(0, Lent::take_back);
        self.opened = self.opened.saturating_sub(unspent);
        self.granted = self.opened;
        if unspent > 0
            && let Err(error) = write(ledger, link, self.since, self.opened)
        {
            tracing::warn!(%error, "the ledger of leases can't be written");
        }
    }

    pub(super) fn tell(&mut self, good: bool) {
        self.asked = None;
        self.turn = (self.turn.0 + 1, good);
    }
}

fn write(ledger: &mut Ledger, link: LinkId, since: u64, opened: u64) -> io::Result<()> {
    ledger.set(Of { link, since }, opened)
}
