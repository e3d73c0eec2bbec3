//! The servers, and how each is started: fresh, with the same links, one worker.

use super::build::Programs;
use super::database::{Busy, Database};
use super::metrics;
use super::nginx;
use super::process::{Interrupt, Process, Room};
use crate::seed;
use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it answers.
const START: Duration = Duration::from_secs(60);
/// The token of Waypost's owner key.
pub(crate) const ADMIN_KEY: &str = "wp_measured_by_xtask";
/// What Waypost logs here, and the line of it by which a node could from now on start without its PostgreSQL.
const LOG: &str = "warn,waypost::keeper=info";
const SNAPSHOT: &str = "the local snapshot is whole";
/// The seed of the links.
const SEED: u64 = 1;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// Waypost itself, clicks recorded
    Waypost,
    /// Waypost on the PostgreSQL of --store
    Postgres,
    /// Waypost itself, beside that PostgreSQL, which is busy with something else
    Beside,
    /// nginx, a map and a buffered log
    Nginx,
    /// Stock may_minihttp, prebuilt answers, no clicks
    Minihttp,
    /// A bare epoll loop, prebuilt answers, no clicks
    Bare,
}

/// What all turns need.
pub(crate) struct Kit {
    pub(crate) programs: Programs,
    pub(crate) interrupt: Interrupt,
    pub(crate) csv: PathBuf,
    /// How many links are asked for.
    pub(crate) links: u64,
    /// The code of one more link, which no load asks for.
    pub(crate) last: String,
    map: PathBuf,
    folder: PathBuf,
    /// The PostgreSQL that [`Server::Postgres`] makes its databases on.
    store: Option<String>,
}

/// A server that answers.
pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) address: SocketAddrV4,
    pub(crate) process: Process,
    /// From its start until it answered.
    pub(crate) ready_after: Duration,
    /// These are removed after the process has ended: fields are dropped in this order.
    database: Option<Database>,
    folder: tempfile::TempDir,
}

impl Server {
    pub(crate) const ALL: [Self; 6] =
        [Self::Waypost, Self::Postgres, Self::Beside, Self::Nginx, Self::Minihttp, Self::Bare];

    pub(crate) fn is_waypost(self) -> bool {
        matches!(self, Self::Waypost | Self::Postgres | Self::Beside)
    }

    /// Whether it takes the PostgreSQL of `--store`.
    pub(super) fn needs_store(self) -> bool {
        matches!(self, Self::Postgres | Self::Beside)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waypost => "waypost",
            Self::Postgres => "waypost on PostgreSQL",
            Self::Beside => "waypost beside a busy PostgreSQL",
            Self::Nginx => "nginx",
            Self::Minihttp => "may_minihttp",
            Self::Bare => "bare epoll loop",
        }
    }
}

impl Kit {
    /// Writes the links to `folder`.
    pub(crate) fn new(
        folder: &Path,
        programs: Programs,
        links: u64,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let (count, links) = (links, seed::links(SEED, links + 1));
        let (csv, map) = (folder.join("links.csv"), folder.join("links.map"));
        seed::write(&csv, |file| seed::write_csv(file, &links))?;
        seed::write(&map, |file| seed::write_map(file, &links))?;
        let last = links.last().map(|link| link.code.clone()).unwrap_or_default();
        let (folder, store) = (folder.to_owned(), None);
        Ok(Self { programs, interrupt, csv, links: count, last, map, folder, store })
    }

    /// With a PostgreSQL to make databases on.
    pub(crate) fn with_store(self, store: Option<String>) -> Self {
        Self { store, ..self }
    }

    /// Starts a server on its core, in a folder of its own, and waits until it answers.
    pub(crate) fn start(&self, server: Server) -> Result<Running> {
        self.start_in(server, Room::OneCore)
    }

    /// As [`Kit::start`], where Waypost may have all cores.
    pub(crate) fn start_in(&self, server: Server, room: Room) -> Result<Running> {
        let folder = tempfile::tempdir_in(&self.folder)?;
        let address = free_address()?;
        let database = match server {
            Server::Postgres => Some(Database::create(self.store()?)?),
            _ => None,
        };
        let command = match server {
            Server::Waypost | Server::Postgres | Server::Beside => {
                let store = database.as_ref().map(Database::url);
                self.import(folder.path(), store.as_deref())?;
                self.serve(folder.path(), store.as_deref(), address, room)
            }
            Server::Nginx => self.nginx(folder.path(), address)?,
            Server::Minihttp => self.peer(&self.programs.minihttp, address),
            Server::Bare => self.peer(&self.programs.bare, address),
        };
        let (process, ready_after) =
            self.launch(&command, folder.path(), room, || match server {
                _ if server.is_waypost() => metrics::answers(address, "/readyz", 200),
                _ => TcpStream::connect(address).is_ok(),
            })?;
        Ok(Running { server, address, process, ready_after, database, folder })
    }

    /// Ends a Waypost on PostgreSQL once its snapshot is whole, and starts it where no database answers; until it
    /// redirects.
    pub(crate) fn restart_away(&self, mut running: Running) -> Result<Running> {
        self.interrupt.wait("to have a snapshot", START, || {
            running.process.must_run()?;
            Ok(running.process.has_said(SNAPSHOT)?.then_some(()))
        })?;
        let Running { server, process, database, folder, .. } = running;
        drop((process, database));
        let (address, room) = (free_address()?, Room::AllCores);
        let nowhere = format!("postgres://{}/waypost", free_address()?);
        let command = self.serve(folder.path(), Some(&nowhere), address, room);
        let path = format!("/{}", self.last);
        let (process, ready_after) =
            self.launch(&command, folder.path(), room, || metrics::answers(address, &path, 302))?;
        Ok(Running { server, address, process, ready_after, database: None, folder })
    }

    /// Starts a program; how long it took until it `answers`.
    fn launch(
        &self,
        command: &Command,
        folder: &Path,
        room: Room,
        answers: impl Fn() -> bool,
    ) -> Result<(Process, Duration)> {
        let begun = Instant::now();
        let mut process = Process::start(command, folder, room)?;
        self.interrupt.wait("to answer", START, || {
            process.must_run()?;
            Ok(answers().then_some(()))
        })?;
        Ok((process, begun.elapsed()))
    }

    /// What is to go on while this server is measured, until it is dropped.
    pub(super) fn busy(&self, server: Server) -> Result<Option<Busy>> {
        match server {
            Server::Beside => Busy::start(self.store()?).map(Some),
            _ => Ok(None),
        }
    }

    fn store(&self) -> Result<&str> {
        self.store.as_deref().context("--store names no PostgreSQL")
    }

    /// A command beside the running Waypost that leads a link elsewhere.
    pub(crate) fn change(&self, running: &Running, code: &str, destination: &str) -> Command {
        let mut command = self.beside(running, &["link", "set", code]);
        command.arg(format!("destination_url={destination}")).stdin(Stdio::null());
        command
    }

    /// How many clicks of [`Kit::last`] are in the store, said by another process: one that can't see those which the
    /// server holds in memory or in its journal.
    pub(crate) fn stored_clicks_of_last(&self, running: &Running) -> Result<u64> {
        let mut stats = self.beside(running, &["stats", "--json"]);
        let output = stats.arg(&self.last).stdin(Stdio::null()).output().context("waypost")?;
        let said: serde_json::Value =
            serde_json::from_slice(&output.stdout).with_context(|| {
                format!("waypost stats: {}", String::from_utf8_lossy(&output.stderr))
            })?;
        said["clicks"].as_u64().context("waypost stats says no clicks")
    }

    /// A command beside a running Waypost.
    fn beside(&self, running: &Running, words: &[&str]) -> Command {
        let store = running.database.as_ref().map(Database::url);
        self.waypost(running.folder.path(), store.as_deref(), words)
    }

    /// Imports the links into a store.
    fn import(&self, folder: &Path, store: Option<&str>) -> Result<()> {
        let mut import = self.waypost(folder, store, &["import"]);
        let output = import.arg(&self.csv).stdin(Stdio::null()).output().context("waypost")?;
        if !output.status.success() {
            bail!("waypost import: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Waypost, to be started on a store.
    fn serve(
        &self,
        folder: &Path,
        store: Option<&str>,
        address: SocketAddrV4,
        room: Room,
    ) -> Command {
        let mut command = self.waypost(folder, store, &["serve", "--workers", room.workers()]);
        command.arg("--no-rate-limit").arg("--listen").arg(address.to_string());
        command.env("WAYPOST_LOG", LOG).env("WAYPOST_ADMIN_KEY", ADMIN_KEY);
        command
    }

    /// Waypost with a folder and the URL of a store, and no variable of the caller's environment.
    fn waypost(&self, folder: &Path, store: Option<&str>, words: &[&str]) -> Command {
        let mut command = Command::new(&self.programs.waypost);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WAYPOST_") {
                command.env_remove(name);
            }
        }
        command.args(words).arg("--data").arg(folder.join("data"));
        if let Some(store) = store {
            command.env("WAYPOST_STORE", store);
        }
        command
    }

    fn nginx(&self, folder: &Path, address: SocketAddrV4) -> Result<Command> {
        let file = folder.join("nginx.conf");
        std::fs::write(&file, nginx::configuration(folder, &self.map, address))?;
        let mut command = Command::new(&self.programs.nginx);
        command.arg("-e").arg(folder.join("error.log"));
        command.arg("-p").arg(folder).arg("-c").arg(file);
        Ok(command)
    }

    fn peer(&self, program: &Path, address: SocketAddrV4) -> Command {
        let mut command = Command::new(program);
        command.arg(&self.csv).arg(address.to_string());
        command
    }
}

fn free_address() -> Result<SocketAddrV4> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, listener.local_addr()?.port()))
}
