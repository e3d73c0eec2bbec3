//! The clerk: one OS thread that takes clicks from the store and gives them back.
//!
//! Where an account is empty, other nodes may still hold what they don't need: the clerk has them
//! told, and those who ask wait a moment for what comes back, before they are told that it is out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use waypost_link::{LinkId, Timestamp};
use waypost_storage::{Error, Result};

use super::{
    accounts::{Accounts, Grant},
    leases::{Edit, Job, Leases, Used},
};
use crate::known::Known;

/// How often leases are filled up.
const REST: Duration = Duration::from_millis(100);
/// How long others may take to give back.
const RETURN: Duration = Duration::from_millis(150);
/// How long the end may take.
const CLOSE: Duration = Duration::from_secs(10);

/// The clerk of a node.
pub(super) struct Clerk {
    pub(super) store: Arc<Known>,
    pub(super) leases: Arc<Leases>,
    pub(super) now: fn() -> Timestamp,
    /// Accounts that were found empty while others may give back.
    pub(super) wanted: Vec<Wanted>,
}

/// An account that was found empty.
pub(super) struct Wanted {
    link: LinkId,
    found: Grant,
    /// What was heard of the account when it was looked at.
    heard: u64,
    /// Until when something may come back.
    until: Instant,
}

impl Clerk {
    /// Works until the end.
    pub(super) fn run(mut self) {
        loop {
            let done = match self.leases.next(self.patience()) {
                Job::Ask(link) => self.ask(link),
                Job::Recall(link) => self.recall(link),
                Job::Edit(link, edit) => self.edit(link, edit),
                Job::Rest => {
                    self.leases.fill_up();
                    Ok(())
                }
                Job::Close(stored) => return self.close(stored),
            };
            if let Err(error) = done {
                tracing::debug!(%error, "a click limit waits for the store");
            }
            self.give_up();
        }
    }

    fn patience(&self) -> Duration {
        let first = self.wanted.iter().map(|wanted| wanted.until).min();
        first.map_or(REST, |until| until.saturating_duration_since(Instant::now()).min(REST))
    }

    fn accounts(&self) -> Result<Accounts<'_>> {
        let fleet = self.leases.fleet();
        let unknown = || Error::Unavailable("this node is not registered".to_owned());
        let node = fleet.node.filter(|_| !fleet.rivalled).ok_or_else(unknown)?;
        let store = self.store.store()?;
        let (links, clicks) = (&*store.links, &*store.clicks);
        Ok(Accounts { links, clicks, node, now: (self.now)() })
    }

    fn ask(&mut self, link: LinkId) -> Result<()> {
        let heard = self.leases.news(link);
        match self.grant(link) {
            Ok(found @ Grant::Out { .. }) if self.leases.fleet().known > 1 => {
                self.want(Wanted { link, found, heard, until: Instant::now() + RETURN })
            }
            Ok(grant) => {
                self.wanted.retain(|wanted| wanted.link != link);
                self.leases.granted(link, grant, heard);
                Ok(())
            }
            Err(error) => {
                self.leases.failed(link);
                Err(error)
            }
        }
    }

    fn grant(&self, link: LinkId) -> Result<Grant> {
        let opened = |since| self.leases.opened(link, since);
        self.accounts()?.grant(link, opened, self.leases.fleet().alive)
    }

    /// Has others told, once, that clicks are wanted.
    fn want(&mut self, new: Wanted) -> Result<()> {
        if let Some(wanted) = self.wanted.iter_mut().find(|wanted| wanted.link == new.link) {
            wanted.heard = new.heard;
            return Ok(());
        }
        let told = self.accounts()?.want(new.link);
        if told.is_err() {
            self.leases.failed(new.link);
        } else {
            self.wanted.push(new);
        }
        told
    }

    /// Tells those who wait for what others may give back that nothing did come.
    fn give_up(&mut self) {
        let now = Instant::now();
        let (late, wanted) = self.wanted.drain(..).partition(|wanted| wanted.until <= now);
        self.wanted = wanted;
        let late: Vec<Wanted> = late;
        for Wanted { link, found, heard, .. } in late {
            self.leases.granted(link, found, heard);
        }
    }

    fn recall(&self, link: LinkId) -> Result<()> {
        let accounts = self.accounts()?;
        let Some(Used { since, spent, .. }) = self.leases.take_back(link) else { return Ok(()) };
        accounts.give_back(link, since, spent).map(drop)
    }

    /// A limit that was taken away ends its account; another limit begins with what is unspent
    /// given back, lest nodes hold more than a lower one allows.
    fn edit(&self, link: LinkId, edit: Edit) -> Result<()> {
        if let Some(version) = edit.removed {
            self.leases.drop_link(link);
            self.accounts()?.close(link, version)?;
        }
        if edit.changed {
            self.recall(link)?;
            self.leases.look_again(link);
        }
        Ok(())
    }

    /// Gives everything back, where the store has all clicks: else what is spent would not be
    /// known. What stays is still this node's when it comes back.
    fn close(&self, stored: bool) {
        let end = Instant::now() + CLOSE;
        let Ok(accounts) = self.accounts() else { return };
        for link in self.leases.links() {
            let Some(Used { since, spent, .. }) = self.leases.take_back(link) else { continue };
            if !stored || Instant::now() > end {
                continue;
            }
            match accounts.end(link, since, spent) {
                Ok(()) => self.leases.drop_link(link),
                Err(error) => {
                    tracing::warn!(%error, "the store does not take leases back; they are kept");
                    return;
                }
            }
        }
    }
}
