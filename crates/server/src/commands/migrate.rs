//! `waypost migrate`: the schema of a PostgreSQL store, shown or brought up to date.
//!
//! Every command that opens the store does the latter too; this one is for whoever wants it done
//! before, by another user, or wants to see it.

use anyhow::{Result, bail};
use clap::Subcommand;
use serde_json::{Value, json};
use waypost_postgres::{Migration, Migrations};

use super::output;
use crate::{config::StoreUrl, context::Context};

/// What `waypost migrate` does.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the migrations, and which the database has
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Run those that the database lacks
    Up {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs `waypost migrate`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    let StoreUrl::Postgres(options) = context.config(Vec::new())?.store else {
        bail!("only a PostgreSQL store has migrations: say --store postgres://…");
    };
    let migrations = Migrations::of(&options)?;
    let json = match *command {
        Command::Status { json } => json,
        Command::Up { json } => {
            migrations.up()?;
            json
        }
    };
    print(&migrations.status()?, json)
}

fn print(all: &[Migration], json: bool) -> Result<()> {
    if json {
        return Ok(output::json(&all.iter().map(object).collect::<Vec<_>>())?);
    }
    let rows = all.iter().map(|migration| {
        let state = if migration.applied { "applied" } else { "pending" };
        vec![migration.number.to_string(), migration.name.to_owned(), state.to_owned()]
    });
    Ok(output::table(&["number", "name", "state"], rows, &[0])?)
}

fn object(migration: &Migration) -> Value {
    json!({
        "number": migration.number,
        "name": migration.name,
        "applied": migration.applied,
    })
}
