//! Reading links and records: filters, orders, pages, facets.

use std::collections::BTreeSet;

use waypost_link::{
    Collection, CollectionId, DomainId, Flags, Link, LinkId, Noun, Pixel, Record, WorkspaceId,
};

use super::{Fixture, Store, samples::*};
use crate::{Facet, LinkQuery, Order, RecordQuery};

/// 60 links that differ in everything that a query may ask.
fn population(store: &dyn Store) -> Vec<Link> {
    let links: Vec<_> = (0..60).map(varied).collect();
    made(store, &links)
}

fn varied(n: u64) -> Link {
    let code = if n.is_multiple_of(11) { format!("Promo{n}") } else { format!("l{n}") };
    let mut link = link(&code);
    link.workspace = if n.is_multiple_of(4) { W2 } else { W1 };
    link.domain = DomainId(n % 3);
    link.collection = (n % 5 > 1).then_some(CollectionId(n % 5));
    link.created_at = NOW.plus(n as i64 / 2);
    link.archived_at = n.is_multiple_of(7).then_some(NOW);
    link.flags = link.flags.with(Flags::ACTIVE, !n.is_multiple_of(6));
    link.title = n.is_multiple_of(13).then(|| "The Grand ÖFFNUNG".to_owned());
    if n.is_multiple_of(17) {
        link.tags = vec!["other".into(), "Big promotion".into()];
    }
    if n.is_multiple_of(19) {
        link.destination = destination("https://example.com/PROMO?x=1");
    }
    assert!(link.attributes.set("job_id", Some(["a", "ab", "b"][n as usize % 3])));
    if n.is_multiple_of(2) {
        assert!(link.attributes.set("other", Some("a")));
    }
    link
}

/// What is asked, and which links must come.
type Asked = (LinkQuery, fn(&Link) -> bool);

fn questions() -> Vec<Asked> {
    let any = LinkQuery::default;
    let attribute = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
    let text = |text: &str| Some(text.to_owned());
    let promo = |link: &Link| {
        let n = link.id.0 - 1;
        n.is_multiple_of(11) || n.is_multiple_of(17) || n.is_multiple_of(19)
    };
    vec![
        (any(), |_| true),
        (LinkQuery { workspace: Some(W1), ..any() }, |link| link.workspace == W1),
        (LinkQuery { workspace: Some(W2), ..any() }, |link| link.workspace == W2),
        (LinkQuery { domain: Some(DomainId(0)), ..any() }, |link| link.domain.0 == 0),
        (LinkQuery { domain: Some(DomainId(2)), ..any() }, |link| link.domain.0 == 2),
        (LinkQuery { collection: Some(CollectionId(3)), ..any() }, |link| {
            link.collection == Some(CollectionId(3))
        }),
        (LinkQuery { attribute: attribute("job_id", "a"), ..any() }, |link| {
            link.attributes.get("job_id") == Some("a")
        }),
        (LinkQuery { attribute: attribute("other", "a"), ..any() }, |link| {
            link.attributes.get("other").is_some()
        }),
        (LinkQuery { archived: Some(true), ..any() }, |link| link.archived_at.is_some()),
        (LinkQuery { archived: Some(false), ..any() }, |link| link.archived_at.is_none()),
        (LinkQuery { active: Some(true), ..any() }, |link| link.flags.has(Flags::ACTIVE)),
        (LinkQuery { active: Some(false), ..any() }, |link| !link.flags.has(Flags::ACTIVE)),
        (LinkQuery { created_from: Some(NOW.plus(20)), ..any() }, |link| link.id.0 > 40),
        (LinkQuery { created_before: Some(NOW.plus(20)), ..any() }, |link| link.id.0 <= 40),
        (LinkQuery { text: text("promo"), ..any() }, promo),
        (LinkQuery { text: text("PROMO"), ..any() }, promo),
        (LinkQuery { text: text("grand öffn"), ..any() }, |link| link.title.is_some()),
        (
            LinkQuery { workspace: Some(W1), attribute: attribute("job_id", "ab"), ..any() },
            |link| link.workspace == W1 && link.attributes.get("job_id") == Some("ab"),
        ),
        (
            LinkQuery {
                workspace: Some(W1),
                collection: Some(CollectionId(2)),
                active: Some(true),
                archived: Some(false),
                ..any()
            },
            |link| {
                link.workspace == W1
                    && link.collection == Some(CollectionId(2))
                    && link.flags.has(Flags::ACTIVE)
                    && link.archived_at.is_none()
            },
        ),
        (
            LinkQuery {
                workspace: Some(W1),
                domain: Some(DomainId(1)),
                created_from: Some(NOW.plus(5)),
                created_before: Some(NOW.plus(25)),
                ..any()
            },
            |link| link.workspace == W1 && link.domain.0 == 1 && (11..=50).contains(&link.id.0),
        ),
    ]
}

pub(super) fn links_by_each_filter(fixture: &dyn Fixture) {
    let store = fixture.store();
    let links = population(&*store);
    for (query, fits) in questions() {
        let expected: Vec<_> = links.iter().filter(|link| fits(link)).cloned().collect();
        assert!(!expected.is_empty(), "{query:?} finds nothing");
        for limit in [1, 7, 1_000] {
            let query = LinkQuery { limit, order: Order::Ascending, ..query.clone() };
            assert_eq!(all_links(&*store, &query), expected, "{query:?}");
            let query = LinkQuery { order: Order::Descending, ..query };
            let mut found = all_links(&*store, &query);
            found.reverse();
            assert_eq!(found, expected, "{query:?}");
        }
    }
    let nowhere = [
        LinkQuery { workspace: Some(WorkspaceId(9)), limit: 9, ..LinkQuery::default() },
        LinkQuery { attribute: Some(("job_id".into(), "".into())), limit: 9, ..Default::default() },
        LinkQuery { attribute: Some(("job".into(), "a".into())), limit: 9, ..Default::default() },
        LinkQuery { text: Some("nowhere".into()), limit: 9, ..LinkQuery::default() },
    ];
    for query in nowhere {
        assert_eq!(all_links(&*store, &query), [], "{query:?}");
    }
}

pub(super) fn indexes_follow_changes(fixture: &dyn Fixture) {
    let mut store = fixture.store();
    let links = population(&*store);
    for link in &links {
        let mut new = link.clone();
        assert!(new.attributes.set("job_id", ["b", "c"].get(link.id.0 as usize % 3).copied()));
        new.collection = link.collection.map(|id| CollectionId(id.0 % 4 + 1));
        new.archived_at = link.archived_at.is_none().then_some(NOW);
        commit(
            &*store,
            &[if link.id.0.is_multiple_of(8) { delete(link) } else { update(&new, link) }],
        );
    }
    for round in 0..2 {
        let all = everything(&*store).0;
        assert_eq!(all.len(), 60 - 7, "round {round}");
        for (query, fits) in questions() {
            let query = LinkQuery { limit: 10, order: Order::Ascending, ..query };
            let expected: Vec<_> = all.iter().filter(|link| fits(link)).cloned().collect();
            assert_eq!(all_links(&*store, &query), expected, "{query:?}");
        }
        for workspace in [W1, W2] {
            let own = all.iter().filter(|link| link.workspace == workspace).count() as u64;
            assert_eq!(store.link_count(Some(workspace)), Ok(own));
        }
        assert_eq!(store.link_count(None), Ok(53));
        assert_eq!(store.link_count(Some(WorkspaceId(9))), Ok(0));
        assert_clean(&*store);
        store = fixture.reopen(store);
    }
}

pub(super) fn pages_neither_skip_nor_repeat(fixture: &dyn Fixture) {
    let store = fixture.store();
    for order in [Order::Ascending, Order::Descending] {
        let links: Vec<_> = (0..40).map(|n| link(&format!("{order:?}{n}"))).collect();
        made(&*store, &links);
        let before = everything(&*store).0;
        let (mut seen, mut n) = (Vec::new(), 0);
        let mut query = LinkQuery { workspace: Some(W1), order, limit: 3, ..LinkQuery::default() };
        loop {
            let page = store.links(&query).unwrap();
            assert!(page.items.len() <= 3);
            seen.extend(page.items.iter().map(|link| link.id));
            let Some(next) = page.next else { break };
            // The link that a page ended with goes away, and new ones come.
            if n < 5 {
                commit(&*store, &[create(&link(&format!("{order:?}-new{n}")))]);
                let last = page.items.last().expect("pages of a plain list are not empty");
                commit(&*store, &[delete(last)]);
            }
            (query.after, n) = (Some(next), n + 1);
        }
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{order:?}: none twice");
        let missed: Vec<_> = before.iter().filter(|link| !distinct.contains(&link.id)).collect();
        assert!(missed.is_empty(), "{order:?}: {missed:?}");
        let sorted = match order {
            Order::Ascending => seen.is_sorted(),
            Order::Descending => seen.is_sorted_by(|a, b| a > b),
        };
        assert!(sorted, "{order:?}");
    }
}

pub(super) fn facets_count_links_by_value(fixture: &dyn Fixture) {
    let store = fixture.store();
    let values = [(W1, "b"), (W1, "a"), (W1, "b"), (W2, "b"), (W1, "ba"), (W1, ""), (W1, "é")];
    let links: Vec<_> = (0..)
        .zip(values)
        .map(|(n, (workspace, value))| {
            let mut link = link(&format!("l{n}"));
            link.workspace = workspace;
            link.archived_at = (n == 2).then_some(NOW);
            assert!(link.attributes.set("type", Some(value)));
            assert!(link.attributes.set("typ", Some("x")) && link.attributes.set("u", Some("y")));
            link
        })
        .collect();
    let links = made(&*store, &links);
    let ask = |after: Option<&str>, limit| {
        let facets = store.facets(W1, "type", after, limit).unwrap();
        facets.into_iter().map(|Facet { value, links }| (value, links)).collect::<Vec<_>>()
    };
    let expected: Vec<_> = [("", 1), ("a", 1), ("b", 2), ("ba", 1), ("é", 1)]
        .map(|(value, links)| (value.to_owned(), links))
        .into();
    assert_eq!(ask(None, 10), expected);
    for (after, limit, range) in
        [(None, 2, 0..2), (Some(""), 2, 1..3), (Some("b"), 9, 3..5), (Some("aa"), 1, 2..3)]
    {
        assert_eq!(ask(after, limit), expected[range], "{limit} after {after:?}");
    }
    let mut changed = links[0].clone();
    assert!(changed.attributes.set("type", None));
    commit(&*store, &[update(&changed, &links[0]), delete(&links[4])]);
    let expected = [("", 1), ("a", 1), ("b", 1), ("é", 1)];
    assert_eq!(ask(None, 10), expected.map(|(value, links)| (value.to_owned(), links)));
    assert_eq!(store.facets(W2, "none", None, 10), Ok(vec![]));
}

pub(super) fn records_by_noun_and_workspace(fixture: &dyn Fixture) {
    let store = fixture.store();
    let record = |n: u64| {
        let workspace = if n.is_multiple_of(3) { W2 } else { W1 };
        match n % 2 {
            0 => Record::Collection(Collection { workspace, ..Collection::default() }),
            _ => Record::Pixel(Pixel { workspace, ..Pixel::default() }),
        }
    };
    let mut all: Vec<_> = (0..40).map(record).chain(records()).collect();
    let ids = commit(&*store, &all.iter().map(put).collect::<Vec<_>>()).ids;
    all.iter_mut().zip(ids).for_each(|(record, id)| record.set_id(id));
    for noun in Noun::ALL {
        for workspace in [None, Some(W1), Some(W2)] {
            let own = |record: &&Record| {
                record.noun() == noun && workspace.is_none_or(|own| record.workspace() == Some(own))
            };
            let mut expected: Vec<_> = all.iter().filter(own).cloned().collect();
            for order in [Order::Ascending, Order::Descending] {
                for limit in [1, 4, 100] {
                    let found = drain(|after| {
                        store.records(&RecordQuery { noun, workspace, order, after, limit })
                    });
                    assert_eq!(found, expected, "{noun:?} {workspace:?} {order:?} {limit}");
                }
                expected.reverse();
            }
        }
    }
}

pub(super) fn limits_are_bent_to_what_is_allowed(fixture: &dyn Fixture) {
    let store = fixture.store();
    made(&*store, &[link("a"), link("b")]);
    commit(&*store, &[put(&records()[3])]);
    for (limit, least) in [(0, 1), (usize::MAX, 2)] {
        let page = store.links(&LinkQuery { limit, ..LinkQuery::default() }).unwrap();
        assert_eq!(page.items.len(), least, "{limit}");
        assert_eq!(page.next.is_some(), least == 1, "{limit}");
        let query = RecordQuery {
            noun: Noun::Collection,
            workspace: None,
            order: Order::Ascending,
            after: None,
            limit,
        };
        assert_eq!(store.records(&query).unwrap().items.len(), 1, "{limit}");
    }
    for after in [LinkId(0), LinkId::MAX, LinkId(u64::MAX)] {
        let query = LinkQuery { after: Some(after), limit: 9, ..LinkQuery::default() };
        let expected = if after.0 == 0 { 0 } else { 2 };
        assert_eq!(all_links(&*store, &query).len(), expected, "{after}");
    }
}
