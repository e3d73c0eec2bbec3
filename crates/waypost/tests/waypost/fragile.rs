//! A snapshot that finds itself corrupt when it is told to, until it is filled anew.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use waypost::{
    link::{Link, LinkId, Noun, Record},
    storage::{Error, Feed, Page, Result, Snapshot, SpentPage, Stamp},
};

pub(crate) struct Fragile {
    pub(crate) whole: Arc<dyn Snapshot>,
    pub(crate) corrupt: AtomicBool,
}

impl Snapshot for Fragile {
    fn stamp(&self) -> Result<Option<Stamp>> {
        self.whole.stamp()
    }

    fn records(&self, noun: Noun, after: Option<u64>, limit: usize) -> Result<Page<Record, u64>> {
        self.whole.records(noun, after, limit)
    }

    fn links(&self, after: Option<LinkId>, limit: usize) -> Result<SpentPage> {
        self.whole.links(after, limit)
    }

    fn clear(&self) -> Result<()> {
        self.corrupt.store(false, Relaxed);
        self.whole.clear()
    }

    fn add_records(&self, records: &[Record]) -> Result<()> {
        self.whole.add_records(records)
    }

    fn add_links(&self, links: &[Link]) -> Result<()> {
        self.whole.add_links(links)
    }

    fn follow(&self, feeds: &[Feed], nouns: &[Noun]) -> Result<()> {
        if self.corrupt.load(Relaxed) {
            return Err(Error::Corrupt("as told".to_owned()));
        }
        self.whole.follow(feeds, nouns)
    }

    fn note_spent(&self, spent: &[(LinkId, u64)]) -> Result<()> {
        self.whole.note_spent(spent)
    }

    fn finish(&self, stamp: Stamp) -> Result<()> {
        self.whole.finish(stamp)
    }
}
