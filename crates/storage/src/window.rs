//! Counts of a window that begins and ends at any instant (SPEC 10): whole hours from roll-ups,
//! the two edges from raw clicks.
//!
//! An edge is read only where its hour was clicked in at all, so a quiet link costs one tally. A
//! busy one costs its clicks of two parts of an hour, counted and no more; nobody on the redirect
//! path asks. Raw clicks of the edges must still be kept: a window may not begin before retention.

use waypost_link::Timestamp;

use crate::{ClickScope, ClickStore, Detail, Grain, Result, Scope, TallyQuery};

/// What was clicked in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Clicks, bots included.
    pub clicks: u64,
    /// Clicks of bots.
    pub bots: u64,
}

/// What was clicked of `scope` at `from` or later and before `to`.
///
/// # Errors
/// As every read.
pub fn window(
    store: &(impl ClickStore + ?Sized),
    scope: ClickScope,
    from: Timestamp,
    to: Timestamp,
) -> Result<Window> {
    let mut window = Window::default();
    if from >= to {
        return Ok(window);
    }
    let last = to.plus(-1).hour();
    let query = TallyQuery {
        scope: match scope {
            ClickScope::Link(link) => Scope::Links(vec![link]),
            ClickScope::Workspace(workspace) => Scope::Workspace(workspace),
        },
        grain: Grain::Hour,
        from: from.hour(),
        to: last.saturating_add(1),
        detail: Detail::Sums,
    };
    for bucket in store.tally(&query)? {
        let hour = bucket.start.saturating_mul(Timestamp::HOUR);
        let hour = Timestamp(hour)..Timestamp(hour.saturating_add(Timestamp::HOUR));
        if from <= hour.start && hour.end <= to {
            window.clicks += bucket.counts.clicks;
            window.bots += bucket.counts.bots;
        } else {
            let edge = store.count(scope, from.max(hour.start)..to.min(hour.end))?;
            window.clicks += edge.clicks;
            window.bots += edge.bots;
        }
    }
    Ok(window)
}

#[cfg(test)]
mod tests {
    use waypost_link::{ClickId, LinkId, WorkspaceId};

    use super::*;
    use crate::{
        AgentDetails, Event, NewClick,
        fault::{Faulty, Operation},
        memory::MemoryStore,
    };

    const START: Timestamp = Timestamp(500_000 * Timestamp::HOUR);

    /// A click every ten minutes of six hours, every third a bot's.
    fn store() -> Faulty<MemoryStore> {
        let store = MemoryStore::new(|agent| AgentDetails {
            bot: agent == b"bot",
            ..AgentDetails::default()
        });
        let events: Vec<_> = (0..36)
            .map(|n| {
                let at = START.plus(n * 10 * 60 * Timestamp::SECOND);
                Event::Click(Box::new(NewClick {
                    id: ClickId { received: at, link: LinkId(1), salt: 0 },
                    workspace: WorkspaceId(1),
                    clicked_at: at,
                    user_agent: if n % 3 == 0 { "bot".into() } else { String::new() },
                    ..NewClick::default()
                }))
            })
            .collect();
        ClickStore::record(&store, &events).unwrap();
        Faulty::new(store)
    }

    #[test]
    fn exact_to_the_microsecond_and_raw_at_the_edges_only() {
        let store = store();
        let minutes = |n: i64| START.plus(n * 60 * Timestamp::SECOND);
        for (from, to, clicks, bots, pages) in [
            (minutes(0), minutes(360), 36, 12, 0),
            (minutes(60), minutes(120), 6, 2, 0),
            (minutes(0), minutes(361), 36, 12, 0),
            (minutes(-500), minutes(60), 6, 2, 0),
            (minutes(10), minutes(130), 12, 4, 2),
            (minutes(10).plus(1), minutes(130).plus(1), 12, 4, 2),
            (minutes(30), minutes(50), 2, 1, 1),
            (minutes(30), minutes(30).plus(1), 1, 1, 1),
            (minutes(30), minutes(30), 0, 0, 0),
            (minutes(50), minutes(30), 0, 0, 0),
            (minutes(900), minutes(999), 0, 0, 0),
            (Timestamp(i64::MIN), Timestamp(i64::MAX), 36, 12, 0),
        ] {
            for scope in [ClickScope::Link(LinkId(1)), ClickScope::Workspace(WorkspaceId(1))] {
                let before = store.calls(Operation::Count);
                let found = window(&store, scope, from, to);
                assert_eq!(found, Ok(Window { clicks, bots }), "{from:?}..{to:?}");
                assert_eq!(store.calls(Operation::Count) - before, pages, "{from:?}..{to:?}");
            }
        }
        let nobody = window(&store, ClickScope::Link(LinkId(2)), minutes(10), minutes(99));
        assert_eq!(nobody, Ok(Window::default()));
    }
}
