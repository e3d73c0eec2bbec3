//! A PostgreSQL database for one turn: made on a server that the caller names, and dropped after it; kept busy, where
//! what that costs others is measured.
//!
//! PostgreSQL's own `psql` asks. The server is pinned nowhere and its CPU isn't counted: it is another machine, really.

use anyhow::{Context as _, Result, bail};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// What is missing where no `psql` can be started.
const NEEDED: &str = "psql (Debian: postgresql-client)";
/// Inserts rows for longer than any measurement takes, into a table that stays small.
const INSERT: &str = "DO $$ DECLARE finish timestamptz := clock_timestamp() + '20 minutes'; BEGIN \
    WHILE clock_timestamp() < finish LOOP \
        FOR part IN 1..50 LOOP \
            INSERT INTO rows SELECT (random() * 1e9)::bigint, n, repeat('x', 200) \
                FROM generate_series(1, 20000) AS n; \
            COMMIT; \
        END LOOP; \
        TRUNCATE rows; \
    END LOOP; END $$";

/// A database, until this is dropped.
pub(super) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Makes an empty one on the server of `url`, whoever may connect to the database in it.
    pub(super) fn create(url: &str) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("waypost_peers_{}_{number}", std::process::id());
        psql(url, &format!("CREATE DATABASE {name}"))?;
        Ok(Self { server: url.to_owned(), name })
    }

    /// What `waypost --store` understands.
    pub(super) fn url(&self) -> String {
        renamed(&self.server, &self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = psql(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name))
        {
            eprintln!("the database {} is left behind: {error:#}", self.name);
        }
    }
}

/// A database into which rows are inserted, with what two indexes cost, for as long as this is there: about what storing
/// clicks asks of PostgreSQL.
pub(crate) struct Busy {
    inserting: Child,
    /// Dropped last, and with it whoever still works on it.
    _database: Database,
}

impl Busy {
    pub(super) fn start(url: &str) -> Result<Self> {
        let database = Database::create(url)?;
        psql(&database.url(), "CREATE TABLE rows (a bigint, b bigint, c text)")?;
        psql(&database.url(), "CREATE INDEX ON rows (a)")?;
        psql(&database.url(), "CREATE INDEX ON rows (b)")?;
        let inserting = command(&database.url(), INSERT).spawn().context(NEEDED)?;
        Ok(Self { inserting, _database: database })
    }

    /// Ends it; an error where it had ended by itself.
    pub(super) fn end(mut self) -> Result<()> {
        match self.inserting.try_wait()? {
            Some(status) => bail!("psql, which was to keep the database busy: {status}"),
            None => Ok(()),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.inserting.kill().ok(); // fails where it has ended
        self.inserting.wait().ok();
    }
}

fn command(url: &str, statement: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--command", statement, "--dbname", url]);
    psql.stdin(Stdio::null());
    psql
}

fn psql(url: &str, statement: &str) -> Result<()> {
    let output = command(url, statement).output().context(NEEDED)?;
    if !output.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// The URL with another database's name in it.
fn renamed(url: &str, name: &str) -> String {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let host = place.find("://").map_or(0, |at| at + "://".len());
    let end = place[host..].find('/').map_or(place.len(), |at| host + at);
    let mark = if parameters.is_empty() { "" } else { "?" };
    format!("{}/{name}{mark}{parameters}", &place[..end])
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn a_url_names_one_database() {
        for (url, expected) in [
            ("postgres://a:b@h:5/old", "postgres://a:b@h:5/new"),
            ("postgres://h", "postgres://h/new"),
            ("postgres:///old?host=/run/x", "postgres:///new?host=/run/x"),
            ("postgres://h?sslmode=require", "postgres://h/new?sslmode=require"),
        ] {
            assert_eq!(renamed(url, "new"), expected);
        }
    }
}
