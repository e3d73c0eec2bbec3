//! Fills an index from the store's pages, out of sight of readers, then puts it in place.
//!
//! Pages of a scan are read one after the other while the store goes on, so they may show links
//! newer than the head that was read before them. Apply the commits since that head, up to the
//! head after the last page, and the whole is the state at that second head: versions see to it
//! that nothing is applied twice. Only then publish.

use waypost_link::{Change, Link, LinkId, Record, Revision};

use crate::{Index, limits::PREFETCHED_AT_ONCE, sync::lock, writer::Writer};

/// An index in the making. Dropped unpublished, it leaves no trace.
pub struct Loader<'a> {
    target: &'a Index,
    staged: Index,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(target: &'a Index, staged: Writer) -> Self {
        Self { target, staged: Index::with_writer(staged) }
    }

    /// Adds links, each with the clicks that the store has counted for it, journal included;
    /// these matter for limited links only, and not where the index already counts for the link.
    pub fn links<'l>(&self, links: impl IntoIterator<Item = (&'l Link, u64)>) {
        let links: Vec<_> = links.into_iter().collect();
        let mut writer = lock(self.staged.writer());
        for some in links.chunks(PREFETCHED_AT_ONCE) {
            self.staged.prefetch(some.iter().map(|(link, _)| (link.domain, link.slug.as_str())));
            for (link, spent) in some {
                writer.load(self.staged.shards(), link, *spent);
            }
        }
    }

    /// Adds records. Kinds that redirects have no use for are skipped.
    pub fn records(&self, records: impl IntoIterator<Item = Record>) {
        let mut writer = lock(self.staged.writer());
        records.into_iter().for_each(|record| writer.put_record(record));
    }

    /// Applies a commit made since the scan began; gives what [`Index::apply`] gives.
    pub fn apply(&self, revision: Revision, changes: &[Change]) -> Vec<LinkId> {
        lock(self.staged.writer()).expect_old_changes();
        self.staged.apply(revision, changes)
    }

    /// Puts all of it in place of what the index held, as the state at `revision`. Readers find
    /// every link that was and stays at every moment.
    pub fn publish(self, revision: Revision) {
        lock(self.staged.writer()).settle(self.staged.shards());
        self.target.take_over(self.staged, revision);
    }
}
