//! [`Database`]: a bounded pool of connections, and what every statement runs in.
//!
//! Whoever first reaches the database brings its schema up to date before anything else: it need
//! not be there when a node starts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use postgres::{Client, Transaction};
use waypost_storage::{Error, Result};

use crate::{
    Options,
    ask::Ask,
    fault::{Fault, Tried, explain},
    limits, migrate, patience,
    pool::{Connection, Manager},
    socket::{self, Connector},
    tls,
};

/// The database, reached through a few connections.
pub(crate) struct Database {
    pool: r2d2::Pool<Manager>,
    refused: Arc<Refused>,
    config: postgres::Config,
    tls: Connector,
    /// The schema is what this version needs.
    migrated: AtomicBool,
}

impl Database {
    /// The database of `options`; connects when it is first asked.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let tls = tls::connector(&options.trust)?;
        let (config, tls) = socket::connector(options.config.clone(), tls);
        let manager = Manager::new(config.clone(), tls.clone());
        let refused = Arc::new(Refused::default());
        let pool = r2d2::Pool::builder()
            .max_size(options.connections.max(2))
            .min_idle(Some(0))
            .connection_timeout(limits::CONNECT)
            .connection_customizer(Box::new(Settings(Arc::clone(&refused))))
            .error_handler(Box::new(Handler(Arc::clone(&refused))))
            .build_unchecked(manager);
        Ok(Self { pool, refused, config, tls, migrated: AtomicBool::new(false) })
    }

    /// How many connections it has at most.
    pub(crate) fn connections(&self) -> u32 {
        self.pool.max_size()
    }

    /// A connection outside of the pool.
    pub(crate) fn connect(&self) -> Result<Client> {
        self.config.connect(self.tls.clone()).map_err(|error| Fault::Broken(error).into())
    }

    /// Does `work` on a connection.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Client) -> Tried<T>) -> Result<T> {
        self.with_patience(limits::ANSWER, work)
    }

    /// Does `work` on a connection, each of whose answers may take so long.
    pub(crate) fn with_patience<T>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut Client) -> Tried<T>,
    ) -> Result<T> {
        self.as_it_is(|client| {
            if !self.migrated.load(Relaxed) {
                // Two at once take turns by the migrations' own lock.
                migrate::up(client)?;
                self.migrated.store(true, Relaxed);
            }
            let _patience = patience::silence(Some(patience));
            work(client)
        })
    }

    /// Does `work` on a connection, whatever the schema is.
    pub(crate) fn as_it_is<T>(&self, work: impl FnOnce(&mut Client) -> Tried<T>) -> Result<T> {
        let mut connection = {
            // The pool tries connections that it has before it gives them away.
            let _patience = patience::whole(limits::CONNECT);
            self.pool.get().map_err(|_| self.refused.why())?
        };
        let _patience = patience::silence(Some(limits::SLOW));
        connection.run(work).map_err(Error::from)
    }

    /// What a transaction did. One whose commit was not answered is asked for.
    pub(crate) fn settle<T>(&self, outcome: Outcome<T>) -> Result<T> {
        let (done, xid, error) = match outcome {
            Outcome::Done(done) => return Ok(done),
            Outcome::Unknown(done, xid, error) => (done, xid, error),
        };
        let sql = "SELECT pg_xact_status($1::text::xid8)";
        let asked = self.with(|client| Ok(client.ask_one(sql, &[&xid])?.get(0)));
        let status: Option<String> = asked.map_err(|error| {
            Error::Unavailable(format!("it is not known whether the change was made: {error}"))
        })?;
        match status.as_deref() {
            Some("committed") => Ok(done),
            Some("in progress") => {
                Err(Error::Unavailable("it is not known yet whether the change was made".into()))
            }
            _ => Err(error),
        }
    }

    /// Does `work` in a transaction that is rolled back where it fails.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Tried<T>,
    ) -> Result<T> {
        self.write_with_patience(limits::ANSWER, work)
    }

    /// The same, each of whose answers may take so long.
    pub(crate) fn write_with_patience<T>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut Transaction<'_>) -> Tried<T>,
    ) -> Result<T> {
        self.with_patience(patience, |client| in_transaction(client, work))
    }
}

/// How a transaction ended.
pub(crate) enum Outcome<T> {
    /// Committed.
    Done(T),
    /// Its commit failed, perhaps only in being answered: the database knows by its id.
    Unknown(T, String, Error),
}

impl<T> Outcome<T> {
    /// Commits the transaction of this id, which has `done` something.
    pub(crate) fn of(txn: Transaction<'_>, xid: String, done: T) -> Self {
        match txn.commit() {
            Ok(()) => Self::Done(done),
            Err(error) => Self::Unknown(done, xid, explain(&error)),
        }
    }
}

/// Does `work` in a transaction that is rolled back where it fails.
pub(crate) fn in_transaction<T>(
    client: &mut Client,
    work: impl FnOnce(&mut Transaction<'_>) -> Tried<T>,
) -> Tried<T> {
    let mut txn = client.transaction()?;
    let done = work(&mut txn)?;
    txn.commit()?;
    Ok(done)
}

/// Why the last attempt to connect failed, unless one went well since: the pool itself only tells
/// that it waited in vain.
#[derive(Debug, Default)]
struct Refused(Mutex<Option<Error>>);

impl Refused {
    fn why(&self) -> Error {
        let why = self.0.lock().clone();
        why.unwrap_or_else(|| Error::Unavailable("all connections are busy".into()))
    }
}

#[derive(Debug)]
struct Handler(Arc<Refused>);

impl r2d2::HandleError<postgres::Error> for Handler {
    fn handle_error(&self, error: postgres::Error) {
        *self.0.0.lock() = Some(explain(&error));
    }
}

/// What every connection is told first.
#[derive(Debug)]
struct Settings(Arc<Refused>);

impl r2d2::CustomizeConnection<Connection, postgres::Error> for Settings {
    fn on_acquire(&self, new: &mut Connection) -> std::result::Result<(), postgres::Error> {
        new.client.batch_execute(&format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; \
             SET idle_in_transaction_session_timeout = {}; \
             SELECT set_config(name, '{}', false) FROM pg_catalog.pg_settings \
             WHERE name = 'client_connection_check_interval'",
            limits::STATEMENT.as_millis(),
            limits::LOCK.as_millis(),
            limits::STATEMENT.as_millis(),
            limits::KEEPALIVE.as_millis(),
        ))?;
        *self.0.0.lock() = None;
        Ok(())
    }
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;
