//! `waypost copy`: a whole store into another, empty one, of either kind.
//!
//! Nobody may serve either meanwhile. A data directory's lock says so; a database has none, since
//! nodes come and go, so there it is the operator's word.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use waypost::{LmdbOptions, Lock, Store, holds_clicks, storage::transfer};

use super::output;
use crate::{
    config::{Source, StoreUrl},
    context::{Context, open},
};

/// Arguments of `waypost copy`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The store to read: lmdb:DIR or postgres://…
    #[arg(long, value_name = "STORE")]
    from: String,
    /// The store to make: the same, and empty
    #[arg(long, value_name = "STORE")]
    to: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `waypost copy`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let lmdb = context.config(Vec::new())?.lmdb;
    let (from, to) = (End::parse("from", &arguments.from)?, End::parse("to", &arguments.to)?);
    let _locks = (from.lock()?, to.lock()?);
    from.assert_journaled()?;
    let (from, to) = (from.open(&lmdb)?, to.open(&lmdb)?);
    let bar = ProgressBar::new_spinner();
    let copied = transfer::copy(&side(&from), &side(&to), |part, pieces| {
        bar.set_message(format!("{part:?}"));
        bar.inc(pieces as u64);
    });
    bar.finish_and_clear();
    print(&copied?, arguments.json)
}

fn print(copied: &transfer::Copied, as_json: bool) -> Result<()> {
    if as_json {
        let figures: serde_json::Map<_, _> =
            copied.figures.iter().map(|(name, number)| (name.to_owned(), number.into())).collect();
        return Ok(output::json(&json!({ "resumed": copied.resumed, "figures": figures }))?);
    }
    let rows =
        copied.figures.iter().map(|(name, number)| vec![name.to_owned(), number.to_string()]);
    output::table(&["what", "number"], rows, &[1])?;
    Ok(output::line("copied; both sides are the same")?)
}

fn side(store: &Store) -> transfer::Side<'_> {
    transfer::Side {
        links: &*store.links,
        clicks: &*store.clicks,
        maintain: &*store.maintain,
        transfer: &*store.transfer,
    }
}

/// One end of a copy, not opened yet.
struct End {
    url: StoreUrl,
    /// The data directory, where it is one.
    dir: PathBuf,
}

impl End {
    /// A database's URL may hold a password, so what is wrong with one is said without it.
    fn parse(flag: &str, text: &str) -> Result<Self> {
        if let Some(dir) = text.strip_prefix("lmdb:").filter(|dir| !dir.is_empty()) {
            return Ok(Self { url: StoreUrl::Lmdb, dir: dir.into() });
        }
        let flag = Source::Flag(flag.to_owned());
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return flag.refuse("a store is lmdb:DIR or postgres://…");
        }
        match waypost_postgres::Options::parse(text) {
            Ok(options) => {
                Ok(Self { url: StoreUrl::Postgres(Box::new(options)), dir: PathBuf::new() })
            }
            Err(error) => flag.refuse(error),
        }
    }

    fn lock(&self) -> Result<Option<Lock>> {
        match self.url {
            StoreUrl::Lmdb => Ok(Some(Lock::take(&self.dir)?)),
            StoreUrl::Postgres(_) => Ok(None),
        }
    }

    fn open(&self, lmdb: &LmdbOptions) -> Result<Store> {
        open(&self.url, &self.dir, lmdb)
    }

    /// What a killed server left in its journal is in no store yet, and would be left behind.
    fn assert_journaled(&self) -> Result<()> {
        if matches!(self.url, StoreUrl::Lmdb) && holds_clicks(&self.dir.join("journal"))? {
            bail!(
                "{}: the journal has clicks that are not stored yet: start `waypost serve` on it \
                 and stop it first",
                self.dir.display()
            );
        }
        Ok(())
    }
}
