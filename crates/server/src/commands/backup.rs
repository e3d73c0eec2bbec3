//! `waypost backup`: a consistent copy of the data directory, while the server runs.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;

use super::output;
use crate::{config::Config, context::Context};

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
    let opened = context.open()?;
    opened.store.maintain.backup(&arguments.dir)?;
    copy(&opened.config.media(), &arguments.dir.join(Config::MEDIA))?;
    Ok(output::line(format_args!("{}: backup complete", arguments.dir.display()))?)
}

/// Copies the pictures of products, if there are any.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let pictures = match fs::read_dir(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        pictures => pictures?,
    };
    fs::create_dir_all(to)?;
    for picture in pictures {
        let picture = picture?;
        // Those that are being written don't count yet.
        if picture.path().extension().is_some() {
            fs::copy(picture.path(), to.join(picture.file_name()))?;
        }
    }
    Ok(())
}
