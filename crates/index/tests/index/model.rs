//! Random histories against a map, delivered once, again, from the middle, and over a scan that
//! was already ahead.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use waypost_index::Index;
use waypost_link::{
    Change, CollectionId, Flags, Link, LinkId, Name, Record, Revision, Status, Timestamp,
};

use crate::fixture::{
    create, delete, destination, expected, link, members, name, rotator, seen, update,
};

const NAMES: usize = 6;
const COLLECTIONS: u64 = 2;

/// One random step: what to do is decided by what there is.
#[derive(Clone, Debug)]
struct Step {
    kind: u8,
    which: usize,
    to: usize,
    options: u8,
}

/// Every commit and the links after it; index 0 is before the first.
struct History {
    commits: Vec<Vec<Change>>,
    states: Vec<BTreeMap<LinkId, Link>>,
}

impl History {
    fn of(steps: &[Step]) -> Self {
        let records = rotators().map(Change::PutRecord).collect();
        let (commits, states) = (vec![Vec::new(), records], vec![BTreeMap::new(); 2]);
        let mut history = Self { commits, states };
        let mut last_id = 0;
        for step in steps {
            let mut links = history.states.last().unwrap().clone();
            let changes = commit(&mut links, step, &mut last_id);
            history.commits.push(changes);
            history.states.push(links);
        }
        history
    }

    fn apply(&self, index: &Index, revision: usize) {
        index.apply(Revision(revision as u64), &self.commits[revision]);
    }

    /// Fails unless `index` shows exactly the links after `revision`.
    fn check(&self, index: &Index, revision: usize) -> Result<(), TestCaseError> {
        let links = &self.states[revision];
        let by_name: BTreeMap<Name, &Link> = links.values().map(|l| (l.name(), l)).collect();
        for n in 0..NAMES {
            let name = nth_name(n);
            prop_assert_eq!(seen(index, &name), by_name.get(&name).map(|link| expected(link)));
        }
        for id in 1..=COLLECTIONS {
            let listed: BTreeSet<_> = index.with_directory(|directory| {
                directory.rotator(&format!("alias{id}")).map(|r| members(r)).unwrap_or_default()
            });
            prop_assert_eq!(listed, rotating(links, CollectionId(id)));
        }
        prop_assert_eq!(index.stats().links, links.len());
        let limited = links.values().filter(|link| link.max_clicks.is_some()).count();
        prop_assert_eq!(index.stats().limited, limited);
        Ok(())
    }
}

fn rotators() -> impl Iterator<Item = Record> {
    (1..=COLLECTIONS).map(|id| rotator(id, &format!("alias{id}")))
}

fn nth_name(n: usize) -> Name {
    name((n % 2) as u64 * ((1 << 40) + 7), &format!("code{}é", n % NAMES / 2))
}

fn rotating(links: &BTreeMap<LinkId, Link>, collection: CollectionId) -> BTreeSet<Name> {
    let member = |link: &&Link| {
        link.collection == Some(collection)
            && link.flags.has(Flags::ACTIVE)
            && link.archived_at.is_none()
    };
    links.values().filter(member).map(Link::name).collect()
}

fn commit(links: &mut BTreeMap<LinkId, Link>, step: &Step, last_id: &mut u64) -> Vec<Change> {
    let target = nth_name(step.to);
    let free = !links.values().any(|link| link.name() == target);
    let ids: Vec<_> = links.keys().copied().collect();
    let one = (!ids.is_empty()).then(|| links[&ids[step.which % ids.len()]].clone());
    let changes = match (step.kind, one) {
        (0, Some(link)) => vec![delete(&link)],
        (1, Some(one)) => {
            let other = links[&ids[step.to % ids.len()]].clone();
            swap(&one, &other)
        }
        (2.., Some(one)) if step.options & 1 == 0 => {
            let name = if free { target } else { one.name() };
            let mut next = one.clone();
            (next.domain, next.slug) = (name.domain, name.slug);
            next.version += 1;
            dress(&mut next, step.options);
            vec![update(&next, &one.name())]
        }
        _ if free => {
            *last_id += 1;
            let mut new = link(*last_id, 1, &target, "https://example.com/");
            dress(&mut new, step.options);
            vec![create(&new)]
        }
        _ => Vec::new(),
    };
    keep(links, &changes);
    changes
}

/// Two links take each other's name in one commit.
fn swap(one: &Link, other: &Link) -> Vec<Change> {
    if one.id == other.id {
        return Vec::new();
    }
    let renamed = |link: &Link, to: Name| {
        let version = link.version + 1;
        Link { domain: to.domain, slug: to.slug, version, ..link.clone() }
    };
    let (was_one, was_other) = (one.name(), other.name());
    let first = renamed(one, was_other.clone());
    let second = renamed(other, was_one.clone());
    vec![update(&first, &was_one), update(&second, &was_other)]
}

/// Gives a link options that depend on `options`.
fn dress(link: &mut Link, options: u8) {
    link.destination = destination(&format!("https://example.com/{}/{options}", link.version));
    link.status = Status::ALL[usize::from(options) % 4];
    link.flags = Flags::default().with(Flags::ACTIVE, options & 0b110 != 0);
    link.max_clicks = (options & 8 != 0).then_some(u64::from(options));
    link.utm.source = if options & 16 != 0 { "source".into() } else { String::new() };
    link.collection = (options & 32 != 0).then(|| CollectionId(1 + u64::from(options >> 6 & 1)));
    link.archived_at = (options & 128 != 0 && options & 4 != 0).then_some(Timestamp(1));
}

fn keep(links: &mut BTreeMap<LinkId, Link>, changes: &[Change]) {
    for change in changes {
        match change {
            Change::CreateLink(link) | Change::UpdateLink { link, .. } => {
                links.insert(link.id, (**link).clone());
            }
            Change::DeleteLink { id, .. } => {
                links.remove(id);
            }
            _ => {}
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..6u8, 0..64usize, 0..64usize, any::<u8>())
        .prop_map(|(kind, which, to, options)| Step { kind, which, to, options });
    prop::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn commits_in_order_and_again(steps in steps(), back in 0..9usize) {
        let (history, index) = (History::of(&steps), Index::new());
        for revision in 1..history.commits.len() {
            history.apply(&index, revision);
            history.check(&index, revision)?;
            for again in revision.saturating_sub(back).max(1)..=revision {
                history.apply(&index, again);
            }
            history.check(&index, revision)?;
        }
    }

    /// A scan by id that reads each link at a later moment than the one before, while commits go
    /// on; then what was committed since its start.
    #[test]
    fn a_scan_while_commits_go_on(steps in steps(), cuts in (1..60usize, 1..60usize)) {
        let history = History::of(&steps);
        let last = history.commits.len() - 1;
        let (start, end) = (cuts.0.min(cuts.1).min(last), cuts.0.max(cuts.1).min(last));
        let index = Index::new();
        (1..=start / 2).for_each(|revision| history.apply(&index, revision));
        let loader = index.loader();
        loader.records(rotators());
        for (nth, id) in (1..=60).map(LinkId).enumerate() {
            let moment = (start + nth * (end - start + 1) / 60).min(end);
            loader.links(history.states[moment].get(&id).map(|link| (link, 0)));
        }
        (start + 1..=end).for_each(|revision| {
            loader.apply(Revision(revision as u64), &history.commits[revision]);
        });
        loader.publish(Revision(end as u64));
        history.check(&index, end)?;
        for revision in end + 1..=last {
            history.apply(&index, revision);
            history.check(&index, revision)?;
        }
    }
}

#[test]
fn an_older_version_is_ignored_whatever_its_revision() {
    let index = Index::new();
    let (a, b) = (name(0, "a"), name(0, "b"));
    let held = link(1, 5, &a, "https://example.com/held");
    index.apply(Revision(1), &[create(&held)]);
    for (revision, version, to, was) in [(2, 4, &a, &a), (3, 5, &a, &a), (4, 4, &b, &a)] {
        let stale = link(1, version, to, "https://example.com/stale");
        index.apply(Revision(revision), &[update(&stale, was)]);
        assert_eq!(seen(&index, &a), Some(expected(&held)));
        assert_eq!(seen(&index, &b), None);
    }
    assert_eq!(index.applied(), Revision(4));
}
