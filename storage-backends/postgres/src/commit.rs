//! A commit: one transaction that takes the row of `state` first.
//!
//! That row's lock is what puts commits in an order: who holds it gives the next revision and the
//! next ids, and nobody can give a later one before it is committed or rolled back. So a reader
//! who sees revision n sees all before it, and a failed commit leaves no gap.

use postgres::{Client, Transaction};
use waypost_link::{Change, Flags, Link, Noun, Revision, Timestamp};
use waypost_storage::{Committed, Error, Result, codec, limits::CHANGES};

use crate::{
    ask::{Ask, Value},
    database::{Database, Outcome},
    fault::Tried,
    plan::{Plan, Stored},
    read,
};

/// The channel that carries each new head.
pub(crate) const CHANNEL: &str = "waypost";

/// Does all of `changes`, or none.
pub(crate) fn commit(database: &Database, changes: &[Change], now: Timestamp) -> Result<Committed> {
    if changes.len() > CHANGES {
        return Err(Error::Full(format!("a commit has at most {CHANGES} changes")));
    }
    let outcome = database.with(|client| attempt(client, changes, now))?;
    database.settle(outcome)
}

fn attempt(client: &mut Client, changes: &[Change], now: Timestamp) -> Tried<Outcome<Committed>> {
    let mut txn = client.transaction()?;
    let row = txn.ask_one(
        "SELECT head, last_ids, pg_current_xact_id()::text FROM waypost.state FOR UPDATE",
        &[],
    )?;
    let (head, xid) = (row.get::<_, i64>(0), row.get(2));
    let stored = read_stored(&mut txn, row.get(1), changes)?;
    let plan = Plan::of(stored, changes, now)?;
    let head = if plan.followed > 0 { head + 1 } else { head };
    write(&mut txn, &plan, head, now)?;
    let committed = Committed { revision: Revision(head as u64), ids: plan.ids };
    Ok(Outcome::of(txn, xid, committed))
}

/// What is stored of all that `changes` touch.
fn read_stored(txn: &mut Transaction<'_>, last_ids: Vec<i64>, changes: &[Change]) -> Tried<Stored> {
    let mut stored = Stored { last_ids, ..Stored::default() };
    let (mut links, mut records, mut claims, mut scopes) = (vec![], vec![], vec![], vec![]);
    for change in changes {
        match change {
            Change::CreateLink(link) => claims.extend(codec::claim(&link.claim())),
            Change::UpdateLink { link, .. } => {
                links.push(link.id.0 as i64);
                claims.extend(codec::claim(&link.claim()));
            }
            Change::DeleteLink { id, .. } => links.push(id.0 as i64),
            Change::PutRecord(record) => {
                records.push((record.noun(), record.id()));
                claims.extend(record.claims().iter().filter_map(codec::claim));
            }
            Change::DeleteRecord { noun, id } => records.push((*noun, *id)),
            Change::Remember(answer) => scopes.push(answer.scope.to_vec()),
        }
    }
    if !links.is_empty() {
        let sql = "SELECT id, data FROM waypost.links WHERE id = ANY($1)";
        for row in txn.ask(sql, &[&links])? {
            let link = read::link(&row)?;
            stored.links.insert(link.id.0, link);
        }
    }
    read_records(txn, &records, &mut stored)?;
    if !claims.is_empty() {
        let keys: Vec<_> = claims.into_iter().map(Some).collect();
        let holders = read::holders(txn, &keys)?;
        let held = keys.into_iter().flatten().zip(holders);
        stored.claims.extend(held.filter_map(|(key, holder)| Some((key, holder?))));
    }
    if !scopes.is_empty() {
        let sql = "SELECT scope, data FROM waypost.remembered WHERE scope = ANY($1)";
        for row in txn.ask(sql, &[&scopes])? {
            let answer = read::remembered(&row)?;
            stored.remembered.insert(answer.scope, answer);
        }
    }
    Ok(stored)
}

fn read_records(
    txn: &mut Transaction<'_>,
    records: &[(Noun, u64)],
    stored: &mut Stored,
) -> Tried<()> {
    let (nouns, ids): (Vec<_>, Vec<_>) = records
        .iter()
        .filter(|(_, id)| *id != 0)
        .map(|&(noun, id)| (i16::from(codec::noun(noun)), id as i64))
        .unzip();
    if nouns.is_empty() {
        return Ok(());
    }
    let sql = "SELECT noun, id, data FROM waypost.records \
               JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (noun, id) USING (noun, id)";
    for row in txn.ask(sql, &[&nouns, &ids])? {
        let record = read::record(&row)?;
        stored.records.insert((record.noun(), record.id()), record);
    }
    Ok(())
}

/// Writes the rows of a plan: links, records, claims, answers.
pub(crate) fn write_rows(txn: &mut Transaction<'_>, plan: &Plan) -> Tried<()> {
    write_links(txn, plan)?;
    write_records(txn, plan)?;
    write_claims(txn, plan)?;
    for answer in &plan.remember {
        let mut data = Vec::new();
        codec::remembered(&mut data, answer, &answer.ids);
        let sql = "INSERT INTO waypost.remembered (scope, expires_at, data) VALUES ($1, $2, $3) \
                   ON CONFLICT (scope) DO UPDATE \
                   SET expires_at = EXCLUDED.expires_at, data = EXCLUDED.data";
        txn.tell(sql, &[&&answer.scope[..], &answer.expires_at.0, &data])?;
    }
    Ok(())
}

fn write(txn: &mut Transaction<'_>, plan: &Plan, head: i64, now: Timestamp) -> Tried<()> {
    write_rows(txn, plan)?;
    if plan.followed > 0 {
        let mut entry = Vec::with_capacity(16 + plan.entry.len());
        codec::header(&mut entry, codec::Header { at: now, changes: plan.followed });
        entry.extend_from_slice(&plan.entry);
        let sql = "INSERT INTO waypost.feed (revision, at, entry) VALUES ($1, $2, $3)";
        txn.tell(sql, &[&head, &now.0, &entry])?;
        txn.tell("SELECT pg_notify($1, $2)", &[&CHANNEL, &head.to_string()])?;
    }
    let sql = "UPDATE waypost.state SET head = $1, last_ids = $2";
    txn.tell(sql, &[&head, &plan.stored.last_ids])?;
    Ok(())
}

fn write_links(txn: &mut Transaction<'_>, plan: &Plan) -> Tried<()> {
    if plan.links.is_empty() {
        return Ok(());
    }
    let older: Vec<i64> = plan.links.range(..=plan.last).map(|id| *id as i64).collect();
    if !older.is_empty() {
        txn.tell("DELETE FROM waypost.link_attributes WHERE link_id = ANY($1)", &[&older])?;
    }
    let gone: Vec<i64> = plan
        .links
        .iter()
        .filter(|id| !plan.stored.links.contains_key(id))
        .map(|id| *id as i64)
        .collect();
    if !gone.is_empty() {
        txn.tell("DELETE FROM waypost.links WHERE id = ANY($1)", &[&gone])?;
    }
    let there: Vec<&Link> = plan.links.iter().filter_map(|id| plan.stored.links.get(id)).collect();
    put_links(txn, &there)?;
    put_attributes(txn, &there)
}

fn put_links(txn: &mut Transaction<'_>, links: &[&Link]) -> Tried<()> {
    let column =
        |number: fn(&Link) -> i64| links.iter().map(|link| number(link)).collect::<Vec<_>>();
    let (ids, workspaces) = (column(|l| l.id.0 as i64), column(|l| l.workspace.0 as i64));
    let (domains, created) = (column(|l| l.domain.0 as i64), column(|l| l.created_at.0));
    let versions = column(|l| l.version as i64);
    let codes: Vec<_> = links.iter().map(|link| read::text(link.slug.as_str())).collect();
    let targets: Vec<_> = links.iter().map(|link| read::text(link.destination.as_str())).collect();
    let collections: Vec<Option<i64>> =
        links.iter().map(|link| link.collection.map(|id| id.0 as i64)).collect();
    let active: Vec<_> = links.iter().map(|link| link.flags.has(Flags::ACTIVE)).collect();
    let archived: Vec<_> = links.iter().map(|link| link.archived_at.is_some()).collect();
    let descriptions: Vec<_> =
        links.iter().map(|link| link.description.as_deref().map(read::text)).collect();
    let data: Vec<_> = links.iter().map(|link| codec::link_bytes(link, link.version)).collect();
    let sql = "INSERT INTO waypost.links (id, workspace_id, domain_id, code, destination, \
                   collection_id, active, archived, created_at, version, data, description) \
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], \
                   $5::text[], $6::bigint[], $7::boolean[], $8::boolean[], $9::bigint[], \
                   $10::bigint[], $11::bytea[], $12::text[]) \
               ON CONFLICT (id) DO UPDATE SET (workspace_id, domain_id, code, destination, \
                   collection_id, active, archived, created_at, version, data, description) = \
                   (EXCLUDED.workspace_id, EXCLUDED.domain_id, EXCLUDED.code, \
                   EXCLUDED.destination, EXCLUDED.collection_id, EXCLUDED.active, \
                   EXCLUDED.archived, EXCLUDED.created_at, EXCLUDED.version, EXCLUDED.data, \
                   EXCLUDED.description)";
    let columns: [&dyn Value; 12] = [
        &ids,
        &workspaces,
        &domains,
        &codes,
        &targets,
        &collections,
        &active,
        &archived,
        &created,
        &versions,
        &data,
        &descriptions,
    ];
    txn.tell(sql, &columns)?;
    Ok(())
}

fn put_attributes(txn: &mut Transaction<'_>, links: &[&Link]) -> Tried<()> {
    let (mut owners, mut names, mut values, mut ids) = (vec![], vec![], vec![], vec![]);
    for link in links {
        for (name, value) in link.attributes.iter() {
            owners.push(link.workspace.0 as i64);
            names.push(read::text(name));
            values.push(read::text(value));
            ids.push(link.id.0 as i64);
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO waypost.link_attributes (workspace_id, name, value, link_id) \
               SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])";
    txn.tell(sql, &[&owners, &names, &values, &ids])?;
    Ok(())
}

fn write_records(txn: &mut Transaction<'_>, plan: &Plan) -> Tried<()> {
    if plan.records.is_empty() {
        return Ok(());
    }
    let key = |&(noun, id): &(Noun, u64)| (i16::from(codec::noun(noun)), id as i64);
    let (nouns, ids): (Vec<_>, Vec<_>) = plan.records.iter().map(key).unzip();
    let sql = "DELETE FROM waypost.records USING unnest($1::smallint[], $2::bigint[]) AS d (n, i) \
               WHERE noun = n AND id = i";
    txn.tell(sql, &[&nouns, &ids])?;
    let keys: Vec<_> = plan.records.iter().filter(|(noun, _)| *noun == Noun::Key).collect();
    if !keys.is_empty() {
        let ids: Vec<_> = keys.iter().map(|(_, id)| *id as i64).collect();
        txn.tell("DELETE FROM waypost.touched WHERE key_id = ANY($1)", &[&ids])?;
    }
    let there: Vec<_> =
        plan.records.iter().filter_map(|key| plan.stored.records.get(key)).collect();
    let (nouns, ids): (Vec<_>, Vec<_>) =
        there.iter().map(|record| key(&(record.noun(), record.id()))).unzip();
    let owners: Vec<_> =
        there.iter().map(|record| record.workspace().map(|id| id.0 as i64)).collect();
    let data: Vec<_> = there.iter().map(|record| codec::record_bytes(record)).collect();
    let sql = "INSERT INTO waypost.records (noun, id, workspace_id, data) \
               SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[])";
    txn.tell(sql, &[&nouns, &ids, &owners, &data])?;
    Ok(())
}

fn write_claims(txn: &mut Transaction<'_>, plan: &Plan) -> Tried<()> {
    let (mut gone, mut keys, mut holders) = (vec![], vec![], vec![]);
    for key in &plan.claims {
        match plan.stored.claims.get(key) {
            None => gone.push(key),
            Some(holder) => {
                keys.push(key);
                holders.push(*holder as i64);
            }
        }
    }
    if !gone.is_empty() {
        txn.tell("DELETE FROM waypost.claims WHERE key = ANY($1)", &[&gone])?;
    }
    if !keys.is_empty() {
        let sql = "INSERT INTO waypost.claims (key, holder) \
                   SELECT * FROM unnest($1::bytea[], $2::bigint[]) \
                   ON CONFLICT (key) DO UPDATE SET holder = EXCLUDED.holder";
        txn.tell(sql, &[&keys, &holders])?;
    }
    Ok(())
}
