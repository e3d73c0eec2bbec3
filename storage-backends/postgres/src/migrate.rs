//! Migrations: embedded, run in order, each once, by whichever node comes first.
//!
//! Whoever migrates holds an advisory lock to the end of its transaction; all pending migrations
//! are one transaction, so a schema is never half new. Migrations only ever add: the version
//! before must run beside this one, so a schema newer than this binary knows is no error.

use postgres::{Client, Transaction};
use waypost_storage::Result;

use crate::{
    Options,
    ask::Ask,
    database::{Database, in_transaction},
    fault::Tried,
};

/// The lock's name: "waypost" in the upper bytes.
const LOCK: i64 = 0x7761_7970_6f73_7400;

/// Every migration, in order: number, name, statements.
const ALL: &[(i32, &str, &str)] = &[
    (1, "links_and_clicks", include_str!("../migrations/0001_links_and_clicks.sql")),
    (2, "copying", include_str!("../migrations/0002_copying.sql")),
    (3, "for_other_programs", include_str!("../migrations/0003_for_other_programs.sql")),
    (4, "open_hours", include_str!("../migrations/0004_open_hours.sql")),
    (5, "lanes", include_str!("../migrations/0005_lanes.sql")),
];

/// A migration and whether it was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number, from 1.
    pub number: i32,
    /// What it brings.
    pub name: &'static str,
    /// Whether the database has it.
    pub applied: bool,
}

/// The migrations of a database.
pub struct Migrations(Database);

impl Migrations {
    /// Those of the database of `options`.
    ///
    /// # Errors
    /// `Unusable`: the options.
    pub fn of(options: &Options) -> Result<Self> {
        Database::new(options).map(Self)
    }

    /// Every migration that this binary knows, and whether the database has it.
    ///
    /// # Errors
    /// `Unavailable`, `Unusable`.
    pub fn status(&self) -> Result<Vec<Migration>> {
        let applied = self.0.as_it_is(|client| in_transaction(client, applied))?;
        let state = |&(number, name, _): &(i32, _, _)| Migration {
            number,
            name,
            applied: applied.contains(&number),
        };
        Ok(ALL.iter().map(state).collect())
    }

    /// Runs what is missing; how many that were.
    ///
    /// # Errors
    /// `Unavailable`, `Unusable`: nothing was changed.
    pub fn up(&self) -> Result<usize> {
        self.0.as_it_is(up)
    }
}

/// Runs what is missing; how many that were.
pub(crate) fn up(client: &mut Client) -> Tried<usize> {
    in_transaction(client, |txn| {
        if missing(&applied(txn)?).next().is_none() {
            return Ok(0);
        }
        txn.tell("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
        let done = applied(txn)?;
        if missing(&done).next().is_none() {
            return Ok(0);
        }
        txn.batch_execute(
            "CREATE SCHEMA IF NOT EXISTS waypost; \
             CREATE TABLE IF NOT EXISTS waypost.migrations ( \
                 number integer PRIMARY KEY, name text NOT NULL, \
                 applied_at timestamptz NOT NULL DEFAULT now())",
        )?;
        let mut count = 0;
        for (number, name, statements) in missing(&done) {
            txn.batch_execute(statements)?;
            let row = "INSERT INTO waypost.migrations (number, name) VALUES ($1, $2)";
            txn.tell(row, &[number, name])?;
            count += 1;
        }
        Ok(count)
    })
}

fn missing(done: &[i32]) -> impl Iterator<Item = &'static (i32, &'static str, &'static str)> {
    ALL.iter().filter(|(number, ..)| !done.contains(number))
}

/// The numbers of those that were run.
///
/// Asks the catalog as a table: who waited for the lock would be told by `to_regclass` what its
/// session had found, and remembered, before.
fn applied(txn: &mut Transaction<'_>) -> Tried<Vec<i32>> {
    let there = "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables \
                 WHERE schemaname = 'waypost' AND tablename = 'migrations')";
    if !txn.ask_one(there, &[])?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = txn.ask("SELECT number FROM waypost.migrations", &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
