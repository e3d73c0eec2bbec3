//! What statistics read: roll-ups and open hours, the rows of all slots merged.

use std::collections::BTreeMap;

use postgres::Client;
use waypost_link::{LinkId, Timestamp};
use waypost_storage::{
    Bucket, Counts, Detail, Grain, LinkCount, LinkCountQuery, Page, Scope, TallyQuery, Totals,
    page_limit,
};

use super::{
    counts,
    fold::number,
    rollups::{TALLIES, WORKSPACES},
};
use crate::{ask::Ask, fault::Tried, read::bigint};

/// What each of `links` has had in all.
pub(super) fn totals(client: &mut Client, links: &[LinkId]) -> Tried<Vec<Totals>> {
    let ids: Vec<_> = links.iter().map(|link| link.0 as i64).collect();
    let mut found = BTreeMap::<i64, Totals>::new();
    let sql = "SELECT link_id, sum(clicks)::bigint, sum(bots)::bigint, sum(conversions)::bigint \
               FROM waypost.link_tallies WHERE link_id = ANY($1) AND grain = 2 GROUP BY link_id";
    for row in client.ask(sql, &[&ids])? {
        let totals = found.entry(row.get(0)).or_default();
        totals.clicks = row.get::<_, i64>(1) as u64;
        totals.bots = row.get::<_, i64>(2) as u64;
        totals.conversions = row.get::<_, i64>(3) as u64;
    }
    let sql = "SELECT link_id, sum(spent)::bigint, min(first_at), max(last_at) \
               FROM waypost.link_extras WHERE link_id = ANY($1) GROUP BY link_id";
    for row in client.ask(sql, &[&ids])? {
        let totals = found.entry(row.get(0)).or_default();
        totals.spent = row.get::<_, i64>(1) as u64;
        totals.first = row.get::<_, Option<i64>>(2).map(Timestamp);
        totals.last = row.get::<_, Option<i64>>(3).map(Timestamp);
    }
    let of = |&link: &LinkId| {
        let totals = found.get(&(link.0 as i64)).copied().unwrap_or_default();
        Totals { link, ..totals }
    };
    Ok(links.iter().map(of).collect())
}

/// The buckets that hold anything.
pub(super) fn tally(client: &mut Client, query: &TallyQuery) -> Tried<Vec<Bucket>> {
    let (table, owners): (_, Vec<_>) = match &query.scope {
        Scope::Links(links) => (&TALLIES, links.iter().map(|link| link.0 as i64).collect()),
        Scope::Workspace(workspace) => (&WORKSPACES, vec![workspace.0 as i64]),
    };
    let (from, to) = if query.grain == Grain::All { (0, 1) } else { (query.from, query.to) };
    let mut columns = counts::COLUMNS.to_owned();
    if query.detail < Detail::Shares {
        columns = columns.replace("shares", "NULL::bytea");
    }
    if query.detail < Detail::Visitors {
        columns = columns.replace("visitors, robots", "NULL::bytea, NULL::bytea");
    }
    let sql = format!(
        "SELECT start, {columns} FROM {} \
         WHERE {} = ANY($1) AND grain = $2 AND start >= $3 AND start < $4",
        table.name, table.owner,
    );
    let mut merged = BTreeMap::<i64, Counts>::new();
    for row in client.ask(&sql, &[&owners, &number(query.grain), &from, &to])? {
        merged.entry(row.get(0)).or_default().merge(&counts::read(&row, 1)?);
    }
    merged.values_mut().for_each(Counts::limit);
    let full = merged.into_iter().filter(|(_, counts)| !counts.is_empty());
    Ok(full.map(|(start, counts)| Bucket { start, counts }).collect())
}

/// The links clicked in a range of days.
pub(super) fn link_counts(
    client: &mut Client,
    query: &LinkCountQuery,
) -> Tried<Page<LinkCount, LinkId>> {
    let limit = page_limit(query.limit);
    let sql = "SELECT link_id, sum(clicks)::bigint, sum(bots)::bigint FROM waypost.link_tallies \
               WHERE workspace_id = $1 AND grain = 1 AND start >= $2 AND start < $3 \
                   AND link_id > $4 \
               GROUP BY link_id HAVING sum(clicks) > 0 ORDER BY link_id LIMIT $5";
    let after = query.after.map_or(-1, |link| bigint(link.0));
    let (workspace, most) = (query.workspace.0 as i64, limit as i64 + 1);
    let rows = client.ask(sql, &[&workspace, &query.from, &query.to, &after, &most])?;
    let items: Vec<_> = rows
        .iter()
        .take(limit)
        .map(|row| LinkCount {
            link: LinkId(row.get::<_, i64>(0) as u64),
            clicks: row.get::<_, i64>(1) as u64,
            bots: row.get::<_, i64>(2) as u64,
        })
        .collect();
    let next = items.last().filter(|_| rows.len() > limit).map(|last| last.link);
    Ok(Page { items, next })
}
