//! The janitor: one OS thread for what may take its time.
//!
//! Clicks of deleted links are purged, driven by the feed: how far it has come is a setting in the
//! store, so a purge that a restart interrupts is done again, which does nothing twice. Raw clicks
//! past their retention go, and so does the feed's old end, never beyond what is purged.

use std::{
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use waypost_link::{Change, Claim, Noun, Record, Revision, Setting, Timestamp};
use waypost_storage::{Error, Result, Trim, limits::FEED_SECONDS};

use crate::{Store, follower::Health};

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
    health: Arc<Health>,
    retention_days: u64,
    now: fn() -> Timestamp,
) -> std::io::Result<(SyncSender<Task>, JoinHandle<()>)> {
    let (sender, tasks) = sync_channel(16);
    let janitor = Janitor { store, health, retention_days, now };
    let thread = std::thread::Builder::new().name("janitor".to_owned());
    Ok((sender, thread.spawn(move || janitor.run(&tasks))?))
}

struct Janitor {
    store: Store,
    health: Arc<Health>,
    retention_days: u64,
    now: fn() -> Timestamp,
}

impl Janitor {
    fn run(&self, tasks: &Receiver<Task>) {
        let mut due = Instant::now();
        loop {
            // Whatever is deleted meanwhile, a round comes when it is due; after a failure, the next.
            let trims = Instant::now() >= due;
            if trims {
                due = Instant::now() + ROUND;
            }
            let done = self.purge().and_then(|()| if trims { self.trim() } else { Ok(()) });
            if let Err(error) = done {
                tracing::warn!(%error, "old clicks could not be cleared away; trying again");
            }
            match tasks.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Task::Purge) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Task::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
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
                if self.is_stopped() {
                    return Ok(());
                }
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
        self.work_off(Trim::Link(*id, *workspace))
    }

    /// Takes away all of it, or what can be before a stop; the next start takes the rest.
    fn work_off(&self, trim: Trim) -> Result<()> {
        while !self.is_stopped() && self.store.clicks.trim(trim)?.more {}
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.health.stop.load(Relaxed)
    }

    fn trim(&self) -> Result<()> {
        let now = (self.now)();
        let days = i64::try_from(self.retention_days).unwrap_or(i64::MAX / Timestamp::DAY);
        let before = now.plus(-days.saturating_mul(Timestamp::DAY));
        self.work_off(Trim::Before(before))?;
        let (_, purged) = self.mark()?;
        if purged >= Revision(self.store.links.head()?.0.saturating_sub(1)) {
            self.store.links.forget(now.plus(-FEED_SECONDS * Timestamp::SECOND), now)?;
        }
        Ok(())
    }

    /// The setting's id, and how far purges have come.
    fn mark(&self) -> Result<(u64, Revision)> {
        let claim = Claim::Setting(PURGED.to_owned());
        match self.store.links.record_holding(Noun::Setting, &claim)? {
            Some(Record::Setting(Setting { id, value, .. })) => {
                let bytes = value.as_slice().try_into().unwrap_or_default();
                Ok((id.0, Revision(u64::from_le_bytes(bytes))))
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

#[cfg(test)]
mod tests {
    use waypost_link::{ClickId, Destination, DomainId, Link, LinkId, Schemes, Slug, WorkspaceId};
    use waypost_storage::{AgentDetails, Event, NewClick, memory::MemoryStore};

    use super::*;

    const LINK: LinkId = LinkId(1);

    fn agent(_: &[u8]) -> AgentDetails {
        AgentDetails { browser: "", os: "", device: "", bot: false }
    }

    fn click() -> Event {
        Event::Click(Box::new(NewClick {
            id: ClickId { received: Timestamp(1), link: LINK, salt: 0 },
            workspace: WorkspaceId(1),
            clicked_at: Timestamp(1),
            visitor: 1,
            source: "direct".to_owned(),
            ..NewClick::default()
        }))
    }

    /// A store with a clicked link that was deleted.
    fn janitor() -> Janitor {
        let store = Store::of(MemoryStore::new(agent));
        let to = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
        let slug = Slug::parse("hi").unwrap();
        let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
        let was = link.name();
        store.links.commit(&[Change::CreateLink(Box::new(link))], Timestamp(0)).unwrap();
        store.clicks.record(&[click()]).unwrap();
        let gone = Change::DeleteLink { id: LINK, workspace: WorkspaceId(1), was };
        store.links.commit(&[gone], Timestamp(2)).unwrap();
        Janitor { store, health: Arc::default(), retention_days: 90, now: || Timestamp(3) }
    }

    fn clicks(janitor: &Janitor) -> u64 {
        janitor.store.clicks.totals(&[LINK]).unwrap()[0].clicks
    }

    #[test]
    fn clicks_of_deleted_links_go_and_the_mark_moves() {
        let janitor = janitor();
        assert_eq!(clicks(&janitor), 1);
        janitor.purge().unwrap();
        assert_eq!(clicks(&janitor), 0);
        assert_eq!(janitor.mark().unwrap().1, Revision(2));
        let head = janitor.store.links.head().unwrap();
        janitor.purge().unwrap();
        assert_eq!(janitor.store.links.head().unwrap(), head, "it chases its own tail");
    }

    #[test]
    fn a_stop_leaves_the_rest_to_the_next_start() {
        let janitor = janitor();
        janitor.health.stop.store(true, Relaxed);
        janitor.purge().unwrap();
        assert_eq!((clicks(&janitor), janitor.mark().unwrap().1), (1, Revision(0)));
        janitor.health.stop.store(false, Relaxed);
        janitor.purge().unwrap();
        assert_eq!(clicks(&janitor), 0);
    }
}
