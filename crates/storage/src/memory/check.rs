//! The model held against itself: what every backend's `check` looks for.

use std::collections::BTreeMap;

use super::{
    clicks::{Clicks, Whose},
    links::Links,
};
use crate::{Counts, Finding, Grain, Report, limits};

/// Clicks, bots and conversions.
type Sums = (u64, u64, u64);

pub(super) fn check(links: &Links, clicks: &Clicks) -> Report {
    let mut report = Report {
        links: links.links.len() as u64,
        clicks: clicks.raw.len() as u64,
        purges_pending: links.deleted.iter().filter(|id| clicks.links.contains_key(id)).count()
            as u64,
        findings: Vec::new(),
    };
    check_claims(links, &mut report);
    check_buckets(clicks, &mut report);
    check_raw(clicks, &mut report);
    report
}

fn check_claims(links: &Links, report: &mut Report) {
    let of_links = links.links.values().map(|link| (link.claim(), link.id.0));
    let of_records = links.records.iter();
    let of_records = of_records.flat_map(|((_, id), r)| r.claims().into_iter().map(|c| (c, *id)));
    let expected: BTreeMap<_, _> = of_links.chain(of_records).collect();
    expect(report, "claims", &links.claims, &expected);
}

/// All time = Σ days = Σ hours, in each bucket each dimension sums to the clicks, and a
/// workspace's buckets hold what its links' hold.
fn check_buckets(clicks: &Clicks, report: &mut Report) {
    let mut sums = BTreeMap::<(Whose, Grain), Sums>::new();
    let mut of_links = BTreeMap::<Whose, Sums>::new();
    for (&(whose, grain, _), counts) in &clicks.buckets {
        add(sums.entry((whose, grain)).or_default(), counts);
        if let (Whose::Link(link), Grain::All) = (whose, grain)
            && let Some(extra) = clicks.links.get(&link)
        {
            add(of_links.entry(Whose::Workspace(extra.workspace)).or_default(), counts);
        }
        for shares in counts.shares.iter().filter(|shares| !shares.is_empty()) {
            let sum: u64 = shares.iter().map(|share| share.clicks).sum();
            expect(report, "shares", &sum, &counts.clicks);
        }
    }
    for (&(whose, _), found) in &sums {
        let all = sums.get(&(whose, Grain::All)).copied().unwrap_or_default();
        expect(report, "grains", found, &all);
    }
    let workspaces = sums.into_iter().filter_map(|((whose, grain), sums)| {
        (grain == Grain::All && matches!(whose, Whose::Workspace(_))).then_some((whose, sums))
    });
    expect(report, "workspaces", &workspaces.collect(), &of_links);
}

/// Where all raw clicks are kept they are as many as were counted.
fn check_raw(clicks: &Clicks, report: &mut Report) {
    if clicks.trimmed.is_some() {
        return;
    }
    for &link in clicks.links.keys() {
        let raw = clicks.raw.keys().filter(|(id, _)| id.link == link).count() as u64;
        expect(report, "raw clicks", &raw, &clicks.totals(link).clicks);
    }
}

fn add(sums: &mut Sums, counts: &Counts) {
    *sums = (sums.0 + counts.clicks, sums.1 + counts.bots, sums.2 + counts.conversions);
}

fn expect<T: PartialEq + std::fmt::Debug>(report: &mut Report, place: &str, found: &T, want: &T) {
    if found != want && report.findings.len() < limits::FINDINGS {
        let what = format!("found {found:?}, expected {want:?}");
        report.findings.push(Finding { place: place.to_owned(), what });
    }
}
