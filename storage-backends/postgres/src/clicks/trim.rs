//! Retention, which drops whole days, and purges, which take a link out of everything.

use std::collections::BTreeMap;

use postgres::Transaction;
use waypost_link::{LinkId, Timestamp, WorkspaceId};
use waypost_storage::{Counts, Trimmed};

use super::{
    counts, partitions,
    rollups::{self, LINKS, Place, WORKSPACES},
    slot,
};
use crate::{fault::Tried, limits};

/// Takes away raw clicks received before `time`: partitions that end before it are dropped, one a
/// call, and the rest of the day's is deleted.
pub(super) fn before(txn: &mut Transaction<'_>, time: Timestamp) -> Tried<Trimmed> {
    partitions::lock(txn)?;
    let days = partitions::days(txn)?;
    let over = |day: &i64| partitions::start(day.saturating_add(1)) <= time.0;
    let mut trimmed = Trimmed::default();
    if let Some(day) = days.iter().copied().find(over) {
        let name = partitions::name(day);
        let count = txn.query_one(&format!("SELECT count(*) FROM {name}"), &[])?;
        txn.batch_execute(&format!("DROP TABLE {name}"))?;
        trimmed = Trimmed { clicks: count.get::<_, i64>(0) as u64, more: true };
    } else {
        trimmed.clicks =
            txn.execute("DELETE FROM waypost.clicks WHERE received < $1", &[&time.0])?;
    }
    if trimmed.clicks > 0 {
        let sql = "INSERT INTO waypost.retention (trimmed_to) VALUES ($1) \
                   ON CONFLICT (one) DO UPDATE SET trimmed_to = EXCLUDED.trimmed_to";
        txn.execute(sql, &[&time.0])?;
    }
    if !trimmed.more {
        txn.execute("DELETE FROM waypost.dedupe WHERE received < $1", &[&time.0])?;
        txn.execute("DELETE FROM waypost.conversions WHERE received < $1", &[&time.0])?;
    }
    Ok(trimmed)
}

/// Takes a link out of everything; nobody writes clicks meanwhile.
pub(super) fn purge(
    txn: &mut Transaction<'_>,
    link: LinkId,
    workspace: WorkspaceId,
) -> Tried<Trimmed> {
    slot::take_all(txn)?;
    let id = link.0 as i64;
    txn.execute("INSERT INTO waypost.purged (link_id) VALUES ($1) ON CONFLICT DO NOTHING", &[&id])?;
    let mut own = BTreeMap::<(i16, i64), Counts>::new();
    let sql = format!(
        "DELETE FROM {} WHERE link_id = $1 RETURNING grain, start, {}",
        LINKS.name,
        counts::COLUMNS
    );
    for row in txn.query(&sql, &[&id])? {
        own.entry((row.get(0), row.get(1))).or_default().merge(&counts::read(&row, 2)?);
    }
    if !own.is_empty() {
        subtract(txn, workspace.0 as i64, &own, link)?;
    }
    for table in ["link_extras", "dedupe", "conversions"] {
        txn.execute(&format!("DELETE FROM waypost.{table} WHERE link_id = $1"), &[&id])?;
    }
    let sql = "DELETE FROM waypost.clicks USING \
                   (SELECT tableoid AS part, ctid AS place FROM waypost.clicks \
                    WHERE link_id = $1 LIMIT $2) AS few \
               WHERE link_id = $1 AND clicks.tableoid = part AND clicks.ctid = place";
    let clicks = txn.execute(sql, &[&id, &limits::PURGE])?;
    Ok(Trimmed { clicks, more: clicks == limits::PURGE as u64 })
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
    for row in txn.query(&sql, &[&workspace, &grains, &starts])? {
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
