//! Pages of links and records: one index chosen, its rows walked, the rest filtered.
//!
//! A page reads a bounded number of rows in one short transaction; where filters leave little of
//! them it is short, and says where to go on.

use std::ops::Bound::{Excluded, Included};

use waypost_link::{Link, LinkId, Record};
use waypost_storage::{LinkQuery, Order, Page, RecordQuery, page_limit};

use crate::{
    codec,
    fault::{Tried, corrupt},
    keys, limits,
    read::{self, View},
    tables::{LinkTable, Schema},
};

/// An attribute's index is taken rather than a collection's where its value is this rare.
const RARE: u64 = 1_000;

/// A page of links.
pub(crate) fn links(view: View<'_>, query: &LinkQuery) -> Tried<Page<Link, LinkId>> {
    let Some(index) = Index::of(view, query)? else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let after = query.after.map(|id| id.0);
    let page = page(view, &index, after, query.order, query.limit, |id, value| {
        let value = match index.table {
            LinkTable::Links => Some(value),
            _ => view.value(LinkTable::Links, &keys::with_id(&[], id))?,
        };
        let lost = || corrupt(index.table.name(), format_args!("link {id} does not exist"));
        let value = value.ok_or_else(lost)?;
        let link = read::link(LinkId(id), value)?;
        Ok((query.fits(&link).then_some(link), value.len()))
    })?;
    Ok(Page { items: page.items, next: page.next.map(LinkId) })
}

/// A page of records.
pub(crate) fn records(view: View<'_>, query: &RecordQuery) -> Tried<Page<Record, u64>> {
    let noun = query.noun;
    let index = match query.workspace {
        Some(workspace) => Index::new(LinkTable::Owned, keys::owned(noun, workspace)),
        None => Index::new(LinkTable::Records, vec![codec::noun(noun)]),
    };
    page(view, &index, query.after, query.order, query.limit, |id, value| {
        let value = match index.table {
            LinkTable::Records => Some(value),
            _ => view.value(LinkTable::Records, &keys::record(noun, id))?,
        };
        let value =
            value.ok_or_else(|| corrupt("owned", format_args!("{noun:?} {id} does not exist")))?;
        Ok((Some(view.touched(read::record(noun, id, value)?)?), value.len()))
    })
}

/// The rows of a table whose keys are this front and an id.
struct Index {
    table: LinkTable,
    front: Vec<u8>,
}

impl Index {
    fn new(table: LinkTable, front: Vec<u8>) -> Self {
        Self { table, front }
    }

    /// The one that leaves least to filter; `None` where nothing can fit.
    fn of(view: View<'_>, query: &LinkQuery) -> Tried<Option<Self>> {
        let collection =
            query.collection.map(|id| Self::new(LinkTable::Collections, keys::collection(id)));
        if let (Some(workspace), Some((name, value))) = (query.workspace, &query.attribute) {
            let Some((front, facet)) = keys::asked(workspace, name, value) else {
                return Ok(None);
            };
            let count = view.number(LinkTable::Facets, &facet)?.unwrap_or_default();
            let attribute = Self::new(LinkTable::Attributes, front);
            return Ok(Some(match collection {
                Some(collection) if count > RARE => collection,
                _ => attribute,
            }));
        }
        let workspace =
            query.workspace.map(|id| Self::new(LinkTable::Workspaces, keys::workspace(id)));
        let all = || Self::new(LinkTable::Links, Vec::new());
        Ok(Some(collection.or(workspace).unwrap_or_else(all)))
    }
}

/// Walks `index` from `after` on; `take` makes of a row an item, if it fits, and says how many
/// bytes it read.
fn page<'v, T>(
    view: View<'v>,
    index: &Index,
    after: Option<u64>,
    order: Order,
    limit: usize,
    mut take: impl FnMut(u64, &'v [u8]) -> Tried<(Option<T>, usize)>,
) -> Tried<Page<T, u64>> {
    let mut page = Page { items: Vec::new(), next: None };
    let (mut last, mut looked, mut read) = (0, 0, 0);
    for row in rows(view, index, after, order)? {
        let (key, value) = row?;
        if page.items.len() == page_limit(limit)
            || looked == limits::SCAN
            || read > limits::PAGE_BYTES
        {
            page.next = Some(last);
            break;
        }
        last = keys::id_of(key).ok_or_else(|| corrupt(index.table.name(), "a key"))?;
        let (item, bytes) = take(last, value)?;
        page.items.extend(item);
        looked += 1;
        read += bytes;
    }
    Ok(page)
}

type Row<'v> = heed::Result<(&'v [u8], &'v [u8])>;

fn rows<'v>(
    view: View<'v>,
    index: &Index,
    after: Option<u64>,
    order: Order,
) -> Tried<Box<dyn Iterator<Item = Row<'v>> + 'v>> {
    let edge = |id| keys::with_id(&index.front, id);
    let (first, last, after) = (edge(0), edge(u64::MAX), after.map(edge));
    let after = after.as_deref();
    let table = view.table(index.table).scan();
    Ok(match order {
        Order::Ascending => {
            let from = after.map_or(Included(&*first), Excluded);
            Box::new(table.range(view.txn(), &(from, Included(&*last)))?)
        }
        Order::Descending => {
            let to = after.map_or(Included(&*last), Excluded);
            Box::new(table.rev_range(view.txn(), &(Included(&*first), to))?)
        }
    })
}
