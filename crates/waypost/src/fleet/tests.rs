//! Nodes on one store in memory, each with its ledger and its clerk; visitors are threads.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use waypost_index::{Index, Limit, Spend};
use waypost_link::{
    Change, ClickId, Destination, DomainId, Link, LinkId, Node, NodeId, Noun, Record, Revision,
    Schemes, Slug, Timestamp, WorkspaceId,
};
use waypost_storage::{Address, Batch, BatchBuilder, Epoch, Mark, Row, Text, memory::MemoryStore};

use super::{
    Leases, accounts,
    accounts::Accounts,
    clerk::Clerk,
    forget,
    leases::Fleet,
    ledger::{FILE, Ledger},
};
use crate::{Store, known::Known};

const LINK: LinkId = LinkId(1);
/// When to give up on somebody who should have been answered.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store with a limited link, and the nodes on it.
struct World {
    store: Store,
    dir: PathBuf,
    nodes: u64,
}

/// One node, until it is stopped or killed.
struct Member {
    id: NodeId,
    index: Arc<Index>,
    leases: Arc<Leases>,
    clerk: JoinHandle<()>,
    ledger: PathBuf,
    applied: Revision,
    store: Store,
}

fn limited(max: Option<u64>) -> Link {
    let to = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
    let slug = Slug::parse("limited").unwrap();
    let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
    Link { max_clicks: max, ..link }
}

impl World {
    fn new(max: u64, nodes: u64) -> Self {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let name = format!("waypost-fleet-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        let store = Store::of(MemoryStore::new(|_| Default::default())).shared();
        let mut changes = vec![Change::CreateLink(Box::new(limited(Some(max))))];
        for n in 0..nodes {
            let node = Node { name: n.to_string(), ..Node::default() };
            changes.push(Change::PutRecord(Record::Node(node)));
        }
        store.links.commit(&changes, Timestamp(0)).unwrap();
        Self { store, dir, nodes }
    }

    fn node(&self, id: u64) -> Member {
        let dir = self.dir.join(id.to_string());
        fs::create_dir_all(&dir).unwrap();
        let index = Arc::new(Index::lending());
        let ledger = Ledger::open(&dir, "node").unwrap().expect("a ledger of this start");
        let leases = Arc::new(Leases::new(Arc::clone(&index), ledger));
        let (node, known) = (Some(NodeId(id)), self.nodes);
        leases.set_fleet(Fleet { node, rivalled: false, alive: known, known });
        let store = self.store.clone();
        let (theirs, now) = (Arc::clone(&leases), || Timestamp(1));
        let known = Arc::new(Known::new(store.clone(), [0; 16], true));
        let clerk = Clerk { store: known, leases: theirs, now, wanted: Vec::new() };
        let clerk = thread::spawn(|| clerk.run());
        let (id, ledger) = (NodeId(id), dir.join(FILE));
        let applied = Revision(0);
        let mut member = Member { id, index, leases, clerk, ledger, applied, store };
        member.follow();
        member
    }

    /// Sets the limit, and lets `members` follow.
    fn edit(&self, max: Option<u64>, members: &mut [&mut Member]) {
        let old = self.store.links.link(LINK).unwrap().unwrap();
        let (link, was) = (Link { max_clicks: max, ..old.clone() }, old.name());
        let change = Change::UpdateLink { link: Box::new(link), was };
        self.store.links.commit(&[change], Timestamp(0)).unwrap();
        members.iter_mut().for_each(|member| member.follow());
    }

    /// Counts clicks of the link in the store.
    fn count(&self, clicks: u64) {
        static MARKS: AtomicU32 = AtomicU32::new(1);
        let mut builder = BatchBuilder::default();
        for salt in 0..clicks as u32 {
            let nothing = Text { index: builder.text(b"", 1), text: "" };
            let row = Row {
                id: ClickId { received: Timestamp(1), link: LINK, salt },
                workspace: WorkspaceId(1),
                visitor: 1,
                address: Address::Nothing,
                country: None,
                user_agent: nothing,
                referrer: nothing,
                language: nothing,
                rule: nothing,
                spent: true,
            };
            assert!(builder.push(&row));
        }
        let mut bytes = Vec::new();
        builder.finish(&mut bytes);
        let sequence = u64::from(MARKS.fetch_add(1, Ordering::Relaxed));
        let mark = Mark { epoch: Epoch(1), sequence };
        self.store.clicks.append(mark, &Batch::decode(bytes).unwrap()).unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl Member {
    /// Brings the feed, as the follower does.
    fn follow(&mut self) {
        for feed in self.store.links.replay(self.applied, 1_000).unwrap() {
            self.leases.hear(&feed.changes);
            self.index.apply(feed.revision, &feed.changes);
            self.applied = feed.revision;
        }
    }

    /// A visit: whether it is redirected.
    fn visit(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        loop {
            self.follow();
            let spent = self.index.with(DomainId::DEFAULT, "limited", |entry| {
                let limit = entry.details.and_then(|details| details.limit.as_ref());
                limit.map_or(Spend::Done, Limit::try_spend)
            });
            match spent.expect("the link") {
                Spend::Done => return true,
                Spend::Out => return false,
                Spend::Ask => assert!(Instant::now() < end, "no answer"),
            }
            // Somebody may have to give back first, and this thread follows for its node.
            self.leases.lend(LINK, Instant::now() + Duration::from_millis(5));
        }
    }

    /// Visits until nothing is left; how many were redirected.
    fn exhaust(&mut self) -> u64 {
        (0..).take_while(|_| self.visit()).count() as u64
    }

    fn stop(self) {
        self.leases.close(true);
        self.clerk.join().unwrap();
    }

    /// Its ledger is what it was at this moment, whatever it does in dying.
    fn kill(self) {
        let ledger = fs::read(&self.ledger).unwrap();
        self.leases.close(false);
        self.clerk.join().unwrap();
        fs::write(&self.ledger, ledger).unwrap();
    }

    fn accounts(&self) -> Accounts<'_> {
        let (links, clicks) = (&*self.store.links, &*self.store.clicks);
        Accounts { links, clicks, node: self.id, now: Timestamp(1) }
    }
}

/// Both visited at once, again and again until `expected` are redirected, and once more.
fn hammer(a: &mut Member, b: &mut Member, expected: u64) {
    let end = Instant::now() + PATIENCE;
    let mut redirected = 0;
    let mut both = || {
        thread::scope(|scope| {
            let other = scope.spawn(|| b.exhaust());
            a.exhaust() + other.join().unwrap()
        })
    };
    while redirected < expected {
        assert!(Instant::now() < end, "{redirected} of {expected}");
        redirected += both();
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(redirected + both(), expected);
}

#[test]
fn two_nodes_redirect_what_the_limit_says() {
    for max in [0, 1, 2, 7, 100, 1_000] {
        let world = World::new(max, 2);
        let (mut a, mut b) = (world.node(1), world.node(2));
        hammer(&mut a, &mut b, max);
        a.stop();
        b.stop();
    }
}

#[test]
fn a_node_that_needs_no_more_gives_back() {
    let world = World::new(100, 2);
    let (mut idle, mut busy) = (world.node(1), world.node(2));
    assert!(idle.visit());
    let follow = |idle: &mut Member, busy: &mut Member| {
        let redirected = busy.exhaust();
        idle.follow();
        redirected
    };
    let mut redirected = 1;
    for _ in 0..50 {
        redirected += follow(&mut idle, &mut busy);
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(redirected, 100);
    idle.stop();
    busy.stop();
}

#[test]
fn a_node_that_stops_gives_back() {
    let world = World::new(1_000, 2);
    let (mut first, mut other) = (world.node(1), world.node(2));
    let before = (0..300).filter(|_| first.visit()).count() as u64;
    first.stop();
    assert_eq!(before + other.exhaust(), 1_000);
    other.stop();
}

#[test]
fn a_killed_node_comes_back_with_what_it_had() {
    let world = World::new(1_000, 1);
    let mut node = world.node(1);
    let mut redirected = 0;
    for _ in 0..5 {
        redirected += (0..100).filter(|_| node.visit()).count() as u64;
        node.kill();
        node = world.node(1);
    }
    redirected += node.exhaust();
    // Lost is what was open when it died.
    assert!((850..=1_000).contains(&redirected), "{redirected}");
    node.stop();
}

#[test]
fn little_that_is_left_is_opened_click_by_click() {
    let world = World::new(30, 2);
    let mut node = world.node(1);
    let mut redirected = 0;
    for _ in 0..20 {
        redirected += u64::from(node.visit());
        node.kill();
        node = world.node(1);
    }
    node.stop();
    let mut other = world.node(2);
    assert_eq!(redirected + other.exhaust(), 30, "nothing was lost");
    other.stop();
}

#[test]
fn leases_follow_the_limit() {
    let world = World::new(10, 2);
    let (mut a, mut b) = (world.node(1), world.node(2));
    hammer(&mut a, &mut b, 10);
    world.edit(Some(25), &mut [&mut a, &mut b]);
    hammer(&mut a, &mut b, 15);
    world.edit(Some(20), &mut [&mut a, &mut b]);
    hammer(&mut a, &mut b, 0);
    world.edit(None, &mut [&mut a, &mut b]);
    assert!(a.visit() && b.visit(), "removed");
    world.count(27);
    let closed = || accounts::lease(&*world.store.links, LINK, NodeId(0)).unwrap().is_none();
    let end = Instant::now() + PATIENCE;
    while !closed() {
        assert!(Instant::now() < end, "the account is not closed");
        thread::sleep(Duration::from_millis(5));
    }
    world.edit(Some(30), &mut [&mut a, &mut b]);
    hammer(&mut a, &mut b, 3);
    a.stop();
    b.stop();
}

#[test]
fn what_a_dead_node_did_not_spend_comes_back_when_it_is_forgotten() {
    let world = World::new(100, 2);
    let (mut dead, mut other) = (world.node(1), world.node(2));
    let spent = (0..3).filter(|_| dead.visit()).count() as u64;
    dead.kill();
    let mut redirected = other.exhaust();
    assert!(spent + redirected < 100, "it holds some");
    // What the others say is late, and too much is taken for spent; then it is right.
    world.count(spent + redirected);
    let later = Timestamp(20 * Timestamp::SECOND);
    other.accounts().report(LINK, 1, redirected).unwrap();
    let forgotten = forget(&world.store, NodeId(1), later).unwrap();
    assert_eq!((&*forgotten.name, forgotten.clicks), ("0", 100 - spent - redirected));
    redirected += other.exhaust();
    assert_eq!(spent + redirected, 100);
    assert_eq!(world.store.links.record(Noun::Node, 1), Ok(None));
    other.stop();
}

#[test]
fn without_a_registered_node_nobody_is_kept_waiting() {
    let world = World::new(100, 1);
    let node = world.node(1);
    node.leases.set_fleet(Fleet::default());
    assert!(!node.leases.lend(LINK, Instant::now() + PATIENCE));
    node.stop();
}
