//! The binary as a process: started, asked, stopped, killed.

use std::{
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use waypost_postgres::testing::TestDatabase;

/// Where a server keeps links and clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// In its data directory.
    Lmdb,
    /// In a PostgreSQL database of the test's own.
    Postgres,
}

/// A data directory of a test's own, and its database where it has one.
pub(crate) struct Data {
    dir: TempDir,
    database: Option<Arc<TestDatabase>>,
    /// What `--store` is told, where links and clicks aren't in the directory.
    store: Option<String>,
}

impl Data {
    pub(crate) fn new() -> Self {
        Self::on(Backend::Lmdb)
    }

    /// The same, with links and clicks in `backend`.
    pub(crate) fn on(backend: Backend) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let database = (backend == Backend::Postgres).then(|| Arc::new(TestDatabase::new()));
        let store = database.as_ref().map(|database| database.url());
        Self { dir, database, store }
    }

    /// The same, on a database that the test has made itself.
    pub(crate) fn at(store: String) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        Self { dir, database: None, store: Some(store) }
    }

    /// Another directory on the same database, which is reached with `query` in its URL.
    pub(crate) fn beside(&self, query: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = self.store.as_ref().map(|store| format!("{store}{query}"));
        Self { dir, database: self.database.clone(), store }
    }

    /// The database.
    pub(crate) fn database(&self) -> &TestDatabase {
        self.database.as_ref().expect("a database")
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The store as `waypost copy` names it.
    pub(crate) fn store(&self) -> String {
        match &self.database {
            Some(database) => database.url(),
            None => format!("lmdb:{}", self.path().join("data").display()),
        }
    }

    /// `waypost` with these arguments on this directory, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waypost-under-test"));
        command.args(arguments).arg("--data").arg(self.path().join("data"));
        command.env("WAYPOST_MAP_SIZE", "8GiB").env("WAYPOST_WORKERS", "2");
        if let Some(store) = &self.store {
            command.env("WAYPOST_STORE", store);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("run waypost")
    }

    /// Runs a command that must succeed; what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} failed: {error}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The number of clicks that `stats` says a link has.
    pub(crate) fn clicks(&self, code: &str) -> u64 {
        let stats = self.ok(&["stats", code, "--json"]);
        let stats: serde_json::Value = serde_json::from_str(&stats).expect("JSON");
        stats["clicks"].as_u64().expect("clicks")
    }

    /// Waits until `stats` says that a link has `count` clicks, and that it stays so.
    pub(crate) fn await_clicks(&self, code: &str, count: u64) {
        await_that(|| self.clicks(code) >= count, "the clicks to be counted");
        assert_eq!(self.clicks(code), count, "clicks of {code}");
    }

    /// Starts the server on a free port.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[], &[])
    }

    /// Starts the server with more flags and variables.
    pub(crate) fn serve_with(&self, flags: &[&str], variables: &[(&str, &str)]) -> Server {
        self.start(flags, variables, Stdio::inherit())
    }

    /// Starts the server, and keeps what it writes to standard error for [`Data::log`].
    pub(crate) fn serve_logged(&self, flags: &[&str], variables: &[(&str, &str)]) -> Server {
        let log = std::fs::File::create(self.path().join("log")).expect("a log");
        self.start(flags, variables, log.into())
    }

    /// What a server that was started so has written.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).expect("a log")
    }

    fn start(&self, flags: &[&str], variables: &[(&str, &str)], log: Stdio) -> Server {
        let mut command = self.command(&[&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("start waypost");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let url = line.trim().strip_prefix("redirects")?.trim().strip_prefix("http://")?;
            url.trim_end_matches('/').parse().ok()
        });
        // Whatever else it prints is read, so that it never blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let Some(address) = address else {
            let _ = child.kill();
            panic!("waypost did not start: {:?}", child.wait());
        };
        Server { child, address }
    }
}

/// A server that runs. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Asks it to stop in good order, without waiting.
    pub(crate) fn terminate(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("SIGTERM");
    }

    /// Asks it to stop in good order, and waits until it has.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.terminate();
        self.child.wait().expect("wait")
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Waits until a link redirects, since a running server follows within a second.
    pub(crate) fn await_link(&self, code: &str) {
        let request = format!("HEAD /{code} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let found = || {
            let answer = super::Client::connect(self.address).send(&request).answer_to_head();
            answer.is_some_and(|answer| (300..400).contains(&answer.status))
        };
        await_that(found, "the link to be served");
    }

    /// `GET` of a path on a connection of its own.
    pub(crate) fn get(&self, path: &str) -> super::Answer {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        super::exchange(self.address, request).expect("an answer")
    }

    /// The value of a metric without labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = self.get("/metrics").body;
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.expect(name).parse().expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until `seen`; fails after a minute, which no working server needs.
pub(crate) fn await_that(seen: impl Fn() -> bool, what: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    while !seen() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port that nobody listens on at this moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
