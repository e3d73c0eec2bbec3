//! Many links at once: imports and bulk creations, up to 10,000 a commit.

use std::collections::HashMap;

use waypost_link::{Change, Link, LinkId, Name};
use waypost_storage::Error;

use crate::{Fault, Result, Service, follow_activity};

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

/// Links on their way into one commit: what is to be written, and what becomes of each.
#[derive(Debug)]
pub struct Planned {
    conflict: Conflict,
    changes: Vec<Change>,
    /// Which link each change puts.
    places: Vec<usize>,
    outcomes: Vec<Outcome>,
}

impl Planned {
    /// What would become of the links, in their order, if nobody else wrote meanwhile.
    pub fn outcomes(self) -> Vec<Outcome> {
        self.outcomes
    }
}

impl Service {
    /// Plans how to put `links` (checked by [`Service::check_link`], at most
    /// [`crate::limits::BATCH`] of them) in one commit; those whose code is taken are dealt with as
    /// `conflict` says, each by itself. Nothing is written.
    ///
    /// A plan may be made while the one before it is put: what it could not see yet, putting it
    /// finds out.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn plan_links(&self, links: Vec<Link>, conflict: Conflict) -> Result<Planned> {
        let outcomes = vec![Outcome::Skipped; links.len()];
        let links = links.into_iter().enumerate().collect();
        let mut planned = Planned { conflict, changes: Vec::new(), places: Vec::new(), outcomes };
        self.replan(links, &mut planned)?;
        Ok(planned)
    }

    /// Puts what was planned, planning anew what others were faster at.
    ///
    /// # Errors
    /// [`Fault::Store`]: none was put.
    pub fn put_links(&self, mut planned: Planned) -> Result<Vec<Outcome>> {
        for _ in 0..crate::limits::RETRIES {
            if planned.changes.is_empty() {
                return Ok(planned.outcomes);
            }
            match self.commit(&planned.changes) {
                Ok(_) => return Ok(planned.outcomes),
                Err(Error::Taken { .. } | Error::Stale { .. } | Error::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            let links = std::mem::take(&mut planned.changes).into_iter().filter_map(put);
            let open = std::mem::take(&mut planned.places).into_iter().zip(links).collect();
            self.replan(open, &mut planned)?;
        }
        Err(Fault::Store(Error::Unavailable("others write the same links all the time".into())))
    }

    /// Commits changes that the caller worked out from what it read, at most
    /// [`crate::limits::BATCH`] of them.
    ///
    /// # Errors
    /// [`Fault::Store`]: none was made. `Stale`, `Taken` and `Missing` say that somebody else was
    /// faster.
    pub fn change_links(&self, changes: &[Change]) -> Result<()> {
        self.commit(changes)?;
        Ok(())
    }

    fn replan(&self, links: Vec<(usize, Link)>, planned: &mut Planned) -> Result<()> {
        let Planned { conflict, changes, places, outcomes } = planned;
        let mut seen: HashMap<Name, usize> = HashMap::with_capacity(links.len());
        let claims: Vec<_> = links.iter().map(|(_, link)| link.claim()).collect();
        let holders = self.store.holders(&claims)?;
        for ((place, link), holder) in links.into_iter().zip(holders) {
            let name = link.name();
            outcomes[place] = match (seen.get(&name), *conflict) {
                (Some(_), Conflict::Skip) => Outcome::Skipped,
                (Some(_), Conflict::Fail) => Outcome::Taken,
                (Some(&at), Conflict::Replace) => {
                    supersede(&mut changes[at], link);
                    Outcome::Replaced
                }
                (None, _) => self.place(link, holder, *conflict, changes)?,
            };
            if changes.len() > places.len() {
                seen.insert(name, places.len());
                places.push(place);
            }
        }
        Ok(())
    }

    fn place(
        &self,
        link: Link,
        holder: Option<u64>,
        conflict: Conflict,
        into: &mut Vec<Change>,
    ) -> Result<Outcome> {
        let Some(holder) = holder else {
            into.push(Change::CreateLink(Box::new(link)));
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

/// The link that a change puts.
fn put(change: Change) -> Option<Link> {
    match change {
        Change::CreateLink(link) | Change::UpdateLink { link, .. } => Some(*link),
        _ => None,
    }
}

/// `link` in the place of `old`: its identity stays.
fn heir(link: Link, old: &Link) -> Link {
    let mut heir = Link { id: old.id, version: old.version, created_at: old.created_at, ..link };
    follow_activity(old, &mut heir);
    heir
}

/// A later line of the same name wins over an earlier one of the same batch.
fn supersede(change: &mut Change, link: Link) {
    match change {
        Change::CreateLink(earlier) => **earlier = link,
        Change::UpdateLink { link: earlier, .. } => **earlier = heir(link, earlier),
        _ => {}
    }
}
