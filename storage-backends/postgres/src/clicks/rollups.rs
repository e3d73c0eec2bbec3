//! Adding to roll-ups: read a slot's rows, merge, write them back, many a statement.
//!
//! Nobody else touches rows of a slot that is held, so nothing is waited for and nothing is lost
//! between the read and the write.

use std::collections::BTreeMap;

use postgres::Transaction;
use waypost_link::{LinkId, WorkspaceId};
use waypost_storage::Counts;

use super::{
    counts,
    fold::{Extra, Folded, Whose},
};
use crate::{fault::Tried, limits};

/// An owner's bucket: id, grain, start.
pub(super) type Place = (i64, i16, i64);

/// Adds what is `folded` to the rows of `slot`.
pub(super) fn add(txn: &mut Transaction<'_>, slot: i32, folded: &Folded) -> Tried<()> {
    let (mut links, mut workspaces) = (BTreeMap::new(), BTreeMap::new());
    for ((whose, grain, start), counts) in folded.buckets() {
        match whose {
            Whose::Link(link) => links.insert((link.0 as i64, grain, start), counts),
            Whose::Workspace(id) => workspaces.insert((id.0 as i64, grain, start), counts),
        };
    }
    let owner = |link: i64| folded.extras.get(&LinkId(link as u64)).map(|extra| extra.workspace);
    merge(txn, &LINKS, slot, links, owner)?;
    merge(txn, &WORKSPACES, slot, workspaces, |id| Some(WorkspaceId(id as u64)))?;
    add_extras(txn, slot, folded)
}

/// One of the two tables of buckets.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) owner: &'static str,
    /// Whether a row says the workspace beside its owner.
    with_workspace: bool,
}

/// The buckets of links.
pub(super) const LINKS: Table =
    Table { name: "waypost.link_buckets", owner: "link_id", with_workspace: true };
/// The buckets of workspaces.
pub(super) const WORKSPACES: Table =
    Table { name: "waypost.workspace_buckets", owner: "workspace_id", with_workspace: false };

/// Adds these buckets to the rows of `slot`.
pub(super) fn merge(
    txn: &mut Transaction<'_>,
    table: &Table,
    slot: i32,
    mut buckets: BTreeMap<Place, Counts>,
    workspace: impl Fn(i64) -> Option<WorkspaceId>,
) -> Tried<()> {
    while !buckets.is_empty() {
        let rest = match buckets.keys().nth(limits::ROWS).copied() {
            Some(next) => buckets.split_off(&next),
            None => BTreeMap::new(),
        };
        let mut few = std::mem::replace(&mut buckets, rest);
        read(txn, table, slot, &mut few)?;
        put(txn, table, slot, &few, &workspace)?;
    }
    Ok(())
}

/// Merges what the rows of `buckets` hold already.
fn read(
    txn: &mut Transaction<'_>,
    table: &Table,
    slot: i32,
    buckets: &mut BTreeMap<Place, Counts>,
) -> Tried<()> {
    let (owners, grains, starts) = columns(buckets);
    let sql = format!(
        "SELECT {owner}, grain, start, {} FROM {} \
         JOIN unnest($1::bigint[], $2::smallint[], $3::bigint[]) AS p ({owner}, grain, start) \
         USING ({owner}, grain, start) WHERE slot = $4",
        counts::COLUMNS,
        table.name,
        owner = table.owner,
    );
    for row in txn.query(&sql, &[&owners, &grains, &starts, &slot])? {
        if let Some(bucket) = buckets.get_mut(&(row.get(0), row.get(1), row.get(2))) {
            bucket.merge(&counts::read(&row, 3)?);
        }
    }
    buckets.values_mut().for_each(Counts::limit);
    Ok(())
}

/// Writes these buckets, whatever was there.
pub(super) fn put(
    txn: &mut Transaction<'_>,
    table: &Table,
    slot: i32,
    buckets: &BTreeMap<Place, Counts>,
    workspace: impl Fn(i64) -> Option<WorkspaceId>,
) -> Tried<()> {
    let (owners, grains, starts) = columns(buckets);
    let number =
        |of: fn(&Counts) -> u64| buckets.values().map(|c| of(c) as i64).collect::<Vec<_>>();
    let (clicks, bots) = (number(|c| c.clicks), number(|c| c.bots));
    let conversions = number(|c| c.conversions);
    let visitors: Vec<_> = buckets.values().map(|counts| counts.visitors.to_bytes()).collect();
    let robots: Vec<_> = buckets.values().map(|counts| counts.robots.to_bytes()).collect();
    let shares: Vec<_> = buckets.values().map(counts::shares).collect();
    let workspaces: Vec<i64> =
        owners.iter().map(|id| workspace(*id).unwrap_or_default().0 as i64).collect();
    let (column, value) = if table.with_workspace { (", workspace_id", ", w") } else { ("", "") };
    let sql = format!(
        "INSERT INTO {} ({owner}, grain, start, slot, {}{column}) \
         SELECT o, g, s, $4, c, b, k, v, r, h{value} FROM unnest($1::bigint[], $2::smallint[], \
             $3::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[], $9::bytea[], \
             $10::bytea[], $11::bigint[]) AS t (o, g, s, c, b, k, v, r, h, w) \
         ON CONFLICT ({owner}, grain, start, slot) DO UPDATE SET \
             ({columns}) = (EXCLUDED.clicks, EXCLUDED.bots, EXCLUDED.conversions, \
             EXCLUDED.visitors, EXCLUDED.robots, EXCLUDED.shares)",
        table.name,
        counts::COLUMNS,
        owner = table.owner,
        columns = counts::COLUMNS,
    );
    txn.execute(
        &sql,
        &[
            &owners,
            &grains,
            &starts,
            &slot,
            &clicks,
            &bots,
            &conversions,
            &visitors,
            &robots,
            &shares,
            &workspaces,
        ],
    )?;
    Ok(())
}

fn columns(buckets: &BTreeMap<Place, Counts>) -> (Vec<i64>, Vec<i16>, Vec<i64>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for &(owner, grain, start) in buckets.keys() {
        columns.0.push(owner);
        columns.1.push(grain);
        columns.2.push(start);
    }
    columns
}

/// Adds to what links have beside their buckets.
pub(super) fn add_extras(txn: &mut Transaction<'_>, slot: i32, folded: &Folded) -> Tried<()> {
    let all: Vec<_> = folded.extras.iter().collect();
    all.chunks(limits::ROWS).try_for_each(|few| add_few_extras(txn, slot, few))
}

fn add_few_extras(txn: &mut Transaction<'_>, slot: i32, extras: &[(&LinkId, &Extra)]) -> Tried<()> {
    let (mut links, mut workspaces, mut spent) = (vec![], vec![], vec![]);
    let (mut first, mut last) = (vec![], vec![]);
    for (link, extra) in extras {
        links.push(link.0 as i64);
        workspaces.push(extra.workspace.0 as i64);
        spent.push(extra.spent as i64);
        first.push(extra.first.map(|at| at.0));
        last.push(extra.last.map(|at| at.0));
    }
    let sql = "INSERT INTO waypost.link_extras \
                   (link_id, slot, workspace_id, spent, first_at, last_at) \
               SELECT l, $2, w, s, f, t FROM unnest($1::bigint[], $3::bigint[], $4::bigint[], \
                   $5::bigint[], $6::bigint[]) AS n (l, w, s, f, t) \
               ON CONFLICT (link_id, slot) DO UPDATE SET \
                   spent = link_extras.spent + EXCLUDED.spent, \
                   first_at = least(link_extras.first_at, EXCLUDED.first_at), \
                   last_at = greatest(link_extras.last_at, EXCLUDED.last_at)";
    txn.execute(sql, &[&links, &slot, &workspaces, &spent, &first, &last])?;
    Ok(())
}
