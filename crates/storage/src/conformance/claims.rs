//! Claims: what only one object may hold, from when and until when.

use waypost_link::{
    Alert, AmazonTag, Change, Claim, Collection, DomainId, DomainStatus, Lease, LinkId, Node,
    NodeId, Noun, Record, Setting, Workspace,
};

use super::{Fixture, Store, samples::*};
use crate::{Error, LinkStore, Result};

/// An object, what it holds, another that holds the same, and one that is like both and doesn't.
struct Rival {
    first: Change,
    claim: Claim,
    second: Change,
    unlike: Change,
}

fn rivals() -> Vec<Rival> {
    let mut elsewhere = link("a");
    elsewhere.domain = DomainId(5);
    let mut of_other = link("a");
    of_other.workspace = W2;
    let rival = |[first, second, unlike]: [Record; 3], claim| Rival {
        first: put(&first),
        claim,
        second: put(&second),
        unlike: put(&unlike),
    };
    let mut host = domain("a.example");
    host.workspace = W2;
    vec![
        Rival {
            first: create(&link("a")),
            claim: link("a").claim(),
            second: create(&of_other),
            unlike: create(&elsewhere),
        },
        Rival {
            first: create(&link("b")),
            claim: link("b").claim(),
            second: create(&link("b")),
            unlike: create(&link("B")),
        },
        rival(["w", "w", "W"].map(workspace), Claim::Workspace("w".into())),
        rival(
            [("x", 1), ("x", 2), ("X", 3)].map(|(login, token)| Record::Key(key(login, token))),
            Claim::Login("x".into()),
        ),
        rival(
            [("y", 4), ("z", 4), ("zz", 5)].map(|(login, token)| Record::Key(key(login, token))),
            Claim::Token([4; 32]),
        ),
        rival(
            [domain("a.example"), host, domain("b.example")].map(Record::Domain),
            Claim::Hostname(domain("a.example").hostname),
        ),
        rival(["a", "a", "b"].map(alias), Claim::Alias("a".into())),
        rival(
            [(W1, "US"), (W1, "US"), (W2, "US")].map(|(workspace, store)| {
                let store = store.to_owned();
                Record::Tag(AmazonTag { workspace, store, ..AmazonTag::default() })
            }),
            Claim::AmazonStore(W1, "US".into()),
        ),
        rival(
            [(1, 10), (1, 10), (1, 20)].map(|(link, threshold)| {
                Record::Alert(Alert { link: LinkId(link), threshold, ..Alert::default() })
            }),
            Claim::Alert(LinkId(1), 10),
        ),
        rival(
            ["n", "n", "m"]
                .map(|name| Record::Node(Node { name: name.to_owned(), ..Node::default() })),
            Claim::Node("n".into()),
        ),
        rival(
            [(1, 2), (1, 2), (2, 1)].map(|(link, node)| {
                Record::Lease(Lease { link: LinkId(link), node: NodeId(node), ..Lease::default() })
            }),
            Claim::Lease(LinkId(1), 2),
        ),
        rival(["s", "s", "t"].map(setting), Claim::Setting("s".into())),
    ]
}

fn workspace(name: &str) -> Record {
    Record::Workspace(Workspace { name: name.to_owned(), ..Workspace::default() })
}

fn alias(alias: &str) -> Record {
    Record::Collection(Collection { alias: Some(alias.to_owned()), ..Collection::default() })
}

fn setting(name: &str) -> Record {
    Record::Setting(Setting { name: name.to_owned(), ..Setting::default() })
}

/// Fills what stands before it, so that ids of different nouns differ.
fn stuffed(fixture: &dyn Fixture) -> std::sync::Arc<dyn Store> {
    let store = fixture.store();
    commit(&*store, &[put(&setting("one")), put(&setting("two")), put(&workspace("one"))]);
    store
}

fn one(store: &dyn Store, change: &Change) -> Result<u64> {
    store.commit(std::slice::from_ref(change), NOW).map(|done| done.ids[0])
}

pub(super) fn each_claim_has_one_holder(fixture: &dyn Fixture) {
    let store = stuffed(fixture);
    for Rival { first, claim, second, unlike } in rivals() {
        assert_eq!(store.holder(&claim), Ok(None), "{claim:?}");
        assert_eq!(store.record_holding(Noun::Key, &claim), Ok(None), "{claim:?}");
        let holder = one(&*store, &first).unwrap();
        assert_eq!(store.holder(&claim), Ok(Some(holder)), "{claim:?}");
        let changes = [put(&setting("free")), second];
        let taken = Error::Taken { index: 1, claim: Box::new(claim.clone()), holder };
        assert_eq!(store.commit(&changes, NOW), Err(taken), "{claim:?}");
        assert!(one(&*store, &unlike).is_ok(), "{claim:?}");
        let both = [Claim::Setting("free".into()), claim];
        assert_eq!(store.holders(&both), Ok(vec![None, Some(holder)]), "{both:?}");
        held_by_a_record(&*store, &first, &both[1], holder);
    }
    assert_eq!(store.holder(&Claim::Setting("free".into())), Ok(None));
    assert_clean(&*store);
}

/// A record is found by what it holds.
fn held_by_a_record(store: &dyn Store, made: &Change, claim: &Claim, holder: u64) {
    let Change::PutRecord(record) = made else { return };
    let found = store.record_holding(record.noun(), claim).unwrap();
    assert_eq!(found.as_ref().map(Record::id), Some(holder), "{claim:?}");
    assert_eq!(Ok(found), LinkStore::record(store, record.noun(), holder));
}

/// What deletes the object that `made` made under `id`.
fn deletion(store: &dyn Store, made: &Change, id: u64) -> Change {
    match made {
        Change::PutRecord(record) => Change::DeleteRecord { noun: record.noun(), id },
        _ => delete(&store.link(LinkId(id)).unwrap().unwrap()),
    }
}

/// What makes the object that `made` made under `id` into what `unlike` is.
fn renaming(store: &dyn Store, id: u64, unlike: &Change) -> Change {
    match unlike {
        Change::CreateLink(new) => {
            let old = store.link(LinkId(id)).unwrap().unwrap();
            let mut new = new.clone();
            (new.id, new.version) = (old.id, old.version);
            update(&new, &old)
        }
        Change::PutRecord(record) => {
            let mut record = record.clone();
            record.set_id(id);
            if let Record::Lease(lease) = &mut record {
                let old = LinkStore::record(store, Noun::Lease, id).unwrap().unwrap();
                lease.version = old.version().unwrap() + 1;
            }
            put(&record)
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn claims_are_given_up(fixture: &dyn Fixture) {
    let store = stuffed(fixture);
    for Rival { first, claim, second, unlike } in rivals() {
        let holder = one(&*store, &first).unwrap();
        one(&*store, &deletion(&*store, &first, holder)).unwrap();
        assert_eq!(store.holder(&claim), Ok(None), "{claim:?} after a deletion");
        let holder = one(&*store, &second).unwrap();
        one(&*store, &renaming(&*store, holder, &unlike)).unwrap();
        assert_eq!(store.holder(&claim), Ok(None), "{claim:?} after a renaming");
        assert!(one(&*store, &unlike).is_err(), "{claim:?}: the new name is held");
        let last = one(&*store, &first).unwrap();
        assert_eq!(store.holder(&claim), Ok(Some(last)), "{claim:?}");
    }
    assert_clean(&*store);
}

pub(super) fn claims_that_are_kept_are_no_conflict(fixture: &dyn Fixture) {
    let store = stuffed(fixture);
    for Rival { first, claim, second, .. } in rivals() {
        let holder = one(&*store, &first).unwrap();
        for _ in 0..2 {
            let again = renaming(&*store, holder, &first);
            assert_eq!(one(&*store, &again), Ok(holder), "{claim:?}");
        }
        assert!(one(&*store, &second).is_err(), "{claim:?}");
    }
    let without = Record::Collection(Collection::default());
    assert!(store.commit(&[put(&without), put(&without)], NOW).is_ok());
}

pub(super) fn a_removed_domain_frees_its_hostname(fixture: &dyn Fixture) {
    let store = stuffed(fixture);
    let mut old = domain("go.example");
    let claim = Claim::Hostname(old.hostname.clone());
    old.id = DomainId(one(&*store, &put(&Record::Domain(old.clone()))).unwrap());
    old.status = DomainStatus::Removed;
    one(&*store, &put(&Record::Domain(old.clone()))).unwrap();
    assert_eq!(store.holder(&claim), Ok(None));
    let removed = Record::Domain(waypost_link::Domain { id: DomainId(0), ..old.clone() });
    one(&*store, &put(&removed)).unwrap();
    let new = one(&*store, &put(&Record::Domain(domain("go.example")))).unwrap();
    assert_eq!(store.holder(&claim), Ok(Some(new)));
    // Deleting or touching what was removed doesn't touch the new holder's claim.
    one(&*store, &put(&Record::Domain(old.clone()))).unwrap();
    let back = Record::Domain(waypost_link::Domain { status: DomainStatus::Pending, ..old });
    let taken = Error::Taken { index: 0, claim: Box::new(claim.clone()), holder: new };
    assert_eq!(one(&*store, &put(&back)), Err(taken));
    one(&*store, &Change::DeleteRecord { noun: back.noun(), id: back.id() }).unwrap();
    assert_eq!(store.holder(&claim), Ok(Some(new)));
}

pub(super) fn a_revoked_key_keeps_its_names(fixture: &dyn Fixture) {
    let store = stuffed(fixture);
    let id = one(&*store, &put(&Record::Key(key("old", 1)))).unwrap();
    for (login, token, claim) in
        [("old", 2, Claim::Login("old".into())), ("new", 1, Claim::Token([1; 32]))]
    {
        assert_eq!(store.holder(&claim), Ok(Some(id)));
        let taken = Error::Taken { index: 0, claim: Box::new(claim), holder: id };
        assert_eq!(one(&*store, &put(&Record::Key(key(login, token)))), Err(taken));
    }
}

pub(super) fn claims_survive_reopening(fixture: &dyn Fixture) {
    let mut store = stuffed(fixture);
    let made: Vec<_> = rivals().iter().map(|rival| one(&*store, &rival.first).unwrap()).collect();
    store = fixture.reopen(store);
    for (Rival { claim, second, .. }, holder) in rivals().into_iter().zip(made) {
        assert_eq!(store.holder(&claim), Ok(Some(holder)), "{claim:?}");
        let taken = Error::Taken { index: 0, claim: Box::new(claim), holder };
        assert_eq!(one(&*store, &second), Err(taken));
    }
}
