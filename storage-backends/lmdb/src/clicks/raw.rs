//! Where raw clicks are found: in the blocks of runs, among events, in memory.
//!
//! A click's position is the time clicked, then its id; clicks that share a position are told
//! apart by the order they came in, their rank.

use hashbrown::HashSet;
use heed::RoTxn;
use waypost_agent::{Browser, Device, Os};
use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};
use waypost_storage::{Address, REDIRECT, Result, StoredClick};

use super::{
    Clicks,
    block::Raw,
    dictionary::Class,
    events,
    generation::{Asked, Generation, Place, Record},
    search,
    stored::{self, Click, TextKind},
    tables,
};
use crate::fault::Tried;

/// Where a click stands in the order of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) clicked: i64,
    pub(super) received: i64,
    pub(super) link: u64,
    pub(super) salt: u32,
}

impl Position {
    pub(super) fn of_redirect(at: i64, link: u64, salt: u32) -> Self {
        Self { clicked: at, received: at, link, salt }
    }

    pub(super) fn id(&self) -> ClickId {
        let received = Timestamp(self.received);
        ClickId { received, link: LinkId(self.link), salt: self.salt }
    }
}

/// Ranks of what is in memory: after all that is stored.
const MEMORY: u64 = 1 << 63;

/// A click that was found, not yet told in words.
#[derive(Clone)]
pub(super) struct Found<S> {
    pub(super) position: Position,
    pub(super) rank: u64,
    pub(super) source: S,
}

#[derive(Clone)]
pub(super) enum Source<'x> {
    Block { run: u32, workspace: u64, raw: Raw<'x> },
    Event(&'x [u8]),
    Memory(Box<StoredClick>),
}

impl Found<Source<'_>> {
    /// The click itself.
    pub(super) fn tell(self, tables: &Click, txn: &RoTxn<'_>) -> Tried<StoredClick> {
        match self.source {
            Source::Memory(click) => Ok(*click),
            Source::Event(value) => events::decode(self.position, value),
            Source::Block { run, workspace, raw } => {
                let text = |kind, number| stored::text(tables, txn, run, kind, number);
                let (user_agent, class) = text(TextKind::Agent, raw.agent)?;
                let texts = [
                    user_agent,
                    text(TextKind::Referrer, raw.referrer)?.0,
                    text(TextKind::Language, raw.language)?.0,
                    text(TextKind::Rule, raw.rule)?.0,
                ];
                Ok(redirect(self.position.id(), workspace, &raw, Class(class), texts))
            }
        }
    }
}

/// A redirect's click in words.
fn redirect(
    id: ClickId,
    workspace: u64,
    raw: &Raw<'_>,
    class: Class,
    [user_agent, referrer, language, rule]: [String; 4],
) -> StoredClick {
    let (browser, os, device) = names(class);
    StoredClick {
        id,
        workspace: WorkspaceId(workspace),
        clicked_at: id.received,
        ip: address(raw.address).text(),
        country: (raw.country != [0; 2]).then_some(raw.country),
        user_agent,
        browser,
        os,
        device,
        bot: class.is_bot(),
        referrer,
        language,
        session: None,
        source: REDIRECT.to_owned(),
        metadata: None,
        rule,
    }
}

/// Browser, system and device in words.
pub(super) fn names(class: Class) -> (&'static str, &'static str, &'static str) {
    (
        Browser::from_code(class.browser() as u8).unwrap_or_default().as_str(),
        Os::from_code(class.os() as u8).unwrap_or_default().as_str(),
        Device::from_code(class.device() as u8).unwrap_or_default().as_str(),
    )
}

fn address(bytes: &[u8]) -> Address {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        Address::Ip(v4.into())
    } else if let Ok(v6) = <[u8; 16]>::try_from(bytes) {
        Address::Ip(v6.into())
    } else if let Ok(hash) = bytes.try_into() {
        Address::Hash(u64::from_le_bytes(hash))
    } else {
        Address::Nothing
    }
}

/// What is looked for: positions between two, both included, of one owner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) workspace: u64,
    /// 0: of the whole workspace.
    pub(super) link: u64,
    pub(super) first: Position,
    pub(super) last: Position,
    pub(super) descending: bool,
    /// How many are enough.
    pub(super) enough: usize,
}

impl Wanted {
    pub(super) fn holds(&self, position: &Position) -> bool {
        self.first <= *position && *position <= self.last
    }

    /// Shows `see` the clicks in memory among which what is looked for is.
    pub(super) fn visit<'g>(
        &self,
        generation: &'g Generation,
        see: impl FnMut(Place, &'g [Record]),
    ) {
        let link = (self.link != 0).then(|| HashSet::from([self.link]));
        let hour = |position: &Position| Timestamp(position.clicked).hour();
        let asked = Asked {
            links: link.as_ref(),
            workspace: link.is_none().then_some(self.workspace),
            hours: hour(&self.first)..hour(&self.last).saturating_add(1),
        };
        generation.visit(&asked, see);
    }
}

/// Who takes what is found.
pub(super) trait Gather<S> {
    fn push(&mut self, found: Found<S>) -> Tried<()>;

    /// The time of the last that is needed, once there are enough.
    fn bound(&mut self) -> Option<i64>;
}

/// The first `enough` of what is found, in order, however much is.
pub(super) struct Best<S> {
    descending: bool,
    enough: usize,
    found: Vec<Found<S>>,
    sorted: bool,
    /// What comes after this is not needed.
    last: Option<Position>,
}

impl<S> Best<S> {
    pub(super) fn new(wanted: &Wanted) -> Self {
        let Wanted { descending, enough, .. } = *wanted;
        Self { descending, enough, found: Vec::new(), sorted: true, last: None }
    }

    pub(super) fn take(&mut self, found: Found<S>) {
        if self.last.is_some_and(|last| self.is_after(found.position, last)) {
            return;
        }
        self.found.push(found);
        self.sorted = false;
        if self.found.len() > 2 * self.enough + 1_024 {
            self.settle();
        }
    }

    pub(super) fn into_sorted(mut self) -> Vec<Found<S>> {
        self.settle();
        self.found
    }

    fn is_after(&self, position: Position, last: Position) -> bool {
        if self.descending { position < last } else { position > last }
    }

    fn settle(&mut self) {
        if !self.sorted {
            self.found.sort_unstable_by_key(|found| (found.position, found.rank));
            if self.descending {
                self.found.reverse();
            }
            self.sorted = true;
        }
        self.found.truncate(self.enough);
        if self.found.len() == self.enough {
            self.last = self.found.last().map(|last| last.position);
        }
    }
}

impl<S> Gather<S> for Best<S> {
    fn push(&mut self, found: Found<S>) -> Tried<()> {
        self.take(found);
        Ok(())
    }

    fn bound(&mut self) -> Option<i64> {
        if self.found.len() < self.enough {
            return None;
        }
        self.settle();
        self.last.map(|last| last.clicked)
    }
}

/// Looks through what is in memory: the first that are enough, in order.
pub(super) fn in_memory(
    generations: &[&Generation],
    wanted: &Wanted,
) -> Vec<Found<Source<'static>>> {
    let mut best = Best::new(wanted);
    let mut rank = MEMORY;
    for of in generations {
        wanted.visit(of, |place, records| {
            for record in records {
                rank += 1;
                let position = Position::of_redirect(record.at, place.link, record.salt());
                if wanted.holds(&position) {
                    best.take(Found { position, rank, source: (*of, place.workspace, *record) });
                }
            }
        });
    }
    let tell = |Found { position, rank, source: (of, workspace, record) }| {
        let click = told(of, position, workspace, &record);
        Found { position, rank, source: Source::Memory(Box::new(click)) }
    };
    best.into_sorted().into_iter().map(tell).collect()
}

fn told(of: &Generation, position: Position, workspace: u64, record: &Record) -> StoredClick {
    let (bytes, length) = of.address(record);
    let raw = Raw::of(position.link, record, &bytes[..length]);
    let words = &of.dictionary;
    let texts = [
        words.agents.get(record.agent),
        words.referrers.get(record.referrer),
        words.languages.get(record.language),
        words.rules.get(record.rule),
    ];
    redirect(position.id(), workspace, &raw, record.class, texts.map(str::to_owned))
}

/// The click of this id.
pub(super) fn click(clicks: &Clicks, id: ClickId) -> Result<Option<StoredClick>> {
    clicks.view(
        |generations, purged| (memory_click(generations, id), purged.contains(id.link.0)),
        |(memory, gone), tables, txn| {
            if gone {
                return Ok(None);
            }
            let stored = search::stored_click(tables, txn, id)?;
            let stored = stored.map(|found| found.tell(tables, txn)).transpose()?;
            Ok(stored.or(memory))
        },
    )
}

pub(super) fn exactly(id: ClickId) -> Wanted {
    let position = Position::of_redirect(id.received.0, id.link.0, id.salt);
    Wanted {
        workspace: 0,
        link: id.link.0,
        first: position,
        last: position,
        descending: false,
        enough: 1,
    }
}

/// The click of this id in memory.
pub(super) fn memory_click(generations: &[&Generation], id: ClickId) -> Option<StoredClick> {
    let found = in_memory(generations, &exactly(id)).into_iter().next()?;
    match found.source {
        Source::Memory(click) => Some(*click),
        _ => None,
    }
}

/// What a query asks of links that are in no table: nothing.
pub(super) fn owner_of(
    tables: &Click,
    txn: &RoTxn<'_>,
    wanted: &mut Wanted,
) -> Tried<Option<stored::Row>> {
    let key = match wanted.link {
        0 => tables::workspace_row(wanted.workspace),
        link => link,
    };
    let row = stored::totals(tables, txn, key)?;
    if let Some(row) = &row {
        wanted.workspace = row.workspace;
    }
    Ok(row)
}
