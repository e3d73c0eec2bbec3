//! The store piece by piece: what is about links here, what is about clicks in
//! [`clicks`](crate::clicks).
//!
//! What is restored and the note of how far it is are one commit of its environment.

use std::sync::Arc;

use heed::RwTxn;
use waypost_link::{Noun, Revision};
use waypost_storage::{
    Error, Page, Result, Transfer, codec, page_limit,
    transfer::{Part, Piece},
};

use crate::{
    LmdbStore,
    fault::{Tried, corrupt},
    feed, keys,
    plan::Plan,
    read::{self, View},
    steps::Step,
    tables::{LinkTable, Tables},
};

impl Transfer for LmdbStore {
    fn pieces(
        &self,
        part: Part,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Piece, Vec<u8>>> {
        let limit = page_limit(limit);
        match part {
            Part::Answers => self.view(|view| answers(view, after.unwrap_or_default(), limit)),
            Part::State => self.view(state),
            _ => self.clicks.pieces(part, after, limit),
        }
    }

    fn restore(&self, part: Part, pieces: &[Piece], note: &[u8]) -> Result<()> {
        if part.is_of_clicks() {
            return self.clicks.restore(part, pieces, note);
        }
        let steps: Result<Vec<_>> = pieces.iter().map(Restored::of).collect();
        let (steps, note): (Arc<[_]>, _) = (steps?.into(), codec::seal(note.to_vec()));
        self.links.write(move |tables, txn| {
            let mut plan = Plan::new(View::new(tables, txn));
            for step in &*steps {
                plan.restore(step)?;
            }
            plan.put_meta(&note_of(part), note.clone());
            plan.finish_restored()?.write(tables, txn).map(drop)
        })
    }

    fn note(&self, part: Part) -> Result<Option<Vec<u8>>> {
        if part.is_of_clicks() {
            return self.clicks.note(part);
        }
        self.view(|view| {
            let value = view.value(LinkTable::Meta, note_of(part).as_bytes())?;
            let note =
                value.map(|value| codec::unseal(value).ok_or_else(|| corrupt("meta", "a note")));
            Ok(note.transpose()?.map(<[u8]>::to_vec))
        })
    }

    /// Those of links last: they say that a copy is unfinished.
    fn forget_notes(&self) -> Result<()> {
        self.clicks.forget_notes()?;
        self.links.write(forget)
    }
}

/// Where `meta` keeps the note of a part.
pub(crate) fn note_of(part: Part) -> String {
    format!("copying/{}", part as u8)
}

fn forget(tables: &Tables<LinkTable>, txn: &mut RwTxn<'_>) -> Tried<()> {
    for part in Part::ALL {
        tables.at(LinkTable::Meta).delete(txn, note_of(part).as_bytes())?;
    }
    Ok(())
}

/// The error of a piece that is none of the part it came with.
pub(crate) fn misplaced() -> Error {
    Error::Corrupt("a piece that is of another part".into())
}

/// A piece, spelled out before it reaches the write thread.
pub(crate) enum Restored {
    /// A link, a record or an answer.
    Step(Step),
    /// The head, and the last ids by noun.
    State(Revision, Vec<u64>),
}

impl Restored {
    fn of(piece: &Piece) -> Result<Self> {
        Ok(match piece {
            Piece::Link(link) => Self::Step(Step::as_it_is(link)),
            Piece::Record(record) => Self::Step(Step::of_record(record)),
            Piece::Answer(answer) => Self::Step(Step::Remember(answer.clone())),
            Piece::State(head, ids) => Self::State(*head, ids.clone()),
            _ => return Err(misplaced()),
        })
    }
}

fn answers(view: View<'_>, after: &[u8], limit: usize) -> Tried<Page<Piece, Vec<u8>>> {
    let mut page = Page { items: Vec::new(), next: None };
    for row in view.table(LinkTable::Remembered).from(view.txn(), after)? {
        let (key, value) = row?;
        if key == after {
            continue;
        }
        let scope = key.try_into().map_err(|_| corrupt("remembered", "a key"))?;
        page.items.push(Piece::Answer(read::remembered(scope, value)?));
        if page.items.len() == limit {
            page.next = Some(key.to_vec());
            break;
        }
    }
    Ok(page)
}

fn state(view: View<'_>) -> Tried<Page<Piece, Vec<u8>>> {
    let mut ids = vec![view.meta(keys::counter(None))?; Noun::ALL.len() + 1];
    for noun in Noun::ALL {
        ids[usize::from(codec::noun(noun))] = view.meta(keys::counter(Some(noun)))?;
    }
    let head = Revision(view.meta(feed::HEAD)?);
    Ok(Page { items: vec![Piece::State(head, ids)], next: None })
}
