//! `cargo xtask peers`: Waypost with click recording on against what it is chosen over, in one run.
//!
//! Servers take turns on core 0, each alone and fresh, and the load comes from core 1, from a process of its own. What
//! counts is the CPU that a server spent on a request: throughput alone says nothing where the generator is as slow as
//! the server. Figures are medians over rounds, and ratios are taken within a round, whose turns follow each other
//! closely. It never loads another machine, and leaves nothing behind; killed outright, its temporary folder, and its
//! databases on `--store`, one of which may be busy for another 20 minutes.

pub(crate) mod build;
mod database;
pub(crate) mod measure;
mod metrics;
mod nginx;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod table;

use crate::repo;
use anyhow::{Context as _, Result, bail};
use build::Programs;
use clap::Parser;
use measure::Sample;
use process::Interrupt;
use server::{Kit, Server};
use std::path::PathBuf;
use std::process::ExitCode;

/// Measure Waypost, clicks recorded, against nginx, stock may_minihttp and a bare epoll loop
#[derive(Parser)]
#[command(name = "cargo xtask peers")]
struct Options {
    /// How often every server has its turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// Length of a measurement, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Measure Waypost on this PostgreSQL, too: postgres://…, where databases may be made
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Measure these servers only
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SERVER,…")]
    only: Vec<Server>,
    /// Measure these shapes of requests only: plain, browser, pipelined, new
    #[arg(long, value_delimiter = ',', value_name = "SHAPE,…", value_parser = Shape::named)]
    shapes: Vec<&'static Shape>,
    /// How many links there are
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    links: u64,
    /// Where temporary files go; default: the system's place for them
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// A shape of requests, and what Waypost is meant to reach with it.
#[derive(Debug)]
struct Shape {
    name: &'static str,
    title: &'static str,
    /// Arguments of `cargo xtask load`.
    flags: &'static [&'static str],
    /// Whether one link is asked for, over and over, instead of all.
    one_link: bool,
    /// Requests per second of CPU, over nginx's and over the bare loop's.
    over_nginx: f64,
    over_bare: f64,
}

const SHAPES: &[Shape] = &[
    Shape {
        name: "plain",
        title: "plain GET, one link",
        flags: &[],
        one_link: true,
        over_nginx: 1.38,
        over_bare: 0.87,
    },
    Shape {
        name: "browser",
        title: "13 browser headers, all links",
        flags: &["--head", "browser"],
        one_link: false,
        over_nginx: 1.38,
        over_bare: 0.83,
    },
    Shape {
        name: "pipelined",
        title: "pipelined ×16, all links",
        flags: &["--pipeline", "16"],
        one_link: false,
        over_nginx: 3.5,
        over_bare: 0.50,
    },
    Shape {
        name: "new",
        title: "a new connection each, all links",
        flags: &["--new-connections"],
        one_link: false,
        over_nginx: 1.05,
        over_bare: 0.95,
    },
];

impl Shape {
    fn named(name: &str) -> Result<&'static Self, String> {
        let names: Vec<_> = SHAPES.iter().map(|shape| shape.name).collect();
        let shape = SHAPES.iter().find(|shape| shape.name == name);
        shape.ok_or_else(|| format!("expected one of {}", names.join(", ")))
    }
}

/// Measures and prints; fails where an answer was wrong or a click is missing.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let name = "cargo xtask peers".to_owned();
    let mut options = Options::parse_from(std::iter::once(&name).chain(arguments));
    if options.only.is_empty() {
        options.only = Server::ALL.to_vec();
        options.only.retain(|server| !server.needs_store() || options.store.is_some());
    }
    if options.shapes.is_empty() {
        options.shapes = SHAPES.iter().collect();
    }
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        bail!("two cores are needed: one for the server, one for the load");
    }
    let interrupt = Interrupt::new()?;
    let programs = Programs::build(&repo::root(), &options.only)?;
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("waypost-peers-").tempdir_in(&parent);
    let folder = folder.with_context(|| parent.display().to_string())?;
    let kit = Kit::new(folder.path(), programs, options.links, interrupt)?
        .with_store(options.store.clone());
    table::machine(&options);
    let samples = rounds(&options, &kit)?;
    table::show(&samples, &options.shapes);
    let mistakes: Vec<_> = samples.iter().filter_map(Sample::mistake).collect();
    mistakes.iter().for_each(|mistake| eprintln!("{mistake}"));
    Ok(if mistakes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every server's turns, one after the other with each shape; who begins changes from round to round.
fn rounds(options: &Options, kit: &Kit) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for round in 0..options.rounds {
        let mut servers = options.only.clone();
        let first = usize::try_from(round)? % servers.len();
        servers.rotate_left(first);
        for (shape, server) in
            options.shapes.iter().flat_map(|s| servers.iter().map(move |&of| (s, of)))
        {
            let name = server.name();
            let sample = measure::turn(kit, server, shape, round, options.seconds);
            let sample = sample.with_context(|| format!("{}: {name}", shape.name))?;
            let (of, rate) = (options.rounds, table::thousands(sample.rate()));
            eprintln!("round {} of {of}, {}: {name}: {rate}", round + 1, shape.name);
            samples.push(sample);
        }
    }
    Ok(samples)
}
