//! `waypost stats`: what the clicks of a link come to.
//!
//! Read from the roll-ups, so that it costs the same for a hundred clicks and a hundred million.

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use waypost_link::{Link, Timestamp};
use waypost_service::{DayCount, Days, Subject};
use waypost_storage::Dimension;

use super::{chart, output, tenant::Tenant};
use crate::{context::Context, exchange::print_time};

/// Values that are shown of a dimension.
const TOP: usize = 10;
/// Longest window, in days.
const DAYS: u32 = 3_660;

/// Arguments of `waypost stats`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A code, or HOST/CODE
    code: String,
    /// Whose
    #[arg(long, value_name = "NAME", default_value = "default")]
    workspace: String,
    /// How many days are shown one by one, today included (UTC)
    #[arg(long, value_name = "N", default_value_t = 14)]
    days: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is printed; breakdowns are of all time.
#[derive(Serialize)]
struct Statistics {
    code: String,
    short_url: String,
    clicks: u64,
    bots: u64,
    unique_visitors: u64,
    conversions: u64,
    first_click: Option<String>,
    last_click: Option<String>,
    window_days: u32,
    by_day: Vec<Day>,
    by_country: Vec<Part>,
    by_device: Vec<Part>,
    by_browser: Vec<Part>,
    by_os: Vec<Part>,
    by_referrer: Vec<Part>,
    by_language: Vec<Part>,
    by_source: Vec<Part>,
    by_rule: Vec<Part>,
}

#[derive(Serialize)]
struct Day {
    day: String,
    count: u64,
}

#[derive(Serialize)]
struct Part {
    name: String,
    count: u64,
}

/// Runs `waypost stats`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    if !(1..=DAYS).contains(&arguments.days) {
        bail!("--days: expected 1 to {DAYS}, not {}", arguments.days);
    }
    let tenant = Tenant::open_to_look(context, &arguments.workspace)?;
    let link = tenant.opened.service.find_link(tenant.workspace.id, &arguments.code)?;
    let statistics = gather(&tenant, &link, arguments.days)?;
    if arguments.json {
        return Ok(output::json(&statistics)?);
    }
    print(&statistics)
}

fn gather(tenant: &Tenant, link: &Link, window: u32) -> Result<Statistics> {
    let service = &tenant.opened.service;
    let stats = service.stats(tenant.workspace.id)?;
    let (total, all) = (stats.total(link.id)?, stats.range(link, None, None)?);
    let days = Days::last(window as usize, service.now());
    let window_figures = stats.figures(&Subject::Link(link.id), days)?;
    let top = |dimension| {
        let parts = all.top(dimension, TOP, nameless(dimension)).into_iter();
        parts.map(|part| Part { name: part.name, count: part.clicks }).collect()
    };
    Ok(Statistics {
        code: link.slug.to_string(),
        short_url: tenant.short_url(link)?,
        clicks: total.clicks,
        bots: total.bots,
        unique_visitors: all.unique,
        conversions: total.conversions,
        first_click: total.first.map(print_time),
        last_click: total.last.map(print_time),
        window_days: window,
        by_day: window_figures.by_day.into_iter().map(day).collect(),
        by_country: top(Dimension::Country),
        by_device: top(Dimension::Device),
        by_browser: top(Dimension::Browser),
        by_os: top(Dimension::Os),
        by_referrer: top(Dimension::Referrer),
        by_language: top(Dimension::Language),
        by_source: top(Dimension::Source),
        by_rule: top(Dimension::Rule),
    })
}

fn day(row: DayCount) -> Day {
    let midnight = print_time(Timestamp(row.day * Timestamp::DAY));
    Day { day: midnight.split('T').next().unwrap_or_default().to_owned(), count: row.count }
}

/// What the absence of a value is called.
fn nameless(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Referrer => "Direct",
        Dimension::Rule => "none",
        _ => "Unknown",
    }
}

fn print(statistics: &Statistics) -> Result<()> {
    let s = statistics;
    output::line(&s.short_url)?;
    for (name, value) in [
        ("clicks", s.clicks),
        ("bots", s.bots),
        ("unique visitors", s.unique_visitors),
        ("conversions", s.conversions),
    ] {
        output::line(format_args!("{name:<16}{value:>12}"))?;
    }
    let times = [("first click", &s.first_click), ("last click", &s.last_click)];
    for (name, time) in times.into_iter().filter_map(|(name, time)| Some((name, time.as_ref()?))) {
        output::line(format_args!("{name:<16}{time}"))?;
    }
    output::line("")?;
    let days = s.by_day.iter().map(|day| (day.day.as_str(), day.count));
    for row in chart::rows(days, chart::shows_utf8()) {
        output::line(row)?;
    }
    Ok(())
}
