//! Clicks piece by piece. A bucket is a piece for each slot that has counted it: whoever restores
//! them adds them up, here all into one slot.

use std::collections::BTreeMap;

use postgres::{Client, Row, Transaction};
use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};
use waypost_storage::{
    Conversion, Counts, Error, Page, Result,
    transfer::{Extra, Owner, Part, Piece},
};

use super::{
    Clicks, close,
    copy::{self, Raw},
    counts, events,
    fold::{self, Folded},
    rollups::{self, LINKS, Place, WORKSPACES},
    slot,
};
use crate::{
    ask::{Ask, Value},
    fault::{Tried, corrupt},
    limits,
    transfer::{misplaced, put_note},
};

/// How rows of a table become pieces, in the order of a key of numbers.
struct Listing {
    table: &'static str,
    /// The key's columns; a row begins with them, as `bigint`.
    key: &'static [&'static str],
    columns: &'static str,
    piece: fn(&Row) -> Result<Piece>,
}

const PURGED: Listing = Listing {
    table: "purged",
    key: &["link_id"],
    columns: "",
    piece: |row| Ok(Piece::Purged(link(row))),
};
const EXTRAS: Listing = Listing {
    table: "link_extras",
    key: &["link_id", "slot"],
    columns: ", workspace_id, spent, first_at, last_at",
    piece: |row| {
        Ok(Piece::Extra(Extra {
            link: link(row),
            workspace: WorkspaceId(row.get::<_, i64>(2) as u64),
            spent: row.get::<_, i64>(3) as u64,
            first: row.get::<_, Option<i64>>(4).map(Timestamp),
            last: row.get::<_, Option<i64>>(5).map(Timestamp),
        }))
    },
};
const CONVERSIONS: Listing = Listing {
    table: "conversions",
    key: &["link_id", "received", "salt"],
    columns: ", at, value",
    piece: |row| {
        let (received, salt) = (Timestamp(row.get(1)), row.get::<_, i64>(2) as u32);
        let click = ClickId { received, link: link(row), salt };
        Ok(Piece::Conversion(click, Timestamp(row.get(3)), row.get(4)))
    },
};
const OF_LINKS: Listing = Listing {
    table: "link_buckets",
    key: &["link_id", "grain", "start", "slot"],
    columns: ", workspace_id, clicks, bots, conversions, visitors, robots, shares",
    piece: |row| bucket(row, row.get(4), Owner::Link(link(row)), 5),
};
const OF_WORKSPACES: Listing = Listing {
    table: "workspace_buckets",
    key: &["workspace_id", "grain", "start", "slot"],
    columns: ", clicks, bots, conversions, visitors, robots, shares",
    piece: |row| bucket(row, row.get(0), Owner::Workspace, 4),
};

impl Clicks {
    pub(crate) fn pieces(
        &self,
        part: Part,
        after: Option<&[u8]>,
        limit: i64,
    ) -> Result<Page<Piece, Vec<u8>>> {
        self.flush()?;
        if matches!((part, after), (Part::Buckets, None)) {
            while self.database.write_with_patience(limits::SLOW, close::any)? {}
        }
        self.database.with(|client| match part {
            Part::Purged => list(client, &PURGED, after, limit),
            Part::Buckets => buckets(client, after, limit.min(limits::ROWS as i64)),
            Part::Extras => list(client, &EXTRAS, after, limit),
            Part::Dedupe => dedupe(client, after.unwrap_or_default(), limit),
            Part::Conversions => list(client, &CONVERSIONS, after, limit),
            Part::Retention => retention(client),
            _ => Ok(Page { items: Vec::new(), next: None }),
        })
    }

    pub(crate) fn restore(&self, part: Part, pieces: &[Piece], note: &[u8]) -> Result<()> {
        let day = |piece: &Piece| match piece {
            Piece::Click(click) => Some(click.id.received.day()),
            _ => None,
        };
        self.partitions.make(&self.database, &pieces.iter().filter_map(day).collect())?;
        self.database.write(|txn| {
            let slot = slot::take(txn, 0)?;
            Pieces::of(pieces)?.write(txn, slot)?;
            put_note(txn, part, note)
        })
    }
}

fn list(
    client: &mut Client,
    listing: &Listing,
    after: Option<&[u8]>,
    limit: i64,
) -> Tried<Page<Piece, Vec<u8>>> {
    let Listing { table, key, columns, piece } = listing;
    let casts: Vec<_> = key.iter().map(|column| format!("{column}::bigint")).collect();
    let numbers = after.map(cursor).filter(|numbers| numbers.len() == key.len());
    let places: Vec<_> = (2..key.len() + 2).map(|place| format!("${place}::bigint")).collect();
    let condition = match numbers {
        Some(_) => format!("WHERE ({}) > ({})", key.join(", "), places.join(", ")),
        None => String::new(),
    };
    let sql = format!(
        "SELECT {}{columns} FROM waypost.{table} {condition} ORDER BY {} LIMIT $1",
        casts.join(", "),
        key.join(", "),
    );
    let mut values: Vec<&dyn Value> = vec![&limit];
    values.extend(numbers.iter().flatten().map(|number| number as &dyn Value));
    let rows = client.ask(&sql, &values)?;
    let items: Result<Vec<_>> = rows.iter().map(piece).collect();
    let last = rows.last().filter(|_| rows.len() as i64 == limit);
    let next = last.map(|row| {
        (0..key.len()).flat_map(|column| row.get::<_, i64>(column).to_be_bytes()).collect()
    });
    Ok(Page { items: items?, next })
}

fn cursor(bytes: &[u8]) -> Vec<i64> {
    bytes.as_chunks::<8>().0.iter().map(|number| i64::from_be_bytes(*number)).collect()
}

/// Buckets of links, then of workspaces; the cursor says in front which.
fn buckets(client: &mut Client, after: Option<&[u8]>, limit: i64) -> Tried<Page<Piece, Vec<u8>>> {
    let (which, rest) = match after.and_then(<[u8]>::split_first) {
        Some((which, rest)) => (*which, Some(rest).filter(|rest| !rest.is_empty())),
        None => (0, None),
    };
    let page = list(client, if which == 0 { &OF_LINKS } else { &OF_WORKSPACES }, rest, limit)?;
    let next = match page.next {
        Some(next) => Some([&[which][..], &next].concat()),
        None => (which == 0).then(|| vec![1]),
    };
    Ok(Page { items: page.items, next })
}

fn bucket(row: &Row, workspace: i64, owner: Owner, at: usize) -> Result<Piece> {
    let grain = i16::try_from(row.get::<_, i64>(1)).ok().and_then(fold::grain);
    let grain = grain.ok_or_else(|| corrupt("buckets", "an unknown grain"))?;
    let counts = Box::new(counts::read(row, at)?);
    let workspace = WorkspaceId(workspace as u64);
    Ok(Piece::Bucket { workspace, owner, grain, start: row.get(2), counts })
}

fn dedupe(client: &mut Client, after: &[u8], limit: i64) -> Tried<Page<Piece, Vec<u8>>> {
    let sql = "SELECT link_id, received, salt, key FROM waypost.dedupe WHERE key > $1 \
               ORDER BY key LIMIT $2";
    let rows = client.ask(sql, &[&after, &limit])?;
    let piece = |row: &Row| {
        let key = row.get::<_, &[u8]>(3).try_into().ok();
        Some(Piece::Dedupe(key?, events::id(row)))
    };
    let next = rows.last().filter(|_| rows.len() as i64 == limit).map(|row| row.get(3));
    Ok(Page { items: rows.iter().filter_map(piece).collect(), next })
}

fn retention(client: &mut Client) -> Tried<Page<Piece, Vec<u8>>> {
    let row = client.ask_opt("SELECT trimmed_to FROM waypost.retention", &[])?;
    let items = row.into_iter().map(|row| Piece::Retention(Timestamp(row.get(0)))).collect();
    Ok(Page { items, next: None })
}

fn link(row: &Row) -> LinkId {
    LinkId(row.get::<_, i64>(0) as u64)
}

/// Pieces by the table that they go to.
#[derive(Default)]
struct Pieces<'p> {
    purged: Vec<i64>,
    links: BTreeMap<Place, Counts>,
    workspaces: BTreeMap<Place, Counts>,
    owners: BTreeMap<i64, WorkspaceId>,
    folded: Folded,
    raw: Vec<Raw<'p>>,
    dedupe: Vec<([u8; 32], ClickId)>,
    conversions: Vec<Conversion>,
    retention: Option<Timestamp>,
}

impl<'p> Pieces<'p> {
    fn of(pieces: &'p [Piece]) -> Result<Self> {
        let mut all = Self::default();
        pieces.iter().try_for_each(|piece| all.take(piece))?;
        Ok(all)
    }

    fn take(&mut self, piece: &'p Piece) -> Result<()> {
        match piece {
            Piece::Purged(link) => self.purged.push(link.0 as i64),
            Piece::Bucket { workspace, owner, grain, start, counts } => {
                let (buckets, id) = match owner {
                    Owner::Link(link) => {
                        self.owners.insert(link.0 as i64, *workspace);
                        (&mut self.links, link.0)
                    }
                    Owner::Workspace => (&mut self.workspaces, workspace.0),
                };
                let place = (id as i64, fold::number(*grain), *start);
                buckets.entry(place).or_default().merge(counts);
            }
            Piece::Extra(extra) => self.folded.add(extra),
            Piece::Click(click) => self.raw.push(Raw::of_stored(click)),
            Piece::Dedupe(key, id) => self.dedupe.push((*key, *id)),
            Piece::Conversion(click, at, value) => {
                let (click, at, value) = (*click, *at, value.clone());
                let workspace = WorkspaceId::default();
                self.conversions.push(Conversion { click, workspace, at, value });
            }
            Piece::Retention(time) => self.retention = Some(*time),
            _ => return Err(misplaced()),
        }
        Ok(())
    }

    fn write(self, txn: &mut Transaction<'_>, slot: i32) -> Tried<()> {
        let sql = "INSERT INTO waypost.purged (link_id) SELECT unnest($1::bigint[])";
        txn.tell(sql, &[&self.purged])?;
        let owner = |link: i64| self.owners.get(&link).copied();
        rollups::merge(txn, &LINKS, slot, self.links, owner)?;
        rollups::merge(txn, &WORKSPACES, slot, self.workspaces, |_| None)?;
        rollups::add_extras(txn, slot, &self.folded.extras())?;
        copy::copy(txn, self.raw)?;
        let conversions: Vec<_> = self.conversions.iter().collect();
        if !events::put_keys(txn, &self.dedupe)? || !events::put_conversions(txn, &conversions)? {
            return Err(Error::Corrupt("a dedupe key or a conversion came twice".into()).into());
        }
        if let Some(time) = self.retention {
            let sql = "INSERT INTO waypost.retention (trimmed_to) VALUES ($1)";
            txn.tell(sql, &[&time.0])?;
        }
        Ok(())
    }
}
