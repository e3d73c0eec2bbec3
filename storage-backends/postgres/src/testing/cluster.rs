//! [`Cluster`]: a PostgreSQL made, started and stopped by its own programs.
//!
//! The programs run as an unprivileged user where the tests run as root, which PostgreSQL refuses.
//! Whoever uses a cluster holds a shared lock on a file beside its data; a shell that waits for
//! that lock stops the server and removes the data when nobody has held it for a while, however
//! the tests ended. Where the programs can't be found a test fails: it is never passed over.

use std::{
    fs::{self, File, Permissions},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// What every server of the tests is told: nothing has to survive a power cut.
const SETTINGS: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_connections=300",
    "shared_buffers=64MB",
];

/// Stops the server (with `$0`) and removes its files (`$@`) once nobody holds it, and nobody does
/// five seconds later: there is time from one test to the next. It takes its turn first, so that
/// nobody takes hold of a server that is going.
const KEEPER: &str = "while :; do flock held true; sleep 5; exec 9<turn; flock 9; \
     if flock -n held true; then \"$0\" -D data -m immediate stop; rm -rf \"$@\"; exit; fi; \
     exec 9<&-; done";

/// A PostgreSQL that this process holds.
#[derive(Debug)]
pub struct Cluster {
    home: PathBuf,
    user: Option<(u32, u32)>,
    _held: File,
}

impl Cluster {
    /// The one that all tests share, running.
    ///
    /// # Panics
    /// Where there is no PostgreSQL, or it doesn't start.
    pub(super) fn shared() -> Self {
        let user = user();
        let whose = user.map_or_else(own, |(uid, _)| uid);
        let home = std::env::temp_dir().join(format!("waypost-postgres-{whose}"));
        // Starting is one process's turn at a time; holding is many's.
        let (cluster, _turn) = Self::hold(home, user);
        if !cluster.is_running() {
            // The files to lock stay: another process may wait for them.
            cluster.make(&[Path::new("data"), Path::new("log")]);
            cluster.start(&["listen_addresses=''"]);
        }
        cluster
    }

    /// Another one, not yet started: for tests that set it up, stop it or break it.
    ///
    /// # Panics
    /// Where there is no PostgreSQL.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let home = std::env::temp_dir().join(format!("waypost-postgres-test-{process}-{next}"));
        let (cluster, _turn) = Self::hold(home, user());
        cluster.make(&[&cluster.home]);
        cluster
    }

    /// Where its data is, its log, and its socket.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Puts a file in its home that only the server's user may read; its path.
    ///
    /// # Panics
    /// Where that is not possible.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.join(name);
        fs::write(&path, text).expect("a file written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a private file");
        give(&path, self.user);
        path
    }

    /// Starts it with these settings, beside those of every test.
    ///
    /// # Panics
    /// Where it doesn't start; says what its log says.
    pub fn start(&self, settings: &[&str]) {
        let socket = format!("unix_socket_directories='{}'", self.home.display());
        let all = SETTINGS.iter().chain(settings).copied().chain([&*socket]);
        let options: String = all.map(|setting| format!("-c {setting} ")).collect();
        self.run("pg_ctl", &["-D", "data", "-w", "-t", "120", "-o", &options, "start"]);
    }

    /// Stops it: `fast`, which ends what clients do, or `immediate`, which is a crash.
    ///
    /// # Panics
    /// Where it doesn't run.
    pub fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["-D", "data", "-w", "-m", mode, "stop"]);
    }

    /// The cluster of this directory, held, and the turn to start it.
    fn hold(home: PathBuf, user: Option<(u32, u32)>) -> (Self, File) {
        fs::create_dir_all(&home).expect("a directory for PostgreSQL");
        give(&home, user);
        let file = |name| File::create(home.join(name)).expect("a file to lock");
        let (turn, held) = (file("turn"), file("held"));
        turn.lock().expect("the turn");
        held.lock_shared().expect("the server held");
        (Self { home, user, _held: held }, turn)
    }

    /// Makes the data directory, and sets the keeper on it, who removes `files` in the end.
    #[expect(clippy::zombie_processes, reason = "the keeper outlives who set it")]
    fn make(&self, files: &[&Path]) {
        let _ = fs::remove_dir_all(self.home.join("data"));
        let options = ["--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C", "-U", "waypost"];
        self.run("initdb", &[&options[..], &["-D", "data"]].concat());
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER]).arg(program("pg_ctl")).args(files).process_group(0);
        keeper.stdout(Stdio::null()).stderr(Stdio::null());
        self.own(&mut keeper).spawn().expect("a shell");
    }

    fn is_running(&self) -> bool {
        let mut command = Command::new(program("pg_ctl"));
        command.args(["-D", "data", "status"]).stdout(Stdio::null()).stderr(Stdio::null());
        self.own(&mut command).status().is_ok_and(|status| status.success())
    }

    /// Runs one of PostgreSQL's programs. What it prints goes into the log, as all that the server
    /// prints later: one that inherited a test's pipes would keep its runner waiting.
    fn run(&self, name: &str, args: &[&str]) {
        let path = self.home.join("log");
        let log = File::options().create(true).append(true).open(&path).expect("a log");
        let mut command = Command::new(program(name));
        command.args(args).stdout(log.try_clone().expect("the log")).stderr(log);
        let ran = self.own(&mut command).status().unwrap_or_else(|error| {
            panic!(
                "{name} can't be run ({error}): install PostgreSQL (Debian's package `postgresql`)"
            )
        });
        let said = || fs::read_to_string(&path).unwrap_or_default();
        assert!(ran.success(), "{name} {args:?}: {ran}\n{}", said());
    }

    /// `command` in its home, as its user.
    fn own<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.current_dir(&self.home).stdin(Stdio::null());
        match self.user {
            Some((uid, gid)) => command.gid(gid).uid(uid),
            None => command,
        }
    }
}

/// Where a program is: on the path, or where Debian puts it.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join(name));
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin").join(name));
    on_path.chain(debian).find(|path| path.exists()).unwrap_or_else(|| name.into())
}

fn give(path: &Path, user: Option<(u32, u32)>) {
    if let Some((uid, gid)) = user {
        chown(path, Some(uid), Some(gid)).expect("a file handed over");
    }
}

/// Whom this process runs as.
fn own() -> u32 {
    fs::metadata("/proc/self").map_or(0, |process| process.uid())
}

/// Whom the server runs as where the tests run as root: `postgres`, else `nobody`.
fn user() -> Option<(u32, u32)> {
    if own() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).expect("a user who isn't root"))
}
