//! What every command works with: the configuration, and the store that it names.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use clap::Args;
use waypost::{
    LmdbSnapshot, Store,
    storage::{Snapshot, transfer},
};
use waypost_link::Timestamp;
use waypost_postgres::PostgresStore;
use waypost_service::{Policy, Service};

use crate::{
    config::{Config, Layers, StoreUrl},
    outside::{self, Products},
};

/// Flags that every command knows.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Globals {
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", env = "WAYPOST_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<String>,
    /// Where links and clicks are kept
    #[arg(long, global = true, value_name = "STORE")]
    pub(crate) store: Option<String>,
}

/// The configuration as typed so far, and the way to the store.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    globals: Globals,
}

/// An open store with the use cases over it.
pub(crate) struct Opened {
    /// What it was opened by.
    pub(crate) config: Config,
    /// The store itself.
    pub(crate) store: Store,
    /// What people do to it.
    pub(crate) service: Service,
}

impl Context {
    /// The context of these flags; nothing is read yet.
    pub(crate) fn new(globals: Globals) -> Self {
        Self { globals }
    }

    /// The configuration: file, then environment, then the global flags, then `more`.
    ///
    /// Unknown `WAYPOST_*` variables are warned of on standard error.
    pub(crate) fn config(&self, more: Vec<(&'static str, Vec<String>)>) -> Result<Config> {
        let mut layers = Layers::default();
        if let Some(file) = &self.globals.config {
            layers.file(file)?;
        }
        for warning in layers.environment(utf8_variables()) {
            eprintln!("waypost: warning: {warning}");
        }
        let own = [("data", &self.globals.data), ("store", &self.globals.store)];
        for (name, value) in own {
            value.iter().for_each(|value| layers.flag(name, vec![value.clone()]));
        }
        more.into_iter().for_each(|(name, values)| layers.flag(name, values));
        Config::check(&layers)
    }

    /// Opens the store beside whoever else has it open, and makes the workspace `default`.
    pub(crate) fn open(&self) -> Result<Opened> {
        let config = self.config(Vec::new())?;
        let store = open_store(&config)?;
        let service = service(&config, &store);
        service.default_workspace()?;
        Ok(Opened { config, store, service })
    }
}

/// The store that `config` names, which need not answer yet, and the snapshot of one that is not in
/// the data directory.
pub(crate) fn find_store(config: &Config) -> Result<(Store, Option<Arc<dyn Snapshot>>)> {
    let StoreUrl::Postgres(options) = &config.store else { return Ok((open_store(config)?, None)) };
    let snapshot = LmdbSnapshot::open(&config.data.join("snapshot"), config.lmdb.map_size)?;
    Ok((Store::of(PostgresStore::new(options)?).shared(), Some(Arc::new(snapshot))))
}

/// The store that `config` names, which is whole.
pub(crate) fn open_store(config: &Config) -> Result<Store> {
    let store = open(&config.store, &config.data, &config.lmdb)?;
    transfer::assert_whole(&*store.transfer)?;
    Ok(store)
}

/// Opens a store, in `dir` and by `lmdb` where it is embedded.
pub(crate) fn open(url: &StoreUrl, dir: &Path, lmdb: &waypost::LmdbOptions) -> Result<Store> {
    match url {
        StoreUrl::Lmdb => Ok(Store::lmdb(dir, lmdb)?),
        StoreUrl::Postgres(options) => Ok(Store::of(PostgresStore::open(options)?).shared()),
    }
}

/// The use cases over `store`, by the rules of `config`.
pub(crate) fn service(config: &Config, store: &Store) -> Service {
    let own_hosts = config.own_hosts.clone();
    let public_url = config.public_url.as_str().trim_end_matches('/').to_owned();
    let (schemes, click_ip) = (config.schemes.clone(), config.click_ip);
    let policy = Policy { schemes, own_hosts, public_url, click_ip };
    let service = Service::new(Arc::clone(&store.links), Arc::clone(&store.clicks), policy, now)
        .and_ask(outside::prober(config));
    if !config.product_details {
        return service;
    }
    service.and_look_up(Arc::new(Products::new(config.media(), config.allow_private_targets)))
}

/// The clock.
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

fn utf8_variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
