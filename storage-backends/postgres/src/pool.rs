//! What the pool keeps: connections, and when each was last heard.
//!
//! A pool asks whether a connection still answers before it lends it, which is a round trip more for whatever is asked
//! then. One that has answered a moment ago is not asked: should it be lost since, that call fails as one on its way would.

use std::time::Instant;

use postgres::{Client, Error};

use crate::{fault::Tried, limits, socket::Connector};

/// Connects, and looks whether connections are fit to be lent.
pub(crate) struct Manager {
    pub(crate) config: postgres::Config,
    pub(crate) tls: Connector,
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
        if connection.heard.elapsed() >= limits::HEARD || connection.client.is_closed() {
            connection.client.simple_query("")?;
        }
        Ok(())
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.client.is_closed()
    }
}
