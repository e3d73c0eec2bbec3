//! `waypost link`: one link after the other. Many at once are `waypost import`'s.

use std::io::{self, Write};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use waypost_link::Link;
use waypost_storage::LinkQuery;

use super::{output, tenant::Tenant};
use crate::{context::Context, exchange::assign};

/// What `waypost link` does.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a link and print its short URL
    Add(Add),
    /// Show a link
    Get(Get),
    /// List links, newest first
    List(List),
    /// Change fields of a link
    Set(Set),
    /// Remove links and their clicks
    Rm(Rm),
}

#[derive(Args)]
pub(crate) struct Add {
    /// The code
    code: String,
    /// Where it leads
    url: String,
    /// A title for people
    #[arg(long)]
    title: Option<String>,
    /// A label; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// 301, 302, 307 or 308
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// When it stops to redirect
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// How often it redirects in all
    #[arg(long, value_name = "N")]
    max_clicks: Option<String>,
    /// Hostname of a domain of the workspace
    #[arg(long, value_name = "HOST")]
    domain: Option<String>,
    /// Any field, as in docs/exchange.md; may be repeated
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct Get {
    /// A code, or HOST/CODE
    code: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct List {
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Only those whose code, title, destination or a tag contains this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Archived ones too
    #[arg(long)]
    archived: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct Set {
    /// A code, or HOST/CODE
    code: String,
    /// What to change, as in docs/exchange.md; an empty value clears the field
    #[arg(required = true, value_name = "FIELD=VALUE")]
    assignments: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct Rm {
    /// Codes, or HOST/CODE
    #[arg(required = true)]
    codes: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct Common {
    /// Whose
    #[arg(long, value_name = "NAME", default_value = "default")]
    workspace: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `waypost link`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Add(arguments) => add(arguments, context),
        Command::Get(arguments) => get(arguments, context),
        Command::List(arguments) => list(arguments, context),
        Command::Set(arguments) => set(arguments, context),
        Command::Rm(arguments) => remove(arguments, context),
    }
}

fn add(arguments: &Add, context: &Context) -> Result<()> {
    let tenant = Tenant::open(context, &arguments.common.workspace)?;
    let draft = tenant.book.new_link(&arguments.code, &arguments.url)?;
    let assignments = arguments.assignments();
    let link = tenant.opened.service.create_link(&draft, |link| {
        assignments.iter().try_for_each(|assignment| assign(link, assignment, &tenant.book))
    })?;
    print_changed(&tenant, &link, &arguments.common)
}

fn get(arguments: &Get, context: &Context) -> Result<()> {
    let tenant = Tenant::open_to_look(context, &arguments.common.workspace)?;
    let link = tenant.opened.service.find_link(tenant.workspace.id, &arguments.code)?;
    let object = tenant.object_of(&link)?;
    if arguments.common.json {
        return Ok(output::json(&object)?);
    }
    let rows = object.present().map(|(name, value)| {
        vec![name.to_owned(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)]
    });
    Ok(output::table(&["field", "value"], rows, &[])?)
}

fn set(arguments: &Set, context: &Context) -> Result<()> {
    let tenant = Tenant::open(context, &arguments.common.workspace)?;
    let service = &tenant.opened.service;
    let link = service.find_link(tenant.workspace.id, &arguments.code)?;
    let link = service.edit_link(tenant.workspace.id, link.id, |link| {
        let mut assignments = arguments.assignments.iter();
        assignments.try_for_each(|assignment| assign(link, assignment, &tenant.book))
    })?;
    print_changed(&tenant, &link, &arguments.common)
}

fn remove(arguments: &Rm, context: &Context) -> Result<()> {
    let Rm { codes, common: Common { workspace, json } } = arguments;
    let tenant = Tenant::open(context, workspace)?;
    let service = &tenant.opened.service;
    let mut removed = Vec::new();
    for code in codes {
        let found = service.find_link(tenant.workspace.id, code);
        match found.and_then(|link| service.delete_link(tenant.workspace.id, link.id)) {
            Ok(_) => removed.push(code),
            Err(fault) => eprintln!("waypost: {fault}"),
        }
    }
    if *json {
        output::json(&serde_json::json!({ "removed": removed }))?;
    } else {
        removed.iter().try_for_each(|code| output::line(format_args!("removed {code}")))?;
    }
    match codes.len() - removed.len() {
        0 => Ok(()),
        failed => bail!("{failed} of {} links could not be removed", codes.len()),
    }
}

fn print_changed(tenant: &Tenant, link: &Link, common: &Common) -> Result<()> {
    if common.json {
        return Ok(output::json(&tenant.object_of(link)?)?);
    }
    Ok(output::line(tenant.short_url(link)?)?)
}

fn list(arguments: &List, context: &Context) -> Result<()> {
    let tenant = Tenant::open_to_look(context, &arguments.common.workspace)?;
    if arguments.common.json {
        return list_json(arguments, &tenant);
    }
    let mut rows = Vec::new();
    let more = pages(arguments, &tenant, |link, clicks| {
        rows.push(row(&tenant, link, clicks)?);
        Ok(())
    })?;
    output::table(&["code", "destination", "clicks", "status", "title"], rows, &[2])?;
    if more {
        eprintln!("waypost: there are more than {}: see --limit", arguments.limit);
    }
    Ok(())
}

/// An array, a link a line.
fn list_json(arguments: &List, tenant: &Tenant) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut before = "[\n";
    pages(arguments, tenant, |link, clicks| {
        out.write_all(before.as_bytes())?;
        serde_json::to_writer(&mut out, &tenant.object(link, clicks)?)?;
        before = ",\n";
        Ok(())
    })?;
    let end: &[u8] = if before == "[\n" { b"[]\n" } else { b"\n]\n" };
    out.write_all(end)?;
    Ok(out.flush()?)
}

/// Calls `each` for the links asked for with their clicks; whether there are more.
fn pages(
    arguments: &List,
    tenant: &Tenant,
    mut each: impl FnMut(&Link, u64) -> Result<()>,
) -> Result<bool> {
    let mut left = arguments.limit;
    let mut query = LinkQuery {
        workspace: Some(tenant.workspace.id),
        archived: (!arguments.archived).then_some(false),
        text: arguments.search.clone(),
        ..LinkQuery::default()
    };
    loop {
        query.limit = (left + 1).min(waypost_storage::limits::PAGE);
        let page = tenant.opened.service.links(&query)?;
        let shown = &page.items[..page.items.len().min(left)];
        for (link, totals) in shown.iter().zip(tenant.totals(shown)?) {
            each(link, totals.clicks)?;
        }
        left -= shown.len();
        if shown.len() < page.items.len() || page.next.is_none() {
            return Ok(shown.len() < page.items.len());
        }
        query.after = page.next;
    }
}

fn row(tenant: &Tenant, link: &Link, clicks: u64) -> Result<Vec<String>> {
    let code = match tenant.book.hostname(link.domain)? {
        Some(host) => format!("{host}/{}", link.slug),
        None => link.slug.to_string(),
    };
    let title = link.title.clone().unwrap_or_default();
    let status = link.status.code().to_string();
    Ok(vec![code, link.destination.to_string(), clicks.to_string(), status, title])
}

impl Add {
    /// Every option as `field=value`.
    fn assignments(&self) -> Vec<String> {
        let tags = (!self.tag.is_empty()).then(|| serde_json::Value::from(self.tag.clone()));
        let named = [
            ("title", self.title.clone()),
            ("tags", tags.map(|tags| tags.to_string())),
            ("status", self.status.clone()),
            ("expires_at", self.expires_at.clone()),
            ("max_clicks", self.max_clicks.clone()),
            ("domain", self.domain.clone()),
        ];
        let named =
            named.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        named.chain(self.set.iter().cloned()).collect()
    }
}
