//! What a store does with clicks is what its [`Clicks`](super::Clicks) do.

use std::ops::Range;

use waypost_link::{ClickId, LinkId, Timestamp};
use waypost_storage::{
    Appended, Batch, Bucket, ClickQuery, ClickScope, ClickStore, Epoch, Event, LinkCount,
    LinkCountQuery, Mark, Page, Recorded, Result, Sink, StoredClick, TallyQuery, Totals, Trim,
    Trimmed, Window,
};

use crate::LmdbStore;

impl Sink for LmdbStore {
    fn append(&self, mark: Mark, batch: &Batch) -> Result<Appended> {
        self.clicks.append(mark, batch)
    }

    fn durable(&self, epoch: Epoch) -> Result<u64> {
        self.clicks.durable(epoch)
    }

    fn flush(&self) -> Result<()> {
        self.clicks.flush()
    }

    fn forget_epoch(&self, epoch: Epoch) -> Result<()> {
        self.clicks.forget_epoch(epoch)
    }
}

impl ClickStore for LmdbStore {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>> {
        self.clicks.record(events)
    }

    fn clicks(&self, query: &ClickQuery) -> Result<Page<StoredClick, Vec<u8>>> {
        self.clicks.clicks(query)
    }

    fn click(&self, id: ClickId) -> Result<Option<StoredClick>> {
        self.clicks.click(id)
    }

    fn totals(&self, links: &[LinkId]) -> Result<Vec<Totals>> {
        self.clicks.totals(links)
    }

    fn tally(&self, query: &TallyQuery) -> Result<Vec<Bucket>> {
        self.clicks.tally(query)
    }

    fn count(&self, scope: ClickScope, range: Range<Timestamp>) -> Result<Window> {
        self.clicks.count(scope, range)
    }

    fn link_counts(&self, query: &LinkCountQuery) -> Result<Page<LinkCount, LinkId>> {
        self.clicks.link_counts(query)
    }

    fn trim(&self, trim: Trim) -> Result<Trimmed> {
        self.clicks.trim(trim)
    }
}
