//! `waypost apply`: makes a workspace's links equal to a file, after saying what that takes.
//!
//! All or nothing is read: a file with one wrong record changes nothing, because what it means to
//! say of the others can't be told. What is written goes in commits of thousands, new and changed
//! links before those that go; a run that is cut short is taken up by the next.

use std::{io::Read, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Map, Value, json};
use waypost_link::{Link, Name};
use waypost_service::{Fault, limits::BATCH};
use waypost_storage::Error;

use super::{
    format, output,
    plan::{Difference, Plan, Planner},
    progress::{Counted, Progress},
    source,
    tenant::Tenant,
};
use crate::{
    context::Context,
    exchange::{Book, Entry, Format, ReaderError, Wrong, reader},
};

/// Arguments of `waypost apply`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// File to read; - is standard input
    file: PathBuf,
    /// Its format, where its name doesn't tell
    #[arg(long)]
    format: Option<Format>,
    /// Print the plan, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove the links that the file lacks, and their clicks
    #[arg(long)]
    prune: bool,
    /// Whose links
    #[arg(long, value_name = "NAME", default_value = "default")]
    workspace: String,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `waypost apply`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let format = format(arguments.format, &arguments.file);
    let name = arguments.file.display().to_string();
    let (from, size) = source::open(&arguments.file).with_context(|| name.clone())?;
    let tenant = Tenant::open_to_look(context, &arguments.workspace)?;
    let mut progress = Progress::new(name.clone(), size);
    let mut planner = Planner::new(&tenant.book, tenant.workspace.id);
    let read = compare(from, format, &tenant.book, &mut planner, &mut progress);
    let wrong = progress.finish();
    match read {
        Err(ReaderError::Header(wrong)) => bail!("{name}:{wrong}"),
        Err(ReaderError::Io(error)) => return Err(error).with_context(|| name.clone()),
        Ok(()) if wrong > 0 => bail!("{name}: {wrong} records are wrong: nothing was changed"),
        Ok(()) => {}
    }
    let plan = planner.finish(arguments.prune)?;
    print(&plan, arguments, &tenant.book)?;
    if arguments.dry_run {
        return Ok(());
    }
    carry_out(plan, &tenant)
}

/// Hands every record to the planner, and reports those that are wrong.
fn compare(
    from: impl Read,
    format: Format,
    book: &Book,
    planner: &mut Planner<'_>,
    progress: &mut Progress,
) -> Result<(), ReaderError> {
    let from = Counted { from, counter: Arc::clone(&progress.counter()) };
    let mut reader = reader(format, source::buffered(from))?;
    for read in 1.. {
        match reader.next(book)? {
            None => break,
            Some(Entry::Wrong(wrong)) => progress.wrong(&wrong),
            Some(Entry::Link(at, link)) => {
                if let Err(fault) = planner.add(*link, |field| reader.says(field)) {
                    progress.wrong(&Wrong { at, why: fault.to_string() });
                }
            }
        }
        progress.show(read);
    }
    Ok(())
}

fn carry_out(plan: Plan, tenant: &Tenant) -> Result<()> {
    let changes = plan.changes(&tenant.book, tenant.workspace.id)?;
    for batch in changes.chunks(BATCH) {
        match tenant.opened.service.change_links(batch) {
            Err(Fault::Store(
                Error::Stale { .. } | Error::Taken { .. } | Error::Missing { .. },
            )) => {
                bail!("somebody else changed these links meanwhile: run it again")
            }
            done => done?,
        }
    }
    Ok(())
}

fn print(plan: &Plan, arguments: &Arguments, book: &Book) -> Result<()> {
    if arguments.json {
        return Ok(output::json(&object(plan, arguments.dry_run, book)?)?);
    }
    for link in &plan.creates {
        let name = called(&link.name(), book)?;
        output::line(format_args!("+ {name} {}", output::shown(link.destination.as_str())))?;
    }
    for update in &plan.updates {
        output::line(format_args!("~ {}", called(update.name(), book)?))?;
        for Difference { field, from, to } in &update.differences {
            let [from, to] = [from, to].map(|value| output::shown(&value.to_string()));
            output::line(format_args!("    {field}: {from} -> {to}"))?;
        }
    }
    for (_, name) in &plan.deletes {
        output::line(format_args!("- {}", called(name, book)?))?;
    }
    summary(plan, arguments.dry_run)
}

fn summary(plan: &Plan, dry_run: bool) -> Result<()> {
    let Plan { creates, updates, deletes, unchanged, kept } = plan;
    let (creates, updates, deletes) = (creates.len(), updates.len(), deletes.len());
    let dry = if dry_run { " (dry run: nothing was written)" } else { "" };
    output::line(format_args!(
        "create {creates}, update {updates}, delete {deletes}, unchanged {unchanged}{dry}"
    ))?;
    if plan.is_empty() {
        output::line("nothing to do")?;
    }
    if *kept > 0 {
        eprintln!("waypost: {kept} links are not in the file: --prune removes them");
    }
    Ok(())
}

/// A link's code, with its hostname where it has one of its own.
fn called(name: &Name, book: &Book) -> Result<String> {
    Ok(match book.hostname(name.domain)? {
        Some(host) => format!("{host}/{}", name.slug),
        None => name.slug.to_string(),
    })
}

fn object(plan: &Plan, dry_run: bool, book: &Book) -> Result<Value> {
    let named = |name: &Name| -> Result<Map<String, Value>> {
        let host = book.hostname(name.domain)?;
        let pairs = [("code", json!(name.slug.as_str())), ("domain", json!(host))];
        Ok(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let with = |name: &Name, key: &str, value: Value| -> Result<Value> {
        let mut object = named(name)?;
        object.insert(key.to_owned(), value);
        Ok(Value::Object(object))
    };
    let create =
        |link: &Link| with(&link.name(), "destination_url", json!(link.destination.as_str()));
    let creates: Vec<Value> = plan.creates.iter().map(create).collect::<Result<_>>()?;
    let mut updates = Vec::new();
    for update in &plan.updates {
        let changes: Map<String, Value> = update
            .differences
            .iter()
            .map(|d| (d.field.to_owned(), json!({ "from": d.from, "to": d.to })))
            .collect();
        updates.push(with(update.name(), "changes", Value::Object(changes))?);
    }
    let deletes = plan.deletes.iter().map(|(_, name)| named(name).map(Value::Object));
    let deletes: Vec<Value> = deletes.collect::<Result<_>>()?;
    Ok(json!({
        "dry_run": dry_run,
        "create": creates,
        "update": updates,
        "delete": deletes,
        "unchanged": plan.unchanged,
        "kept": plan.kept,
    }))
}
