//! The log: events on standard error, one line each.

use std::io::IsTerminal as _;

use anyhow::{Context as _, Result};
use tracing_subscriber::EnvFilter;

/// Starts logging what `directives` allow.
pub(crate) fn start(directives: &str) -> Result<()> {
    let filter = EnvFilter::try_new(directives)
        .with_context(|| format!("log: expected a level such as info, not {directives:?}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    Ok(())
}
