//! A PostgreSQL database for one turn: made on a server that the caller names, and dropped after it.
//!
//! PostgreSQL's own `psql` asks. The server is pinned nowhere and its CPU isn't counted: it is another machine, really.

use anyhow::{Context as _, Result, bail};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

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

fn psql(url: &str, statement: &str) -> Result<()> {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--command", statement, "--dbname", url]);
    let output = psql.stdin(Stdio::null()).output().context("psql (Debian: postgresql-client)")?;
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
