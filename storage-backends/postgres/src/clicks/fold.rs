//! What reported clicks, conversions and copied extras add to roll-ups, gathered in memory before any
//! row is touched. They are few at a time; the many clicks of a flush are counted by `deltas`.
//!
//! Each click is counted into its hours only; days and all time are made of hours, a step per
//! bucket rather than per click.

use std::collections::BTreeMap;

use waypost_link::{LinkId, Timestamp, WorkspaceId};
use waypost_storage::{Counts, Grain, Hit};

/// Whose bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// A link's.
    Link(LinkId),
    /// A workspace's.
    Workspace(WorkspaceId),
}

/// What a link has beside its buckets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extra {
    pub(super) workspace: WorkspaceId,
    pub(super) spent: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

/// What is to be added.
#[derive(Default)]
pub(super) struct Folded {
    hours: BTreeMap<(Whose, i64), Counts>,
    pub(super) extras: BTreeMap<LinkId, Extra>,
}

/// The number of a grain in the tables: part of the format.
pub(super) const fn number(grain: Grain) -> i16 {
    match grain {
        Grain::Hour => 0,
        Grain::Day => 1,
        Grain::All => 2,
    }
}

/// The grain of a number.
pub(super) fn grain(of: i16) -> Option<Grain> {
    [Grain::Hour, Grain::Day, Grain::All].into_iter().find(|grain| number(*grain) == of)
}

impl Folded {
    /// Counts a click.
    pub(super) fn click(
        &mut self,
        workspace: WorkspaceId,
        at: Timestamp,
        hit: &Hit<'_>,
        spent: bool,
    ) {
        let hour = at.hour();
        self.hours.entry((Whose::Link(hit.link), hour)).or_default().add(hit, false);
        self.hours.entry((Whose::Workspace(workspace), hour)).or_default().add(hit, true);
        let extra = self.extra(hit.link, workspace);
        extra.spent += u64::from(spent);
        extra.first = Some(extra.first.map_or(at, |first| first.min(at)));
        extra.last = extra.last.max(Some(at));
    }

    /// Counts a conversion.
    pub(super) fn conversion(&mut self, link: LinkId, workspace: WorkspaceId, at: Timestamp) {
        for whose in [Whose::Link(link), Whose::Workspace(workspace)] {
            self.hours.entry((whose, at.hour())).or_default().conversions += 1;
        }
        self.extra(link, workspace);
    }

    /// Counts what a link has beside its buckets.
    pub(super) fn add(&mut self, more: &waypost_storage::transfer::Extra) {
        let extra = self.extra(more.link, more.workspace);
        extra.spent += more.spent;
        extra.first = extra.first.into_iter().chain(more.first).min();
        extra.last = extra.last.max(more.last);
    }

    fn extra(&mut self, link: LinkId, workspace: WorkspaceId) -> &mut Extra {
        let new = Extra { workspace, spent: 0, first: None, last: None };
        self.extras.entry(link).or_insert(new)
    }

    /// What links have beside their buckets.
    pub(super) fn extras(&self) -> Vec<(LinkId, Extra)> {
        self.extras.iter().map(|(link, extra)| (*link, *extra)).collect()
    }

    /// The buckets of every grain.
    pub(super) fn buckets(&self) -> BTreeMap<(Whose, i16, i64), Counts> {
        let mut buckets = BTreeMap::<_, Counts>::new();
        for (&(whose, hour), counts) in &self.hours {
            for grain in [Grain::Hour, Grain::Day, Grain::All] {
                let at = Timestamp(hour.saturating_mul(Timestamp::HOUR));
                let place = (whose, number(grain), grain.bucket(at));
                buckets.entry(place).or_default().merge(counts);
            }
        }
        buckets
    }
}
