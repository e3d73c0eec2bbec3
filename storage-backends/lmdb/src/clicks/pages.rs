//! Pages of raw clicks, hour by hour.
//!
//! Hours cut time into pieces that don't overlap, so all that can be next lies in one of them: in
//! the runs and events of that hour, and in memory. An hour without a bucket has nothing, and a
//! day without one is passed at once.

use std::collections::BTreeSet;

use heed::RoTxn;
use waypost_link::Timestamp;
use waypost_storage::{
    ClickQuery, ClickScope, Grain, Order, Page, Result, StoredClick, page_limit,
};

use super::{
    Clicks, bucket,
    flush::hour,
    generation::Place,
    limits,
    raw::{self, Best, Found, Position, Source, Wanted},
    search::Hour,
    stored::{self, Click, Row},
    tables::{ClickTable, Key, Parts},
    tally::empty_day,
};
use crate::fault::Tried;

const FIRST: Position = Position { clicked: i64::MIN, received: i64::MIN, link: 0, salt: 0 };
const LAST: Position =
    Position { clicked: i64::MAX, received: i64::MAX, link: u64::MAX, salt: u32::MAX };

/// Where a page ended: at a click, of those that share its position the `skip`th.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    position: Position,
    skip: u32,
}

impl Cursor {
    fn encode(self) -> Vec<u8> {
        let Position { clicked, received, link, salt } = self.position;
        let key = Key::new().signed(clicked).signed(received).id(link).small(salt);
        key.small(self.skip).to_vec()
    }

    /// A cursor that no page gave is no cursor.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut parts = Parts::of(bytes);
        let (clicked, received) = (parts.signed()?, parts.signed()?);
        let position = Position { clicked, received, link: parts.id()?, salt: parts.small()? };
        Some(Self { position, skip: parts.small()? })
    }
}

/// A page of raw clicks.
pub(super) fn clicks(clicks: &Clicks, query: &ClickQuery) -> Result<Page<StoredClick, Vec<u8>>> {
    let cursor = query.after.as_deref().and_then(Cursor::decode);
    let limit = page_limit(query.limit);
    let wanted = wanted(query, cursor, limit);
    if wanted.first > wanted.last {
        return Ok(Page { items: Vec::new(), next: None });
    }
    clicks.view(
        |generations, purged| {
            let gone = matches!(query.scope, ClickScope::Link(link) if purged.contains(link.0));
            let memory = raw::in_memory(generations, &wanted);
            (memory, gone, purged.unfinished.clone())
        },
        |(memory, gone, unfinished), tables, txn| {
            if gone {
                return Ok(Page { items: Vec::new(), next: None });
            }
            let mut wanted = wanted;
            let row = raw::owner_of(tables, txn, &mut wanted)?;
            let rolled = stored::rolled(tables, txn)?;
            let hours = Hours::of(tables, txn, &wanted, row.as_ref(), rolled)?;
            let paging = Paging { tables, txn, wanted: &wanted, gone: &unfinished, cursor, limit };
            paging.page(memory, hours)
        },
    )
}

pub(super) fn wanted(query: &ClickQuery, cursor: Option<Cursor>, limit: usize) -> Wanted {
    let (workspace, link) = match query.scope {
        ClickScope::Link(link) => (0, link.0),
        ClickScope::Workspace(workspace) => (workspace.0, 0),
    };
    let descending = query.order == Order::Descending;
    let mut first = Position { clicked: query.from.map_or(i64::MIN, |from| from.0), ..FIRST };
    let mut last = LAST;
    if let Some(before) = query.before {
        // Nothing is before the beginning of time.
        last.clicked = before.0.saturating_sub(1);
        if before.0 == i64::MIN {
            first = LAST;
        }
    }
    let mut skip = 0;
    if let Some(cursor) = cursor {
        skip = cursor.skip as usize;
        if descending {
            last = last.min(cursor.position);
        } else {
            first = first.max(cursor.position);
        }
    }
    let enough = limit.saturating_add(1).saturating_add(skip);
    Wanted { workspace, link, first, last, descending, enough }
}

/// The hours of an owner that may hold clicks, in the order of the page.
pub(super) struct Hours<'h, 'x> {
    tables: &'h Click,
    txn: &'x RoTxn<'x>,
    owner: (u64, u64),
    rolled: Place,
    /// From here to here, both included.
    low: i64,
    high: i64,
    descending: bool,
    looked: usize,
}

/// What [`Hours`] comes to next.
pub(super) enum Next<'x> {
    /// An hour with a bucket.
    Bucket(i64, &'x [u8]),
    /// So many were empty that the page ends at this hour.
    Enough(i64),
    End,
}

impl<'h, 'x> Hours<'h, 'x> {
    pub(super) fn of(
        tables: &'h Click,
        txn: &'x RoTxn<'x>,
        wanted: &Wanted,
        row: Option<&Row>,
        rolled: Place,
    ) -> Tried<Self> {
        let (low, high) = row.map_or((1, 0), |row| (row.low, row.high));
        let low = low.max(hour(wanted.first.clicked)).max(oldest(tables, txn, wanted)?);
        Ok(Self {
            tables,
            txn,
            owner: (wanted.workspace, wanted.link),
            rolled,
            low,
            high: high.min(hour(wanted.last.clicked)),
            descending: wanted.descending,
            looked: 0,
        })
    }

    /// Looks on where there were enough empty ones.
    pub(super) fn go_on(&mut self) {
        self.looked = 0;
    }

    pub(super) fn next(&mut self) -> Tried<Next<'x>> {
        while self.low <= self.high {
            let at = if self.descending { self.high } else { self.low };
            self.looked += 1;
            if self.looked > limits::SCAN {
                return Ok(Next::Enough(at));
            }
            let edge = if self.descending { 23 } else { 0 };
            let mut passed = 1;
            if at.rem_euclid(24) == edge
                && empty_day(self.tables, self.txn, self.rolled, at - edge, self.owner)?
            {
                passed = 24;
            }
            if self.descending {
                self.high = at.saturating_sub(passed);
            } else {
                self.low = at.saturating_add(passed);
            }
            if passed == 1
                && let Some(value) =
                    stored::bucket(self.tables, self.txn, Grain::Hour, at, self.owner)?
            {
                return Ok(Next::Bucket(at, value));
            }
        }
        Ok(Next::End)
    }
}

/// The first hour that any raw click is kept of, as far as a look tells.
fn oldest(tables: &Click, txn: &RoTxn<'_>, wanted: &Wanted) -> Tried<i64> {
    let run = tables.at(ClickTable::Runs).scan().first(txn)?;
    let run = run.and_then(|(key, _)| Parts::of(key).signed());
    let (table, prefix) = match wanted.link {
        0 => (ClickTable::Workspaces, Key::new().id(wanted.workspace)),
        link => (ClickTable::Events, Key::new().id(link)),
    };
    let event = tables.at(table).scan().prefix_iter(txn, &prefix)?.next().transpose()?;
    let event = event.and_then(|(key, _)| {
        let mut parts = Parts::of(key);
        parts.id()?;
        parts.signed().map(hour)
    });
    Ok(run.into_iter().chain(event).min().unwrap_or(i64::MAX))
}

fn before(a: i64, b: i64, descending: bool) -> bool {
    if descending { a > b } else { a < b }
}

struct Paging<'p, 'x> {
    tables: &'p Click,
    txn: &'x RoTxn<'x>,
    wanted: &'p Wanted,
    gone: &'p BTreeSet<u64>,
    cursor: Option<Cursor>,
    limit: usize,
}

impl<'x> Paging<'_, 'x> {
    /// Fills a page from the store's `hours` and `memory`, both in order.
    fn page(
        &self,
        memory: Vec<Found<Source<'static>>>,
        mut hours: Hours<'_, 'x>,
    ) -> Tried<Page<StoredClick, Vec<u8>>> {
        let mut memory = memory.into_iter().peekable();
        let mut filling = Filling::new(self);
        let mut next = hours.next()?;
        loop {
            let waits = memory.peek().map(|found| hour(found.position.clicked));
            let descending = self.wanted.descending;
            let stored = match next {
                Next::Bucket(at, _) => Some(at),
                Next::Enough(at) if !waits.is_some_and(|waits| before(waits, at, descending)) => {
                    return filling.cut_short(at, descending);
                }
                Next::End | Next::Enough(_) => None,
            };
            let all = stored.into_iter().chain(waits);
            let Some(at) = (if descending { all.max() } else { all.min() }) else {
                return Ok(Page { items: filling.items, next: None });
            };
            let mut best = Best::new(self.wanted);
            while let Some(found) = memory.next_if(|found| hour(found.position.clicked) == at) {
                best.take(found);
            }
            if let Next::Bucket(of, value) = next
                && of == at
            {
                let Self { tables, txn, wanted, gone, .. } = *self;
                let search = Hour { tables, txn, hour: at, wanted, gone };
                search.search(&bucket::head(value)?.1, &mut best)?;
                next = hours.next()?;
            }
            if let Some(cursor) = filling.fill(best)? {
                return Ok(Page { items: filling.items, next: Some(cursor) });
            }
        }
    }
}

/// A page being filled.
struct Filling<'p, 'x> {
    of: &'p Paging<'p, 'x>,
    items: Vec<StoredClick>,
    /// How many of the cursor's position are still to be left out.
    skip: u32,
    last: Option<Cursor>,
}

impl<'p, 'x> Filling<'p, 'x> {
    fn new(of: &'p Paging<'p, 'x>) -> Self {
        let skip = of.cursor.map_or(0, |cursor| cursor.skip);
        Self { of, items: Vec::new(), skip, last: of.cursor }
    }

    /// Takes what fits; the cursor if not all does.
    fn fill(&mut self, best: Best<Source<'x>>) -> Tried<Option<Vec<u8>>> {
        for found in best.into_sorted() {
            let at_cursor = self.of.cursor.is_some_and(|cursor| cursor.position == found.position);
            if at_cursor && self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            if self.items.len() >= self.of.limit {
                return Ok(self.last.map(Cursor::encode));
            }
            let skip = match self.last {
                Some(last) if last.position == found.position => last.skip + 1,
                _ => 1,
            };
            self.last = Some(Cursor { position: found.position, skip });
            self.items.push(found.tell(self.of.tables, self.of.txn)?);
        }
        Ok(None)
    }

    /// A page that ends before `hour`.
    fn cut_short(self, hour: i64, descending: bool) -> Tried<Page<StoredClick, Vec<u8>>> {
        let start = hour.saturating_mul(Timestamp::HOUR);
        let position = if descending {
            Position { clicked: start.saturating_add(Timestamp::HOUR - 1), ..LAST }
        } else {
            Position { clicked: start, ..FIRST }
        };
        Ok(Page { items: self.items, next: Some(Cursor { position, skip: 0 }.encode()) })
    }
}
