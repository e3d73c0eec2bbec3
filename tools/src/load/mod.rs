//! `cargo xtask load`: a lean HTTP/1.1 load generator, for servers on this machine only.
//!
//! One thread, one epoll, a fixed number of connections. Each sends a batch of requests (one, unless pipelined), waits
//! for all of its answers, checks every one, and sends the next. General load generators spend more on a request than
//! the servers measured here, so they would be measured themselves. It refuses any address that is not loopback.

mod answer;
pub(crate) mod latency;
mod pool;
mod requests;

use crate::seed::{self, Link};
use anyhow::{Context as _, Result, bail};
use clap::Parser;
use requests::{Head, Requests};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::{Deserialize, Serialize};
use std::net::{SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Longest run, in seconds.
const MAX_SECONDS: f64 = 3_600.0;
/// The most connections: below what loopback has ports for.
const MAX_CONNECTIONS: u64 = 20_000;
/// The most requests of a connection at once: they have to fit a socket's buffer.
const MAX_PIPELINE: u64 = 64;

/// Ask a server on this machine for redirects, as fast as it answers
#[derive(Parser)]
#[command(name = "cargo xtask load")]
struct Options {
    /// The server, 127.0.0.1:PORT; other machines are refused
    #[arg(value_parser = loopback)]
    address: SocketAddrV4,
    /// How long requests are sent, in seconds
    #[arg(long, default_value = "5", value_parser = seconds)]
    seconds: Duration,
    /// Send this many requests at most
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    requests: u64,
    /// Connections at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=MAX_CONNECTIONS))]
    connections: u64,
    /// Requests of a connection at once
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_PIPELINE))]
    pipeline: u64,
    /// Make a new connection for each request (or each batch)
    #[arg(long)]
    new_connections: bool,
    /// What stands in a request
    #[arg(long, value_enum, default_value = "plain")]
    head: Head,
    /// Links to ask for, as `code,destination_url` lines; default: those that `cargo xtask seed` makes
    #[arg(long, value_name = "FILE")]
    links: Option<PathBuf>,
    /// Seed of those links
    #[arg(long, default_value_t = 1, conflicts_with = "links")]
    seed: u64,
    /// Ask for this many of the links only; without a file also how many are made
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    codes: u64,
    /// Ask for few links often and for many rarely, instead of for all as often
    #[arg(long)]
    zipf: bool,
    /// Stay on this core
    #[arg(long, value_name = "N")]
    core: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What a run came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Answers, right and wrong.
    pub(crate) answers: u64,
    /// Answers that were not the redirect asked for, and answers that never came.
    pub(crate) wrong: u64,
    /// From the first request to the last answer.
    pub(crate) seconds: f64,
    /// Half of the answers took at most this, in microseconds.
    pub(crate) p50: f64,
    /// Nine of ten took at most this.
    pub(crate) p90: f64,
}

/// Runs the load; fails where an answer was wrong.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let name = "cargo xtask load".to_owned();
    let options = Options::parse_from(std::iter::once(&name).chain(arguments));
    if cfg!(debug_assertions) {
        eprintln!(
            "a debug build measures itself: `cargo run --release -p waypost-tools -- load …`"
        );
    }
    if let Some(core) = options.core {
        pin(core)?;
    }
    let links = match &options.links {
        Some(path) => read(path)?,
        None => seed::links(options.seed, options.codes),
    };
    let requests = Requests::new(
        links,
        usize::try_from(options.codes)?,
        options.zipf,
        options.head,
        &options.address.to_string(),
        options.new_connections,
    );
    let report = pool::run(&options, requests)?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(if report.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: &Report) {
    let Report { answers, wrong, seconds, p50, p90 } = report;
    println!("{answers} answers in {seconds:.2} s: {:.0} a second", *answers as f64 / seconds);
    println!("p50 {p50:.0} µs, p90 {p90:.0} µs");
    println!("{wrong} wrong");
}

/// Keeps this thread, and those that it starts, on a core.
pub(crate) fn pin(core: usize) -> Result<()> {
    if core >= CpuSet::MAX_CPU {
        bail!("there is no core {core}");
    }
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("can't stay on core {core}"))
}

fn read(path: &Path) -> Result<Vec<Link>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let link = |(number, line): (usize, &str)| {
        let (code, destination) = line.split_once(',').with_context(|| {
            format!("{}:{}: expected code,destination_url", path.display(), number + 1)
        })?;
        Ok(Link { code: code.to_owned(), destination: destination.to_owned() })
    };
    let links: Vec<Link> = text.lines().enumerate().skip(1).map(link).collect::<Result<_>>()?;
    if links.is_empty() {
        bail!("{}: no links", path.display());
    }
    Ok(links)
}

fn loopback(text: &str) -> Result<SocketAddrV4, String> {
    let bare = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    match bare.parse() {
        Ok(SocketAddr::V4(address)) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("only servers on this machine are loaded, at 127.0.0.0/8".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if !(0.01..=MAX_SECONDS).contains(&seconds) {
        return Err(format!("expected 0.01 to {MAX_SECONDS}"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::{loopback, seconds};

    #[test]
    fn only_this_machine() {
        let check = |text: &str, taken: bool| assert_eq!(loopback(text).is_ok(), taken, "{text}");
        check("127.0.0.1:80", true);
        check("127.9.9.9:80", true);
        check("http://127.0.0.1:8080/", true);
        check("127.0.0.1", false);
        check("0.0.0.0:80", false);
        check("10.0.0.1:80", false);
        check("[::1]:80", false);
        check("[2001:db8::1]:80", false);
        check("localhost:80", false);
        check("example.com:80", false);
    }

    #[test]
    fn runs_end() {
        let check = |text: &str, taken: bool| assert_eq!(seconds(text).is_ok(), taken, "{text}");
        check("0.5", true);
        check("3600", true);
        check("3601", false);
        check("0", false);
        check("NaN", false);
        check("inf", false);
    }
}
