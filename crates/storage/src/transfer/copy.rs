//! The copy itself: part after part, page after page, then everything is held against each other.
//!
//! A note is `source:40 state:1 cursor`. The source's part says of which store, in which state, the
//! target is becoming a copy: going on from another, or from one that was served meanwhile, would
//! mix two states.

use waypost_link::{Noun, Record};

use super::{Figures, Part, Piece, Transfer, read};
use crate::{
    ClickStore, Error, Finding, LinkStore, Maintain, Order, RecordQuery, Result, Trim, limits,
};

/// One end of a copy.
#[derive(Clone, Copy)]
pub struct Side<'s> {
    /// Links, the small nouns, the feed.
    pub links: &'s dyn LinkStore,
    /// Clicks and their roll-ups.
    pub clicks: &'s dyn ClickStore,
    /// What the operator asks.
    pub maintain: &'s dyn Maintain,
    /// Its pieces.
    pub transfer: &'s dyn Transfer,
}

/// What a copy came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The same on both sides.
    pub figures: Figures,
    /// Whether an earlier attempt was gone on with.
    pub resumed: bool,
}

/// Why there is no copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// The target is somebody's store.
    #[error("the target holds something already: a copy needs an empty store")]
    NotEmpty,
    /// The target has the beginning of a copy of something else.
    #[error(
        "the target holds an unfinished copy of another store, or of this one before it was \
         changed: begin again with an empty one"
    )]
    OtherSource,
    /// Both were read whole, and are not the same.
    #[error("the copy differs: {}", .0.iter().map(|(name, here, there)| format!("{name}: {here} became {there}")).collect::<Vec<_>>().join(", "))]
    Differs(Vec<(&'static str, u64, u64)>),
    /// The copy contradicts itself.
    #[error("the copy contradicts itself in {} places{}", .0.len(), .0.first().map(|first| format!(", the first: {}: {}", first.place, first.what)).unwrap_or_default())]
    Contradicts(Vec<Finding>),
}

/// Whether `store` is the beginning of a copy: nothing that may be served.
///
/// # Errors
/// As every read.
pub fn unfinished(store: &dyn Transfer) -> Result<bool> {
    Ok(store.note(Part::ALL[0])?.is_some())
}

/// An error where `store` is the beginning of a copy.
///
/// # Errors
/// `Unusable`: it is. As every read.
pub fn assert_whole(store: &dyn Transfer) -> Result<()> {
    match unfinished(store)? {
        true => Err(Error::Unusable("it is an unfinished copy; finish the copy first".into())),
        false => Ok(()),
    }
}

/// Makes `to`, which is empty or the beginning of this very copy, what `from` is. Nobody works on
/// either meanwhile. `tell` hears of every page: its part, and how many pieces it had.
///
/// # Errors
/// [`CopyError`]; after `Store` the same call goes on.
pub fn copy(
    from: &Side<'_>,
    to: &Side<'_>,
    mut tell: impl FnMut(Part, usize),
) -> std::result::Result<Copied, CopyError> {
    from.clicks.flush()?;
    let source = source_of(from)?;
    let resumed = admit(to, &source)?;
    for part in Part::ALL {
        move_part(from, to, part, &source, &mut tell)?;
    }
    let figures = Figures::of(from)?;
    if !is_compared(to, source.len())? {
        let differences = figures.differences(&Figures::of(to)?);
        if !differences.is_empty() {
            return Err(CopyError::Differs(differences));
        }
        // From here on the purges below may make the copy less than the source.
        to.transfer.restore(Part::State, &[], &[&source[..], &[COMPARED]].concat())?;
    }
    purge(from, to)?;
    let findings = to.maintain.check()?.findings;
    if !findings.is_empty() {
        return Err(CopyError::Contradicts(findings));
    }
    to.transfer.forget_notes()?;
    Ok(Copied { figures, resumed })
}

fn move_part(
    from: &Side<'_>,
    to: &Side<'_>,
    part: Part,
    source: &[u8],
    tell: &mut impl FnMut(Part, usize),
) -> Result<()> {
    let noted = to.transfer.note(part)?.unwrap_or_default();
    let mut after = match noted.get(source.len()..).and_then(<[u8]>::split_first) {
        Some((&(DONE | COMPARED), _)) => return Ok(()),
        Some((_, cursor)) => Some(cursor.to_vec()),
        None => None,
    };
    loop {
        let page = read(from, part, after.as_deref(), limits::PAGE)?;
        let state = if page.next.is_none() { DONE } else { MORE };
        let note = [source, &[state], page.next.as_deref().unwrap_or_default()].concat();
        to.transfer.restore(part, &page.items, &note)?;
        tell(part, page.items.len());
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

const MORE: u8 = 0;
const DONE: u8 = 1;
const COMPARED: u8 = 2;

/// Whether both sides were held against each other before.
fn is_compared(to: &Side<'_>, length: usize) -> Result<bool> {
    let note = to.transfer.note(Part::State)?.unwrap_or_default();
    Ok(note.get(length) == Some(&COMPARED))
}

/// Whether `to` has the beginning of this copy already; an error where it has anything else.
fn admit(to: &Side<'_>, source: &[u8]) -> std::result::Result<bool, CopyError> {
    if let Some(note) = to.transfer.note(Part::ALL[0])? {
        return if note.starts_with(source) { Ok(true) } else { Err(CopyError::OtherSource) };
    }
    let clicked = read(to, Part::Extras, None, 1)?.items;
    let empty = to.links.head()?.0 == 0 && to.links.link_count(None)? == 0 && clicked.is_empty();
    if empty { Ok(false) } else { Err(CopyError::NotEmpty) }
}

/// What tells a store and its state from others.
fn source_of(from: &Side<'_>) -> Result<Vec<u8>> {
    let query = RecordQuery {
        noun: Noun::Workspace,
        workspace: None,
        order: Order::Ascending,
        after: None,
        limit: 1,
    };
    let born = match from.links.records(&query)?.items.first() {
        Some(Record::Workspace(workspace)) => workspace.created_at.0 as u64,
        _ => 0,
    };
    let (mut given, mut head) = (0, 0);
    if let Some(Piece::State(last, ids)) = read(from, Part::State, None, 1)?.items.first() {
        (head, given) = (last.0, ids.iter().sum());
    }
    let (clicks, conversions) = totals(from)?;
    Ok([born, head, given, clicks, conversions].iter().flat_map(|n| n.to_be_bytes()).collect())
}

/// Clicks and conversions of all workspaces.
fn totals(from: &Side<'_>) -> Result<(u64, u64)> {
    let (mut sums, mut after): (_, Option<Vec<u8>>) = ((0, 0), None);
    loop {
        let page = read(from, Part::Extras, after.as_deref(), limits::PAGE)?;
        let links: Vec<_> = page
            .items
            .iter()
            .filter_map(|piece| match piece {
                Piece::Extra(extra) => Some(extra.link),
                _ => None,
            })
            .collect();
        for of in from.clicks.totals(&links)? {
            sums = (sums.0 + of.clicks, sums.1 + of.conversions);
        }
        after = page.next;
        if after.is_none() {
            return Ok(sums);
        }
    }
}

/// Purges in the copy what the source had still to purge: the feed that would say so stays behind.
fn purge(from: &Side<'_>, to: &Side<'_>) -> Result<()> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = read(from, Part::Extras, after.as_deref(), limits::PAGE)?;
        for piece in &page.items {
            let Piece::Extra(extra) = piece else { continue };
            if to.links.link(extra.link)?.is_none() {
                while to.clicks.trim(Trim::Link(extra.link, extra.workspace))?.more {}
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
