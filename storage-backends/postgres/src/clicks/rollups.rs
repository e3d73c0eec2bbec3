//! Adding to roll-ups: read a slot's rows, merge, write them back, many a statement.
//!
//! Nobody else touches rows of a slot that is held, so nothing is waited for and nothing is lost
//! between the read and the write.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

use postgres::{Row, Transaction};
use waypost_link::{LinkId, WorkspaceId};
use waypost_storage::{Counts, Error};

use super::{
    columns::Columns,
    counts,
    deltas::{Delta, Deltas},
    fold::{Extra, Folded, Whose},
};
use crate::{
    ask::Ask,
    fault::{Fault, Tried},
    limits,
};

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
    merge(txn, &WORKSPACES, slot, workspaces, |_| None)?;
    add_extras(txn, slot, &folded.extras())
}

/// Adds `deltas` to the rows of `slot`, those of links to open hours: bytes to bytes, where nothing
/// is too long for that. While some are added up, the database reads the next.
pub(super) fn raise(txn: &mut Transaction<'_>, slot: i32, deltas: Deltas<'_>) -> Tried<()> {
    thread::scope(|scope| {
        let (to, reads) = sync_channel(1);
        let (raised, writes) = sync_channel(1);
        let all = &deltas;
        scope.spawn(move || {
            for (few, stored) in reads {
                if raised.send(add_up(all, few, stored)).is_err() {
                    return;
                }
            }
        });
        let mut sent = 0;
        for few in deltas.links.chunks(limits::ROWS) {
            let places: Vec<_> = few.iter().map(Delta::place).collect();
            let stored = read(txn, &OPEN, slot, &places)?;
            // Who adds up is there until `to` is gone.
            sent += usize::from(to.send((few, stored)).is_ok());
            if sent > 1 {
                write_next(txn, slot, &writes)?;
                sent -= 1;
            }
        }
        (0..sent).try_for_each(|_| write_next(txn, slot, &writes))
    })?;
    merge(txn, &WORKSPACES, slot, deltas.workspaces, |_| None)?;
    add_extras(txn, slot, &deltas.extras)
}

/// Writes the next rows that are added up.
fn write_next(
    txn: &mut Transaction<'_>,
    slot: i32,
    writes: &Receiver<Tried<Columns>>,
) -> Tried<()> {
    let gone = |_| Fault::Refused(Error::Unavailable("roll-ups were not added up".into()));
    write(txn, &OPEN, slot, &writes.recv().map_err(gone)??)
}

/// What the rows of these buckets become.
fn add_up(deltas: &Deltas<'_>, few: &[Delta], stored: Vec<Row>) -> Tried<Columns> {
    let mut before: Vec<Option<Row>> = Vec::new();
    before.resize_with(few.len(), || None);
    for row in stored {
        let place = row.get::<_, i64>(0) as usize - 1;
        before[place] = Some(row);
    }
    let mut columns = Columns::default();
    for (delta, stored) in few.iter().zip(&before) {
        columns.place(delta.place(), Some(delta.workspace));
        columns.raised(deltas, delta, stored.as_ref())?;
    }
    Ok(columns)
}

/// A table of buckets.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) owner: &'static str,
    /// Whether a row says the workspace beside its owner.
    with_workspace: bool,
}

/// The buckets of links.
pub(super) const LINKS: Table =
    Table { name: "waypost.link_buckets", owner: "link_id", with_workspace: true };
/// The hours of links that are not closed.
pub(super) const OPEN: Table =
    Table { name: "waypost.open_hours", owner: "link_id", with_workspace: true };
/// Both together, to be read.
pub(super) const TALLIES: Table =
    Table { name: "waypost.link_tallies", owner: "link_id", with_workspace: true };
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
        let places: Vec<_> = few.keys().copied().collect();
        for row in read(txn, table, slot, &places)? {
            let place = places[row.get::<_, i64>(0) as usize - 1];
            few.entry(place).or_default().merge(&counts::read(&row, 1)?);
        }
        few.values_mut().for_each(Counts::limit);
        put(txn, table, slot, &few, &workspace)?;
    }
    Ok(())
}

/// The rows of `places` that are there: which place, counted from 1, and its counts.
fn read(txn: &mut Transaction<'_>, table: &Table, slot: i32, places: &[Place]) -> Tried<Vec<Row>> {
    let owners: Vec<_> = places.iter().map(|place| place.0).collect();
    let grains: Vec<_> = places.iter().map(|place| place.1).collect();
    let starts: Vec<_> = places.iter().map(|place| place.2).collect();
    // Each row by its key: asked for a join, the planner sorts the whole table now and then.
    let sql = format!(
        "SELECT n, row.* FROM unnest($1::bigint[], $2::smallint[], $3::bigint[]) \
             WITH ORDINALITY AS p (o, g, s, n) \
         CROSS JOIN LATERAL (SELECT {} FROM {} \
             WHERE {} = o AND grain = g AND start = s AND slot = $4 LIMIT 1) AS row",
        counts::COLUMNS,
        table.name,
        table.owner,
    );
    Ok(txn.ask(&sql, &[&owners, &grains, &starts, &slot])?)
}

/// Writes these buckets, whatever was there.
pub(super) fn put(
    txn: &mut Transaction<'_>,
    table: &Table,
    slot: i32,
    buckets: &BTreeMap<Place, Counts>,
    workspace: impl Fn(i64) -> Option<WorkspaceId>,
) -> Tried<()> {
    let mut columns = Columns::default();
    for (place, counts) in buckets {
        columns.place(*place, workspace(place.0));
        columns.counts(counts);
    }
    write(txn, table, slot, &columns)
}

fn write(txn: &mut Transaction<'_>, table: &Table, slot: i32, columns: &Columns) -> Tried<()> {
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
    let c = columns;
    let [clicks, bots, conversions] = &c.sums;
    let (visitors, robots, shares) = (c.visitors.all(), c.robots.all(), c.shares.all());
    txn.tell(
        &sql,
        &[
            &c.owners,
            &c.grains,
            &c.starts,
            &slot,
            clicks,
            bots,
            conversions,
            &visitors,
            &robots,
            &shares,
            &c.workspaces,
        ],
    )?;
    Ok(())
}

/// Adds to what links have beside their buckets.
pub(super) fn add_extras(
    txn: &mut Transaction<'_>,
    slot: i32,
    extras: &[(LinkId, Extra)],
) -> Tried<()> {
    extras.chunks(limits::ROWS).try_for_each(|few| add_few_extras(txn, slot, few))
}

fn add_few_extras(txn: &mut Transaction<'_>, slot: i32, extras: &[(LinkId, Extra)]) -> Tried<()> {
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
    txn.tell(sql, &[&links, &slot, &workspaces, &spent, &first, &last])?;
    Ok(())
}
