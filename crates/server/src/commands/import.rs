//! `waypost import`: links from a file, in commits of thousands.
//!
//! One thread reads and parses, one plans what to write, this one commits; between them wait at
//! most two batches, so that memory doesn't grow with the file. A wrong record is reported and the rest goes in.

use std::{
    io::{self, Read},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use waypost_link::{Link, Name};
use waypost_service::{Conflict, Outcome, Planned, Service, limits::BATCH};

use super::{
    format,
    names::Names,
    output,
    progress::{Counted, Progress},
    source,
    tenant::Tenant,
};
use crate::{
    context::Context,
    exchange::{Book, Entry, Format, Position, ReaderError, Wrong, reader},
};

/// Bytes of the file that one batch comes from: long links make batches of fewer.
const BATCH_BYTES: u64 = 16 << 20;
/// Batches that wait to be planned, or to be committed.
const WAITING: usize = 2;

/// Arguments of `waypost import`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// File to read; - is standard input
    file: PathBuf,
    /// Its format, where its name doesn't tell
    #[arg(long)]
    format: Option<Format>,
    /// Say what would happen, write nothing
    #[arg(long)]
    dry_run: bool,
    /// What to do with a link whose code is taken
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    on_conflict: OnConflict,
    /// Whose links they become
    #[arg(long, value_name = "NAME", default_value = "default")]
    workspace: String,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnConflict {
    /// Keep the old one, in silence
    Skip,
    /// Put the new one in its place; its id and clicks stay
    Replace,
    /// Keep the old one, report the line
    Fail,
}

/// What became of the file.
#[derive(Debug, Default, Serialize)]
struct Summary {
    created: u64,
    replaced: u64,
    skipped: u64,
    failed: u64,
    dry_run: bool,
}

/// Links on their way to a commit, and the records around them that are none.
#[derive(Default)]
struct Batch {
    links: Vec<Link>,
    places: Vec<Position>,
    wrong: Vec<Wrong>,
}

/// Runs `waypost import`.
///
/// # Errors
/// A sentence for standard error; also where only some records were wrong.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let format = format(arguments.format, &arguments.file);
    let name = arguments.file.display().to_string();
    let (from, size) = source::open(&arguments.file).with_context(|| name.clone())?;
    let open = if arguments.dry_run { Tenant::open_to_look } else { Tenant::open };
    let tenant = open(context, &arguments.workspace)?;
    let mut progress = Progress::new(name.clone(), size);
    let mut intake = Intake::new(tenant.opened.service.clone(), arguments);
    let read = pump(from, format, tenant.book, &mut intake, &mut progress);
    progress.finish();
    intake.print(arguments.json)?;
    match read {
        Err(Stopped::Header(wrong)) => bail!("{name}:{wrong}"),
        Err(Stopped::Other(error)) => Err(error.context(format!("{name}: stopped"))),
        Ok(()) if intake.summary.failed > 0 => {
            bail!("{name}: {} records did not go in", intake.summary.failed)
        }
        Ok(()) => Ok(()),
    }
}

/// Why an import ended before the file did.
enum Stopped {
    /// The header can't be understood.
    Header(Wrong),
    /// The file can't be read on, or the store takes no more.
    Other(anyhow::Error),
}

/// A batch that is planned: what its links are called, where they stood, and what was wrong.
struct Ready {
    planned: Planned,
    names: Vec<Name>,
    places: Vec<Position>,
    wrong: Vec<Wrong>,
}

/// Reads on one thread, plans on another and commits on this one.
fn pump(
    from: Box<dyn Read + Send>,
    format: Format,
    book: Book,
    intake: &mut Intake,
    progress: &mut Progress,
) -> Result<(), Stopped> {
    let counter = progress.counter();
    let from = Counted { from, counter: Arc::clone(&counter) };
    let (to, batches) = sync_channel(WAITING);
    thread::scope(|scope| {
        let reading = scope.spawn(move || read(from, format, &book, &counter, &to));
        let (service, conflict) = (intake.service.clone(), intake.conflict);
        let (to, ready) = sync_channel(WAITING);
        let planning = scope.spawn(move || plan(batches, &service, conflict, &to));
        let put = take(ready, intake, progress);
        let planned = planning.join().unwrap_or_else(|_| bail!("the planner died"));
        let read = reading.join().unwrap_or_else(|_| Err(io::Error::other("reader died").into()));
        put.and(planned).map_err(Stopped::Other)?;
        read.map_err(|error| match error {
            ReaderError::Header(wrong) => Stopped::Header(wrong),
            ReaderError::Io(error) => Stopped::Other(error.into()),
        })
    })
}

/// Sends the records of the file, a batch at a time, until its end or until nobody takes them.
fn read(
    from: impl Read,
    format: Format,
    book: &Book,
    counter: &AtomicU64,
    to: &SyncSender<Batch>,
) -> Result<(), ReaderError> {
    let mut reader = reader(format, source::buffered(from))?;
    let mut batch = Batch::default();
    let mut begun = 0;
    while let Some(entry) = reader.next(book)? {
        batch.add(entry);
        let read = counter.load(Ordering::Relaxed);
        if batch.is_full() || read - begun > BATCH_BYTES {
            begun = read;
            if to.send(std::mem::take(&mut batch)).is_err() {
                return Ok(());
            }
        }
    }
    let _ = to.send(batch);
    Ok(())
}

/// Plans batch after batch until there is none, or nobody takes them.
fn plan(
    batches: Receiver<Batch>,
    service: &Service,
    conflict: Conflict,
    to: &SyncSender<Ready>,
) -> Result<()> {
    for Batch { links, places, wrong } in batches {
        let names = links.iter().map(Link::name).collect();
        let planned = service.plan_links(links, conflict)?;
        if to.send(Ready { planned, names, places, wrong }).is_err() {
            break;
        }
    }
    Ok(())
}

fn take(batches: Receiver<Ready>, intake: &mut Intake, progress: &mut Progress) -> Result<()> {
    for batch in batches {
        intake.put(batch, progress)?;
        progress.show(intake.summary.created + intake.summary.replaced);
    }
    Ok(())
}

impl Batch {
    fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Link(at, link) => {
                self.links.push(*link);
                self.places.push(at);
            }
            Entry::Wrong(wrong) => self.wrong.push(wrong),
        }
    }

    fn is_full(&self) -> bool {
        self.links.len() >= BATCH || self.wrong.len() >= BATCH
    }
}

/// Puts batches into the store, and counts.
struct Intake {
    service: Service,
    conflict: Conflict,
    summary: Summary,
    seen: Names,
}

impl Intake {
    fn new(service: Service, arguments: &Arguments) -> Self {
        let conflict = match arguments.on_conflict {
            OnConflict::Skip => Conflict::Skip,
            OnConflict::Replace => Conflict::Replace,
            OnConflict::Fail => Conflict::Fail,
        };
        let summary = Summary { dry_run: arguments.dry_run, ..Summary::default() };
        Self { service, conflict, summary, seen: Names::default() }
    }

    fn put(&mut self, batch: Ready, progress: &mut Progress) -> Result<()> {
        let Ready { planned, names, places, mut wrong } = batch;
        let outcomes = if self.summary.dry_run {
            let mut outcomes = planned.outcomes();
            correct(&mut self.seen, &names, self.conflict, &mut outcomes);
            outcomes
        } else {
            self.service.put_links(planned)?
        };
        for ((outcome, at), name) in outcomes.into_iter().zip(places).zip(&names) {
            match outcome {
                Outcome::Created => self.summary.created += 1,
                Outcome::Replaced => self.summary.replaced += 1,
                Outcome::Skipped => self.summary.skipped += 1,
                Outcome::Taken => {
                    wrong.push(Wrong { at, why: format!("the code {} is taken", name.slug) });
                }
            }
        }
        wrong.sort_by_key(|wrong| wrong.at);
        wrong.iter().for_each(|wrong| progress.wrong(wrong));
        self.summary.failed += wrong.len() as u64;
        Ok(())
    }

    fn print(&self, json: bool) -> Result<()> {
        let Summary { created, replaced, skipped, failed, dry_run } = self.summary;
        if json {
            return Ok(output::json(&self.summary)?);
        }
        let dry = if dry_run { " (dry run: nothing was written)" } else { "" };
        Ok(output::line(format_args!(
            "created {created}, replaced {replaced}, skipped {skipped}, failed {failed}{dry}"
        ))?)
    }
}

/// What a dry run's later batches can't find in the store: the names that earlier ones would have
/// taken.
fn correct(seen: &mut Names, names: &[Name], conflict: Conflict, outcomes: &mut [Outcome]) {
    for (name, outcome) in names.iter().zip(outcomes.iter_mut()) {
        if seen.contains(name) && *outcome == Outcome::Created {
            *outcome = match conflict {
                Conflict::Skip => Outcome::Skipped,
                Conflict::Replace => Outcome::Replaced,
                Conflict::Fail => Outcome::Taken,
            };
        }
    }
    for name in names {
        seen.insert(name);
    }
}
