//! `waypost check-config`: like `nginx -t`, says the first wrong line and why.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output;
use crate::config::{Config, Layers};

/// Arguments of `waypost check-config`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Configuration file
    file: PathBuf,
}

/// Runs `waypost check-config`: the file alone, without environment and flags.
///
/// # Errors
/// File, line, and what was expected.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut layers = Layers::default();
    layers.file(&arguments.file)?;
    Config::check(&layers)?;
    Ok(output::line(format_args!("{}: ok", arguments.file.display()))?)
}
