//! Many links at once: imports and bulk creations, up to 10,000 a commit.

use std::collections::HashMap;

use waypost_link::{Change, Claim, Link, LinkId, Name};
use waypost_storage::Error;

use crate::{Fault, Result, Service};

/// What to do with a link whose code is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conflict {
    /// Leave the old one, without a word.
    Skip,
    /// Put the new one in its place: same id and clicks, new destination and options.
    Replace,
    /// Leave the old one, and say so.
    #[default]
    Fail,
}

/// What became of one link of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// New.
    Created,
    /// In place of an older one.
    Replaced,
    /// Left out, as asked.
    Skipped,
    /// Left out: its code is taken.
    Taken,
}

impl Service {
    /// Puts `links` (checked by [`Service::check_link`], at most [`crate::limits::BATCH`] of them)
    /// in one commit; those whose code is taken are dealt with as `conflict` says, each by itself.
    ///
    /// With `dry_run` nothing is written, and the answer is the same.
    ///
    /// # Errors
    /// [`Fault::Store`]: none was put.
    pub fn put_links(
        &self,
        links: &[Link],
        conflict: Conflict,
        dry_run: bool,
    ) -> Result<Vec<Outcome>> {
        for _ in 0..crate::limits::RETRIES {
            let (changes, outcomes) = self.plan(links, conflict)?;
            if dry_run || changes.is_empty() {
                return Ok(outcomes);
            }
            match self.commit(&changes) {
                Ok(_) => return Ok(outcomes),
                Err(Error::Taken { .. } | Error::Stale { .. } | Error::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Fault::Store(Error::Unavailable("others write the same links all the time".into())))
    }

    fn plan(&self, links: &[Link], conflict: Conflict) -> Result<(Vec<Change>, Vec<Outcome>)> {
        let mut changes = Vec::with_capacity(links.len());
        let mut outcomes = Vec::with_capacity(links.len());
        let mut seen: HashMap<Name, usize> = HashMap::with_capacity(links.len());
        for link in links {
            let outcome = match (seen.get(&link.name()), conflict) {
                (Some(_), Conflict::Skip) => Outcome::Skipped,
                (Some(_), Conflict::Fail) => Outcome::Taken,
                (Some(&at), Conflict::Replace) => {
                    supersede(&mut changes[at], link);
                    Outcome::Replaced
                }
                (None, _) => self.place(link, conflict, &mut changes)?,
            };
            if matches!(outcome, Outcome::Created | Outcome::Replaced) {
                seen.entry(link.name()).or_insert(changes.len() - 1);
            }
            outcomes.push(outcome);
        }
        Ok((changes, outcomes))
    }

    fn place(&self, link: &Link, conflict: Conflict, into: &mut Vec<Change>) -> Result<Outcome> {
        let Some(holder) = self.store.holder(&Claim::Name(link.name()))? else {
            into.push(Change::CreateLink(Box::new(link.clone())));
            return Ok(Outcome::Created);
        };
        match conflict {
            Conflict::Skip => Ok(Outcome::Skipped),
            Conflict::Fail => Ok(Outcome::Taken),
            Conflict::Replace => match self.store.link(LinkId(holder))? {
                Some(old) if old.workspace == link.workspace => {
                    let was = old.name();
                    into.push(Change::UpdateLink { link: Box::new(heir(link, &old)), was });
                    Ok(Outcome::Replaced)
                }
                _ => Ok(Outcome::Taken),
            },
        }
    }
}

/// `link` in the place of `old`: its identity stays.
fn heir(link: &Link, old: &Link) -> Link {
    Link { id: old.id, version: old.version, created_at: old.created_at, ..link.clone() }
}

/// A later line of the same name wins over an earlier one of the same batch.
fn supersede(change: &mut Change, link: &Link) {
    match change {
        Change::CreateLink(earlier) => **earlier = link.clone(),
        Change::UpdateLink { link: earlier, .. } => **earlier = heir(link, earlier),
        _ => {}
    }
}
