//! One file a subcommand: its arguments, and what it does with them.
//!
//! What they share: [`tenant`] opens the store for one workspace, [`output`] prints, [`source`],
//! [`progress`] and [`target`] stand around the files of import, apply and export. Data goes to standard output, everything
//! else to standard error.

pub(crate) mod apply;
pub(crate) mod backup;
mod chart;
pub(crate) mod check_config;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod domain;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod key;
pub(crate) mod link;
pub(crate) mod migrate;
mod names;
pub(crate) mod node;
mod output;
mod plan;
mod progress;
mod source;
pub(crate) mod stats;
mod target;
mod tenant;
pub(crate) mod verify;
pub(crate) mod workspace;

use std::path::Path;

use clap::{CommandFactory as _, error::ErrorKind};

use crate::exchange::Format;

/// The file name that stands for standard input or output.
const STANDARD: &str = "-";

/// The format that was named, else the one that the file's name tells; else ends the program, as
/// any wrong command line does.
fn format(named: Option<Format>, file: &Path) -> Format {
    let found = named.or_else(|| Format::of_file(file));
    found.unwrap_or_else(|| {
        let why = format!("{}: the name tells no format: give --format", file.display());
        crate::CommandLine::command().error(ErrorKind::MissingRequiredArgument, why).exit()
    })
}
