//! The contract, case by case, on LMDB.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use waypost_link::*;
use waypost_lmdb::{LmdbStore, Options};
use waypost_storage::{
    conformance::Fixture, conformance::Store, conformance::read_agent, memory::MemoryStore, *,
};

/// Links in LMDB beside clicks in the memory model.
struct Halves {
    links: LmdbStore,
    clicks: Arc<MemoryStore>,
}

struct Temporary {
    dirs: Mutex<Vec<tempfile::TempDir>>,
    clicks: Arc<MemoryStore>,
}

impl Default for Temporary {
    fn default() -> Self {
        Self { dirs: Mutex::default(), clicks: Arc::new(MemoryStore::new(read_agent)) }
    }
}

impl Temporary {
    fn open(&self, dir: &Path) -> Arc<dyn Store> {
        let links = LmdbStore::open(dir, &Options { map_size: 8 << 30 }).unwrap();
        Arc::new(Halves { links, clicks: self.clicks.clone() })
    }
}

impl Fixture for Temporary {
    fn store(&self) -> Arc<dyn Store> {
        let dir = tempfile::tempdir().unwrap();
        let store = self.open(dir.path());
        self.dirs.lock().unwrap().push(dir);
        store
    }

    fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        drop(store);
        let dir = self.dirs.lock().unwrap().last().unwrap().path().to_owned();
        self.open(&dir)
    }

    fn backup(&self, store: &dyn Store) -> Option<Arc<dyn Store>> {
        let dir = tempfile::tempdir().unwrap();
        store.backup(dir.path()).unwrap();
        let copy = self.open(dir.path());
        self.dirs.lock().unwrap().push(dir);
        Some(copy)
    }
}

impl LinkStore for Halves {
    fn commit(&self, changes: &[Change], now: Timestamp) -> Result<Committed> {
        self.links.commit(changes, now)
    }
    fn link(&self, id: LinkId) -> Result<Option<Link>> {
        self.links.link(id)
    }
    fn links(&self, query: &LinkQuery) -> Result<Page<Link, LinkId>> {
        self.links.links(query)
    }
    fn link_count(&self, workspace: Option<WorkspaceId>) -> Result<u64> {
        self.links.link_count(workspace)
    }
    fn facets(
        &self,
        workspace: WorkspaceId,
        attribute: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Facet>> {
        self.links.facets(workspace, attribute, after, limit)
    }
    fn holder(&self, claim: &Claim) -> Result<Option<u64>> {
        self.links.holder(claim)
    }
    fn record(&self, noun: Noun, id: u64) -> Result<Option<Record>> {
        self.links.record(noun, id)
    }
    fn records(&self, query: &RecordQuery) -> Result<Page<Record, u64>> {
        self.links.records(query)
    }
    fn remembered(&self, scope: &[u8; 32], now: Timestamp) -> Result<Option<Remembered>> {
        self.links.remembered(scope, now)
    }
    fn touch(&self, keys: &[(KeyId, Timestamp)]) -> Result<()> {
        self.links.touch(keys)
    }
    fn replay(&self, after: Revision, limit: usize) -> Result<Vec<Feed>> {
        self.links.replay(after, limit)
    }
    fn wait(&self, after: Revision, timeout: Duration) -> Result<Revision> {
        self.links.wait(after, timeout)
    }
    fn head(&self) -> Result<Revision> {
        self.links.head()
    }
    fn forget(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        self.links.forget(before, now)
    }
}

impl Maintain for Halves {
    fn check(&self) -> Result<Report> {
        self.links.check()
    }
    fn backup(&self, dir: &Path) -> Result<()> {
        self.links.backup(dir)
    }
    fn ping(&self) -> Result<()> {
        self.links.ping()
    }
}

impl Sink for Halves {
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

impl ClickStore for Halves {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>> {
        ClickStore::record(&*self.clicks, events)
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
    fn link_counts(&self, query: &LinkCountQuery) -> Result<Page<(LinkId, u64), LinkId>> {
        self.clicks.link_counts(query)
    }
    fn trim(&self, trim: Trim) -> Result<Trimmed> {
        self.clicks.trim(trim)
    }
}

/// The cases that ask of links only.
macro_rules! cases {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                conformance::run(stringify!($name), &Temporary::default());
            }
        )*
    };
}

cases! {
    ids_count_up_and_are_never_reused
    links_come_back_as_they_were_made
    records_come_back_as_they_were_put
    versions_count_up_and_old_ones_are_stale
    what_does_not_exist_is_missing
    a_failing_commit_changes_nothing
    changes_see_those_before_them
    ten_thousand_links_in_one_commit
    a_commit_has_a_limit
    nothing_to_follow_keeps_the_revision
    threads_never_share_a_name_or_an_id
    each_claim_has_one_holder
    claims_are_given_up
    claims_that_are_kept_are_no_conflict
    a_removed_domain_frees_its_hostname
    a_revoked_key_keeps_its_names
    claims_survive_reopening
    an_answer_is_remembered_with_the_ids_made
    a_scope_answers_once_while_it_lives
    expired_answers_are_forgotten
    the_feed_brings_whole_commits_in_order
    the_feed_goes_on_from_anywhere
    touching_a_key_is_not_in_the_feed
    forgotten_history_is_gone
    waiting_ends_when_the_head_moves
    waiting_ends_when_time_is_over
    links_by_each_filter
    indexes_follow_changes
    pages_neither_skip_nor_repeat
    facets_count_links_by_value
    records_by_noun_and_workspace
    limits_are_bent_to_what_is_allowed
    a_store_that_is_well_says_so
}
