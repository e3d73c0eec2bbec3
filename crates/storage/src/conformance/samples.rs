//! What the cases put into a store: links, one of each record, clicks of every kind.

use waypost_link::{
    Alert, AmazonTag, Change, ClickId, Collection, CollectionId, Destination, Domain, DomainId,
    DomainStatus, Flags, Hostname, Key, KeyId, Lease, Link, LinkId, News, Node, NodeId,
    Permissions, Pixel, Placement, Provider, Record, Role, Rule, Schemes, Script, Setting, Slug,
    Status, Timestamp, Utm, Workspace, WorkspaceId,
};

use super::Store;
use crate::{
    Address, AgentDetails, Appended, Batch, BatchBuilder, Committed, Epoch, Event, LinkQuery, Mark,
    NewClick, Order, Page, REDIRECT, RecordQuery, Result, Row, StoredClick, Text, Trim,
};

/// 2027-01-15, 08:00 UTC: hour 500,000 exactly, and day 20,833.
pub(super) const NOW: Timestamp = Timestamp(500_000 * Timestamp::HOUR);
pub(super) const W1: WorkspaceId = WorkspaceId(1);
pub(super) const W2: WorkspaceId = WorkspaceId(2);
pub(super) const EPOCH: Epoch = Epoch(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
/// The last of `AGENTS` is a bot.
pub(super) const BOT: usize = 2;

/// User agents, and what every reader of them must say.
pub(super) const AGENTS: [(&str, AgentDetails); 3] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/126.0.0.0 Safari/537.36",
        AgentDetails { browser: "Chrome", os: "Windows", device: "Desktop", bot: false },
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
         (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        AgentDetails { browser: "Safari", os: "iOS", device: "Mobile", bot: false },
    ),
    (
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        AgentDetails { browser: "Other", os: "Other", device: "Desktop", bot: true },
    ),
];

/// A reader that knows the suite's own user agents, for fixtures that have no better one.
pub fn read_agent(user_agent: &[u8]) -> AgentDetails {
    let known = AGENTS.iter().find(|(text, _)| text.as_bytes() == user_agent);
    known.map(|(_, details)| *details).unwrap_or_default()
}

pub(super) fn link(code: &str) -> Link {
    let slug = Slug::parse(code).expect("a code");
    Link::new(W1, DomainId::DEFAULT, slug, destination(&format!("https://example.com/{code}")), NOW)
}

pub(super) fn destination(url: &str) -> Destination {
    Destination::parse(url, &Schemes::default()).expect("a destination")
}

pub(super) fn create(link: &Link) -> Change {
    Change::CreateLink(Box::new(link.clone()))
}

/// The change that makes `link` what it is, from what it was called before.
pub(super) fn update(link: &Link, was: &Link) -> Change {
    Change::UpdateLink { link: Box::new(link.clone()), was: was.name() }
}

pub(super) fn delete(link: &Link) -> Change {
    Change::DeleteLink { id: link.id, workspace: link.workspace, was: link.name() }
}

pub(super) fn put(record: &Record) -> Change {
    Change::PutRecord(record.clone())
}

pub(super) fn commit(store: &dyn Store, changes: &[Change]) -> Committed {
    store.commit(changes, NOW).expect("a commit that can be")
}

/// Commits new links and reads them back.
pub(super) fn made(store: &dyn Store, links: &[Link]) -> Vec<Link> {
    let changes: Vec<_> = links.iter().map(create).collect();
    let ids = commit(store, &changes).ids;
    ids.into_iter().map(|id| store.link(LinkId(id)).unwrap().expect("the link made")).collect()
}

/// A link that uses every option there is.
pub(super) fn full_link() -> Link {
    let slug = Slug::parse("café-🎉").expect("a code");
    let mut link = Link::new(W2, DomainId(7), slug, destination("https://example.com/?a=b#c"), NOW);
    link.status = Status::Permanent;
    link.flags = Flags::default().with(Flags::ACTIVE, false).with(Flags::PIXELS, true);
    link.updated_at = NOW.plus(1);
    link.deactivated_at = Some(NOW.plus(2));
    link.archived_at = Some(NOW.plus(3));
    link.valid_from = Some(Timestamp(-4));
    link.expires_at = Some(NOW.plus(5));
    (link.max_clicks, link.alert_at) = (Some(0), Some(1 << 40));
    link.password = Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into());
    link.collection = Some(CollectionId(9));
    let text = |text: &str| text.to_owned();
    link.utm = Utm {
        source: text("s ö"),
        medium: text("m"),
        campaign: text("c"),
        term: text("t"),
        content: text("x&y"),
    };
    link.rules = rules();
    link.scripts = [Placement::Head, Placement::Body]
        .map(|placement| Script {
            id: "s1".into(),
            placement,
            script: "<script>\0</script>".into(),
        })
        .into();
    link.tags = vec!["Spring".into(), String::new(), "ümlaut".into()];
    link.title = Some("A title".into());
    link.description = Some(String::new());
    link.notes = Some("notes\nof two lines".into());
    link.source_label = Some("label".into());
    link.asin = Some("B000000000".into());
    link.product_image_url = Some("/media/1".into());
    assert!(link.attributes.set("job_id", Some("4711")));
    assert!(link.attributes.set("empty", Some("")));
    assert!(link.attributes.set(&"n".repeat(64), Some(&"v".repeat(256))));
    link
}

fn rules() -> Vec<Rule> {
    [
        ("geo", "US,CA", None),
        ("device", "Mobile", None),
        ("os", "iOS", None),
        ("browser", "Chrome", None),
        ("referer", "google.com", None),
        ("language", "de", None),
        ("query", "a=b=c", None),
        ("ip", "192.0.2.0/24,2001:db8::/32", None),
        ("time", "22:00-06:00", None),
        ("date", "2026-01-01..2026-02-01", None),
        ("percentage", "", Some(12.5)),
    ]
    .into_iter()
    .map(|(name, value, percentage)| {
        let to = destination(&format!("https://example.com/{name}"));
        Rule::parse(name, name, value, percentage, to).expect("a rule")
    })
    .collect()
}

/// One record of each kind, every field used, without ids.
pub(super) fn records() -> Vec<Record> {
    let text = |text: &str| text.to_owned();
    let created_at = NOW;
    vec![
        Record::Workspace(Workspace {
            name: text("default"),
            created_at,
            settings: [(text("timezone"), text("Europe/Berlin")), (text("plan"), text(""))].into(),
            ..Workspace::default()
        }),
        Record::Key(key("login", 1)),
        Record::Domain(domain("go.example.com")),
        Record::Collection(Collection {
            workspace: W1,
            name: text("Spring"),
            description: Some(text("of 2027")),
            color: text("#a0b1c2"),
            starred: true,
            rotator_enabled: true,
            alias: Some(text("spring")),
            created_at,
            ..Collection::default()
        }),
        Record::Tag(AmazonTag {
            workspace: W1,
            store: text("US"),
            tag: text("tag-20"),
            active: true,
            geo_enabled: true,
            created_at,
            ..AmazonTag::default()
        }),
        Record::Pixel(Pixel {
            workspace: W1,
            platform: text("meta"),
            pixel_id: text("1234"),
            label: text("Ours"),
            active: true,
            created_at,
            ..Pixel::default()
        }),
        Record::Alert(Alert {
            workspace: W1,
            link: LinkId(1),
            threshold: 100,
            created_at,
            attempts: 2,
            sent_at: Some(NOW.plus(9)),
            ..Alert::default()
        }),
        Record::Node(Node {
            name: text("node-1"),
            version: text("0.1.0"),
            applied: 1 << 50,
            seen_at: NOW,
            ..Node::default()
        }),
        Record::Lease(lease()),
        Record::Setting(Setting {
            name: text("visitor_key"),
            value: vec![0, 255, 7],
            ..Setting::default()
        }),
    ]
}

fn lease() -> Lease {
    Lease {
        link: LinkId(1),
        node: NodeId(1),
        since: 3,
        granted: 50,
        counted: 20,
        version: 1,
        news: Some(News::Wanted { by: NodeId(9) }),
        ..Lease::default()
    }
}

pub(super) fn key(login: &str, token: u8) -> Key {
    Key {
        id: KeyId::UNASSIGNED,
        workspace: W1,
        login: login.to_owned(),
        token_hash: [token; 32],
        prefix: "wp_ab".into(),
        label: "Label".into(),
        role: Role::Staff(Permissions(5)),
        created_at: NOW,
        last_used_at: None,
        revoked_at: Some(NOW.plus(8)),
    }
}

pub(super) fn domain(hostname: &str) -> Domain {
    Domain {
        id: DomainId::default(),
        workspace: W1,
        hostname: Hostname::parse(hostname).expect("a hostname"),
        status: DomainStatus::Active,
        provider: Provider::Cloudflare,
        token: "token".into(),
        provider_id: Some("p-1".into()),
        ssl_status: Some("pending".into()),
        verification_errors: Some("none".into()),
        created_at: NOW,
        synced_at: Some(NOW.plus(6)),
    }
}

/// A click as it goes in, and as it must come out.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) stored: StoredClick,
    pub(super) visitor: u64,
    pub(super) spent: bool,
    pub(super) address: Address,
    pub(super) dedupe: Option<[u8; 32]>,
}

impl Sample {
    /// The `n`th of a varied stream of redirects: 4 links, the first three of workspace 1, a
    /// click every 7 minutes, 10 visitors, every third click a bot's.
    pub(super) fn nth(n: u64) -> Self {
        let pick = |from: &[&str]| from[n as usize % from.len()].to_owned();
        let (user_agent, agent) = AGENTS[n as usize % AGENTS.len()];
        let link = LinkId(1 + n % 4);
        let received = NOW.plus(n as i64 * 7 * 60 * Timestamp::SECOND);
        let address = [
            Address::Nothing,
            Address::Hash(n),
            Address::Ip([192, 0, 2, n as u8].into()),
            Address::Ip([0x2001, 0xdb8, 0, 0, 0, 0, 0, n as u16].into()),
        ][n as usize % 4];
        let stored = StoredClick {
            id: ClickId { received, link, salt: (n as u32 * 77) % ClickId::SALTS },
            workspace: if link.0 == 4 { W2 } else { W1 },
            clicked_at: received,
            ip: address.text(),
            country: [Some(*b"DE"), Some(*b"US"), None][n as usize / 2 % 3],
            user_agent: user_agent.to_owned(),
            browser: agent.browser,
            os: agent.os,
            device: agent.device,
            bot: agent.bot,
            referrer: pick(&["", "google.com", "news.example", "", "bücher.example"]),
            language: pick(&["de-DE", "en", ""]),
            session: None,
            source: REDIRECT.to_owned(),
            metadata: None,
            rule: pick(&["", "", "r1"]),
        };
        let spent = n.is_multiple_of(5);
        Self { stored, visitor: (n % 10 + 1) << 40, spent, address, dedupe: None }
    }

    /// The first `n` of that stream.
    pub(super) fn first(n: u64) -> Vec<Self> {
        (0..n).map(Self::nth).collect()
    }

    /// Of this link, at this time.
    pub(super) fn of(link: LinkId, workspace: WorkspaceId, at: Timestamp, salt: u32) -> Self {
        let mut sample = Self::nth(0);
        sample.stored.id = ClickId { received: at, link, salt };
        sample.stored.clicked_at = at;
        sample.stored.workspace = workspace;
        sample
    }

    /// The same by a bot.
    pub(super) fn by_bot(mut self) -> Self {
        let (user_agent, agent) = AGENTS[BOT];
        let stored = &mut self.stored;
        stored.user_agent = user_agent.to_owned();
        (stored.browser, stored.os, stored.device) = (agent.browser, agent.os, agent.device);
        stored.bot = agent.bot;
        self
    }

    /// The same as somebody would report it, clicked `micros` before it was received.
    pub(super) fn reported(mut self, micros: i64) -> Self {
        let stored = &mut self.stored;
        stored.id.salt = (stored.id.salt + 1) % ClickId::SALTS;
        stored.clicked_at = stored.id.received.plus(-micros);
        stored.ip = Some("192.0.2.200".into());
        stored.session = Some("session ö".into());
        stored.source = "email".into();
        stored.metadata = Some(r#"{"a": [1, null]}"#.into());
        stored.rule = String::new();
        Self { spent: false, ..self }
    }

    pub(super) fn event(&self) -> Event {
        let stored = self.stored.clone();
        Event::Click(Box::new(NewClick {
            id: stored.id,
            workspace: stored.workspace,
            clicked_at: stored.clicked_at,
            ip: stored.ip,
            country: stored.country,
            user_agent: stored.user_agent,
            referrer: stored.referrer,
            language: stored.language,
            session: stored.session,
            visitor: self.visitor,
            source: stored.source,
            metadata: stored.metadata,
            dedupe: self.dedupe,
        }))
    }

    fn push(&self, builder: &mut BatchBuilder) {
        let click = &self.stored;
        let mut text = |text: &str| Text { index: builder.text(text.as_bytes(), 512), text: "" };
        let (user_agent, referrer) = (text(&click.user_agent), text(&click.referrer));
        let (language, rule) = (text(&click.language), text(&click.rule));
        let (visitor, address, spent) = (self.visitor, self.address, self.spent);
        let StoredClick { id, workspace, country, .. } = *click;
        let row = Row {
            id,
            workspace,
            visitor,
            address,
            country,
            user_agent,
            referrer,
            language,
            rule,
            spent,
        };
        assert!(builder.push(&row), "a batch of clicks of one hour");
    }
}

/// The redirects `samples` as one batch; they lie within 50 minutes.
pub(super) fn batch(samples: &[Sample]) -> Batch {
    let (mut builder, mut bytes) = (BatchBuilder::default(), Vec::new());
    samples.iter().for_each(|sample| sample.push(&mut builder));
    builder.finish(&mut bytes);
    Batch::decode(bytes).expect("a batch")
}

pub(super) fn mark(sequence: u64) -> Mark {
    Mark { epoch: EPOCH, sequence }
}

/// Appends `samples` as batches of five with the marks from `first` on; the last mark used.
pub(super) fn append(store: &dyn Store, first: u64, samples: &[Sample]) -> u64 {
    let mut sequence = first;
    for few in samples.chunks(5) {
        let taken = store.append(mark(sequence), &batch(few));
        assert_eq!(taken, Ok(Appended::Fresh { discarded: 0 }), "{sequence}");
        sequence += 1;
    }
    sequence - 1
}

/// Trims until nothing is left to do; how many raw clicks went.
pub(super) fn trim(store: &dyn Store, trim: Trim) -> u64 {
    let mut clicks = 0;
    for _ in 0..10_000 {
        let trimmed = store.trim(trim).expect("a trim");
        clicks += trimmed.clicks;
        if !trimmed.more {
            return clicks;
        }
    }
    panic!("{trim:?} never ends");
}

/// All pages of a question, as one list.
pub(super) fn drain<T, C: Clone>(mut ask: impl FnMut(Option<C>) -> Result<Page<T, C>>) -> Vec<T> {
    let (mut items, mut after) = (Vec::new(), None);
    for _ in 0..100_000 {
        let page = ask(after.take()).expect("a page");
        items.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return items,
        }
    }
    panic!("the pages never end");
}

pub(super) fn all_links(store: &dyn Store, query: &LinkQuery) -> Vec<Link> {
    drain(|after| store.links(&LinkQuery { after: after.or(query.after), ..query.clone() }))
}

/// Everything that can be read of links and records, to be compared.
pub(super) fn everything(store: &dyn Store) -> (Vec<Link>, Vec<Record>, u64) {
    let query = LinkQuery { order: Order::Ascending, limit: 500, ..LinkQuery::default() };
    let mut records = Vec::new();
    for noun in waypost_link::Noun::ALL {
        records.extend(drain(|after| {
            let order = Order::Ascending;
            store.records(&RecordQuery { noun, workspace: None, order, after, limit: 500 })
        }));
    }
    (all_links(store, &query), records, store.link_count(None).unwrap())
}

pub(super) fn assert_clean(store: &dyn Store) {
    let report = store.check().expect("a check");
    assert_eq!(report.findings, []);
}
