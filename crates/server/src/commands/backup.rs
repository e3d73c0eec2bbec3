//! `waypost backup`: a consistent copy of the data directory, while the server runs.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output;
use crate::context::Context;

/// Arguments of `waypost backup`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Directory to write, empty or absent; `serve --data` opens it
    dir: PathBuf,
}

/// Runs `waypost backup`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    context.open()?.store.maintain.backup(&arguments.dir)?;
    Ok(output::line(format_args!("{}: backup complete", arguments.dir.display()))?)
}
