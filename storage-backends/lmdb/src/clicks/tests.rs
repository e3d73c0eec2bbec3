//! The clicks half against the memory model, on any sequence of operations, with flushes, deaths
//! and reopenings anywhere. What the model can't show is in [`edges`].

mod edges;

use proptest::prelude::*;
use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};
use waypost_storage::{
    Address, AgentDetails, Appended, Batch, BatchBuilder, ClickQuery, ClickScope, ClickStore,
    Conversion, Counts, Detail, Epoch, Event, Grain, LinkCountQuery, Mark, NewClick, Order, Report,
    Row, Scope, Sink, StoredClick, TallyQuery, Text, Trim, memory::MemoryStore,
};

use super::{Clicks, raw};

const NOW: Timestamp = Timestamp(500_000 * Timestamp::HOUR);
const EPOCH: Epoch = Epoch(7);
const MAP: u64 = 1 << 30;
const LINKS: u64 = 6;
const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1",
    "curl/8.9.1",
];

/// A click in few numbers.
#[derive(Clone, Copy, Debug)]
struct Seed {
    link: u64,
    /// Of an hour.
    second: i64,
    any: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Append(i64, Vec<Seed>),
    Again,
    Record(i64, Vec<Seed>, bool),
    Convert(u64),
    Flush,
    Die,
    Before(i64),
    Purge(u64),
}

fn workspace(link: u64) -> WorkspaceId {
    WorkspaceId(1 + link % 2)
}

/// What the model is told of user agents: what this crate finds out itself.
fn read_agent(text: &[u8]) -> AgentDetails {
    let class = super::dictionary::Class::of(waypost_agent::details(text));
    let (browser, os, device) = raw::names(class);
    AgentDetails { browser, os, device, bot: class.is_bot() }
}

fn at(hour: i64, second: i64) -> Timestamp {
    NOW.plus(hour * Timestamp::HOUR + second * Timestamp::SECOND)
}

fn row<'b>(builder: &mut BatchBuilder, received: Timestamp, seed: Seed) -> Row<'b> {
    let mut text = |text: &str| Text { index: builder.text(text.as_bytes(), 512), text: "" };
    let any = seed.any;
    Row {
        id: ClickId { received, link: LinkId(seed.link), salt: (any % 3) as u32 },
        workspace: workspace(seed.link),
        visitor: (any % 40) << 32,
        address: match any % 4 {
            0 => Address::Nothing,
            1 => Address::Ip([192, 0, 2, any as u8].into()),
            2 => Address::Hash(any),
            _ => Address::Ip([any as u16; 8].into()),
        },
        country: [None, Some(*b"DE"), Some(*b"US")][(any % 3) as usize],
        user_agent: text(AGENTS[(any / 3 % 3) as usize]),
        referrer: text(&format!("{}.example", any % 5)),
        language: text(["", "de", "en-US"][(any / 5 % 3) as usize]),
        rule: text(["", "r1"][(any / 7 % 2) as usize]),
        spent: any.is_multiple_of(2),
    }
}

fn batch(clicks: impl IntoIterator<Item = (Timestamp, Seed)>) -> Batch {
    let (mut builder, mut bytes) = (BatchBuilder::default(), Vec::new());
    for (received, seed) in clicks {
        let row = row(&mut builder, received, seed);
        assert!(builder.push(&row));
    }
    builder.finish(&mut bytes);
    Batch::decode(bytes).unwrap()
}

fn reported(received: Timestamp, clicked_at: Timestamp, seed: Seed) -> NewClick {
    let any = seed.any;
    NewClick {
        id: ClickId { received, link: LinkId(seed.link), salt: 10 + (any % 3) as u32 },
        workspace: workspace(seed.link),
        clicked_at,
        ip: any.is_multiple_of(2).then(|| "192.0.2.1".into()),
        country: any.is_multiple_of(3).then_some(*b"FR"),
        user_agent: AGENTS[(any % 3) as usize].into(),
        referrer: format!("{}.example", any % 4),
        language: "fr".into(),
        session: any.is_multiple_of(5).then(|| "s".into()),
        visitor: (any % 50) << 32,
        source: ["email", "direct"][(any % 2) as usize].into(),
        metadata: any.is_multiple_of(7).then(|| "{}".into()),
        dedupe: any.is_multiple_of(2).then_some([(any % 9) as u8; 32]),
    }
}

/// A store, the model, and the journal between them.
struct Pair {
    dir: tempfile::TempDir,
    store: Option<Clicks>,
    model: MemoryStore,
    journal: Vec<(Mark, Batch)>,
    purged: bool,
}

impl Pair {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Some(Clicks::open(dir.path(), MAP).unwrap());
        let (model, journal) = (MemoryStore::new(read_agent), Vec::new());
        Self { dir, store, model, journal, purged: false }
    }

    fn store(&self) -> &Clicks {
        self.store.as_ref().unwrap()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Append(hour, seeds) => {
                let clicks = seeds.iter().map(|&seed| (at(*hour, seed.second / 4), seed));
                let mark = Mark { epoch: EPOCH, sequence: self.journal.len() as u64 + 1 };
                let batch = batch(clicks);
                assert_eq!(self.store().append(mark, &batch), self.model.append(mark, &batch));
                self.journal.push((mark, batch));
            }
            Step::Again => {
                if let Some((mark, batch)) = self.journal.last() {
                    assert_eq!(self.store().append(*mark, batch), Ok(Appended::Duplicate));
                }
            }
            Step::Record(hour, seeds, same_hour) => {
                let clicks = seeds.iter().map(|&seed| {
                    let clicked = if *same_hour { *hour } else { seed.any as i64 % 90 - 60 };
                    let clicked = at(clicked, seed.second);
                    Event::Click(Box::new(reported(at(*hour, 0), clicked, seed)))
                });
                self.record(&clicks.collect::<Vec<_>>());
            }
            Step::Convert(any) => self.convert(*any),
            Step::Flush => self.store().flush().unwrap(),
            Step::Die => self.die(),
            Step::Before(hour) => self.trim(Trim::Before(at(*hour, 600))),
            Step::Purge(link) => {
                self.trim(Trim::Link(LinkId(*link), workspace(*link)));
                self.purged = true;
            }
        }
    }

    fn record(&self, events: &[Event]) {
        let model = ClickStore::record(&self.model, events);
        assert_eq!(self.store().record(events), model);
    }

    /// Converts a click that was there, or perhaps isn't.
    fn convert(&self, any: u64) {
        let query = clicks_query(ClickScope::Link(LinkId(any % LINKS)), Order::Ascending, 100);
        let found = self.model.clicks(&query).unwrap().items;
        let unknown = ClickId { received: NOW, link: LinkId(1), salt: 99 };
        let chosen = found.get(any as usize % (found.len() + 1));
        let click = chosen.map_or(unknown, |click| click.id);
        let at = at(any as i64 % 30, 0);
        self.record(&[Event::Conversion(Conversion {
            click,
            workspace: workspace(click.link.0),
            at,
            value: None,
        })]);
    }

    /// The process dies, starts again, and sends what is not durable.
    fn die(&mut self) {
        self.store = None;
        self.store = Some(Clicks::open(self.dir.path(), MAP).unwrap());
        let durable = self.store().durable(EPOCH).unwrap();
        for (mark, batch) in &self.journal {
            let again = self.store().append(*mark, batch).unwrap();
            assert_eq!(again == Appended::Duplicate, mark.sequence <= durable);
        }
    }

    fn trim(&self, trim: Trim) {
        let mut clicks = 0;
        loop {
            let trimmed = self.store().trim(trim).unwrap();
            clicks += trimmed.clicks;
            if !trimmed.more {
                break;
            }
        }
        assert_eq!(clicks, self.model.trim(trim).unwrap().clicks, "{trim:?}");
    }

    fn compare(&self) {
        let links: Vec<_> = (0..LINKS + 2).map(LinkId).collect();
        assert_eq!(self.store().totals(&links), self.model.totals(&links));
        let scopes = links.iter().map(|&link| Scope::Links(vec![link]));
        let several = Scope::Links(links.clone());
        let workspaces = (0..4).map(|id| Scope::Workspace(WorkspaceId(id)));
        for scope in scopes.chain([several]).chain(workspaces) {
            self.compare_tallies(&scope);
        }
        for workspace in (0..4).map(WorkspaceId) {
            self.compare_link_counts(workspace);
            self.compare_clicks(ClickScope::Workspace(workspace));
        }
        for link in links {
            self.compare_clicks(ClickScope::Link(link));
        }
        let mut report = Report::default();
        self.store().check(&mut report).unwrap();
        assert_eq!(report.findings, []);
    }

    fn compare_tallies(&self, scope: &Scope) {
        for (grain, from, to) in [
            (Grain::Hour, i64::MIN, i64::MAX),
            (Grain::Hour, 500_000, 500_003),
            (Grain::Day, i64::MIN, i64::MAX),
            (Grain::Day, 20_833, 20_834),
            (Grain::All, 0, 0),
        ] {
            for detail in [Detail::Sums, Detail::Visitors, Detail::Shares] {
                let query = TallyQuery { scope: scope.clone(), grain, from, to, detail };
                let tell = |store: &dyn ClickStore| {
                    let buckets = store.tally(&query).unwrap();
                    let told = |bucket: &waypost_storage::Bucket| {
                        (bucket.start, self.told(&bucket.counts, scope))
                    };
                    buckets.iter().map(told).collect::<Vec<_>>()
                };
                assert_eq!(tell(self.store()), tell(&self.model), "{query:?}");
            }
        }
    }

    /// A purge leaves visitors in its workspace's buckets, and which depends on the backend.
    fn told(&self, counts: &Counts, scope: &Scope) -> Counts {
        let mut counts = counts.clone();
        if self.purged && matches!(scope, Scope::Workspace(_)) {
            (counts.visitors, counts.robots) = Default::default();
        }
        counts
    }

    fn compare_link_counts(&self, workspace: WorkspaceId) {
        for (from, to) in [(i64::MIN, i64::MAX), (20_833, 20_834), (20_832, 20_840), (0, 0)] {
            let all = |store: &dyn ClickStore| {
                let (mut all, mut after) = (Vec::new(), None);
                loop {
                    let query = LinkCountQuery { workspace, from, to, after, limit: 2 };
                    let page = store.link_counts(&query).unwrap();
                    all.extend(page.items);
                    after = page.next;
                    if after.is_none() {
                        return all;
                    }
                }
            };
            assert_eq!(all(self.store()), all(&self.model), "{workspace:?} {from}..{to}");
        }
    }

    fn compare_clicks(&self, scope: ClickScope) {
        for (from, to) in [(at(0, 100), at(1, 0)), (at(-9, 9), at(3, 333)), (at(2, 0), at(1, 0))] {
            let counted = self.store().count(scope, from..to);
            assert_eq!(counted, self.model.count(scope, from..to), "{scope:?} {from:?}..{to:?}");
        }
        for order in [Order::Ascending, Order::Descending] {
            for (from, before) in
                [(None, None), (Some(at(0, 100)), None), (Some(at(-9, 9)), Some(at(3, 333)))]
            {
                for limit in [1, 5, 1_000] {
                    let query = ClickQuery { from, before, ..clicks_query(scope, order, limit) };
                    let expected = all_clicks(&self.model, &query);
                    assert_eq!(all_clicks(self.store(), &query), expected, "{query:?}");
                    if limit == 1 {
                        for click in expected {
                            assert_eq!(self.store().click(click.id), self.model.click(click.id));
                        }
                    }
                }
            }
        }
    }
}

fn clicks_query(scope: ClickScope, order: Order, limit: usize) -> ClickQuery {
    ClickQuery { scope, from: None, before: None, order, after: None, limit }
}

fn all_clicks(store: &dyn ClickStore, query: &ClickQuery) -> Vec<StoredClick> {
    let (mut all, mut query) = (Vec::new(), query.clone());
    loop {
        let page = store.clicks(&query).unwrap();
        assert!(page.items.len() <= query.limit);
        all.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            return all;
        }
    }
}

fn seed() -> impl Strategy<Value = Seed> {
    (1..=LINKS, 0i64..3_600, any::<u64>()).prop_map(|(link, second, any)| Seed {
        // Half of the clicks go to one link, some to the same second.
        link: if any.is_multiple_of(2) { 1 } else { link },
        second: if any.is_multiple_of(5) { 60 } else { second },
        any: any % 1_000,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let hours = prop_oneof![Just(0i64), 0i64..4, -30i64..60];
    let seeds = proptest::collection::vec(seed(), 0..40);
    let few = proptest::collection::vec(seed(), 0..4);
    prop_oneof![
        8 => (hours.clone(), seeds).prop_map(|(hour, seeds)| Step::Append(hour, seeds)),
        1 => Just(Step::Again),
        3 => (hours.clone(), few, any::<bool>()).prop_map(|(hour, seeds, same)| Step::Record(hour, seeds, same)),
        3 => (0u64..1_000).prop_map(Step::Convert),
        5 => Just(Step::Flush),
        2 => Just(Step::Die),
        1 => hours.prop_map(Step::Before),
        1 => (1..=LINKS).prop_map(Step::Purge),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, max_shrink_iters: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_the_model(steps in proptest::collection::vec(step(), 1..24)) {
        let mut pair = Pair::new();
        for (at, step) in steps.iter().enumerate() {
            pair.step(step);
            if at % 4 == 3 {
                pair.compare();
            }
        }
        pair.compare();
    }
}
