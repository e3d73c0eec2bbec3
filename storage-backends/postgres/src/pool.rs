//! What the pool keeps: connections, and when each was last heard.
//!
//! A pool asks whether a connection still answers before it lends it, which is a round trip more for whatever is asked
//! then. One that has answered a moment ago is not asked: should it be lost since, that call fails as one on its way
//! would, and all others are asked again.

use std::time::Instant;

use parking_lot::Mutex;
use postgres::{Client, Error};

use crate::{fault::Tried, limits, socket::Connector};

/// Connects, and looks whether connections are fit to be lent.
pub(crate) struct Manager {
    config: postgres::Config,
    tls: Connector,
    /// When a connection was last found to be lost.
    lost: Mutex<Option<Instant>>,
}

impl Manager {
    pub(crate) fn new(config: postgres::Config, tls: Connector) -> Self {
        Self { config, tls, lost: Mutex::default() }
    }

    /// Whether what was last heard of a connection says that it still answers.
    fn trusts(&self, heard: Instant) -> bool {
        heard.elapsed() < limits::HEARD && self.lost.lock().is_none_or(|lost| lost < heard)
    }
}

/// A connection of the pool.
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// When it last did what it was asked.
    heard: Instant,
}

impl Connection {
    /// Does `work` on it.
    pub(crate) fn run<T>(&mut self, work: impl FnOnce(&mut Client) -> Tried<T>) -> Tried<T> {
        let done = work(&mut self.client)?;
        self.heard = Instant::now();
        Ok(done)
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = Connection;
    type Error = Error;

    fn connect(&self) -> Result<Connection, Error> {
        let client = self.config.connect(self.tls.clone())?;
        Ok(Connection { client, heard: Instant::now() })
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), Error> {
        if !self.trusts(connection.heard) {
            connection.client.simple_query("")?;
        }
        Ok(())
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        let broken = connection.client.is_closed();
        if broken {
            *self.lost.lock() = Some(Instant::now());
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{database::Database, testing::TestDatabase};

    #[test]
    fn a_loss_makes_all_others_be_asked() {
        let test = TestDatabase::new();
        let database = Database::new(&test.options()).unwrap();
        let pid = |client: &mut Client| {
            Ok(client.query_one("SELECT pg_backend_pid()", &[])?.get::<_, i32>(0))
        };
        let mut pids = Vec::new();
        database
            .with(|client| {
                pids.push(pid(client)?);
                database.with(pid).map(|other| pids.push(other)).map_err(Into::into)
            })
            .unwrap();
        let sql = "SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) AS pid";
        test.connect().query(sql, &[&pids]).unwrap();
        // The first was heard a moment ago, unless that took long: this finds out, or makes a new one.
        _ = database.with(pid);
        assert!(!pids.contains(&database.with(pid).unwrap()));
    }
}
