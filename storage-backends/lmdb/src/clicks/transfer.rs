//! Clicks piece by piece.
//!
//! Hours that are not rolled up yet are pieces of their day and of all time too; what is restored
//! counts as rolled up. Raw clicks of redirects become blocks again, all others events; neither
//! is counted, since the buckets come by themselves.

use std::sync::Arc;

use heed::{RoRange, RwTxn, types::Bytes};
use waypost_agent::Cache;
use waypost_link::{LinkId, Timestamp, WorkspaceId};
use waypost_storage::{
    Address, Batch, BatchBuilder, Error, Grain, NewClick, Page, REDIRECT, Result, Row, Sink,
    StoredClick, Text,
    transfer::{Extra, Owner, Part, Piece},
};

use super::{
    Clicks,
    bucket::Bucket,
    bytes::{seal, senseless, unseal},
    dictionary::Class,
    events, flush,
    generation::{Generation, Place},
    purge,
    purged::Purged,
    rollup,
    stored::{self, Click, TRIMMED},
    tables::{self, ClickTable, Parts},
};
use crate::{
    fault::Tried,
    transfer::{misplaced, note_of},
};

/// Buckets read at once: large ones.
const BUCKETS: usize = 2_000;

type Pieces = Page<Piece, Vec<u8>>;
/// What a row's key and value come to.
type ToPieces<'p> = dyn Fn(&[u8], &[u8]) -> Tried<Vec<Piece>> + 'p;

impl Clicks {
    pub(crate) fn pieces(&self, part: Part, after: Option<&[u8]>, limit: usize) -> Result<Pieces> {
        self.flush()?;
        let after = after.unwrap_or_default();
        self.environment.read(|tables, txn| {
            let list = |table, limit, piece: &ToPieces<'_>| {
                list(tables.at(table).from(txn, after)?, after, limit, piece)
            };
            match part {
                Part::Purged => list(ClickTable::Purged, limit, &|key, _| purged(key)),
                Part::Buckets => {
                    let rolled = stored::rolled(tables, txn)?;
                    list(ClickTable::Buckets, limit.min(BUCKETS), &|key, value| {
                        buckets(rolled, key, value)
                    })
                }
                Part::Extras => list(ClickTable::Totals, limit, &|key, _| {
                    let owner = Parts::of(key).id().ok_or_else(|| senseless("totals"))?;
                    let row = stored::totals(tables, txn, owner)?;
                    Ok(row
                        .filter(|_| owner >> 63 == 0)
                        .map(|row| extra(owner, &row))
                        .into_iter()
                        .collect())
                }),
                Part::Dedupe => list(ClickTable::Dedupe, limit, &|key, _| {
                    let key = key.try_into().map_err(|_| senseless("dedupe"))?;
                    let first = events::first_of(tables, txn, &key)?;
                    Ok(first.map(|id| Piece::Dedupe(key, id)).into_iter().collect())
                }),
                Part::Conversions => list(ClickTable::Conversions, limit, &|key, value| {
                    let id = events::read_conversion_key(key);
                    let id = id.ok_or_else(|| senseless("conversions"))?;
                    let (at, worth) = events::read_conversion(value)?;
                    Ok(vec![Piece::Conversion(id, at, worth)])
                }),
                Part::Retention => {
                    let mark = stored::number(tables, txn, ClickTable::Meta, TRIMMED)?;
                    let time = mark.map(|mark| Timestamp((mark ^ (1 << 63)) as i64));
                    let items = time.map(Piece::Retention).into_iter().collect();
                    Ok(Page { items, next: None })
                }
                _ => Ok(Page { items: Vec::new(), next: None }),
            }
        })
    }

    pub(crate) fn restore(&self, part: Part, pieces: &[Piece], note: &[u8]) -> Result<()> {
        let raw = self.raw_of(pieces)?;
        let all: Arc<[Piece]> = pieces.into();
        let mut value = note.to_vec();
        seal(&mut value);
        self.write(move |tables, txn| {
            for piece in &*all {
                put(tables, txn, piece)?;
            }
            for (click, class) in &raw.events {
                events::put_click(tables, txn, click, *class)?;
            }
            if !raw.redirects.is_empty() {
                flush::write_raw(tables, txn, &raw.redirects)?;
            }
            tables.at(ClickTable::Meta).put(txn, note_of(part).as_bytes(), &value, false)
        })?;
        let mut state = self.state.lock();
        for piece in pieces {
            if let Piece::Purged(link) = piece {
                state.purged.insert(link.0);
            }
        }
        Ok(())
    }

    pub(crate) fn note(&self, part: Part) -> Result<Option<Vec<u8>>> {
        self.environment.read(|tables, txn| {
            let value = tables.at(ClickTable::Meta).get(txn, note_of(part).as_bytes())?;
            value.map(|value| unseal("meta", value).map(|note| note.0.to_vec())).transpose()
        })
    }

    pub(crate) fn forget_notes(&self) -> Result<()> {
        self.write(|tables, txn| {
            for part in Part::ALL {
                tables.at(ClickTable::Meta).delete(txn, note_of(part).as_bytes())?;
            }
            Ok(())
        })
    }

    /// The raw clicks of `pieces`, as they will be stored.
    fn raw_of(&self, pieces: &[Piece]) -> Result<Raw> {
        let mut raw = Raw::default();
        let mut state = self.state.lock();
        let state = &mut *state;
        let mut batches = Batches::default();
        for piece in pieces {
            let Piece::Click(click) = piece else { continue };
            match redirect_from(click) {
                Some(address) => batches.push(click, address)?,
                None => {
                    let details = state.agents.details(click.user_agent.as_bytes());
                    raw.events.push((reported(click), Class::of(details)));
                }
            }
        }
        batches.into_generation(&mut raw.redirects, &mut state.agents)?;
        if !raw.redirects.is_empty() {
            state.flush += 1;
            raw.redirects.number = state.flush;
        }
        Ok(raw)
    }
}

/// The pieces of the rows behind the key `after`, of at most `limit` rows or one more.
fn list(
    rows: RoRange<'_, Bytes, Bytes>,
    after: &[u8],
    limit: usize,
    piece: &ToPieces<'_>,
) -> Tried<Pieces> {
    let mut page = Page { items: Vec::new(), next: None };
    let mut last = None;
    for (at, row) in rows.enumerate() {
        let (key, value) = row?;
        if at > limit {
            page.next = last;
            break;
        }
        if key != after {
            page.items.extend(piece(key, value)?);
            last = Some(key.to_vec());
        }
    }
    Ok(page)
}

/// Raw clicks on their way.
#[derive(Default)]
struct Raw {
    redirects: Generation,
    events: Vec<(NewClick, Class)>,
}

/// Redirects by the batch, each of which has a bounded span of time.
#[derive(Default)]
struct Batches {
    builder: BatchBuilder,
    full: Vec<Batch>,
}

impl Batches {
    fn push(&mut self, click: &StoredClick, address: Address) -> Result<()> {
        if !self.try_push(click, address) {
            self.close()?;
            if !self.try_push(click, address) {
                return Err(Error::Corrupt(format!(
                    "a click of link {} fits nowhere",
                    click.id.link
                )));
            }
        }
        Ok(())
    }

    fn try_push(&mut self, click: &StoredClick, address: Address) -> bool {
        let builder = &mut self.builder;
        let mut text =
            |text: &str| Text { index: builder.text(text.as_bytes(), usize::MAX), text: "" };
        let (user_agent, referrer) = (text(&click.user_agent), text(&click.referrer));
        let (language, rule) = (text(&click.language), text(&click.rule));
        let StoredClick { id, workspace, country, .. } = *click;
        let (visitor, spent) = (0, false);
        self.builder.push(&Row {
            id,
            workspace,
            visitor,
            address,
            country,
            user_agent,
            referrer,
            language,
            rule,
            spent,
        })
    }

    fn close(&mut self) -> Result<()> {
        let mut bytes = Vec::new();
        self.builder.finish(&mut bytes);
        let batch = Batch::decode(bytes).map_err(|error| Error::Corrupt(error.to_string()))?;
        self.full.push(batch);
        Ok(())
    }

    fn into_generation(mut self, generation: &mut Generation, agents: &mut Cache) -> Result<()> {
        if !self.builder.is_empty() {
            self.close()?;
        }
        for batch in &self.full {
            let taken = generation.take(batch, &Purged::default(), agents);
            taken.map_err(|error| Error::Corrupt(error.to_string()))?;
        }
        generation.sort();
        Ok(())
    }
}

/// The address of a click that only a redirect makes; `None`: it is an event.
fn redirect_from(click: &StoredClick) -> Option<Address> {
    let plain = click.source == REDIRECT
        && click.clicked_at == click.id.received
        && click.session.is_none()
        && click.metadata.is_none();
    let address = match &click.ip {
        None => Some(Address::Nothing),
        Some(text) => match text.parse() {
            Ok(ip) => Some(Address::Ip(ip)),
            Err(_) => u64::from_str_radix(text, 16).ok().map(Address::Hash),
        },
    };
    address.filter(|address| plain && address.text() == click.ip)
}

fn reported(click: &StoredClick) -> NewClick {
    NewClick {
        id: click.id,
        workspace: click.workspace,
        clicked_at: click.clicked_at,
        ip: click.ip.clone(),
        country: click.country,
        user_agent: click.user_agent.clone(),
        referrer: click.referrer.clone(),
        language: click.language.clone(),
        session: click.session.clone(),
        visitor: 0,
        source: click.source.clone(),
        metadata: click.metadata.clone(),
        dedupe: None,
    }
}

fn purged(key: &[u8]) -> Tried<Vec<Piece>> {
    let link = key.try_into().map(u64::from_be_bytes).map_err(|_| senseless("purged"))?;
    Ok(vec![Piece::Purged(LinkId(link))])
}

fn buckets(rolled: Place, key: &[u8], value: &[u8]) -> Tried<Vec<Piece>> {
    let (grain, place) = tables::read_bucket(key).ok_or_else(|| senseless("buckets"))?;
    let grains = [Grain::Hour, Grain::Day, Grain::All];
    let grain = grains.into_iter().find(|known| *known as u8 == grain);
    let grain = grain.ok_or_else(|| senseless("buckets"))?;
    let counts = Bucket::decode(value)?.counts;
    let workspace = WorkspaceId(place.workspace);
    let owner = match place.link {
        0 => Owner::Workspace,
        link => Owner::Link(LinkId(link)),
    };
    let piece = |(grain, start)| {
        let counts = Box::new(counts.clone());
        Piece::Bucket { workspace, owner, grain, start, counts }
    };
    let open = grain == Grain::Hour && place >= rolled;
    let wider = [(Grain::Day, rollup::day(place.hour)), (Grain::All, 0)];
    let wider = wider.into_iter().filter(|_| open);
    Ok([(grain, place.hour)].into_iter().chain(wider).map(piece).collect())
}

fn extra(link: u64, row: &stored::Row) -> Piece {
    Piece::Extra(Extra {
        link: LinkId(link),
        workspace: WorkspaceId(row.workspace),
        spent: row.spent,
        first: (row.first != i64::MAX).then_some(Timestamp(row.first)),
        last: (row.last != i64::MIN).then_some(Timestamp(row.last)),
    })
}

/// Writes a piece; raw clicks are written many at once.
fn put(tables: &Click, txn: &mut RwTxn<'_>, piece: &Piece) -> Tried<()> {
    match piece {
        Piece::Click(_) => Ok(()),
        Piece::Purged(link) => {
            let key = link.0.to_be_bytes();
            stored::put_number(tables, txn, ClickTable::Purged, &key, purge::DONE)
        }
        Piece::Bucket { workspace, owner, grain, start, counts } => {
            let (link, row) = match owner {
                Owner::Link(link) => (link.0, link.0),
                Owner::Workspace => (0, tables::workspace_row(workspace.0)),
            };
            let place = Place { hour: *start, workspace: workspace.0, link };
            rollup::restore(tables, txn, *grain, place, counts)?;
            if *grain != Grain::Hour {
                return Ok(());
            }
            let more = stored::Row {
                clicks: counts.clicks,
                bots: counts.bots,
                conversions: counts.conversions,
                low: *start,
                high: *start,
                ..stored::Row::new(workspace.0)
            };
            stored::add_totals(tables, txn, row, &more)
        }
        Piece::Extra(extra) => {
            let more = stored::Row {
                spent: extra.spent,
                first: extra.first.map_or(i64::MAX, |at| at.0),
                last: extra.last.map_or(i64::MIN, |at| at.0),
                ..stored::Row::new(extra.workspace.0)
            };
            stored::add_totals(tables, txn, extra.link.0, &more)?;
            stored::add_totals(tables, txn, tables::workspace_row(extra.workspace.0), &more)
        }
        Piece::Dedupe(hash, id) => events::put_hash(tables, txn, hash, *id),
        Piece::Conversion(id, at, worth) => {
            events::put_conversion(tables, txn, *id, *at, worth.as_deref())
        }
        Piece::Retention(time) => {
            let mark = tables::sortable(time.0);
            stored::put_number(tables, txn, ClickTable::Meta, TRIMMED, mark)
        }
        _ => Err(misplaced().into()),
    }
}
