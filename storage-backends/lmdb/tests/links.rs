//! What LMDB's links do beyond the contract: bounded pages, and agreement with the model.

use proptest::prelude::*;
use waypost_link::*;
use waypost_lmdb::{LmdbStore, Options};
use waypost_storage::{
    LinkQuery, LinkStore, Maintain, Order, RecordQuery, conformance::read_agent,
    memory::MemoryStore,
};

fn open(dir: &std::path::Path) -> LmdbStore {
    LmdbStore::open(dir, &Options { map_size: 8 << 30, ..Options::default() }).unwrap()
}

fn link(slug: &str, workspace: u64) -> Link {
    let destination = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
    let slug = Slug::parse(slug).unwrap();
    Link::new(WorkspaceId(workspace), DomainId::DEFAULT, slug, destination, Timestamp(0))
}

#[test]
fn a_page_reads_a_bounded_number_of_links() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let create = |n| Change::CreateLink(Box::new(link(&format!("code{n}"), 1)));
    store.commit(&(0..10_000).map(create).collect::<Vec<_>>(), Timestamp(0)).unwrap();
    let mut last = link("needle", 1);
    last.title = Some("in the haystack".into());
    store.commit(&[Change::CreateLink(Box::new(last))], Timestamp(0)).unwrap();
    let mut query = LinkQuery {
        workspace: Some(WorkspaceId(1)),
        text: Some("HAYSTACK".into()),
        order: Order::Ascending,
        limit: 10,
        ..LinkQuery::default()
    };
    let page = store.links(&query).unwrap();
    assert_eq!((page.items.len(), page.next), (0, Some(LinkId(10_000))));
    query.after = page.next;
    let page = store.links(&query).unwrap();
    assert_eq!((page.items.len(), page.next), (1, None));
}

#[test]
fn what_no_link_can_have_finds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut with = link("a", 1);
    assert!(with.attributes.set("job_id", Some("x")));
    store.commit(&[Change::CreateLink(Box::new(with))], Timestamp(0)).unwrap();
    let long = "x".repeat(1_000);
    for (name, value, found) in
        [("job_id", "x", 1), ("job_id", &long, 0), (&long, "x", 0), ("", "", 0)]
    {
        let query = LinkQuery {
            workspace: Some(WorkspaceId(1)),
            attribute: Some((name.to_owned(), value.to_owned())),
            ..LinkQuery::default()
        };
        assert_eq!(store.links(&query).unwrap().items.len(), found);
        let facets = store.facets(WorkspaceId(1), name, None, 10).unwrap();
        assert_eq!(facets.len(), usize::from(name == "job_id"));
        assert_eq!(store.facets(WorkspaceId(1), name, Some(&long), 10), Ok(vec![]));
    }
    for claim in [Claim::Alias(long), Claim::Alias(String::new()), Claim::Scope([0; 32])] {
        assert_eq!(store.holder(&claim), Ok(None));
    }
}

/// A change that means something often enough: few ids, few names, few versions.
fn change() -> impl Strategy<Value = Change> {
    let attribute = (0..3u8, 0..3u8);
    let shape = (0..6u8, 1..6u64, 1..4u64, "[ab]{1,2}", attribute, 0..3u64);
    shape.prop_map(|(kind, id, number, name, (attribute, value), group)| match kind {
        0..3 => {
            let mut link = link(&name, number);
            assert!(link.attributes.set(&format!("a{attribute}"), Some(&format!("v{value}"))));
            link.collection = (group > 0).then_some(CollectionId(group));
            if kind == 0 {
                return Change::CreateLink(Box::new(link));
            }
            let was = link.name();
            Change::UpdateLink {
                link: Box::new(Link { id: LinkId(id), version: number, ..link }),
                was,
            }
        }
        3 => {
            let was = link(&name, 1).name();
            Change::DeleteLink { id: LinkId(id), workspace: WorkspaceId(number), was }
        }
        4 => Change::PutRecord(Record::Collection(Collection {
            id: CollectionId(if number == 1 { 0 } else { id }),
            workspace: WorkspaceId(number),
            alias: (group > 0).then_some(name),
            ..Collection::default()
        })),
        _ => Change::DeleteRecord { noun: Noun::Collection, id },
    })
}

/// A model to which these commits were made.
fn modelled(commits: &[&Vec<Change>]) -> MemoryStore {
    let model = MemoryStore::new(read_agent);
    for (now, changes) in commits.iter().enumerate() {
        model.commit(changes, Timestamp(now as i64)).unwrap();
    }
    model
}

/// Asks both stores everything, a page of two at a time.
fn agree(model: &MemoryStore, store: &LmdbStore) {
    let attribute = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
    for order in [Order::Ascending, Order::Descending] {
        for workspace in [None, Some(WorkspaceId(1)), Some(WorkspaceId(2))] {
            for (collection, attribute) in [
                (None, None),
                (Some(CollectionId(1)), None),
                (None, attribute("a1", "v1")),
                (Some(CollectionId(2)), attribute("a0", "v0")),
            ] {
                let query = LinkQuery {
                    workspace,
                    collection,
                    attribute,
                    order,
                    limit: 2,
                    ..LinkQuery::default()
                };
                assert_eq!(all(model, query.clone()), all(store, query));
            }
            let query =
                RecordQuery { noun: Noun::Collection, workspace, order, after: None, limit: 100 };
            assert_eq!(model.records(&query).unwrap().items, store.records(&query).unwrap().items);
            assert_eq!(model.link_count(workspace), store.link_count(workspace));
        }
    }
    for name in ["a0", "a1", "a2"] {
        let facets = |store: &dyn LinkStore| store.facets(WorkspaceId(1), name, None, 10);
        assert_eq!(facets(model), facets(store));
    }
    assert_eq!(model.replay(Revision(0), 10_000), store.replay(Revision(0), 10_000));
    assert_eq!(store.check().unwrap().findings, []);
}

fn all(store: &dyn LinkStore, mut query: LinkQuery) -> Vec<Link> {
    let mut links = Vec::new();
    loop {
        let page = store.links(&query).unwrap();
        links.extend(page.items);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return links,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_model_and_lmdb_agree(
        commits in prop::collection::vec(prop::collection::vec(change(), 1..5), 1..25)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let (mut model, mut done) = (MemoryStore::new(read_agent), Vec::new());
        for changes in &commits {
            let now = Timestamp(done.len() as i64);
            let committed = store.commit(changes, now);
            prop_assert_eq!(&model.commit(changes, now), &committed);
            match committed {
                Ok(_) => done.push(changes),
                // The model spends ids on what fails.
                Err(_) => model = modelled(&done),
            }
        }
        agree(&model, &store);
    }
}
