//! The store piece by piece: what is about links here, what is about clicks in
//! [`clicks`](crate::clicks).
//!
//! What is restored and the note of how far it is are one transaction.

use postgres::{Client, Transaction};
use waypost_link::{Noun, Revision};
use waypost_storage::{
    Error, Page, Result, Transfer,
    transfer::{Part, Piece},
};

use crate::{
    PostgresStore,
    ask::Ask,
    commit,
    database::Database,
    fault::{Tried, corrupt},
    plan::Plan,
    read,
};

impl Transfer for PostgresStore {
    fn pieces(
        &self,
        part: Part,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Piece, Vec<u8>>> {
        let limit = waypost_storage::page_limit(limit) as i64;
        match part.is_of_clicks() {
            true => self.clicks.pieces(part, after, limit),
            false => self.database.with(|client| pieces(client, part, after, limit)),
        }
    }

    fn restore(&self, part: Part, pieces: &[Piece], note: &[u8]) -> Result<()> {
        if part.is_of_clicks() {
            return self.clicks.restore(part, pieces, note);
        }
        self.database.write(|txn| {
            restore(txn, pieces)?;
            put_note(txn, part, note)
        })
    }

    fn note(&self, part: Part) -> Result<Option<Vec<u8>>> {
        note(&self.database, part)
    }

    fn forget_notes(&self) -> Result<()> {
        self.database.write(|txn| Ok(txn.batch_execute("DELETE FROM waypost.copying")?))
    }
}

fn note(database: &Database, part: Part) -> Result<Option<Vec<u8>>> {
    database.with(|client| {
        let sql = "SELECT note FROM waypost.copying WHERE part = $1";
        Ok(client.ask_opt(sql, &[&(part as i16)])?.map(|row| row.get(0)))
    })
}

/// Keeps the note of a part.
pub(crate) fn put_note(txn: &mut Transaction<'_>, part: Part, note: &[u8]) -> Tried<()> {
    let sql = "INSERT INTO waypost.copying (part, note) VALUES ($1, $2) \
               ON CONFLICT (part) DO UPDATE SET note = EXCLUDED.note";
    txn.tell(sql, &[&(part as i16), &note])?;
    Ok(())
}

/// The error of a piece that is none of the part it came with.
pub(crate) fn misplaced() -> Error {
    Error::Corrupt("a piece that is of another part".into())
}

fn pieces(
    client: &mut Client,
    part: Part,
    after: Option<&[u8]>,
    limit: i64,
) -> Tried<Page<Piece, Vec<u8>>> {
    match part {
        Part::Answers => answers(client, after.unwrap_or_default(), limit),
        Part::State => Ok(Page { items: vec![state(client)?], next: None }),
        _ => Ok(Page { items: Vec::new(), next: None }),
    }
}

fn answers(client: &mut Client, after: &[u8], limit: i64) -> Tried<Page<Piece, Vec<u8>>> {
    let sql = "SELECT scope, data FROM waypost.remembered WHERE scope > $1 ORDER BY scope LIMIT $2";
    let rows = client.ask(sql, &[&after, &limit])?;
    let answers: Result<Vec<_>> =
        rows.iter().map(|row| read::remembered(row).map(Piece::Answer)).collect();
    let last = rows.last().filter(|_| rows.len() as i64 == limit);
    Ok(Page { items: answers?, next: last.map(|row| row.get(0)) })
}

/// The state; a store whose inbox holds clicks isn't whole without them.
fn state(client: &mut Client) -> Tried<Piece> {
    let waits = client.ask_one("SELECT EXISTS (SELECT FROM waypost.inbox)", &[])?;
    if waits.get(0) {
        let why = "inserted clicks wait to be counted: serve the store for a moment first";
        return Err(Error::Unusable(why.into()).into());
    }
    let row = client.ask_one("SELECT head, last_ids FROM waypost.state", &[])?;
    let ids: Vec<i64> = row.get(1);
    let head = Revision(row.get::<_, i64>(0) as u64);
    Ok(Piece::State(head, ids.into_iter().map(|id| id as u64).collect()))
}

fn restore(txn: &mut Transaction<'_>, pieces: &[Piece]) -> Tried<()> {
    let mut plan = Plan::over();
    for piece in pieces {
        match piece {
            Piece::Link(link) => {
                plan.claims_of(&[link.claim()], link.id.0);
                plan.links.insert(link.id.0);
                plan.stored.links.insert(link.id.0, (**link).clone());
            }
            Piece::Record(record) => {
                let key = (record.noun(), record.id());
                plan.claims_of(&record.claims(), key.1);
                plan.records.insert(key);
                plan.stored.records.insert(key, (**record).clone());
            }
            Piece::Answer(answer) => plan.remember.push(answer.clone()),
            Piece::State(head, ids) => put_state(txn, *head, ids)?,
            _ => return Err(misplaced().into()),
        }
    }
    commit::write_rows(txn, &plan)
}

/// The feed begins at the head.
fn put_state(txn: &mut Transaction<'_>, head: Revision, ids: &[u64]) -> Tried<()> {
    let ids: Vec<_> = ids.iter().map(|id| *id as i64).collect();
    if ids.len() > Noun::ALL.len() + 1 {
        return Err(corrupt("state", "ids of unknown nouns").into());
    }
    let sql = "UPDATE waypost.state SET head = $1, trimmed = $1, last_ids = $2";
    txn.tell(sql, &[&(head.0 as i64), &ids])?;
    Ok(())
}
