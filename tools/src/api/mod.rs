//! `cargo xtask api`: how fast links are made through the API, and what the API's work takes from redirects.
//!
//! A release server on an LMDB store, durable as it is by default. Links are made on all cores, clients beside the
//! server, as on a machine that does nothing else; redirects are measured as `peers` does it, the server on core 0 and
//! the load on core 1. Everything goes to loopback, is bounded in number and time, and is gone at the end.

mod client;
mod create;
mod disk;
mod mix;

use crate::figure;
use crate::peers::build::Programs;
use crate::peers::process::{Interrupt, Room};
use crate::peers::server::{Kit, Server};
use crate::repo;
use anyhow::{Result, bail};
use clap::Parser;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Measure the API: creations, bulk creations, and redirects meanwhile
#[derive(Parser)]
#[command(name = "cargo xtask api")]
struct Options {
    /// Length of a measurement, in seconds
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// How often redirects are measured, with and without calls of the API
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(0..=100))]
    rounds: u64,
    /// How many links there are
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    links: u64,
}

/// Measures; fails where a figure is not what it is meant to be.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let name = "cargo xtask api".to_owned();
    let options = Options::parse_from(std::iter::once(&name).chain(arguments));
    let programs = Programs::build(&repo::root(), &[Server::Waypost])?;
    if cfg!(debug_assertions) {
        return in_release(&programs, arguments);
    }
    let folder = tempfile::tempdir()?;
    let kit = Kit::new(folder.path(), programs, options.links, Interrupt::new()?)?;
    let time = Duration::from_secs(options.seconds);
    let mut figures = disk::measure(folder.path())?;
    let running = kit.start_in(Server::Waypost, Room::AllCores)?;
    figures.extend(create::one_by_one(&running, time)?);
    figures.extend(create::in_bulk(&running)?);
    drop(running);
    if options.rounds > 0 {
        figures.extend(mix::measure(&kit, options.rounds, options.seconds)?);
    }
    Ok(figure::report(&figures))
}

/// The clients of a debug build would be measured themselves, so this goes on in one of release.
fn in_release(programs: &Programs, arguments: &[String]) -> Result<ExitCode> {
    let status = Command::new(&programs.xtask).arg("api").args(arguments).status()?;
    match status.code() {
        Some(0) => Ok(ExitCode::SUCCESS),
        Some(_) => Ok(ExitCode::FAILURE),
        None => bail!("{status}"),
    }
}
