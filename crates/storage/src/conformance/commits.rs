//! Commits: ids, versions, all or nothing.

use std::{collections::BTreeSet, thread};

use waypost_link::{
    Change, Claim, Collection, CollectionId, Lease, LeaseId, LinkId, Noun, Record, Remembered,
    Revision,
};

use super::{Fixture, samples::*};
use crate::{Error, LinkStore, limits};

pub(super) fn ids_count_up_and_are_never_reused(fixture: &dyn Fixture) {
    let store = fixture.store();
    let links = made(&*store, &[link("a"), link("b")]);
    assert_eq!(links.iter().map(|link| link.id.0).collect::<Vec<_>>(), [1, 2]);
    let collection = Record::Collection(Collection::default());
    let pixel = Record::Pixel(Default::default());
    let ids = commit(&*store, &[put(&collection), put(&collection), put(&pixel)]).ids;
    assert_eq!(ids, [1, 2, 1]);
    let gone = Change::DeleteRecord { noun: Noun::Collection, id: 2 };
    assert_eq!(commit(&*store, &[delete(&links[1]), gone]).ids, [2, 2]);
    let store = fixture.reopen(store);
    assert_eq!(commit(&*store, &[create(&link("b")), put(&collection)]).ids, [3, 3]);
    assert!(store.commit(&[create(&link("e")), create(&link("e"))], NOW).is_err());
    let last = commit(&*store, &[create(&link("e"))]).ids[0];
    assert!(last > 3);
    let all = everything(&*store).0;
    assert_eq!(all.iter().map(|link| link.id.0).collect::<Vec<_>>(), [1, 3, last]);
}

pub(super) fn links_come_back_as_they_were_made(fixture: &dyn Fixture) {
    let store = fixture.store();
    let asked = [full_link(), link("plain")];
    let links = made(&*store, &asked);
    for (asked, link) in asked.iter().zip(&links) {
        let mut asked = asked.clone();
        (asked.id, asked.version) = (link.id, 1);
        assert_eq!(*link, asked);
    }
    assert_eq!(store.link(LinkId(3)), Ok(None));
    let store = fixture.reopen(store);
    for link in &links {
        assert_eq!(store.link(link.id).unwrap().as_ref(), Some(link));
    }
    assert_eq!(everything(&*store).0, links);
}

pub(super) fn records_come_back_as_they_were_put(fixture: &dyn Fixture) {
    let store = fixture.store();
    let mut asked = records();
    let ids = commit(&*store, &asked.iter().map(put).collect::<Vec<_>>()).ids;
    for (record, id) in asked.iter_mut().zip(ids) {
        assert_eq!(id, 1, "{record:?}");
        record.set_id(id);
        assert_eq!(LinkStore::record(&*store, record.noun(), id).unwrap().as_ref(), Some(&*record));
    }
    let store = fixture.reopen(store);
    assert_eq!(everything(&*store).1, asked);
    let Record::Collection(mut changed) = asked[3].clone() else { panic!("{:?}", asked[3]) };
    (changed.name, changed.alias, changed.description) = ("Autumn".into(), None, None);
    asked[3] = Record::Collection(changed);
    assert_eq!(commit(&*store, &[put(&asked[3])]).ids, [1]);
    assert_eq!(everything(&*store).1, asked);
}

pub(super) fn versions_count_up_and_old_ones_are_stale(fixture: &dyn Fixture) {
    let store = fixture.store();
    let first = made(&*store, &[link("a")]).remove(0);
    let mut now = first.clone();
    now.title = Some("two".into());
    let versions = [(1, None), (1, Some(1)), (0, Some(1)), (3, Some(1)), (2, None), (2, Some(1))];
    for (n, (version, error)) in versions.into_iter().enumerate() {
        now.version = version;
        let changes = [create(&link(&format!("other{n}"))), update(&now, &first)];
        let done = store.commit(&changes, NOW).map(|_| ());
        let expected = error.map_or(Ok(()), |index| Err(Error::Stale { index }));
        assert_eq!(done, expected, "version {version}");
    }
    let (mut third, mut fourth) = (now.clone(), now.clone());
    (third.version, fourth.version) = (3, 4);
    fourth.title = Some("five".into());
    commit(&*store, &[update(&third, &first), update(&fourth, &first)]);
    let stored = store.link(first.id).unwrap().unwrap();
    assert_eq!((stored.version, stored.title), (5, Some("five".into())));
}

pub(super) fn a_lease_follows_the_one_before(fixture: &dyn Fixture) {
    let store = fixture.store();
    let lease = |id, version, granted| {
        let (id, link) = (LeaseId(id), LinkId(1));
        put(&Record::Lease(Lease { id, link, granted, version, ..Lease::default() }))
    };
    commit(&*store, &[lease(0, 7, 1)]);
    for (version, error) in [(7, true), (9, true), (0, true), (8, false), (8, true), (9, false)] {
        let changes = [create(&link(&version.to_string())), lease(1, version, version)];
        let expected = if error { Err(Error::Stale { index: 1 }) } else { Ok(()) };
        assert_eq!(store.commit(&changes, NOW).map(drop), expected, "version {version}");
        // Each is made once: the next round takes the same name.
        if !error {
            let id = store.holder(&link(&version.to_string()).claim()).unwrap().unwrap();
            commit(&*store, &[delete(&store.link(LinkId(id)).unwrap().unwrap())]);
        }
    }
    commit(&*store, &[lease(1, 10, 0), lease(1, 11, 0)]);
    let stored = LinkStore::record(&*store, Noun::Lease, 1).unwrap().unwrap();
    assert_eq!(stored.version(), Some(11));
}

pub(super) fn edits_take_turns(fixture: &dyn Fixture) {
    let store = fixture.store();
    commit(&*store, &[put(&Record::Collection(Collection::default()))]);
    let edit = || {
        let found = LinkStore::record(&*store, Noun::Collection, 1).unwrap();
        let Some(Record::Collection(mut collection)) = found else { panic!("{found:?}") };
        collection.name.push('x');
        commit(&*store, &[put(&Record::Collection(collection))]);
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| store.in_turn(&mut || edit()).unwrap()));
        }
    });
    let found = LinkStore::record(&*store, Noun::Collection, 1).unwrap();
    let Some(Record::Collection(collection)) = found else { panic!("{found:?}") };
    assert_eq!(collection.name.len(), 40, "an edit was lost");
}

pub(super) fn what_does_not_exist_is_missing(fixture: &dyn Fixture) {
    let store = fixture.store();
    let gone = made(&*store, &[link("gone")]).remove(0);
    commit(&*store, &[delete(&gone)]);
    let mut never = gone.clone();
    never.id = LinkId(99);
    let collection =
        Record::Collection(Collection { id: CollectionId(5), ..Collection::default() });
    let before = everything(&*store);
    for change in [
        update(&gone, &gone),
        delete(&gone),
        update(&never, &never),
        delete(&never),
        put(&collection),
        Change::DeleteRecord { noun: Noun::Collection, id: 1 },
    ] {
        let changes = [create(&link("x")), create(&link("y")), change];
        assert_eq!(store.commit(&changes, NOW), Err(Error::Missing { index: 2 }), "{changes:?}");
    }
    assert_eq!(everything(&*store), before);
}

pub(super) fn a_failing_commit_changes_nothing(fixture: &dyn Fixture) {
    let store = fixture.store();
    let links = made(&*store, &[link("a"), full_link(), link("e")]);
    let mut all = vec![];
    for record in records() {
        all.push(put(&record));
    }
    commit(&*store, &all);
    let (before, head) = (everything(&*store), store.head().unwrap());
    let feed = store.replay(Revision(0), 100).unwrap();
    let mut renamed = links[0].clone();
    renamed.slug = link("renamed").slug;
    assert!(renamed.attributes.set("job_id", Some("new")));
    let mut again = renamed.clone();
    (again.slug, again.version) = (link("again").slug, 2);
    let scope = [3; 32];
    let (request, ids, expires_at) = ([4; 32], vec![], NOW.plus(1));
    let work = [
        create(&link("new")),
        update(&renamed, &links[0]),
        update(&again, &renamed),
        delete(&links[1]),
        put(&Record::Key(key("new", 9))),
        Change::DeleteRecord { noun: Noun::Setting, id: 1 },
        Change::Remember(Remembered { scope, request, status: 201, ids, expires_at }),
    ];
    let taken = Error::Taken { index: 7, claim: Box::new(links[2].claim()), holder: 3 };
    for (last, error) in [
        (create(&link("e")), taken),
        (update(&links[0], &links[0]), Error::Stale { index: 7 }),
        (delete(&links[1]), Error::Missing { index: 7 }),
    ] {
        let changes: Vec<_> = work.iter().cloned().chain([last]).collect();
        assert_eq!(store.commit(&changes, NOW), Err(error.clone()));
        assert_eq!(everything(&*store), before, "{error}");
        assert_eq!(store.head().unwrap(), head);
        assert_eq!(store.replay(Revision(0), 100).unwrap(), feed);
        assert_eq!(store.remembered(&scope, NOW), Ok(None));
        for (claim, holder) in [
            (link("new").claim(), None),
            (renamed.claim(), None),
            (again.claim(), None),
            (links[0].claim(), Some(1)),
            (links[1].claim(), Some(2)),
            (Claim::Login("new".into()), None),
            (Claim::Setting("visitor_key".into()), Some(1)),
        ] {
            assert_eq!(store.holder(&claim), Ok(holder), "{claim:?}");
        }
    }
    assert_clean(&*store);
    commit(&*store, &work);
    assert_eq!(store.link(links[0].id).unwrap().unwrap().slug.as_str(), "again");
}

pub(super) fn changes_see_those_before_them(fixture: &dyn Fixture) {
    let store = fixture.store();
    let links = made(&*store, &[link("a"), link("b")]);
    let renamed = |at: usize, code: &str, version| {
        let mut new = links[at].clone();
        (new.slug, new.version) = (link(code).slug, version);
        update(&new, &links[at])
    };
    let taken = Error::Taken { index: 0, claim: Box::new(links[1].claim()), holder: 2 };
    assert_eq!(store.commit(&[renamed(0, "b", 1), renamed(1, "a", 1)], NOW), Err(taken));
    // By way of a third name two links can swap theirs, and the third is free again.
    commit(
        &*store,
        &[renamed(0, "tmp", 1), renamed(1, "a", 1), renamed(0, "b", 2), create(&link("tmp"))],
    );
    for (code, holder) in [("a", 2), ("b", 1), ("tmp", 3)] {
        assert_eq!(store.holder(&link(code).claim()), Ok(Some(holder)), "{code}");
    }
    let tmp = store.link(LinkId(3)).unwrap().unwrap();
    commit(&*store, &[delete(&tmp), create(&link("tmp"))]);
    assert_eq!(store.holder(&link("tmp").claim()), Ok(Some(4)));
    let made = Record::Collection(Collection::default());
    let changed = Record::Collection(Collection {
        id: CollectionId(1),
        name: "later".into(),
        ..Collection::default()
    });
    commit(&*store, &[put(&made), put(&changed)]);
    assert_eq!(LinkStore::record(&*store, Noun::Collection, 1), Ok(Some(changed)));
}

pub(super) fn ten_thousand_links_in_one_commit(fixture: &dyn Fixture) {
    let store = fixture.store();
    let mut links: Vec<_> = (0..10_000).map(|n| link(&format!("l{n}"))).collect();
    links[9_999].slug = links[17].slug.clone();
    let changes: Vec<_> = links.iter().map(create).collect();
    match store.commit(&changes, NOW) {
        Err(Error::Taken { index: 9_999, claim, .. }) => assert_eq!(*claim, links[17].claim()),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.link_count(None), Ok(0));
    links[9_999].slug = link("last").slug;
    let changes: Vec<_> = links.iter().map(create).collect();
    let done = commit(&*store, &changes);
    assert!(done.ids.is_sorted_by(|a, b| a + 1 == *b) && done.ids.len() == 10_000);
    let feed = store.replay(Revision(0), 1).unwrap();
    assert_eq!((feed.len(), feed[0].changes.len()), (1, 10_000));
    let store = fixture.reopen(store);
    assert_eq!(store.link_count(None), Ok(10_000));
    assert_eq!(store.link_count(Some(W1)), Ok(10_000));
    assert_eq!(store.holder(&link("last").claim()), Ok(Some(done.ids[9_999])));
}

pub(super) fn a_commit_has_a_limit(fixture: &dyn Fixture) {
    let store = fixture.store();
    let setting = |n: usize| {
        Record::Setting(waypost_link::Setting { name: n.to_string(), ..Default::default() })
    };
    let changes: Vec<_> = (0..=limits::CHANGES).map(|n| put(&setting(n))).collect();
    assert!(matches!(store.commit(&changes, NOW), Err(Error::Full(_))));
    assert_eq!(everything(&*store).1, []);
    assert_eq!(commit(&*store, &changes[1..]).ids.len(), limits::CHANGES);
}

pub(super) fn nothing_to_follow_keeps_the_revision(fixture: &dyn Fixture) {
    let store = fixture.store();
    assert_eq!(store.head(), Ok(Revision(0)));
    let none = commit(&*store, &[]);
    assert_eq!((none.revision, none.ids), (Revision(0), vec![]));
    let first = commit(&*store, &[create(&link("a")), create(&link("b"))]);
    assert_eq!(first.revision, Revision(1));
    let (scope, request, ids, expires_at) = ([1; 32], [2; 32], vec![], NOW.plus(9));
    let remember = Change::Remember(Remembered { scope, request, status: 200, ids, expires_at });
    let silent = commit(&*store, &[remember]);
    assert_eq!((silent.revision, silent.ids), (Revision(1), vec![0]));
    assert_eq!(commit(&*store, &[create(&link("e"))]).revision, Revision(2));
    let store = fixture.reopen(store);
    assert_eq!(store.head(), Ok(Revision(2)));
    assert_eq!(store.replay(Revision(0), 10).unwrap().len(), 2);
}

pub(super) fn threads_never_share_a_name_or_an_id(fixture: &dyn Fixture) {
    let store = fixture.store();
    let writer = |thread: usize| {
        let (mut ids, mut won) = (Vec::new(), 0);
        for n in 0..25 {
            let own = link(&format!("own{thread}-{n}"));
            ids.push(commit(&*store, &[create(&own)]).ids[0]);
            match store.commit(&[create(&link(&format!("shared{n}")))], NOW) {
                Ok(done) => {
                    won += 1;
                    ids.push(done.ids[0]);
                }
                Err(Error::Taken { index: 0, .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        (ids, won)
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || writer(n))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a writer")).collect()
    });
    let ids: BTreeSet<_> = outcomes.iter().flat_map(|(ids, _)| ids).collect();
    assert_eq!(outcomes.iter().map(|(_, won)| won).sum::<usize>(), 25);
    assert_eq!((ids.len(), store.link_count(None)), (125, Ok(125)));
    let revisions = store.replay(Revision(0), 1_000).unwrap();
    let expected: Vec<_> = (1..=125).map(Revision).collect();
    assert_eq!(revisions.iter().map(|feed| feed.revision).collect::<Vec<_>>(), expected);
    assert_clean(&*store);
}
