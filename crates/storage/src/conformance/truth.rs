//! Buckets counted the slow way, from the samples themselves, to hold a store's answers against.

use std::collections::{BTreeMap, BTreeSet};

use waypost_link::{LinkId, WorkspaceId};

use super::{Store, samples::Sample};
use crate::{Bucket, Counts, Detail, Dimension, Grain, Scope, Share, TallyQuery};

/// All there is.
pub(super) const EVER: (i64, i64) = (i64::MIN, i64::MAX);

/// What a bucket should hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Truth {
    clicks: u64,
    bots: u64,
    visitors: BTreeSet<u64>,
    robots: BTreeSet<u64>,
    shares: [BTreeMap<String, (u64, u64)>; Dimension::ALL.len()],
}

/// The buckets that `samples` fall into, those of `scope` only.
pub(super) fn truth<'s>(
    samples: impl IntoIterator<Item = &'s Sample>,
    scope: &Scope,
    grain: Grain,
) -> BTreeMap<i64, Truth> {
    let mut buckets = BTreeMap::<i64, Truth>::new();
    for sample in samples {
        let (own, all) = match scope {
            Scope::Links(links) => (links.contains(&sample.stored.id.link), false),
            Scope::Workspace(workspace) => (*workspace == sample.stored.workspace, true),
        };
        if own {
            let bucket = buckets.entry(grain.bucket(sample.stored.clicked_at)).or_default();
            bucket.count(sample, all);
        }
    }
    buckets
}

impl Truth {
    fn count(&mut self, sample: &Sample, of_workspace: bool) {
        let (click, bots) = (&sample.stored, u64::from(sample.stored.bot));
        self.clicks += 1;
        self.bots += bots;
        if click.bot { &mut self.robots } else { &mut self.visitors }.insert(sample.visitor);
        let country = click.country.map(|code| code.map(char::from).iter().collect());
        let values = [
            country.unwrap_or_default(),
            click.device.to_owned(),
            click.browser.to_owned(),
            click.os.to_owned(),
            click.referrer.clone(),
            click.language.clone(),
            click.source.clone(),
            click.rule.clone(),
            click.id.link.to_string(),
        ];
        for (dimension, (value, shares)) in
            Dimension::ALL.into_iter().zip(values.into_iter().zip(&mut self.shares))
        {
            if of_workspace || dimension != Dimension::Link {
                let share = shares.entry(value).or_default();
                *share = (share.0 + 1, share.1 + bots);
            }
        }
    }

    /// Holds `counts` against this, conversions left aside.
    pub(super) fn check(&self, counts: &Counts, what: &str) {
        assert_eq!((counts.clicks, counts.bots), (self.clicks, self.bots), "{what}");
        let people = (counts.visitors.count(), counts.robots.count());
        assert_eq!(people, (self.visitors.len() as u64, self.robots.len() as u64), "{what}");
        self.check_shares(counts, what);
    }

    /// Holds the dimensions alone against this, as what a purge can restore.
    pub(super) fn check_shares(&self, counts: &Counts, what: &str) {
        for (dimension, (found, want)) in
            Dimension::ALL.into_iter().zip(counts.shares.iter().zip(&self.shares))
        {
            let share = |(value, &(clicks, bots)): (&String, &(u64, u64))| {
                let value = value.clone();
                Share { value, clicks, bots }
            };
            let want: Vec<_> = want.iter().map(share).collect();
            assert_eq!(*found, want, "{what} {dimension:?}");
        }
    }
}

/// What the store says of `scope`, dimensions and all.
pub(super) fn tally(
    store: &dyn Store,
    scope: &Scope,
    grain: Grain,
    range: (i64, i64),
) -> Vec<Bucket> {
    let (from, to) = range;
    let query = TallyQuery { scope: scope.clone(), grain, from, to, detail: Detail::Shares };
    store.tally(&query).expect("a tally")
}

/// The one bucket of all time; an empty one where there is none.
pub(super) fn ever(store: &dyn Store, scope: &Scope) -> Counts {
    let mut buckets = tally(store, scope, Grain::All, (0, 0));
    assert!(buckets.len() <= 1, "{buckets:?}");
    buckets.pop().map(|bucket| bucket.counts).unwrap_or_default()
}

/// Holds every grain of every bucket of `scope` against `samples`.
pub(super) fn check_scope(store: &dyn Store, samples: &[Sample], scope: &Scope) {
    for grain in [Grain::Hour, Grain::Day, Grain::All] {
        let found = tally(store, scope, grain, EVER);
        let want = truth(samples, scope, grain);
        let starts: Vec<_> = found.iter().map(|bucket| bucket.start).collect();
        assert_eq!(starts, want.keys().copied().collect::<Vec<_>>(), "{scope:?} {grain:?}");
        for (bucket, truth) in found.iter().zip(want.values()) {
            truth.check(&bucket.counts, &format!("{scope:?} {grain:?} {}", bucket.start));
        }
    }
}

pub(super) fn links(links: &[u64]) -> Scope {
    Scope::Links(links.iter().copied().map(LinkId).collect())
}

pub(super) fn workspace(workspace: WorkspaceId) -> Scope {
    Scope::Workspace(workspace)
}
