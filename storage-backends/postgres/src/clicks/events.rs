//! Reported clicks and conversions: each once, in one transaction, seen by the next read.
//!
//! What is known of them is read first, and each event then sees those before it. Another node
//! may store the same dedupe key meanwhile: the row's key finds out, and everything is done anew.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use postgres::Transaction;
use waypost_link::{ClickId, LinkId, Timestamp};
use waypost_storage::{Conversion, Error, Event, Hit, NewClick, Recorded, Result};

use super::{
    copy::{self, Raw},
    flush::{agent, purged_of},
    fold::Folded,
    partitions::Partitions,
    rollups, slot,
};
use crate::{
    ask::Ask,
    database::{Database, Outcome},
    fault::Tried,
    limits,
    read::text,
};

/// Stores `events`.
pub(super) fn record(
    database: &Database,
    partitions: &Partitions,
    events: &[Event],
) -> Result<Vec<Recorded>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let clicks = events.iter().filter_map(|event| match event {
        Event::Click(click) => Some(click.id.received.day()),
        Event::Conversion(_) => None,
    });
    partitions.make(database, &clicks.collect())?;
    for _ in 0..limits::TRIES {
        if let Some(outcome) = attempt(database, events)? {
            return database.settle(outcome);
        }
    }
    Err(Error::Unavailable("the same events are being stored elsewhere".into()))
}

/// Whether the database has all clicks that `events` convert.
pub(super) fn has_clicks_of(database: &Database, events: &[Event]) -> Result<bool> {
    let ids = events.iter().filter_map(|event| match event {
        Event::Click(_) => None,
        Event::Conversion(conversion) => Some(conversion.click),
    });
    let ids: BTreeSet<_> = ids.collect();
    let listed: Vec<_> = ids.iter().copied().collect();
    database.with(|client| Ok(find(&mut client.transaction()?, CLICK, &listed)? == ids))
}

/// One try; `None` where another node was faster with one of them.
fn attempt(database: &Database, events: &[Event]) -> Result<Option<Outcome<Vec<Recorded>>>> {
    database.with(|client| {
        let mut txn = client.transaction()?;
        let Some(recorded) = put(&mut txn, events)? else { return Ok(None) };
        let xid = txn.ask_one("SELECT pg_current_xact_id()::text", &[])?.get(0);
        Ok(Some(Outcome::of(txn, xid, recorded)))
    })
}

/// Stores `events` in this transaction; `None` where another node was faster with one of them, and
/// the transaction is to be given up.
pub(super) fn put(txn: &mut Transaction<'_>, events: &[Event]) -> Tried<Option<Vec<Recorded>>> {
    let slot = slot::take(txn, 0)?;
    let mut known = Known::read(txn, events)?;
    let recorded = events.iter().map(|event| known.take(event)).collect();
    copy::copy(txn, known.raw)?;
    rollups::add(txn, slot, &known.folded)?;
    let new = put_keys(txn, &known.keys)? && put_conversions(txn, &known.conversions)?;
    Ok(new.then_some(recorded))
}

/// What the database knows, and what the events before have added.
#[derive(Default)]
struct Known<'e> {
    purged: HashSet<LinkId>,
    dedupe: BTreeMap<[u8; 32], ClickId>,
    clicks: BTreeSet<ClickId>,
    converted: BTreeSet<ClickId>,
    raw: Vec<Raw<'e>>,
    folded: Folded,
    keys: Vec<([u8; 32], ClickId)>,
    conversions: Vec<&'e Conversion>,
}

impl<'e> Known<'e> {
    fn read(txn: &mut Transaction<'_>, events: &[Event]) -> Tried<Self> {
        let (mut links, mut keys, mut ids) = (BTreeSet::new(), Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Click(click) => {
                    links.insert(click.id.link);
                    keys.extend(click.dedupe.map(|key| key.to_vec()));
                }
                Event::Conversion(conversion) => ids.push(conversion.click),
            }
        }
        let mut known = Self { purged: purged_of(txn, links.into_iter())?, ..Self::default() };
        if !keys.is_empty() {
            let sql = "SELECT link_id, received, salt, key FROM waypost.dedupe \
                       WHERE key = ANY($1)";
            for row in txn.ask(sql, &[&keys])? {
                if let Ok(key) = row.get::<_, &[u8]>(3).try_into() {
                    known.dedupe.insert(key, id(&row));
                }
            }
        }
        if !ids.is_empty() {
            known.clicks = find(txn, CLICK, &ids)?;
            known.converted = find(txn, CONVERSION, &ids)?;
        }
        Ok(known)
    }

    fn take(&mut self, event: &'e Event) -> Recorded {
        match event {
            Event::Click(click) => self.click(click),
            Event::Conversion(conversion) => self.conversion(conversion),
        }
    }

    fn click(&mut self, click: &'e NewClick) -> Recorded {
        if self.purged.contains(&click.id.link) {
            return Recorded::Unknown;
        }
        if let Some(key) = click.dedupe {
            if let Some(&first) = self.dedupe.get(&key) {
                return Recorded::Duplicate(first);
            }
            self.dedupe.insert(key, click.id);
            self.keys.push((key, click.id));
        }
        let hit = Hit::of_click(click, agent(&click.user_agent));
        self.folded.click(click.workspace, click.clicked_at, &hit, false);
        self.raw.push(Raw::of_click(click, hit.agent.bot));
        self.clicks.insert(click.id);
        Recorded::Stored(click.id)
    }

    fn conversion(&mut self, conversion: &'e Conversion) -> Recorded {
        let id = conversion.click;
        if !self.clicks.contains(&id) {
            return Recorded::Unknown;
        }
        if !self.converted.insert(id) {
            return Recorded::Duplicate(id);
        }
        self.folded.conversion(id.link, conversion.workspace, conversion.at);
        self.conversions.push(conversion);
        Recorded::Stored(id)
    }
}

/// The id of a row `link_id, received, salt`.
pub(super) fn id(row: &postgres::Row) -> ClickId {
    let (link, salt) = (LinkId(row.get::<_, i64>(0) as u64), row.get::<_, i32>(2) as u32);
    ClickId { received: Timestamp(row.get(1)), link, salt }
}

/// Whether there is the click `l, r, s`. Most were clicked when they were received, and are found
/// by the index that pages go by; of the others there are few, and they have an index.
const CLICK: &str = "EXISTS (SELECT FROM waypost.clicks WHERE link_id = l AND clicked_at = r \
                         AND received = r AND salt = s AND received BETWEEN $4 AND $5) \
                     OR EXISTS (SELECT FROM waypost.clicks WHERE link_id = l AND received = r \
                         AND salt = s AND clicked_at <> received AND received BETWEEN $4 AND $5)";
/// Whether it has converted.
const CONVERSION: &str = "EXISTS (SELECT FROM waypost.conversions WHERE link_id = l \
                              AND received = r AND salt = s AND received BETWEEN $4 AND $5)";

/// Those of `ids` that are there.
fn find(txn: &mut Transaction<'_>, there: &str, ids: &[ClickId]) -> Tried<BTreeSet<ClickId>> {
    let (links, times, salts) = columns(ids.iter());
    let sql = format!(
        "SELECT l, r, s FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS few (l, r, s) \
         WHERE {there}",
    );
    let (from, to) = (times.iter().min().copied(), times.iter().max().copied());
    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
    let rows = txn.ask(&sql, &[&links, &times, &salts, &from, &to])?;
    Ok(rows.iter().map(id).collect())
}

fn columns<'i>(ids: impl Iterator<Item = &'i ClickId>) -> (Vec<i64>, Vec<i64>, Vec<i32>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for id in ids {
        columns.0.push(id.link.0 as i64);
        columns.1.push(id.received.0);
        columns.2.push(id.salt as i32);
    }
    columns
}

/// Whether none of the keys was there; in order, so that two nodes never wait in a ring.
pub(super) fn put_keys(txn: &mut Transaction<'_>, keys: &[([u8; 32], ClickId)]) -> Tried<bool> {
    if keys.is_empty() {
        return Ok(true);
    }
    let (links, times, salts) = columns(keys.iter().map(|(_, id)| id));
    let bytes: Vec<_> = keys.iter().map(|(key, _)| key.to_vec()).collect();
    let sql = "INSERT INTO waypost.dedupe (key, link_id, received, salt) \
               SELECT k, l, r, s \
               FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::integer[]) \
                   AS n (k, l, r, s) ORDER BY k ON CONFLICT DO NOTHING";
    Ok(txn.tell(sql, &[&bytes, &links, &times, &salts])? == keys.len() as u64)
}

/// Whether none of the clicks was converted.
pub(super) fn put_conversions(txn: &mut Transaction<'_>, all: &[&Conversion]) -> Tried<bool> {
    if all.is_empty() {
        return Ok(true);
    }
    let (links, times, salts) = columns(all.iter().map(|conversion| &conversion.click));
    let at: Vec<_> = all.iter().map(|conversion| conversion.at.0).collect();
    let values: Vec<_> =
        all.iter().map(|conversion| conversion.value.as_deref().map(text)).collect();
    let sql = "INSERT INTO waypost.conversions (link_id, received, salt, at, value) \
               SELECT l, r, s, a, v FROM unnest($1::bigint[], $2::bigint[], $3::integer[], \
                   $4::bigint[], $5::text[]) AS n (l, r, s, a, v) ORDER BY l, r, s \
               ON CONFLICT DO NOTHING";
    Ok(txn.tell(sql, &[&links, &times, &salts, &at, &values])? == all.len() as u64)
}
