//! The janitor: one OS thread for what may take its time.
//!
//! Clicks of deleted links are purged, driven by the feed: how far it has come is a setting in the
//! store, so a purge that a restart interrupts is done again, which does nothing twice. Raw clicks
//! past their retention go, and so does the feed's old end, never beyond what is purged.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use waypost_link::{Change, Claim, Noun, Record, Revision, Setting, Timestamp};
use waypost_storage::{Error, Result, Trim, limits::FEED_SECONDS};

use crate::Store;

/// How often old things are looked for.
const ROUND: Duration = Duration::from_secs(60);
/// Commits taken at once.
const FEED: usize = 1_000;
/// The setting that says how far purges have come.
const PURGED: &str = "purged_revision";

/// What the janitor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Links were deleted.
    Purge,
    /// The end has come.
    Stop,
}

/// Starts the janitor.
pub(crate) fn start(
    store: Store,
    retention_days: u64,
    now: fn() -> Timestamp,
) -> std::io::Result<(SyncSender<Task>, JoinHandle<()>)> {
    let (sender, tasks) = sync_channel(16);
    let janitor = Janitor { store, retention_days, now };
    let thread = std::thread::Builder::new().name("janitor".to_owned());
    Ok((sender, thread.spawn(move || janitor.run(&tasks))?))
}

struct Janitor {
    store: Store,
    retention_days: u64,
    now: fn() -> Timestamp,
}

impl Janitor {
    fn run(&self, tasks: &Receiver<Task>) {
        let mut due = true;
        loop {
            let done = self.purge().and_then(|()| if due { self.trim() } else { Ok(()) });
            if let Err(error) = done {
                tracing::warn!(%error, "old clicks could not be cleared away; trying again");
            }
            due = match tasks.recv_timeout(ROUND) {
                Ok(Task::Purge) => false,
                Err(RecvTimeoutError::Timeout) => true,
                Ok(Task::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
        }
    }

    /// Purges the clicks of links that were deleted since the last time.
    fn purge(&self) -> Result<()> {
        let (mark, mut purged) = self.mark()?;
        let head = self.store.links.head()?;
        let from = purged;
        while purged < head {
            let feeds = match self.store.links.replay(purged, FEED) {
                Err(Error::Gone { oldest }) => {
                    purged = Revision(oldest);
                    continue;
                }
                feeds => feeds?,
            };
            for feed in &feeds {
                feed.changes.iter().try_for_each(|change| self.purge_one(change))?;
                purged = feed.revision;
            }
            if feeds.is_empty() {
                break;
            }
        }
        // The note itself moves the head by one: without this it would chase its own tail.
        if purged.0 > from.0 + 1 { self.note(mark, purged) } else { Ok(()) }
    }

    fn purge_one(&self, change: &Change) -> Result<()> {
        let Change::DeleteLink { id, workspace, .. } = change else { return Ok(()) };
        while self.store.clicks.trim(Trim::Link(*id, *workspace))?.more {}
        Ok(())
    }

    fn trim(&self) -> Result<()> {
        let now = (self.now)();
        let days = i64::try_from(self.retention_days).unwrap_or(i64::MAX / Timestamp::DAY);
        let before = now.plus(-days.saturating_mul(Timestamp::DAY));
        while self.store.clicks.trim(Trim::Before(before))?.more {}
        let (_, purged) = self.mark()?;
        if purged >= Revision(self.store.links.head()?.0.saturating_sub(1)) {
            self.store.links.forget(now.plus(-FEED_SECONDS * Timestamp::SECOND), now)?;
        }
        Ok(())
    }

    /// The setting's id, and how far purges have come.
    fn mark(&self) -> Result<(u64, Revision)> {
        let id = self.store.links.holder(&Claim::Setting(PURGED.to_owned()))?;
        let Some(id) = id else { return Ok((0, Revision(0))) };
        match self.store.links.record(Noun::Setting, id)? {
            Some(Record::Setting(setting)) => {
                let bytes = setting.value.as_slice().try_into().unwrap_or_default();
                Ok((id, Revision(u64::from_le_bytes(bytes))))
            }
            _ => Ok((0, Revision(0))),
        }
    }

    fn note(&self, id: u64, purged: Revision) -> Result<()> {
        let mut setting = Record::Setting(Setting {
            name: PURGED.to_owned(),
            value: purged.0.to_le_bytes().to_vec(),
            ..Setting::default()
        });
        setting.set_id(id);
        self.store.links.commit(&[Change::PutRecord(setting)], (self.now)()).map(drop)
    }
}
