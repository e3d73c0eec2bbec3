//! The feed: every commit, whole, in order, until it is forgotten; and waiting for the next.

use std::{
    sync::{Arc, Barrier, mpsc},
    thread,
    time::Duration,
};

use waypost_link::{
    Change, KeyId, Lease, LeaseId, Link, LinkId, News, Node, NodeId, Noun, Record, Remembered,
    Revision,
};

use super::{Fixture, Store, samples::*};
use crate::{Error, Feed, LinkStore};

/// Longer than any case may take, so that whoever waits so long was not woken.
const FOR_EVER: Duration = Duration::from_secs(3_600);
/// When to give up on somebody who should have been woken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Five commits with every kind of change, and what the feed must say of them.
fn history(store: &dyn Store) -> Vec<Feed> {
    let (a, b) = (stored(&link("a"), 1, 1), stored(&full_link(), 2, 1));
    let renamed = stored(&link("renamed"), 1, 2);
    let mut asked = renamed.clone();
    asked.version = 1;
    let mut kept = key("login", 1);
    let key = Record::Key(kept.clone());
    kept.id = KeyId(1);
    let (scope, request, ids, expires_at) = ([1; 32], [2; 32], vec![], NOW.plus(9));
    let remember = Change::Remember(Remembered { scope, request, status: 201, ids, expires_at });
    let gone = Change::DeleteRecord { noun: Noun::Key, id: 1 };
    let steps = [
        (vec![create(&link("a")), remember, create(&full_link())], vec![create(&a), create(&b)]),
        (vec![update(&asked, &a)], vec![update(&renamed, &a)]),
        (vec![put(&key)], vec![put(&Record::Key(kept))]),
        (vec![delete(&b), gone.clone()], vec![delete(&b), gone]),
        (vec![delete(&renamed)], vec![delete(&renamed)]),
    ];
    let mut feed = Vec::new();
    for (changes, followed) in steps {
        let revision = commit(store, &changes).revision;
        feed.push(Feed { revision, changes: followed });
    }
    feed
}

/// A link as it is once the store has it.
fn stored(link: &Link, id: u64, version: u64) -> Link {
    let mut link = link.clone();
    (link.id.0, link.version) = (id, version);
    link
}

pub(super) fn the_feed_brings_whole_commits_in_order(fixture: &dyn Fixture) {
    let store = fixture.store();
    assert_eq!(store.replay(Revision(0), 10), Ok(vec![]));
    let expected = history(&*store);
    let revisions: Vec<_> = expected.iter().map(|feed| feed.revision.0).collect();
    assert_eq!(revisions, [1, 2, 3, 4, 5]);
    assert_eq!(store.replay(Revision(0), 10), Ok(expected.clone()));
    let store = fixture.reopen(store);
    assert_eq!(store.replay(Revision(0), 10), Ok(expected));
    assert_eq!(store.head(), Ok(Revision(5)));
}

pub(super) fn the_feed_goes_on_from_anywhere(fixture: &dyn Fixture) {
    let store = fixture.store();
    let expected = history(&*store);
    for after in 0..=5 {
        for limit in [1, 2, 100] {
            let feed = store.replay(Revision(after as u64), limit).unwrap();
            let until = 5.min(after + limit);
            assert_eq!(feed, expected[after..until], "{limit} after {after}");
        }
    }
    assert_eq!(store.replay(Revision(0), 0).unwrap().len(), 1, "at least one");
}

pub(super) fn touching_a_key_is_not_in_the_feed(fixture: &dyn Fixture) {
    let store = fixture.store();
    commit(&*store, &[1, 2].map(|n| put(&Record::Key(key(&n.to_string(), n)))));
    let head = store.head();
    store.touch(&[(KeyId(99), NOW), (KeyId(2), NOW.plus(5))]).unwrap();
    assert_eq!(store.head(), head);
    assert_eq!(store.replay(Revision(1), 10), Ok(vec![]));
    let store = fixture.reopen(store);
    for (id, used) in [(1, None), (2, Some(NOW.plus(5)))] {
        let Some(Record::Key(key)) = LinkStore::record(&*store, Noun::Key, id).unwrap() else {
            panic!("no key {id}")
        };
        assert_eq!(key.last_used_at, used);
    }
    assert_eq!(LinkStore::record(&*store, Noun::Key, 99), Ok(None));
}

pub(super) fn nodes_and_leases_are_in_the_feed_for_news_alone(fixture: &dyn Fixture) {
    let store = fixture.store();
    let node = Record::Node(Node { id: NodeId(1), name: "n".into(), ..Node::default() });
    let lease = |version, news| {
        let id = LeaseId(u64::from(version > 1));
        put(&Record::Lease(Lease { id, link: LinkId(1), version, news, ..Lease::default() }))
    };
    let gone = |noun| Change::DeleteRecord { noun, id: 1 };
    let mut new = node.clone();
    new.set_id(0);
    for silent in [put(&new), put(&node), lease(1, None), lease(2, None)] {
        assert_eq!(commit(&*store, &[silent]).revision, Revision(0));
    }
    let told = lease(3, Some(News::Returned));
    assert_eq!(commit(&*store, &[put(&node), told.clone()]).revision, Revision(1));
    assert_eq!(store.replay(Revision(0), 9).unwrap()[0].changes, [told]);
    commit(&*store, &[gone(Noun::Node), gone(Noun::Lease)]);
    let store = fixture.reopen(store);
    assert_eq!(store.head(), Ok(Revision(1)));
    for noun in [Noun::Node, Noun::Lease] {
        assert_eq!(LinkStore::record(&*store, noun, 1), Ok(None));
    }
    assert_clean(&*store);
}

pub(super) fn forgotten_history_is_gone(fixture: &dyn Fixture) {
    let mut store = fixture.store();
    for n in 0..5 {
        store.commit(&[create(&link(&format!("l{n}")))], NOW.plus(n)).unwrap();
    }
    assert_eq!(store.forget(NOW, NOW), Ok(0));
    assert_eq!(store.forget(NOW.plus(3), NOW), Ok(3));
    for after in [0, 2] {
        assert_eq!(store.replay(Revision(after), 9), Err(Error::Gone { oldest: 3 }));
    }
    let revisions = |store: &dyn Store, after| {
        let feed = store.replay(Revision(after), 9).expect("history that is kept");
        feed.into_iter().map(|feed| feed.revision.0).collect::<Vec<_>>()
    };
    assert_eq!(revisions(&*store, 3), [4, 5]);
    assert_eq!(store.forget(NOW.plus(100), NOW), Ok(2));
    store = fixture.reopen(store);
    assert_eq!(store.head(), Ok(Revision(5)));
    assert_eq!(store.replay(Revision(4), 9), Err(Error::Gone { oldest: 5 }));
    assert_eq!(revisions(&*store, 5), [0; 0]);
    assert_eq!(commit(&*store, &[create(&link("next"))]).revision, Revision(6));
    assert_eq!(revisions(&*store, 5), [6]);
    assert_eq!(store.link_count(None), Ok(6));
}

pub(super) fn waiting_ends_when_the_head_moves(fixture: &dyn Fixture) {
    let store = fixture.store();
    made(&*store, &[link("a")]);
    assert_eq!(store.wait(Revision(0), FOR_EVER), Ok(Revision(1)), "it has moved already");
    let (send, receive) = mpsc::channel();
    let waiting = Arc::new(Barrier::new(4));
    for _ in 0..3 {
        let (store, send, waiting) = (Arc::clone(&store), send.clone(), Arc::clone(&waiting));
        thread::spawn(move || {
            waiting.wait();
            send.send(store.wait(Revision(1), FOR_EVER))
        });
    }
    waiting.wait();
    // Most likely all three are waiting then; where one isn't, the case proves less.
    thread::sleep(Duration::from_millis(50));
    made(&*store, &[link("b")]);
    for _ in 0..3 {
        assert_eq!(receive.recv_timeout(PATIENCE).expect("to be woken"), Ok(Revision(2)));
    }
}

pub(super) fn waiting_ends_when_time_is_over(fixture: &dyn Fixture) {
    let store = fixture.store();
    made(&*store, &[link("a")]);
    for timeout in [Duration::ZERO, Duration::from_millis(5)] {
        assert_eq!(store.wait(Revision(1), timeout), Ok(Revision(1)));
        assert_eq!(store.wait(Revision(7), timeout), Ok(Revision(1)));
    }
}
