//! The command line `waypost`, as a library so that tests run the very same `main`.
//!
//! [`main`] only finds the subcommand; each has a file of its own in `commands/`. Exit status is 0,
//! 1 where something failed, 2 where the command line was wrong.
#![forbid(unsafe_code)]

mod commands;
mod config;
mod context;
mod exchange;
mod limits;
mod outside;
mod rounds;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::context::{Context, Globals};

/// A redirect engine: short links at the speed of the network stack, every click accounted for.
#[derive(Parser)]
#[command(name = "waypost", version, propagate_version = true)]
struct CommandLine {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Every subcommand; each names its file.
#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Arguments),
    /// Check a configuration file: says the first wrong line and why
    CheckConfig(commands::check_config::Arguments),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Key(commands::key::Command),
    /// Make and list workspaces, and change their settings
    #[command(subcommand)]
    Workspace(commands::workspace::Command),
    /// Register, list, prove and give up hostnames of one's own
    Domain(commands::domain::Arguments),
    /// List and forget the servers that share a store
    #[command(subcommand)]
    Node(commands::node::Command),
    /// Add, show, list, change and remove links
    #[command(subcommand)]
    Link(commands::link::Command),
    /// Read links from a file
    Import(commands::import::Arguments),
    /// Make a workspace's links equal to a file
    Apply(commands::apply::Arguments),
    /// Write links to a file
    Export(commands::export::Arguments),
    /// Show what a link's clicks come to
    Stats(commands::stats::Arguments),
    /// Write a consistent copy of the data directory, while the server runs
    Backup(commands::backup::Arguments),
    /// Copy a whole store into another, empty one
    Copy(commands::copy::Arguments),
    /// Check the store against itself
    Verify(commands::verify::Arguments),
    /// Show or run the migrations of a PostgreSQL store
    #[command(subcommand)]
    Migrate(commands::migrate::Command),
    /// Print a completion script for a shell
    Completions(commands::completions::Arguments),
}

/// The exit status of a wrong command line, as clap has it.
const USAGE: u8 = 2;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let line = CommandLine::parse();
    match run(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if has_no_reader(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("waypost: {error:#}");
            if error.is::<config::WrongFlag>() { USAGE.into() } else { ExitCode::FAILURE }
        }
    }
}

/// Whether whoever read the output has seen enough of it, as `head` has.
fn has_no_reader(error: &anyhow::Error) -> bool {
    let error = error.root_cause().downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn run(line: CommandLine) -> anyhow::Result<()> {
    let context = Context::new(line.globals);
    match line.command {
        Command::Serve(arguments) => serve::run(&arguments, &context),
        Command::CheckConfig(arguments) => commands::check_config::run(&arguments),
        Command::Key(command) => commands::key::run(&command, &context),
        Command::Workspace(command) => commands::workspace::run(&command, &context),
        Command::Domain(arguments) => commands::domain::run(&arguments, &context),
        Command::Node(command) => commands::node::run(&command, &context),
        Command::Link(command) => commands::link::run(&command, &context),
        Command::Import(arguments) => commands::import::run(&arguments, &context),
        Command::Apply(arguments) => commands::apply::run(&arguments, &context),
        Command::Export(arguments) => commands::export::run(&arguments, &context),
        Command::Stats(arguments) => commands::stats::run(&arguments, &context),
        Command::Backup(arguments) => commands::backup::run(&arguments, &context),
        Command::Copy(arguments) => commands::copy::run(&arguments, &context),
        Command::Verify(arguments) => commands::verify::run(&arguments, &context),
        Command::Migrate(command) => commands::migrate::run(&command, &context),
        Command::Completions(arguments) => {
            commands::completions::run(&arguments);
            Ok(())
        }
    }
}
