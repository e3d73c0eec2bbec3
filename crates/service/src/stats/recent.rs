//! Figures that whoever lists links is shown beside them, remembered for a moment.
//!
//! A workspace's clicks of 30 days are read from all that it had, however few links a page lists. So they are read
//! at most once in [`FRESH`]: below the second that a redirect's click may take to show up (SPEC 4).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use waypost_link::WorkspaceId;

use crate::{Result, limits};

/// How long a figure is as good as new.
const FRESH: Duration = Duration::from_millis(500);

/// Each workspace's figure, and when it was read.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<HashMap<WorkspaceId, (u64, Instant)>>);

impl Recent {
    /// What `read` said of a workspace a moment ago, or says now.
    pub(super) fn of(
        &self,
        workspace: WorkspaceId,
        read: impl FnOnce() -> Result<u64>,
    ) -> Result<u64> {
        let asked = Instant::now();
        let known = self.known(workspace).filter(|(_, at)| asked.duration_since(*at) < FRESH);
        if let Some((figure, _)) = known {
            return Ok(figure);
        }
        let figure = read()?;
        let mut figures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if figures.len() >= limits::RECENT_FIGURES {
            figures.retain(|_, (_, at)| asked.duration_since(*at) < FRESH);
        }
        if figures.len() < limits::RECENT_FIGURES {
            figures.insert(workspace, (figure, asked));
        }
        Ok(figure)
    }

    /// A workspace had a click that its next read must show.
    pub(crate) fn forget(&self, workspace: WorkspaceId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&workspace);
    }

    fn known(&self, workspace: WorkspaceId) -> Option<(u64, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&workspace).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_anew_once_forgotten() {
        let (recent, one) = (Recent::default(), WorkspaceId(1));
        let figure = |workspace, read: u64| recent.of(workspace, || Ok(read)).unwrap();
        assert_eq!(figure(one, 7), 7);
        assert_eq!(figure(WorkspaceId(2), 9), 9);
        recent.forget(one);
        assert_eq!(figure(one, 8), 8);
    }
}
