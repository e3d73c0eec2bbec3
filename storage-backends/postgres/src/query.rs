//! Pages of links and records: what an index or a column knows is asked of the database, the rest
//! is looked at here.
//!
//! A page reads a bounded number of rows; where filters leave little of them it is short, and
//! says where to go on.

use postgres::{Client, Row};
use waypost_link::{Link, LinkId, Record};
use waypost_storage::{LinkQuery, Order, Page, RecordQuery, Result, codec, page_limit};

use crate::{
    ask::{Ask, Value},
    fault::Tried,
    limits,
    read::{self, bigint, text},
};

/// Conditions and what they compare with.
#[derive(Default)]
struct Where {
    conditions: Vec<String>,
    values: Vec<Box<dyn Value>>,
}

impl Where {
    /// Adds `condition`, in which `?` is `value`, where there is one.
    fn and(&mut self, condition: &str, value: Option<impl Value + 'static>) {
        if let Some(value) = value {
            self.values.push(Box::new(value));
            self.conditions.push(condition.replace('?', &format!("${}", self.values.len())));
        }
    }

    fn sql(&self, select: &str, order: Order, limit: i64) -> String {
        let all = if self.conditions.is_empty() { "true" } else { &self.conditions.join(" AND ") };
        let direction = if order == Order::Ascending { "ASC" } else { "DESC" };
        format!("{select} WHERE {all} ORDER BY id {direction} LIMIT {limit}")
    }

    fn after(&mut self, after: Option<u64>, order: Order) {
        let condition = if order == Order::Ascending { "id > ?" } else { "id < ?" };
        self.and(condition, after.map(bigint));
    }

    fn values(&self) -> Vec<&dyn Value> {
        self.values.iter().map(|value| &**value).collect()
    }
}

/// A page of links.
pub(crate) fn links(client: &mut Client, query: &LinkQuery) -> Tried<Page<Link, LinkId>> {
    let mut conditions = Where::default();
    conditions.and("workspace_id = ?", query.workspace.map(|id| id.0 as i64));
    conditions.and("domain_id = ?", query.domain.map(|id| id.0 as i64));
    conditions.and("collection_id = ?", query.collection.map(|id| id.0 as i64));
    conditions.and("archived = ?", query.archived);
    conditions.and("active = ?", query.active);
    conditions.and("created_at >= ?", query.created_from.map(|at| at.0));
    conditions.and("created_at < ?", query.created_before.map(|at| at.0));
    if let Some((name, value)) = &query.attribute {
        let own = "id IN (SELECT link_id FROM waypost.link_attributes WHERE name = ?";
        conditions.and(own, Some(text(name).into_owned()));
        conditions.and("value = ?", Some(text(value).into_owned()));
        let workspace = query.workspace.map(|id| id.0 as i64);
        conditions.and("link_attributes.workspace_id = ?", workspace);
        conditions.conditions.push("true)".into());
    }
    conditions.after(query.after.map(|id| id.0), query.order);
    let wanted = page_limit(query.limit);
    // Nothing but the text is left to look at here.
    let most = if query.text.is_some() { limits::SCAN } else { wanted as i64 };
    let sql = conditions.sql("SELECT id, data FROM waypost.links", query.order, most + 1);
    let page = page(client, &sql, &conditions, (wanted, most), |row| {
        let link = read::link(row)?;
        Ok(query.fits(&link).then_some(link))
    })?;
    Ok(Page { items: page.items, next: page.next.map(LinkId) })
}

/// A page of records.
pub(crate) fn records(client: &mut Client, query: &RecordQuery) -> Tried<Page<Record, u64>> {
    let mut conditions = Where::default();
    conditions.and("noun = ?", Some(i16::from(codec::noun(query.noun))));
    conditions.and("workspace_id = ?", query.workspace.map(|id| id.0 as i64));
    conditions.after(query.after, query.order);
    let wanted = page_limit(query.limit);
    let select = "SELECT noun, id, data, at FROM waypost.records \
                  LEFT JOIN waypost.touched ON noun = 2 AND key_id = id";
    let sql = conditions.sql(select, query.order, wanted as i64 + 1);
    page(client, &sql, &conditions, (wanted, wanted as i64), |row| read::touched(row).map(Some))
}

/// Reads rows one by one, at most `most`, until `wanted` fit or they were too large.
fn page<T>(
    client: &mut Client,
    sql: &str,
    conditions: &Where,
    (wanted, most): (usize, i64),
    mut take: impl FnMut(&Row) -> Result<Option<T>>,
) -> Tried<Page<T, u64>> {
    use postgres::fallible_iterator::FallibleIterator as _;
    let mut page = Page { items: Vec::new(), next: None };
    let (mut last, mut looked, mut read) = (0, 0, 0);
    let mut rows = client.ask_each(sql, &conditions.values())?;
    while let Some(row) = rows.next()? {
        if page.items.len() == wanted || looked == most || read > limits::PAGE_BYTES {
            page.next = Some(last);
            break;
        }
        last = row.get::<_, i64>("id") as u64;
        page.items.extend(take(&row)?);
        looked += 1;
        read += row.get::<_, &[u8]>("data").len();
    }
    Ok(page)
}
