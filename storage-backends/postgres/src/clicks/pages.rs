//! Raw clicks by page, and one by its id.

use std::ops::Range;

use postgres::{Client, Row};
use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};
use waypost_storage::{ClickQuery, ClickScope, Order, Page, StoredClick, Window, page_limit};

use super::flush::agent;
use crate::{
    ask::{Ask, Value},
    fault::Tried,
};

const SELECT: &str = "SELECT clicked_at, received, link_id, salt::bigint, seq, workspace_id, ip, \
                      country, user_agent, referrer, language, session, source, metadata, rule \
                      FROM waypost.clicks";

/// Numbers of a cursor: the columns that clicks are ordered by.
const CURSOR: usize = 5;

/// A page of raw clicks.
pub(super) fn clicks(client: &mut Client, query: &ClickQuery) -> Tried<Page<StoredClick, Vec<u8>>> {
    let empty = Page { items: Vec::new(), next: None };
    let (owner, id) = owner(query.scope);
    let (compare, direction) = match query.order {
        Order::Ascending => (">", "ASC"),
        Order::Descending => ("<", "DESC"),
    };
    let mut values = vec![id];
    let mut conditions = format!("{owner} = $1");
    for (condition, at) in [("clicked_at >=", query.from), ("clicked_at <", query.before)] {
        if let Some(at) = at {
            values.push(at.0);
            conditions += &format!(" AND {condition} ${}", values.len());
        }
    }
    if let Some(after) = &query.after {
        let Some(numbers) = read_cursor(after) else { return Ok(empty) };
        let first = values.len() + 1;
        values.extend(numbers);
        let places: Vec<_> =
            (first..=values.len()).map(|place| format!("${place}::bigint")).collect();
        conditions += &format!(
            " AND (clicked_at, received, link_id, salt, seq) {compare} ({})",
            places.join(", ")
        );
    }
    let limit = page_limit(query.limit);
    let sql = format!(
        "{SELECT} WHERE {conditions} ORDER BY clicked_at {direction}, received {direction}, \
         link_id {direction}, clicks.salt {direction}, seq {direction} LIMIT {}",
        limit + 1
    );
    let values: Vec<&dyn Value> = values.iter().map(|value| value as _).collect();
    let rows = client.ask(&sql, &values)?;
    let next = (rows.len() > limit).then(|| rows.get(limit - 1).map(cursor)).flatten();
    Ok(Page { items: rows.iter().take(limit).map(click_of).collect(), next })
}

/// How many raw clicks there are in a range of time.
pub(super) fn count(
    client: &mut Client,
    scope: ClickScope,
    range: &Range<Timestamp>,
) -> Tried<Window> {
    let (owner, id) = owner(scope);
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE bot) FROM waypost.clicks \
         WHERE {owner} = $1 AND clicked_at >= $2 AND clicked_at < $3"
    );
    let row = client.ask_one(&sql, &[&id, &range.start.0, &range.end.0])?;
    Ok(Window { clicks: row.get::<_, i64>(0) as u64, bots: row.get::<_, i64>(1) as u64 })
}

/// The column and number of whose clicks are asked for.
fn owner(scope: ClickScope) -> (&'static str, i64) {
    match scope {
        ClickScope::Link(link) => ("link_id", link.0 as i64),
        ClickScope::Workspace(workspace) => ("workspace_id", workspace.0 as i64),
    }
}

/// The click of this id: the first that came, where several share it. Asked as those were clicked
/// when they were received, and once more for the few that were not, which have an index.
pub(super) fn click(client: &mut Client, id: ClickId) -> Tried<Option<StoredClick>> {
    let sql = format!(
        "{SELECT} WHERE link_id = $1 AND received = $2 AND salt = $3 AND clicked_at = $2 \
         UNION ALL \
         {SELECT} WHERE link_id = $1 AND received = $2 AND salt = $3 AND clicked_at <> received \
         ORDER BY seq LIMIT 1"
    );
    let values: [&dyn Value; 3] = [&(id.link.0 as i64), &id.received.0, &(id.salt as i32)];
    Ok(client.ask_opt(&sql, &values)?.map(|row| click_of(&row)))
}

fn cursor(row: &Row) -> Vec<u8> {
    (0..CURSOR).flat_map(|column| row.get::<_, i64>(column).to_be_bytes()).collect()
}

fn read_cursor(bytes: &[u8]) -> Option<Vec<i64>> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    (numbers.len() == CURSOR && rest.is_empty())
        .then(|| numbers.iter().map(|number| i64::from_be_bytes(*number)).collect())
}

fn click_of(row: &Row) -> StoredClick {
    let user_agent: String = row.get(8);
    let details = agent(&user_agent);
    let country: Option<&str> = row.get(7);
    StoredClick {
        id: ClickId {
            received: Timestamp(row.get(1)),
            link: LinkId(row.get::<_, i64>(2) as u64),
            salt: row.get::<_, i64>(3) as u32,
        },
        workspace: WorkspaceId(row.get::<_, i64>(5) as u64),
        clicked_at: Timestamp(row.get(0)),
        ip: row.get(6),
        country: country.and_then(|country| country.as_bytes().try_into().ok()),
        user_agent,
        browser: details.browser,
        os: details.os,
        device: details.device,
        bot: details.bot,
        referrer: row.get(9),
        language: row.get(10),
        session: row.get(11),
        source: row.get(12),
        metadata: row.get(13),
        rule: row.get(14),
    }
}
