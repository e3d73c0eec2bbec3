//! A store with links and clicks of a test's choice, and the plain counting to hold against it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tempfile::TempDir;
use waypost_link::{
    Change, ClickId, Destination, DomainId, Link, LinkId, Record, Schemes, Slug, Timestamp,
    Workspace, WorkspaceId,
};
use waypost_lmdb::{LmdbStore, Options};
use waypost_storage::{
    Address, AgentDetails, Batch, BatchBuilder, ClickStore, Epoch, LinkStore, Mark, Row, Text,
    memory::MemoryStore,
};

use crate::{DayCount, Days, Policy, Service, Stats, Subject};

/// 2027-01-15, 08:30:00.000007 UTC, a Friday; the 8th hour of day 20,833 is hour 500,000.
pub(super) const NOW: Timestamp = Timestamp(500_000 * Timestamp::HOUR + 1_800_000_007);
pub(super) const MINUTE: i64 = 60 * Timestamp::SECOND;

const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
     (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "curl/8.9.1",
];
const COUNTRIES: [&str; 3] = ["DE", "US", ""];
const REFERRERS: [&str; 3] = ["", "google.com", "news.example"];
const RULES: [&str; 2] = ["", "a-or-b"];

/// A click of the world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) link: u64,
    pub(super) at: Timestamp,
    /// Who; also chooses what they came with.
    pub(super) visitor: usize,
}

impl Seen {
    pub(super) fn bot(self) -> bool {
        self.visitor % AGENTS.len() == 2
    }

    pub(super) fn country(self) -> &'static str {
        COUNTRIES[self.visitor / 2 % COUNTRIES.len()]
    }

    pub(super) fn referrer(self) -> &'static str {
        REFERRERS[self.visitor / 3 % REFERRERS.len()]
    }

    pub(super) fn rule(self) -> &'static str {
        RULES[self.visitor % RULES.len()]
    }
}

/// Which store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Backend {
    Memory,
    Lmdb,
}

pub(super) struct World {
    pub(super) service: Service,
    pub(super) workspace: WorkspaceId,
    sequence: u64,
    _dir: Option<TempDir>,
}

impl World {
    pub(super) fn new(backend: Backend, excludes_bots: bool) -> Self {
        let (service, dir) = match backend {
            Backend::Memory => (service(Arc::new(MemoryStore::new(read_agent))), None),
            Backend::Lmdb => {
                let dir = tempfile::tempdir().unwrap();
                let store = LmdbStore::open(
                    dir.path(),
                    &Options { map_size: 8 << 30, ..Options::default() },
                )
                .unwrap();
                (service(Arc::new(store)), Some(dir))
            }
        };
        let settings = [("exclude_bots".to_owned(), excludes_bots.to_string())].into();
        let workspace = Workspace { name: "default".into(), settings, ..Workspace::default() };
        let put = Change::PutRecord(Record::Workspace(workspace));
        let workspace = WorkspaceId(service.store.commit(&[put], NOW).unwrap().ids[0]);
        Self { service, workspace, sequence: 0, _dir: dir }
    }

    pub(super) fn stats(&self) -> Stats<'_> {
        self.service.stats(self.workspace).unwrap()
    }

    /// Makes `count` links, the nth changed by `edit`; ids count up from 1.
    pub(super) fn links(&self, count: u64, edit: impl Fn(u64, &mut Link)) -> Vec<Link> {
        let made = (1..=count).map(|n| {
            let to = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
            let slug = Slug::parse(&format!("link{n}")).unwrap();
            let mut link = Link::new(self.workspace, DomainId::DEFAULT, slug, to, NOW);
            edit(n, &mut link);
            self.service.store.commit(&[Change::CreateLink(Box::new(link.clone()))], NOW).unwrap();
            Link { id: LinkId(n), version: 1, ..link }
        });
        made.collect()
    }

    /// Appends clicks as redirects make them.
    pub(super) fn click(&mut self, clicks: &[Seen]) {
        for seen in clicks {
            self.sequence += 1;
            let mark = Mark { epoch: Epoch(1), sequence: self.sequence };
            let batch = self.batch(*seen);
            self.service.clicks.append(mark, &batch).unwrap();
        }
    }

    /// A batch of one: those of another hour don't fit into the same.
    fn batch(&self, seen: Seen) -> Batch {
        let mut builder = BatchBuilder::default();
        let mut text = |text: &str| Text { index: builder.text(text.as_bytes(), 512), text: "" };
        let (user_agent, referrer) = (text(AGENTS[seen.visitor % 3]), text(seen.referrer()));
        let (language, rule) = (text("de"), text(seen.rule()));
        let salt = self.sequence as u32;
        let row = Row {
            id: ClickId { received: seen.at, link: LinkId(seen.link), salt },
            workspace: self.workspace,
            visitor: (seen.visitor as u64 + 1) << 32,
            address: Address::Nothing,
            country: seen.country().as_bytes().try_into().ok(),
            user_agent,
            referrer,
            language,
            rule,
            spent: true,
        };
        assert!(builder.push(&row), "it has room");
        let mut bytes = Vec::new();
        builder.finish(&mut bytes);
        Batch::decode(bytes).unwrap()
    }
}

fn service<S: LinkStore + ClickStore + 'static>(store: Arc<S>) -> Service {
    Service::new(store.clone(), store, Policy::default(), || NOW)
}

fn read_agent(text: &[u8]) -> AgentDetails {
    let details = waypost_agent::details(text);
    AgentDetails {
        browser: details.browser.as_str(),
        os: details.os.as_str(),
        device: details.device.as_str(),
        bot: details.bot,
    }
}

/// The plain counting.
pub(super) struct Truth<'c> {
    clicks: Vec<&'c Seen>,
}

impl<'c> Truth<'c> {
    /// The clicks of `subject` that count, within `[from, to)`.
    pub(super) fn of(
        clicks: &'c [Seen],
        subject: &Subject,
        (from, to): (Timestamp, Timestamp),
        bots: bool,
    ) -> Self {
        let own = |seen: &&Seen| match subject {
            Subject::Link(link) => link.0 == seen.link,
            Subject::Links(links) => links.contains(&LinkId(seen.link)),
            Subject::Workspace => true,
        };
        let clicks = clicks.iter().filter(own);
        let clicks = clicks.filter(|seen| (bots || !seen.bot()) && seen.at >= from && seen.at < to);
        Self { clicks: clicks.collect() }
    }

    pub(super) fn in_days(clicks: &'c [Seen], subject: &Subject, days: Days, bots: bool) -> Self {
        let end = Timestamp(days.end() * Timestamp::DAY);
        Self::of(clicks, subject, (days.start(), end), bots)
    }

    pub(super) fn count(&self) -> u64 {
        self.clicks.len() as u64
    }

    /// When they came, ascending.
    pub(super) fn times(&self) -> Vec<Timestamp> {
        let mut times: Vec<_> = self.clicks.iter().map(|seen| seen.at).collect();
        times.sort_unstable();
        times
    }

    pub(super) fn unique(&self) -> u64 {
        self.clicks.iter().map(|seen| seen.visitor).collect::<BTreeSet<_>>().len() as u64
    }

    pub(super) fn by(&self, key: impl Fn(&Seen) -> i64) -> BTreeMap<i64, u64> {
        self.clicks.iter().fold(BTreeMap::new(), |mut counts, seen| {
            *counts.entry(key(seen)).or_default() += 1;
            counts
        })
    }

    pub(super) fn rows(&self, days: Days) -> Vec<DayCount> {
        let counts = self.by(|seen| seen.at.day());
        let count = |day| counts.get(&day).copied().unwrap_or(0);
        (days.first()..days.end()).map(|day| DayCount { day, count: count(day) }).collect()
    }

    /// Values and clicks as a breakdown shows them.
    pub(super) fn parts(&self, value: impl Fn(Seen) -> &'static str) -> Vec<(String, u64)> {
        let mut counts = BTreeMap::<&str, u64>::new();
        for seen in &self.clicks {
            *counts
                .entry(match value(**seen) {
                    "" => "none",
                    value => value,
                })
                .or_default() += 1;
        }
        let mut parts: Vec<_> = counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.1));
        parts
    }
}
