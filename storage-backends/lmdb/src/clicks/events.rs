//! Events: reported clicks and conversions, durable before they are answered.
//!
//! All of a call is one commit: the event's row and the rows it is found by, its dedupe key, and
//! what it adds to buckets and totals. So nothing of it waits in memory, and the next read has it.

use std::{collections::BTreeMap, sync::Arc};

use heed::{RoTxn, RwTxn, types::Bytes};
use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};
use waypost_storage::{
    AgentDetails, Conversion, Counts, Event, Hit, NewClick, Recorded, Result, StoredClick,
};

use super::{
    Clicks,
    bucket::Bucket,
    bytes::{Reader, put, put_text, seal, senseless, unseal},
    dictionary::Class,
    generation::Place,
    limits,
    raw::{self, Found, Position, Source, Wanted},
    rollup, search,
    stored::{self, Click, Row},
    tables::{self, ClickTable, Key, Parts},
};
use crate::fault::Tried;

const VERSION: u8 = 1;
const TABLE: &str = "events";

/// What is known of an event before it is written.
#[derive(Clone, Copy, Default)]
struct Known {
    /// A click's user agent.
    class: Class,
    /// Whether a conversion's click is in memory.
    in_memory: bool,
}

/// Stores events, each once.
pub(super) fn record(clicks: &Clicks, events: &[Event]) -> Result<Vec<Recorded>> {
    let known = {
        let mut state = clicks.state.lock();
        let state = &mut *state;
        let frozen = state.frozen.as_deref();
        let generations: Vec<_> = frozen.into_iter().chain([&state.open]).collect();
        let know = |event: &Event| match event {
            Event::Click(click) => {
                let details = state.agents.details(click.user_agent.as_bytes());
                Known { class: Class::of(details), in_memory: false }
            }
            Event::Conversion(conversion) => Known {
                class: Class::default(),
                in_memory: raw::memory_click(&generations, conversion.click).is_some(),
            },
        };
        events.iter().map(know).collect::<Vec<_>>()
    };
    // What was in memory is in memory still, or in the store by the time the job runs.
    let events: Arc<[Event]> = events.into();
    clicks.write(move |tables, txn| {
        let mut recording = Recording { tables, txn, added: BTreeMap::new() };
        let recorded: Tried<Vec<_>> = events
            .iter()
            .zip(&known)
            .map(|(event, known)| match event {
                Event::Click(click) => recording.click(click, known.class),
                Event::Conversion(conversion) => recording.conversion(conversion, known.in_memory),
            })
            .collect();
        let recorded = recorded?;
        recording.count()?;
        let received = events.iter().filter_map(|event| match event {
            Event::Click(click) => Some(click.id.received.hour()),
            Event::Conversion(_) => None,
        });
        if let Some(hour) = received.min() {
            rollup::roll(tables, txn, hour, limits::ROLL_EVENTS)?;
        }
        Ok(recorded)
    })
}

struct Recording<'r, 'x> {
    tables: &'r Click,
    txn: &'r mut RwTxn<'x>,
    /// What the buckets and totals of each place have to be raised by.
    added: BTreeMap<Place, (Counts, Row)>,
}

impl Recording<'_, '_> {
    fn click(&mut self, click: &NewClick, class: Class) -> Tried<Recorded> {
        let id = click.id;
        if self.is_purged(id.link)? {
            return Ok(Recorded::Unknown);
        }
        if let Some(hash) = &click.dedupe {
            if let Some(first) = first_of(self.tables, self.txn, hash)? {
                return Ok(Recorded::Duplicate(first));
            }
            put_hash(self.tables, self.txn, hash, id)?;
        }
        put_click(self.tables, self.txn, click, class)?;
        let (at, workspace) = (click.clicked_at, click.workspace.0);
        let (browser, os, device) = raw::names(class);
        let agent = AgentDetails { browser, os, device, bot: class.is_bot() };
        self.add_click(workspace, at, &Hit::of_click(click, agent));
        Ok(Recorded::Stored(id))
    }

    fn conversion(&mut self, conversion: &Conversion, in_memory: bool) -> Tried<Recorded> {
        let id = conversion.click;
        if self.is_purged(id.link)?
            || !in_memory && search::stored_click(self.tables, self.txn, id)?.is_none()
        {
            return Ok(Recorded::Unknown);
        }
        let key = tables::conversion(id);
        if self.tables.at(ClickTable::Conversions).get(self.txn, &key)?.is_some() {
            return Ok(Recorded::Duplicate(id));
        }
        put_conversion(self.tables, self.txn, id, conversion.at, conversion.value.as_deref())?;
        let (workspace, hour) = (conversion.workspace.0, conversion.at.hour());
        for link in [id.link.0, 0] {
            let (counts, row) = self.of(Place { hour, workspace, link });
            counts.conversions += 1;
            row.conversions += 1;
        }
        Ok(Recorded::Stored(id))
    }

    fn add_click(&mut self, workspace: u64, at: Timestamp, hit: &Hit<'_>) {
        for link in [hit.link.0, 0] {
            let (counts, row) = self.of(Place { hour: at.hour(), workspace, link });
            counts.add(hit, link == 0);
            row.clicks += 1;
            row.bots += u64::from(hit.agent.bot);
            (row.first, row.last) = (row.first.min(at.0), row.last.max(at.0));
        }
    }

    fn of(&mut self, place: Place) -> &mut (Counts, Row) {
        let row = Row { low: place.hour, high: place.hour, ..Row::new(place.workspace) };
        self.added.entry(place).or_insert((Counts::default(), row))
    }

    /// Raises buckets and totals, in key order.
    fn count(&mut self) -> Tried<()> {
        let rolled = stored::rolled(self.tables, self.txn)?;
        for (place, (counts, row)) in std::mem::take(&mut self.added) {
            let more = Bucket { counts, runs: Vec::new() };
            rollup::add(self.tables, self.txn, rolled, place, &more)?;
            let owner = match place.link {
                0 => tables::workspace_row(place.workspace),
                link => link,
            };
            stored::add_totals(self.tables, self.txn, owner, &row)?;
        }
        Ok(())
    }

    fn is_purged(&self, link: LinkId) -> Tried<bool> {
        let purged = self.tables.at(ClickTable::Purged).get(self.txn, &link.0.to_be_bytes())?;
        Ok(purged.is_some())
    }
}

/// Writes a reported click and the rows it is found by.
pub(super) fn put_click(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    click: &NewClick,
    class: Class,
) -> Tried<()> {
    let (id, at, workspace) = (click.id, click.clicked_at, click.workspace.0);
    let mut same = 0;
    while tables.at(ClickTable::Receipts).get(txn, &tables::receipt(id, same))?.is_some() {
        same += 1;
    }
    let key = tables::event(id, at, same);
    tables.at(ClickTable::Events).put(txn, &key, &encode(click, class), false)?;
    let key = tables::event_of_workspace(workspace, id, at, same);
    tables.at(ClickTable::Workspaces).put(txn, &key, &[], false)?;
    let mut clicked = at.0.to_le_bytes().to_vec();
    put(&mut clicked, workspace);
    seal(&mut clicked);
    tables.at(ClickTable::Receipts).put(txn, &tables::receipt(id, same), &clicked, false)
}

/// Writes a dedupe key of a click.
pub(super) fn put_hash(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    hash: &[u8; 32],
    id: ClickId,
) -> Tried<()> {
    let mut value = tables::receipt(id, 0).to_vec();
    seal(&mut value);
    tables.at(ClickTable::Dedupe).put(txn, hash, &value, false)?;
    let key = [&id.link.0.to_be_bytes()[..], hash].concat();
    tables.at(ClickTable::Hashes).put(txn, &key, &[], false)
}

/// Writes what a click converted to.
pub(super) fn put_conversion(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    id: ClickId,
    at: Timestamp,
    worth: Option<&str>,
) -> Tried<()> {
    let mut value = vec![VERSION];
    value.extend_from_slice(&at.0.to_le_bytes());
    put_optional(&mut value, worth);
    seal(&mut value);
    tables.at(ClickTable::Conversions).put(txn, &tables::conversion(id), &value, false)
}

/// What [`put_conversion`] wrote: when, and what it was worth.
pub(super) fn read_conversion(value: &[u8]) -> Tried<(Timestamp, Option<String>)> {
    let mut reader = unseal("conversions", value)?;
    let mut read = || {
        (reader.byte()? == VERSION).then_some(())?;
        Some((Timestamp(reader.i64()?), optional(&mut reader)?.map(str::to_owned)))
    };
    read().ok_or_else(|| senseless("conversions"))
}

/// The click of a conversion's key.
pub(super) fn read_conversion_key(key: &[u8]) -> Option<ClickId> {
    let mut parts = Parts::of(key);
    let (link, received) = (LinkId(parts.id()?), Timestamp(parts.signed()?));
    Some(ClickId { received, link, salt: parts.small()? })
}

/// The click that a dedupe key belongs to.
pub(super) fn first_of(tables: &Click, txn: &RoTxn<'_>, hash: &[u8; 32]) -> Tried<Option<ClickId>> {
    let Some(value) = tables.at(ClickTable::Dedupe).get(txn, hash)? else { return Ok(None) };
    let key = unseal("dedupe", value)?.0;
    tables::read_receipt(key).map(|(id, _)| Some(id)).ok_or_else(|| senseless("dedupe"))
}

fn put_optional(out: &mut Vec<u8>, text: Option<&str>) {
    out.push(u8::from(text.is_some()));
    text.into_iter().for_each(|text| put_text(out, text));
}

fn optional<'v>(reader: &mut Reader<'v>) -> Option<Option<&'v str>> {
    match reader.byte()? {
        0 => Some(None),
        _ => reader.text().map(Some),
    }
}

fn encode(click: &NewClick, class: Class) -> Vec<u8> {
    let mut out = vec![VERSION];
    put(&mut out, click.workspace.0);
    put(&mut out, u64::from(class.0));
    out.extend_from_slice(&click.country.unwrap_or_default());
    for text in [&click.user_agent, &click.referrer, &click.language, &click.source] {
        put_text(&mut out, text);
    }
    for text in [&click.ip, &click.session, &click.metadata] {
        put_optional(&mut out, text.as_deref());
    }
    seal(&mut out);
    out
}

/// The event at `position`.
pub(super) fn decode(position: Position, value: &[u8]) -> Tried<StoredClick> {
    let mut reader = unseal(TABLE, value)?;
    read(position, &mut reader).ok_or_else(|| senseless(TABLE))
}

fn read(position: Position, reader: &mut Reader<'_>) -> Option<StoredClick> {
    (reader.byte()? == VERSION).then_some(())?;
    let workspace = WorkspaceId(reader.number()?);
    let class = Class(u16::try_from(reader.number()?).ok()?);
    let country = reader.array()?;
    let mut text = || reader.text().map(str::to_owned);
    let [user_agent, referrer, language, source] = [text()?, text()?, text()?, text()?];
    let mut text = || Some(optional(reader)?.map(str::to_owned));
    let [ip, session, metadata] = [text()?, text()?, text()?];
    let (browser, os, device) = raw::names(class);
    reader.is_empty().then_some(StoredClick {
        id: position.id(),
        workspace,
        clicked_at: Timestamp(position.clicked),
        ip,
        country: (country != [0; 2]).then_some(country),
        user_agent,
        browser,
        os,
        device,
        bot: class.is_bot(),
        referrer,
        language,
        session,
        source,
        metadata,
        rule: String::new(),
    })
}

/// Rows of a table, in either order.
type Rows<'x> = Box<dyn Iterator<Item = heed::Result<(&'x [u8], &'x [u8])>> + 'x>;

/// The wanted owner's events that were clicked between two times, in order.
pub(super) fn between<'t, 'x: 't>(
    tables: &'t Click,
    txn: &'x RoTxn<'x>,
    wanted: &Wanted,
    first: i64,
    last: i64,
) -> Tried<Box<dyn Iterator<Item = Tried<Found<Source<'x>>>> + 't>> {
    let owner = if wanted.link == 0 { wanted.workspace } else { wanted.link };
    let from = Key::new().id(owner).signed(first);
    let to = Key::new().id(owner).signed(last).id(u64::MAX).id(u64::MAX).id(u64::MAX);
    let table = if wanted.link == 0 { ClickTable::Workspaces } else { ClickTable::Events };
    let rows = range(tables.at(table).scan(), txn, (&from, &to), wanted.descending)?;
    let of_workspace = wanted.link == 0;
    Ok(Box::new(rows.map(move |row| {
        let (key, value) = row?;
        if !of_workspace {
            let (_, position, same) = read_key(key, false).ok_or_else(|| senseless(TABLE))?;
            return Ok(Found { position, rank: u64::from(same), source: Source::Event(value) });
        }
        let (_, position, same) = read_key(key, true).ok_or_else(|| senseless("workspaces"))?;
        event_at(tables, txn, position, same)?.ok_or_else(|| senseless("workspaces"))
    })))
}

fn range<'x>(
    table: heed::Database<'static, Bytes, Bytes>,
    txn: &'x RoTxn<'x>,
    (from, to): (&[u8], &[u8]),
    descending: bool,
) -> Tried<Rows<'x>> {
    if from > to {
        return Ok(Box::new(std::iter::empty()));
    }
    Ok(if descending {
        Box::new(table.rev_range(txn, &tables::span(from, to))?)
    } else {
        Box::new(table.range(txn, &tables::span(from, to))?)
    })
}

fn event_at<'x>(
    tables: &Click,
    txn: &'x RoTxn<'_>,
    position: Position,
    same: u32,
) -> Tried<Option<Found<Source<'x>>>> {
    let key = tables::event(position.id(), Timestamp(position.clicked), same);
    let value = tables.at(ClickTable::Events).get(txn, &key)?;
    Ok(value.map(|value| Found { position, rank: u64::from(same), source: Source::Event(value) }))
}

/// Workspace (0 where the key has none), position and `same` of an event's key.
pub(super) fn read_key(key: &[u8], of_workspace: bool) -> Option<(u64, Position, u32)> {
    let mut parts = Parts::of(key);
    let first = parts.id()?;
    let (clicked, received) = (parts.signed()?, parts.signed()?);
    let (workspace, link) = if of_workspace { (first, parts.id()?) } else { (0, first) };
    let position = Position { clicked, received, link, salt: parts.small()? };
    Some((workspace, position, parts.small()?))
}

/// The event of this id, the first where there are several.
pub(super) fn by_id<'x>(
    tables: &Click,
    txn: &'x RoTxn<'_>,
    id: ClickId,
) -> Tried<Option<Found<Source<'x>>>> {
    let Some(value) = tables.at(ClickTable::Receipts).get(txn, &tables::receipt(id, 0))? else {
        return Ok(None);
    };
    let (clicked, _) = read_receipt_value(value)?;
    let position = Position { clicked, received: id.received.0, link: id.link.0, salt: id.salt };
    event_at(tables, txn, position, 0)
}

/// Time clicked and workspace.
fn read_receipt_value(value: &[u8]) -> Tried<(i64, u64)> {
    let mut reader = unseal("receipts", value)?;
    let mut read = || Some((reader.i64()?, reader.number()?));
    read().ok_or_else(|| senseless("receipts"))
}

/// Takes away the event of this receipt, and all that it is found by.
pub(super) fn remove(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    (id, same): (ClickId, u32),
    value: &[u8],
) -> Tried<()> {
    let (clicked, workspace) = read_receipt_value(value)?;
    remove_rows(tables, txn, (id, same), Timestamp(clicked), workspace)
}

/// The same by the event's own key.
pub(super) fn remove_by_key(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    key: &[u8],
    workspace: u64,
) -> Tried<()> {
    let (_, position, same) = read_key(key, false).ok_or_else(|| senseless(TABLE))?;
    let clicked = Timestamp(position.clicked);
    remove_rows(tables, txn, (position.id(), same), clicked, workspace)
}

fn remove_rows(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    (id, same): (ClickId, u32),
    clicked: Timestamp,
    workspace: u64,
) -> Tried<()> {
    tables.at(ClickTable::Events).delete(txn, &tables::event(id, clicked, same))?;
    let key = tables::event_of_workspace(workspace, id, clicked, same);
    tables.at(ClickTable::Workspaces).delete(txn, &key)?;
    tables.at(ClickTable::Receipts).delete(txn, &tables::receipt(id, same)).map(drop)
}

/// Takes away dedupe keys and conversions of a link, at most `budget` of each; whether all.
pub(super) fn forget_link(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    link: u64,
    budget: usize,
) -> Tried<bool> {
    let hashes = keys(tables, txn, ClickTable::Hashes, link, budget)?;
    for key in &hashes {
        tables.at(ClickTable::Dedupe).delete(txn, key.get(8..).unwrap_or_default())?;
        tables.at(ClickTable::Hashes).delete(txn, key)?;
    }
    let conversions = keys(tables, txn, ClickTable::Conversions, link, budget)?;
    for key in &conversions {
        tables.at(ClickTable::Conversions).delete(txn, key)?;
    }
    Ok(hashes.len() < budget && conversions.len() < budget)
}

/// Keys of `table` that begin with this link, at most `budget`.
pub(super) fn keys(
    tables: &Click,
    txn: &RoTxn<'_>,
    table: ClickTable,
    link: u64,
    budget: usize,
) -> Tried<Vec<Vec<u8>>> {
    let rows = tables.at(table).scan().prefix_iter(txn, &link.to_be_bytes())?;
    Ok(rows
        .take(budget)
        .map(|row| row.map(|(key, _)| key.to_vec()))
        .collect::<heed::Result<_>>()?)
}
