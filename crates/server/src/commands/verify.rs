//! `waypost verify`: holds the store against itself.

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use waypost_storage::{Report, limits::FINDINGS};

use super::output;
use crate::context::Context;

/// Arguments of `waypost verify`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `waypost verify`.
///
/// # Errors
/// A sentence for standard error; also where the store contradicts itself.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let report = context.open()?.store.maintain.check()?;
    if arguments.json {
        output::json(&object(&report))?;
    } else {
        print(&report)?;
    }
    match report.findings.len() {
        0 => Ok(()),
        FINDINGS.. => bail!("the store contradicts itself in {FINDINGS} places or more"),
        found => bail!("the store contradicts itself in {found} places"),
    }
}

fn print(report: &Report) -> Result<()> {
    for finding in &report.findings {
        output::line(format_args!("{}: {}", finding.place, finding.what))?;
    }
    let Report { links, clicks, purges_pending, .. } = report;
    output::line(format_args!("{links} links, {clicks} clicks, {purges_pending} purges pending"))?;
    if report.findings.is_empty() {
        output::line("ok")?;
    }
    Ok(())
}

fn object(report: &Report) -> serde_json::Value {
    let finding = |f: &waypost_storage::Finding| json!({ "place": f.place, "what": f.what });
    json!({
        "ok": report.findings.is_empty(),
        "links": report.links,
        "clicks": report.clicks,
        "purges_pending": report.purges_pending,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
