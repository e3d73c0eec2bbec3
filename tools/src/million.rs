//! `cargo xtask million`: a server with a million links: how soon it is ready, and what changing one of them costs.
//!
//! One link is changed again and again by `waypost link set`, a process of its own, while the same link is asked for
//! without a break. What is printed is how long after that process's end the server led elsewhere, and how long
//! redirects took while nothing was changed and while a link was: a pause that a change causes shows as a difference. The server
//! then is on core 0; who asks and who changes share core 1, and who changes has to wait for who asks. With `--store`, how
//! soon a node redirects whose PostgreSQL is away, from its snapshot.

use crate::figure::{self, Figure, Goal, percentile};
use crate::load::{latency::Latencies, pin};
use crate::peers::build::Programs;
use crate::peers::process::{ALL_MEMORY, Interrupt, Room, run_through};
use crate::peers::server::{Kit, Running, Server};
use crate::repo;
use anyhow::{Context as _, Result, bail};
use clap::Parser;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The core of all but the server.
const CORE: usize = 1;
/// How long redirects are watched between two changes, and after one.
const QUIET: Duration = Duration::from_millis(300);
const AFTER: Duration = Duration::from_millis(50);
/// How long a change may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What redirects should never pause for.
const PAUSE: Duration = Duration::from_millis(1);
/// Most seconds until ready, most milliseconds until a change shows.
const READY: f64 = 2.0;
const VISIBLE: f64 = 50.0;

/// Measure starting with many links, and changing one of them
#[derive(Parser)]
#[command(name = "cargo xtask million")]
struct Options {
    /// How many links there are
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    links: u64,
    /// How often one is changed
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    changes: u64,
    /// Measure starting without this PostgreSQL, too: postgres://…, where databases may be made
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

/// How long redirects took in some stretch of time.
struct Watched {
    latencies: Latencies,
    time: Duration,
    longest: Duration,
    pauses: u64,
}

/// Who asks for the link, and what was heard.
struct Watch {
    stream: TcpStream,
    request: String,
}

/// Measures; fails where a figure is over what it may be.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let name = "cargo xtask million".to_owned();
    let options = Options::parse_from(std::iter::once(&name).chain(arguments));
    let folder = tempfile::tempdir()?;
    let programs = Programs::build(&repo::root(), &[Server::Waypost])?;
    let kit = Kit::new(folder.path(), programs, options.links, Interrupt::new()?)?
        .with_store(options.store.clone());
    let mut figures = start(&kit)?;
    if options.store.is_some() {
        figures.push(start_away(&kit)?);
    }
    figures.extend(change(&kit, &kit.start(Server::Waypost)?, options.changes)?);
    Ok(figure::report(&figures))
}

/// Starts the server on all cores, as it would be.
fn start(kit: &Kit) -> Result<Vec<Figure>> {
    let running = kit.start_in(Server::Waypost, Room::AllCores)?;
    let what = format!("{} links: until /readyz", kit.links + 1);
    let value = running.ready_after.as_secs_f64();
    let memory = running.process.memory(ALL_MEMORY)?;
    Ok(vec![
        Figure { what, value, goal: Goal::AtMost(READY), unit: "s" },
        Figure { what: "resident then".into(), value: memory, goal: Goal::None, unit: "MiB" },
    ])
}

/// Starts it from the snapshot of a PostgreSQL that is gone.
fn start_away(kit: &Kit) -> Result<Figure> {
    let running = kit.restart_away(kit.start_in(Server::Postgres, Room::AllCores)?)?;
    let what = format!("{} links, PostgreSQL away: until a redirect", kit.links + 1);
    let value = running.ready_after.as_secs_f64();
    Ok(Figure { what, value, goal: Goal::AtMost(READY), unit: "s" })
}

/// Changes a link so often.
fn change(kit: &Kit, running: &Running, times: u64) -> Result<Vec<Figure>> {
    pin(CORE)?;
    let mut watch = Watch::new(running, &kit.last)?;
    let (mut quiet, mut busy) = (Watched::new(), Watched::new());
    let mut shown = Vec::new();
    for nth in 0..times {
        let quiet_end = Instant::now() + QUIET;
        quiet.while_asking(&mut watch, |_| Ok(Instant::now() < quiet_end))?;
        let to = format!("https://www.example.com/changed/{nth}");
        shown.push(busy.until_shown(&mut watch, &kit.change(running, &kit.last, &to), &to)?);
    }
    shown.sort_unstable();
    let figure = |what: &str, part, goal| -> Result<Figure> {
        Ok(Figure { what: what.into(), value: percentile(&shown, part)?, goal, unit: "ms" })
    };
    let mut figures = vec![
        figure("a change shows after its command has ended, median", 0.5, Goal::None)?,
        figure("the same at most", 1.0, Goal::AtMost(VISIBLE))?,
    ];
    figures.extend(quiet.figures("nothing changes"));
    figures.extend(busy.figures("a link changes"));
    Ok(figures)
}

impl Watch {
    fn new(running: &Running, code: &str) -> Result<Self> {
        let stream = TcpStream::connect(running.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = format!("GET /{code} HTTP/1.1\r\nHost: {}\r\n\r\n", running.address);
        Ok(Self { stream, request })
    }

    /// Asks once, and hands the answer to `read`.
    fn ask<T>(&mut self, read: impl FnOnce(&str) -> T) -> Result<T> {
        self.stream.write_all(self.request.as_bytes())?;
        let mut answer = [0; 1024];
        let mut length = 0;
        while !answer[..length].ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut answer[length..])? {
                0 => bail!("the connection ended"),
                more => length += more,
            }
        }
        let answer = str::from_utf8(&answer[..length]).context("an answer that is no text")?;
        if !answer.starts_with("HTTP/1.1 302 ") {
            bail!("not a redirect: {answer}");
        }
        Ok(read(answer))
    }
}

impl Watched {
    fn new() -> Self {
        let (time, longest) = (Duration::ZERO, Duration::ZERO);
        Self { latencies: Latencies::new(), time, longest, pauses: 0 }
    }

    /// Asks on for as long as `go_on` says of the answers.
    fn while_asking(
        &mut self,
        watch: &mut Watch,
        mut go_on: impl FnMut(&str) -> Result<bool>,
    ) -> Result<()> {
        loop {
            let start = Instant::now();
            let answer = watch.ask(str::to_owned)?;
            let took = start.elapsed();
            self.latencies.add(took, 1);
            self.time += took;
            self.longest = self.longest.max(took);
            self.pauses += u64::from(took > PAUSE);
            if !go_on(&answer)? {
                return Ok(());
            }
        }
    }

    /// Runs `command`, and asks until the answer leads to `to`, and a little longer. How long after the command's end
    /// that was: nothing where it was before.
    fn until_shown(&mut self, watch: &mut Watch, command: &Command, to: &str) -> Result<Duration> {
        let mut child = yielding(command)?;
        let start = Instant::now();
        let (mut ended, mut shown) = (None, None);
        self.while_asking(watch, |answer| {
            let now = Instant::now();
            if ended.is_none() && child.try_wait()?.is_some() {
                ended = Some(now);
            }
            if shown.is_none() && answer.contains(&format!("Location: {to}\r\n")) {
                shown = Some(now);
            }
            let both = ended.zip(shown).map(|(ended, shown)| ended.max(shown));
            Ok(both.map_or(now < start + PATIENCE, |both| now < both + AFTER))
        })?;
        let status = child.wait()?;
        let (Some(ended), Some(shown)) = (ended, shown) else {
            bail!("the change was not seen within {} s: {status}", PATIENCE.as_secs());
        };
        Ok(shown.saturating_duration_since(ended))
    }

    fn figures(&self, what: &str) -> Vec<Figure> {
        let time = |part: f64| self.latencies.percentile(part) / 1e3;
        let pauses = self.pauses as f64 / self.time.as_secs_f64();
        let rows = [
            ("redirects, median", time(0.5), "ms"),
            ("redirects, p99", time(0.99), "ms"),
            ("redirects, longest", self.longest.as_secs_f64() * 1e3, "ms"),
            ("redirects over 1 ms, a second", pauses, ""),
        ];
        let figure = |(row, value, unit)| {
            let what = format!("while {what}: {row}");
            Figure { what, value, goal: Goal::None, unit }
        };
        rows.map(figure).into()
    }
}

/// Starts a command that leaves the core to others.
fn yielding(command: &Command) -> Result<Child> {
    let mut nice = Command::new("nice");
    nice.args(["-n", "19"]);
    run_through(&mut nice, command);
    nice.stdin(Stdio::null()).stdout(Stdio::null());
    nice.spawn().context("nice")
}
