//! What changed is never missed: not what took its number early and committed late, not without
//! NOTIFY, not what another node did.

use std::{sync::mpsc, thread, time::Duration};

use waypost_link::{
    Change, Collection, CollectionId, Destination, DomainId, Link, Noun, Record, Revision, Schemes,
    Slug, Timestamp, WorkspaceId,
};
use waypost_postgres::{Migrations, Options, PostgresStore, testing::TestDatabase};
use waypost_storage::{Error, LinkStore};

/// When to give up on somebody who should have been done.
const PATIENCE: Duration = Duration::from_secs(60);
const FOR_EVER: Duration = Duration::from_secs(3_600);

fn create(code: &str) -> Change {
    let destination = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
    let slug = Slug::parse(code).unwrap();
    let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, destination, Timestamp(0));
    Change::CreateLink(Box::new(link))
}

fn commit(store: &PostgresStore, code: &str) -> Revision {
    store.commit(&[create(code)], Timestamp(0)).unwrap().revision
}

fn revisions(store: &PostgresStore, after: u64) -> Vec<u64> {
    store.replay(Revision(after), 100).unwrap().iter().map(|feed| feed.revision.0).collect()
}

fn open(options: &Options) -> PostgresStore {
    PostgresStore::open(options).unwrap()
}

/// One transaction takes number 2 and stays open; another wants to commit meanwhile. It can't take
/// number 3 before the first is done, so nobody who reads up to the head can pass number 2 by.
#[test]
fn a_number_taken_early_and_committed_late_is_not_missed() {
    for commits in [true, false] {
        let database = TestDatabase::new();
        let (node, reader) = (open(&database.options()), open(&database.options()));
        assert_eq!(commit(&node, "first"), Revision(1));
        let mut slow = database.connect();
        let mut early = slow.transaction().unwrap();
        let head = "SELECT head FROM waypost.state FOR UPDATE";
        let taken = early.query_one(head, &[]).unwrap().get::<_, i64>(0) + 1;
        let entry = "INSERT INTO waypost.feed SELECT $1::bigint, at, entry FROM waypost.feed";
        early.execute(entry, &[&taken]).unwrap();
        early.execute("UPDATE waypost.state SET head = $1", &[&taken]).unwrap();

        let (send, receive) = mpsc::channel();
        let late = thread::spawn(move || {
            send.send(()).unwrap();
            commit(&node, "late")
        });
        receive.recv_timeout(PATIENCE).unwrap();
        database.wait_until_blocked();
        assert_eq!((revisions(&reader, 0), reader.head()), (vec![1], Ok(Revision(1))));
        if commits {
            early.commit().unwrap();
        } else {
            early.rollback().unwrap();
        }
        let expected = if commits { 3 } else { 2 };
        assert_eq!(late.join().unwrap(), Revision(expected));
        assert_eq!(revisions(&reader, 1), (2..=expected).collect::<Vec<_>>());
    }
}

#[test]
fn another_node_sees_a_change_with_notify_and_without() {
    for notify in [true, false] {
        let database = TestDatabase::new();
        let mut options = database.options();
        options.notify = notify;
        let (writer, reader) = (open(&options), open(&options));
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            send.send((reader.wait(Revision(0), FOR_EVER), revisions(&reader, 0)))
        });
        commit(&writer, "a");
        let seen = receive.recv_timeout(PATIENCE).expect("the change seen");
        assert_eq!(seen, (Ok(Revision(1)), vec![1]), "notify: {notify}");
    }
}

#[test]
fn nodes_share_names_and_numbers() {
    let database = TestDatabase::new();
    let nodes = [open(&database.options()), open(&database.options())];
    let won: usize = thread::scope(|scope| {
        let write = |store| {
            move || {
                let mut won = 0;
                for n in 0..40 {
                    match LinkStore::commit(store, &[create(&format!("l{n}"))], Timestamp(0)) {
                        Ok(_) => won += 1,
                        Err(Error::Taken { index: 0, .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                won
            }
        };
        let threads: Vec<_> = (0..6).map(|n| scope.spawn(write(&nodes[n % 2]))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a writer")).sum()
    });
    assert_eq!(won, 40);
    for node in &nodes {
        assert_eq!(node.link_count(None), Ok(40));
        assert_eq!(revisions(node, 0), (1..=40).collect::<Vec<_>>());
    }
}

/// The feed is longer than what one transaction forgets.
#[test]
fn history_is_forgotten_in_parts() {
    let database = TestDatabase::new();
    let store = open(&database.options());
    commit(&store, "first");
    let more = "INSERT INTO waypost.feed SELECT n, n, entry \
                FROM waypost.feed, generate_series(2, 45000) AS n; \
                UPDATE waypost.state SET head = 45000";
    database.connect().batch_execute(more).unwrap();
    for (before, gone) in [(41_000, 40_999), (41_000, 0), (41_001, 1), (i64::MAX, 4_000)] {
        assert_eq!(store.forget(Timestamp(before), Timestamp(0)), Ok(gone), "{before}");
        let oldest = u64::try_from(before).unwrap().min(45_001) - 1;
        assert_eq!(store.replay(Revision(oldest - 1), 1), Err(Error::Gone { oldest }));
        assert_eq!(revisions(&store, oldest).len() as u64, (45_000 - oldest).min(100));
    }
}

#[test]
fn migrations_run_once() {
    let database = TestDatabase::new();
    let options = database.options();
    let status = |applied| {
        let all = Migrations::of(&options).unwrap().status().unwrap();
        assert!(!all.is_empty() && all.iter().all(|one| one.applied == applied), "{all:?}");
        all.len()
    };
    let all = status(false);
    let run: usize = thread::scope(|scope| {
        let up = || Migrations::of(&options).unwrap().up().unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(up)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a node")).sum()
    });
    assert_eq!((run, status(true)), (all, all));

    // What a later version brings is no error to this one.
    let later = "INSERT INTO waypost.migrations (number, name) VALUES (9999, 'later')";
    database.connect().execute(later, &[]).unwrap();
    assert_eq!((open(&options).head(), status(true)), (Ok(Revision(0)), all));
}

/// Two nodes count up one number, each reading and putting it back in its turn.
#[test]
fn nodes_take_turns() {
    let database = TestDatabase::new();
    let nodes = [(); 2].map(|()| open(&database.options()));
    let put = |node: &PostgresStore, name: String, id| {
        let collection = Collection { id: CollectionId(id), name, ..Collection::default() };
        let change = Change::PutRecord(Record::Collection(collection));
        node.commit(&[change], Timestamp(0)).unwrap();
    };
    let name = |node: &PostgresStore| match node.record(Noun::Collection, 1).unwrap() {
        Some(Record::Collection(collection)) => collection.name,
        other => panic!("{other:?}"),
    };
    put(&nodes[0], String::new(), 0);
    thread::scope(|scope| {
        for node in nodes.iter().chain(&nodes) {
            let edit = move || put(node, name(node) + "x", 1);
            scope.spawn(move || (0..10).for_each(|_| node.in_turn(&mut || edit()).unwrap()));
        }
    });
    assert_eq!(name(&nodes[1]).len(), 40);
}
