//! Retention, which drops whole days, and purges, which take a link out of everything. Both go
//! step by step, each a transaction of a bounded size.

use std::collections::BTreeMap;

use postgres::Transaction;
use waypost_link::{LinkId, Timestamp, WorkspaceId};
use waypost_storage::{Counts, Trimmed};

use super::{
    close, counts, partitions,
    rollups::{self, LINKS, Place, WORKSPACES},
    slot,
};
use crate::{ask::Ask, fault::Tried, limits};

/// The lock of the one node that trims: it may count for long, and holds nobody up.
const LOCK: i64 = 0x7761_7970_6f73_7402;

/// Takes away raw clicks received before `time`: partitions that end before it are dropped, one a
/// call, and the rest of the day's is deleted. Where another node is at it, it is left to that.
pub(super) fn before(txn: &mut Transaction<'_>, time: Timestamp) -> Tried<Trimmed> {
    if !txn.ask_one("SELECT pg_try_advisory_xact_lock($1)", &[&LOCK])?.get::<_, bool>(0) {
        return Ok(Trimmed::default());
    }
    let days = partitions::days(txn)?;
    let over = |day: &i64| partitions::start(day.saturating_add(1)) <= time.0;
    match days.iter().copied().find(over) {
        Some(day) => drop_day(txn, day, time),
        None => delete_some(txn, days.contains(&time.day()), time),
    }
}

/// Drops the partition of a day. Its clicks are counted, however long that takes, before anything
/// is locked that others want.
fn drop_day(txn: &mut Transaction<'_>, day: i64, time: Timestamp) -> Tried<Trimmed> {
    let name = partitions::name(day);
    txn.batch_execute("SET LOCAL statement_timeout = 0")?;
    let count: i64 = txn.ask_one(&format!("SELECT count(*) FROM {name}"), &[])?.get(0);
    partitions::lock(txn)?;
    // No click comes between the question and the end; writers lock this table first, too.
    txn.batch_execute("LOCK TABLE ONLY waypost.clicks IN ACCESS EXCLUSIVE MODE")?;
    if txn.ask_one(&format!("SELECT EXISTS (SELECT FROM {name})"), &[])?.get(0) {
        note(txn, time)?;
    }
    txn.batch_execute(&format!("DROP TABLE {name}"))?;
    Ok(Trimmed { clicks: count as u64, more: true })
}

/// Deletes some of what was received before `time` on its day, where that has a partition, and of
/// what belongs to clicks that are gone.
fn delete_some(txn: &mut Transaction<'_>, has_day: bool, time: Timestamp) -> Tried<Trimmed> {
    let day = has_day.then(|| partitions::name(time.day()));
    let clicks = day.map_or(Ok(0), |day| delete_old(txn, &day, time))?;
    if clicks > 0 {
        note(txn, time)?;
    }
    let keys = delete_old(txn, "waypost.dedupe", time)?;
    let conversions = delete_old(txn, "waypost.conversions", time)?;
    Ok(Trimmed { clicks, more: [clicks, keys, conversions].contains(&(limits::PURGE as u64)) })
}

/// Deletes rows received before `time`, [`limits::PURGE`] at most; how many.
fn delete_old(txn: &mut Transaction<'_>, table: &str, time: Timestamp) -> Tried<u64> {
    let sql = format!(
        "DELETE FROM {table} WHERE ctid = ANY (ARRAY \
             (SELECT ctid FROM {table} WHERE received < $1 LIMIT $2))"
    );
    Ok(txn.tell(&sql, &[&time.0, &limits::PURGE])?)
}

/// Notes that raw clicks are fewer than the roll-ups count from now on.
fn note(txn: &mut Transaction<'_>, time: Timestamp) -> Tried<()> {
    let sql = "INSERT INTO waypost.retention (trimmed_to) VALUES ($1) \
               ON CONFLICT (one) DO UPDATE SET trimmed_to = EXCLUDED.trimmed_to";
    txn.tell(sql, &[&time.0])?;
    Ok(())
}

/// Takes some of a link out of everything; nobody writes clicks meanwhile. Its extras go last: a
/// link that is purged and has some is not done.
pub(super) fn purge(
    txn: &mut Transaction<'_>,
    link: LinkId,
    workspace: WorkspaceId,
) -> Tried<Trimmed> {
    slot::take_all(txn)?;
    let id = link.0 as i64;
    txn.tell("INSERT INTO waypost.purged (link_id) VALUES ($1) ON CONFLICT DO NOTHING", &[&id])?;
    close::of_link(txn, link)?;
    let mut more = take_buckets(txn, link, workspace)?;
    let sql = "DELETE FROM waypost.clicks USING \
                   (SELECT tableoid AS part, ctid AS place FROM waypost.clicks \
                    WHERE link_id = $1 LIMIT $2) AS few \
               WHERE link_id = $1 AND clicks.tableoid = part AND clicks.ctid = place";
    let clicks = txn.tell(sql, &[&id, &limits::PURGE])?;
    more |= clicks == limits::PURGE as u64;
    for table in ["waypost.dedupe", "waypost.conversions"] {
        let sql = format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY \
                 (SELECT ctid FROM {table} WHERE link_id = $1 LIMIT $2))"
        );
        more |= txn.tell(&sql, &[&id, &limits::PURGE])? == limits::PURGE as u64;
    }
    if !more {
        txn.tell("DELETE FROM waypost.link_extras WHERE link_id = $1", &[&id])?;
    }
    Ok(Trimmed { clicks, more })
}

/// Takes some buckets of a link away, and out of its workspace's; whether there may be more.
fn take_buckets(txn: &mut Transaction<'_>, link: LinkId, workspace: WorkspaceId) -> Tried<bool> {
    let sql = format!(
        "DELETE FROM {name} WHERE ctid = ANY (ARRAY (SELECT ctid FROM {name} WHERE link_id = $1 \
             ORDER BY grain, start LIMIT $2)) RETURNING grain, start, {}",
        counts::COLUMNS,
        name = LINKS.name,
    );
    let rows = txn.ask(&sql, &[&(link.0 as i64), &(limits::ROWS as i64)])?;
    let mut own = BTreeMap::<(i16, i64), Counts>::new();
    for row in &rows {
        own.entry((row.get(0), row.get(1))).or_default().merge(&counts::read(row, 2)?);
    }
    if !own.is_empty() {
        subtract(txn, workspace.0 as i64, &own, link)?;
    }
    Ok(rows.len() == limits::ROWS)
}

/// Takes a link's buckets out of its workspace's, which become one row each.
fn subtract(
    txn: &mut Transaction<'_>,
    workspace: i64,
    own: &BTreeMap<(i16, i64), Counts>,
    link: LinkId,
) -> Tried<()> {
    let (grains, starts): (Vec<_>, Vec<_>) = own.keys().copied().unzip();
    let sql = format!(
        "DELETE FROM {} USING unnest($2::smallint[], $3::bigint[]) AS p (g, s) \
         WHERE workspace_id = $1 AND grain = g AND start = s RETURNING grain, start, {}",
        WORKSPACES.name,
        counts::COLUMNS
    );
    let mut buckets = BTreeMap::<Place, Counts>::new();
    for row in txn.ask(&sql, &[&workspace, &grains, &starts])? {
        let place = (workspace, row.get(0), row.get(1));
        buckets.entry(place).or_default().merge(&counts::read(&row, 2)?);
    }
    for ((_, grain, start), counts) in &mut buckets {
        if let Some(gone) = own.get(&(*grain, *start)) {
            counts.limit();
            counts.subtract(gone, link);
        }
    }
    buckets.retain(|_, counts| !counts.is_empty());
    rollups::put(txn, &WORKSPACES, 0, &buckets, |_| None)
}
