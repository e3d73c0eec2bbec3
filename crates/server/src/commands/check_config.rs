//! `waypost check-config`: like `nginx -t`, says the first wrong line and why; without a file it
//! prints one to begin with.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output;
use crate::config::{
    Config, Layers,
    settings::{Kind, SETTINGS, Setting},
};

/// Arguments of `waypost check-config`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Configuration file; without one, every setting is printed with its default
    file: Option<PathBuf>,
}

/// Runs `waypost check-config`: the file alone, without environment and flags.
///
/// # Errors
/// File, line, and what was expected.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Some(file) = &arguments.file else { return print_defaults() };
    let mut layers = Layers::default();
    layers.file(file)?;
    Config::check(&layers)?;
    Ok(output::line(format_args!("{}: ok", file.display()))?)
}

/// A configuration file in which everything is commented out.
fn print_defaults() -> Result<()> {
    for Setting { name, kind, default, doc } in SETTINGS {
        let value = match kind {
            Kind::Switch | Kind::Number => (*default).to_owned(),
            Kind::Bytes | Kind::Text => format!("{default:?}"),
            Kind::List => {
                format!("{:?}", default.split(',').filter(|d| !d.is_empty()).collect::<Vec<_>>())
            }
        };
        output::line(format_args!("# {doc}\n# {name} = {value}\n"))?;
    }
    Ok(())
}
