//! Rows as objects, and single objects out of the tables.

use std::borrow::Cow;

use postgres::{Client, GenericClient, Row};
use waypost_link::{
    Claim, KeyId, Link, LinkId, Noun, Record, Remembered, Revision, Timestamp, WorkspaceId,
};
use waypost_storage::{Error, Facet, Feed, codec, page_limit};

use crate::{
    ask::Ask,
    database::Database,
    fault::{Tried, corrupt},
    limits,
};

/// `text` as a `text` column takes it: PostgreSQL's texts can't hold U+0000.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}").into() } else { text.into() }
}

/// An id or a limit as a `bigint`; what is beyond is as good as the greatest.
pub(crate) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The link of a row `id, data`.
pub(crate) fn link(row: &Row) -> Result<Link, Error> {
    let id = row.get::<_, i64>(0);
    let link = codec::read_link(LinkId(id as u64), row.get(1));
    link.ok_or_else(|| corrupt("links", format_args!("link {id}")))
}

/// The record of a row `noun, id, data`.
pub(crate) fn record(row: &Row) -> Result<Record, Error> {
    let (number, id) = (row.get::<_, i16>(0), row.get::<_, i64>(1));
    let noun = u8::try_from(number).ok().and_then(codec::read_noun);
    let record = noun.and_then(|noun| codec::read_record(noun, id as u64, row.get(2)));
    record.ok_or_else(|| corrupt("records", format_args!("{number} {id}")))
}

/// The record of a row `noun, id, data, touched`.
pub(crate) fn touched(row: &Row) -> Result<Record, Error> {
    let mut record = record(row)?;
    if let Record::Key(key) = &mut record {
        key.last_used_at = key.last_used_at.max(row.get::<_, Option<i64>>(3).map(Timestamp));
    }
    Ok(record)
}

/// The answer of a row `scope, data`.
pub(crate) fn remembered(row: &Row) -> Result<Remembered, Error> {
    let scope = <[u8; 32]>::try_from(row.get::<_, &[u8]>(0)).ok();
    let answer = scope.and_then(|scope| codec::read_remembered(scope, row.get(1)));
    answer.ok_or_else(|| corrupt("remembered", "an answer"))
}

pub(crate) fn link_of(client: &mut Client, id: LinkId) -> Tried<Option<Link>> {
    let sql = "SELECT id, data FROM waypost.links WHERE id = $1";
    let row = client.ask_opt(sql, &[&(id.0 as i64)])?;
    Ok(row.map(|row| link(&row)).transpose()?)
}

pub(crate) fn link_count(client: &mut Client, workspace: Option<WorkspaceId>) -> Tried<u64> {
    let row = match workspace {
        None => client.ask_one("SELECT count(*) FROM waypost.links", &[])?,
        Some(id) => {
            let sql = "SELECT count(*) FROM waypost.links WHERE workspace_id = $1";
            client.ask_one(sql, &[&(id.0 as i64)])?
        }
    };
    Ok(row.get::<_, i64>(0) as u64)
}

pub(crate) fn facets(
    client: &mut Client,
    workspace: WorkspaceId,
    attribute: &str,
    after: Option<&str>,
    limit: usize,
) -> Tried<Vec<Facet>> {
    let sql = "SELECT value, count(*) FROM waypost.link_attributes \
               WHERE workspace_id = $1 AND name = $2 AND ($3::text IS NULL OR value > $3) \
               GROUP BY value ORDER BY value LIMIT $4";
    let (attribute, after) = (text(attribute), after.map(text));
    let limit = page_limit(limit) as i64;
    let rows = client.ask(sql, &[&(workspace.0 as i64), &attribute, &after, &limit])?;
    let facet = |row: &Row| Facet { value: row.get(0), links: row.get::<_, i64>(1) as u64 };
    Ok(rows.iter().map(facet).collect())
}

pub(crate) fn holder(client: &mut Client, claim: &Claim) -> Tried<Option<u64>> {
    let Some(key) = codec::claim(claim) else { return Ok(None) };
    let row = client.ask_opt("SELECT holder FROM waypost.claims WHERE key = $1", &[&key])?;
    Ok(row.map(|row| row.get::<_, i64>(0) as u64))
}

/// The holders of these keys, in their order; what is no key has none. Each by itself: asked for any
/// of thousands at once, the planner may read the whole table.
pub(crate) fn holders(
    client: &mut impl GenericClient,
    keys: &[Option<Vec<u8>>],
) -> Tried<Vec<Option<u64>>> {
    let sql = "SELECT n, holder FROM unnest($1::bytea[]) WITH ORDINALITY AS keys (k, n) \
               CROSS JOIN LATERAL (SELECT holder FROM waypost.claims WHERE key = k LIMIT 1) AS own";
    let mut holders = vec![None; keys.len()];
    for row in client.ask(sql, &[&keys])? {
        holders[row.get::<_, i64>(0) as usize - 1] = Some(row.get::<_, i64>(1) as u64);
    }
    Ok(holders)
}

pub(crate) fn record_of(client: &mut Client, noun: Noun, id: u64) -> Tried<Option<Record>> {
    let sql = "SELECT noun, id, data, at FROM waypost.records \
               LEFT JOIN waypost.touched ON noun = 2 AND key_id = id \
               WHERE noun = $1 AND id = $2";
    let row = client.ask_opt(sql, &[&i16::from(codec::noun(noun)), &(id as i64)])?;
    Ok(row.map(|row| touched(&row)).transpose()?)
}

pub(crate) fn record_holding(
    client: &mut Client,
    noun: Noun,
    claim: &Claim,
) -> Tried<Option<Record>> {
    let Some(key) = codec::claim(claim) else { return Ok(None) };
    let sql = "SELECT noun, id, data, at \
               FROM waypost.claims JOIN waypost.records ON id = holder AND noun = $1 \
               LEFT JOIN waypost.touched ON noun = 2 AND key_id = id WHERE key = $2";
    let row = client.ask_opt(sql, &[&i16::from(codec::noun(noun)), &key])?;
    Ok(row.map(|row| touched(&row)).transpose()?)
}

pub(crate) fn remembered_of(client: &mut Client, scope: &[u8; 32]) -> Tried<Option<Remembered>> {
    let sql = "SELECT scope, data FROM waypost.remembered WHERE scope = $1";
    let row = client.ask_opt(sql, &[&&scope[..]])?;
    Ok(row.map(|row| remembered(&row)).transpose()?)
}

/// Keys in order, so that two nodes that touch the same never wait for each other in a ring.
pub(crate) fn touch(client: &mut Client, keys: &[(KeyId, Timestamp)]) -> Tried<()> {
    let mut keys: Vec<_> = keys.iter().map(|(id, at)| (id.0 as i64, at.0)).collect();
    keys.sort_unstable();
    let (ids, times): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let sql = "INSERT INTO waypost.touched (key_id, at) \
               SELECT id, max(used) FROM unnest($1::bigint[], $2::bigint[]) AS t (id, used) \
               JOIN waypost.records USING (id) WHERE noun = 2 GROUP BY id ORDER BY id \
               ON CONFLICT (key_id) DO UPDATE SET at = greatest(touched.at, EXCLUDED.at)";
    client.tell(sql, &[&ids, &times])?;
    Ok(())
}

pub(crate) fn head(client: &mut Client) -> Tried<Revision> {
    let row = client.ask_one("SELECT head FROM waypost.state", &[])?;
    Ok(Revision(row.get::<_, i64>(0) as u64))
}

/// The entries after `after`, at most `limit`, fewer where they are large.
pub(crate) fn replay(client: &mut Client, after: Revision, limit: usize) -> Tried<Vec<Feed>> {
    let sql = "WITH few AS (SELECT revision, entry FROM waypost.feed WHERE revision > $1 \
                   ORDER BY revision LIMIT $2), \
               sized AS (SELECT revision, entry, sum(length(entry)) OVER (ORDER BY revision) \
                   - length(entry) AS ahead FROM few) \
               SELECT trimmed, revision, entry FROM waypost.state \
               LEFT JOIN sized ON ahead <= $3 ORDER BY revision";
    let (after, limit) = (bigint(after.0), page_limit(limit) as i64);
    let rows = client.ask(sql, &[&after, &limit, &(limits::PAGE_BYTES as i64)])?;
    let mut feeds = Vec::new();
    for row in &rows {
        let trimmed = row.get::<_, i64>(0);
        if after < trimmed {
            return Err(Error::Gone { oldest: trimmed as u64 }.into());
        }
        let Some(revision) = row.get::<_, Option<i64>>(1) else { break };
        let entry = codec::Entry::read(row.get(2))
            .ok_or_else(|| corrupt("feed", format_args!("revision {revision}")))?;
        feeds.push(Feed { revision: Revision(revision as u64), changes: entry.changes });
    }
    Ok(feeds)
}

/// Forgets entries from before `before`, and answers that have expired at `now`; so many a
/// transaction, since it keeps commits waiting.
pub(crate) fn forget(database: &Database, before: Timestamp, now: Timestamp) -> Result<u64, Error> {
    let mut gone = 0;
    loop {
        let few = database.write(|txn| forget_few(txn, before))?;
        gone += few;
        if few < limits::FORGET as u64 {
            break;
        }
    }
    let sql = "DELETE FROM waypost.remembered WHERE expires_at <= $1";
    Ok(gone + database.write(|txn| Ok(txn.tell(sql, &[&now.0])?))?)
}

fn forget_few(txn: &mut postgres::Transaction<'_>, before: Timestamp) -> Tried<u64> {
    let state = txn.ask_one("SELECT head, trimmed FROM waypost.state FOR UPDATE", &[])?;
    let most = state.get::<_, i64>(0).min(state.get::<_, i64>(1) + limits::FORGET);
    let sql = "SELECT min(revision) FROM waypost.feed WHERE at >= $1 AND revision <= $2";
    let kept: Option<i64> = txn.ask_one(sql, &[&before.0, &most])?.get(0);
    let last = kept.map_or(most, |kept| kept - 1);
    let gone = txn.tell("DELETE FROM waypost.feed WHERE revision <= $1", &[&last])?;
    if gone > 0 {
        txn.tell("UPDATE waypost.state SET trimmed = $1", &[&last])?;
    }
    Ok(gone)
}
