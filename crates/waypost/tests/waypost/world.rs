//! A store in memory that can be taken away, and nodes on it.

use std::{
    path::Path,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use waypost::{
    Answer, Error, Facts, LmdbSnapshot, Options, Scratch, Store, Waypost,
    link::{
        Change, Destination, DomainId, Link, LinkId, Revision, Schemes, Slug, Timestamp,
        WorkspaceId,
    },
    storage::{
        AgentDetails, Error as StoreError, LinkStore as _, Snapshot, fault::Faulty,
        memory::MemoryStore,
    },
};

/// A store, and the data directory of a node.
pub(crate) struct World {
    pub(crate) store: Arc<Faulty<MemoryStore>>,
    pub(crate) snapshot: Arc<dyn Snapshot>,
    dir: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let snapshot = LmdbSnapshot::open(&dir.path().join("snapshot"), 8 << 30).unwrap();
        Self { store: memory(), snapshot: Arc::new(snapshot), dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A node on the store.
    pub(crate) fn start(&self) -> Result<Waypost, Error> {
        self.start_on(&self.store)
    }

    /// A node on another store, in the same data directory.
    pub(crate) fn start_on(&self, store: &Arc<Faulty<MemoryStore>>) -> Result<Waypost, Error> {
        let store = Store {
            links: store.clone(),
            clicks: store.clone(),
            maintain: store.clone(),
            transfer: store.clone(),
            shared: false,
        };
        let options = Options::new(self.dir());
        let snapshot = Some(Arc::clone(&self.snapshot));
        Waypost::start(store, Options { snapshot, audit: Duration::from_millis(1), ..options })
    }

    /// Does `change` behind the back of whoever counts calls.
    pub(crate) fn commit(&self, change: Change) -> u64 {
        self.store.store().commit(&[change], Timestamp(1)).unwrap().ids[0]
    }

    pub(crate) fn create(&self, code: &str) -> Link {
        self.create_limited(code, None)
    }

    pub(crate) fn create_limited(&self, code: &str, max_clicks: Option<u64>) -> Link {
        let link = Link { max_clicks, ..link(code) };
        let id = LinkId(self.commit(Change::CreateLink(Box::new(link))));
        self.store.store().link(id).unwrap().unwrap()
    }

    pub(crate) fn delete(&self, link: &Link) {
        let (id, workspace, was) = (link.id, link.workspace, link.name());
        self.commit(Change::DeleteLink { id, workspace, was });
    }

    pub(crate) fn head(&self) -> Revision {
        self.store.store().head().unwrap()
    }

    /// Waits until the snapshot is a copy of the store as it is.
    pub(crate) fn await_snapshot(&self) {
        until("the snapshot is up to date", || {
            let stamp = self.snapshot.stamp().unwrap();
            stamp.is_some_and(|stamp| stamp.revision == self.head())
        });
    }

    pub(crate) fn take_away(&self) {
        self.store.fail_all(&StoreError::Unavailable("away".to_owned()));
    }
}

pub(crate) fn memory() -> Arc<Faulty<MemoryStore>> {
    Arc::new(Faulty::new(MemoryStore::new(|_| AgentDetails::default())))
}

pub(crate) fn link(code: &str) -> Link {
    let to = format!("https://example.com/{code}");
    let to = Destination::parse(&to, &Schemes::default()).unwrap();
    Link::new(WorkspaceId(1), DomainId::DEFAULT, Slug::parse(code).unwrap(), to, Timestamp(1))
}

/// Asks `node` for `code`: how it went.
pub(crate) fn visit(node: &Waypost, code: &str) -> &'static str {
    let path = format!("/{code}");
    let facts = Facts {
        host: b"localhost",
        path: &path,
        user_agent: b"a test",
        at: (Options::new("").now)(),
        ..Facts::default()
    };
    match node.engine().decide(&facts, &mut Scratch::default()) {
        Answer::Redirect(_) => "redirect",
        other => other.outcome(),
    }
}

/// Waits until `there`, a minute at most.
pub(crate) fn until(what: &str, there: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < end, "in vain: {what}");
        sleep(Duration::from_millis(5));
    }
}
