//! Figures that whoever lists links is shown beside them, remembered for a moment.
//!
//! A workspace's clicks of 30 days are read from all that it had, however few links a page lists. So they are read
//! once in [`FRESH`], by one caller, while the others are told what was known before: together below the second
//! that a redirect's click may take to show up (SPEC 4). A reported click is in the next read, so it forgets them.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use waypost_link::WorkspaceId;

use crate::{Result, limits};

/// How long a figure is as good as new, and how long others leave reading it anew to whoever began.
const FRESH: Duration = Duration::from_millis(300);
/// How old a figure may be for others to be told it meanwhile.
const OLD: Duration = Duration::from_millis(800);

/// The figure of each workspace.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    figures: HashMap<WorkspaceId, Figure>,
    /// How often any was forgotten: what was read before is not remembered after.
    forgotten: u64,
}

#[derive(Debug)]
struct Figure {
    clicks: u64,
    /// When whoever read it asked.
    read: Instant,
    /// When the last began to read it anew.
    turn: Instant,
}

impl Recent {
    /// What `read` said of a workspace a moment ago, or says now.
    pub(super) fn of(
        &self,
        workspace: WorkspaceId,
        read: impl FnOnce() -> Result<u64>,
    ) -> Result<u64> {
        let asked = Instant::now();
        let forgotten = {
            let mut known = self.lock();
            if let Some(figure) = known.figure(workspace, asked) {
                return Ok(figure);
            }
            known.forgotten
        };
        let figure = read()?;
        let mut known = self.lock();
        if known.forgotten == forgotten {
            known.remember(workspace, figure, asked);
        }
        Ok(figure)
    }

    /// A workspace had a click that its next read must show.
    pub(crate) fn forget(&self, workspace: WorkspaceId) {
        let mut known = self.lock();
        known.figures.remove(&workspace);
        known.forgotten += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The figure, unless it is this caller's turn to read it.
    fn figure(&mut self, workspace: WorkspaceId, asked: Instant) -> Option<u64> {
        let figure = self.figures.get_mut(&workspace)?;
        let age = |at| asked.saturating_duration_since(at);
        if age(figure.turn) < FRESH && age(figure.read) < OLD {
            return Some(figure.clicks);
        }
        figure.turn = asked;
        None
    }

    fn remember(&mut self, workspace: WorkspaceId, figure: u64, asked: Instant) {
        if self.figures.len() >= limits::RECENT_FIGURES {
            self.figures.retain(|_, old| asked.saturating_duration_since(old.read) < FRESH);
        }
        if self.figures.len() < limits::RECENT_FIGURES {
            self.figures.insert(workspace, Figure { clicks: figure, read: asked, turn: asked });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: WorkspaceId = WorkspaceId(1);

    #[test]
    fn one_reads_and_the_others_are_told_what_was_known() {
        let (mut known, start) = (Known::default(), Instant::now());
        let mut check = |after: Duration, expected: Option<u64>| {
            assert_eq!(known.figure(ONE, start + after), expected, "{after:?}");
        };
        check(Duration::ZERO, None);
        known.remember(ONE, 7, start);
        let mut check = |after: Duration, expected: Option<u64>| {
            assert_eq!(known.figure(ONE, start + after), expected, "{after:?}");
        };
        check(FRESH / 2, Some(7));
        check(FRESH, None);
        check(FRESH, Some(7));
        // Whoever began doesn't come to an end: others begin, and in the end nobody is told it any more.
        check(FRESH * 2, None);
        check(FRESH * 2, Some(7));
        check(OLD, None);
        check(OLD, None);
    }

    #[test]
    fn what_was_read_before_it_was_forgotten_is_not_remembered() {
        let recent = Recent::default();
        let read = |figure, meanwhile: fn(&Recent)| {
            let read = || {
                meanwhile(&recent);
                Ok(figure)
            };
            recent.of(ONE, read).unwrap()
        };
        assert_eq!(read(7, |recent| recent.forget(ONE)), 7);
        assert_eq!(read(8, |_| ()), 8);
        recent.forget(ONE);
        assert_eq!(read(9, |_| ()), 9);
    }
}
