//! A PostgreSQL of the tests' own: one server for all test processes, one database a test.
//!
//! Whoever comes first makes and starts the server; it goes when the last test has gone. Tests that
//! need a server with other settings, or one to break, make a [`Cluster`] of their own.

mod cluster;

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub use cluster::Cluster;
use postgres::{Client, NoTls};

/// When to give up on somebody who should have been done.
const PATIENCE: Duration = Duration::from_secs(60);

/// A new database; dropping it drops the database.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// An empty database on the tests' server.
    ///
    /// # Panics
    /// Where there is no PostgreSQL, or it doesn't start.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = format!("test_{process}_{next}");
        let mut client = admin();
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).expect("a free name");
        client.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database");
        Self { name }
    }

    /// Its URL, for `--store`.
    pub fn url(&self) -> String {
        let socket = server().home().display().to_string().replace('/', "%2F");
        format!("postgres://waypost@{socket}/{}", self.name)
    }

    /// Its options.
    ///
    /// # Panics
    /// Never.
    pub fn options(&self) -> crate::Options {
        crate::Options::parse(&self.url()).expect("a URL of our own")
    }

    /// A connection that knows nothing of stores.
    ///
    /// # Panics
    /// Where the server is gone.
    pub fn connect(&self) -> Client {
        connect(&self.name)
    }

    /// Waits until a session of this database waits for another's lock.
    ///
    /// # Panics
    /// Where none does within a minute.
    pub fn wait_until_blocked(&self) {
        let (mut client, end) = (self.connect(), Instant::now() + PATIENCE);
        let sql = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while client.query_one(sql, &[]).expect("an answer").get::<_, i64>(0) == 0 {
            assert!(Instant::now() < end, "nobody waits");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // The server is thrown away with everything in it; this only keeps it small until then.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = admin().batch_execute(&drop);
    }
}

fn admin() -> Client {
    connect("postgres")
}

fn connect(database: &str) -> Client {
    let mut config = postgres::Config::new();
    config.host_path(server().home()).user("waypost").dbname(database);
    config.connect(NoTls).expect("a connection to the tests' PostgreSQL")
}

fn server() -> &'static Cluster {
    static SERVER: OnceLock<Cluster> = OnceLock::new();
    SERVER.get_or_init(Cluster::shared)
}
