//! `waypost export`: a workspace's links to a file, oldest first, a page at a time.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use super::{format, target::Target, tenant::Tenant};
use crate::{
    context::Context,
    exchange::{Carried, Format, writer},
};

/// Arguments of `waypost export`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// File to write; - is standard output
    file: PathBuf,
    /// Its format, where its name doesn't tell
    #[arg(long)]
    format: Option<Format>,
    /// Whose links
    #[arg(long, value_name = "NAME", default_value = "default")]
    workspace: String,
}

/// Runs `waypost export`.
///
/// # Errors
/// A sentence for standard error; the file is then as it was.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let format = format(arguments.format, &arguments.file);
    let name = || arguments.file.display().to_string();
    let tenant = Tenant::open_to_look(context, &arguments.workspace)?;
    let mut target = Target::open(&arguments.file).with_context(name)?;
    let mut writer = writer(format);
    let (mut written, mut partly, mut left_out) = (0u64, 0u64, 0u64);
    writer.begin(target.writer()).with_context(name)?;
    tenant.opened.service.each_link(tenant.workspace.id, |link| {
        match writer.link(&link, &tenant.book, target.writer())? {
            Carried::LeftOut => left_out += 1,
            Carried::Partly => partly += 1,
            Carried::Whole => {}
        }
        written += 1;
        anyhow::Ok(())
    })?;
    target.finish().with_context(name)?;
    eprintln!("waypost: exported {} links", written - left_out);
    if partly > 0 {
        eprintln!("waypost: {partly} links have options that this format can't carry");
    }
    if left_out > 0 {
        eprintln!("waypost: {left_out} links were left out: this format can't say what they do");
    }
    Ok(())
}
