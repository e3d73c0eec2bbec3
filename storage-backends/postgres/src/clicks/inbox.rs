//! The inbox: clicks that other programs have inserted into the view `link_clicks`.
//!
//! One transaction takes rows that no other node is at, stores what they are, and deletes them: each
//! is counted once, whoever comes, and a transaction whose fate is not known is simply done again.

use postgres::{Row, Transaction};
use waypost_link::{LinkId, Timestamp, WorkspaceId};
use waypost_storage::{Error, Event, Inserted, NewClick, Result};

use super::{events, partitions::Partitions};
use crate::{
    ask::Ask,
    database::Database,
    fault::{Fault, Tried},
    limits,
};

/// Takes a page of the inbox in; how many rows that were.
pub(super) fn take(
    database: &Database,
    partitions: &Partitions,
    look: &dyn Fn(&Inserted) -> Result<NewClick>,
) -> Result<u64> {
    for _ in 0..limits::TRIES {
        let taken = database.with(|client| {
            let mut txn = client.transaction()?;
            let taken = attempt(database, partitions, &mut txn, look)?;
            if taken.is_some() {
                txn.commit()?;
            }
            Ok(taken)
        })?;
        if let Some(count) = taken {
            return Ok(count);
        }
    }
    Err(Error::Unavailable("the same clicks are being stored elsewhere".into()))
}

/// One try; `None` where another node was faster with one of the clicks.
fn attempt(
    database: &Database,
    partitions: &Partitions,
    txn: &mut Transaction<'_>,
    look: &dyn Fn(&Inserted) -> Result<NewClick>,
) -> Tried<Option<u64>> {
    let sql = "SELECT id, link_id, workspace_id, received, clicked_at, ip, user_agent, referrer, \
                   session, source, metadata \
               FROM waypost.inbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED";
    let rows = txn.ask(sql, &[&limits::INBOX])?;
    if rows.is_empty() {
        return Ok(Some(0));
    }
    let clicks: Result<Vec<_>> = rows.iter().map(|row| look(&inserted(row))).collect();
    let clicks = clicks.map_err(Fault::from)?;
    partitions.make(database, &clicks.iter().map(|click| click.id.received.day()).collect())?;
    let events: Vec<_> = clicks.into_iter().map(|click| Event::Click(Box::new(click))).collect();
    if events::put(txn, &events)?.is_none() {
        return Ok(None);
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    Ok(Some(txn.tell("DELETE FROM waypost.inbox WHERE id = ANY($1)", &[&ids])?))
}

fn inserted(row: &Row) -> Inserted {
    Inserted {
        link: LinkId(row.get::<_, i64>(1) as u64),
        workspace: WorkspaceId(row.get::<_, i64>(2) as u64),
        received: Timestamp(row.get(3)),
        clicked_at: Timestamp(row.get(4)),
        ip: row.get::<_, Option<&str>>(5).and_then(|ip| ip.parse().ok()),
        user_agent: row.get(6),
        referrer: row.get(7),
        session: row.get(8),
        source: row.get(9),
        metadata: row.get(10),
    }
}
