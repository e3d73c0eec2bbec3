//! `waypost stats`: what the clicks of a link come to.
//!
//! Read from the roll-ups, so that it costs the same for a hundred clicks and a hundred million.

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use waypost_link::{Link, Timestamp};
use waypost_storage::{Bucket, Counts, Dimension, Grain, Scope, Share, TallyQuery, Totals};

use super::{chart, output, tenant::Tenant};
use crate::{
    context::{Context, now},
    exchange::print_time,
};

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

#[derive(Debug, PartialEq, Serialize)]
struct Day {
    day: String,
    count: u64,
}

#[derive(Debug, PartialEq, Serialize)]
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
    let humans = tenant.workspace.settings.get("exclude_bots").is_some_and(|on| on == "true");
    let counted = |clicks: u64, bots: u64| if humans { clicks - bots.min(clicks) } else { clicks };
    let clicks = &tenant.opened.store.clicks;
    let tally = |grain, from, to, dimensions| {
        let scope = Scope::Links(vec![link.id]);
        clicks.tally(&TallyQuery { scope, grain, from, to, dimensions })
    };
    let totals: Totals = clicks.totals(&[link.id])?.first().copied().unwrap_or_default();
    let all = tally(Grain::All, 0, 1, true)?.pop().map_or_else(Counts::default, |all| all.counts);
    let today = now().day();
    let days = tally(Grain::Day, today + 1 - i64::from(window), today + 1, false)?;
    let top = |dimension| top(&all, dimension, &counted);
    Ok(Statistics {
        code: link.slug.to_string(),
        short_url: tenant.short_url(link)?,
        clicks: counted(totals.clicks, totals.bots),
        bots: totals.bots,
        unique_visitors: all.visitors.count(),
        conversions: totals.conversions,
        first_click: totals.first.map(print_time),
        last_click: totals.last.map(print_time),
        window_days: window,
        by_day: by_day(&days, today, window, &counted),
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

/// A row for each day of the window, oldest first, zeros too.
fn by_day(
    days: &[Bucket],
    today: i64,
    window: u32,
    counted: &impl Fn(u64, u64) -> u64,
) -> Vec<Day> {
    let first = today + 1 - i64::from(window);
    (first..=today)
        .map(|day| {
            let bucket = days.iter().find(|bucket| bucket.start == day);
            let count = bucket.map_or(0, |b| counted(b.counts.clicks, b.counts.bots));
            let midnight = print_time(Timestamp(day * Timestamp::DAY));
            Day { day: midnight.split('T').next().unwrap_or_default().to_owned(), count }
        })
        .collect()
}

/// The values with most clicks, most first, ties by name.
fn top(all: &Counts, dimension: Dimension, counted: &impl Fn(u64, u64) -> u64) -> Vec<Part> {
    let part = |share: &Share| Part {
        name: named(dimension, &share.value).to_owned(),
        count: counted(share.clicks, share.bots),
    };
    let shares = Dimension::ALL.iter().position(|&known| known == dimension);
    let shares = shares.and_then(|at| all.shares.get(at)).map_or(&[][..], Vec::as_slice);
    let mut parts: Vec<Part> = shares.iter().map(part).filter(|part| part.count > 0).collect();
    parts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    parts.truncate(TOP);
    parts
}

/// A value, or what its absence is called.
fn named(dimension: Dimension, value: &str) -> &str {
    match (dimension, value) {
        (Dimension::Referrer, "") => "Direct",
        (Dimension::Rule, "") => "none",
        (_, "") => "Unknown",
        (_, value) => value,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_a_row() {
        let counts = Counts { clicks: 5, bots: 2, ..Counts::default() };
        let days = [Bucket { start: 10, counts }];
        let rows = by_day(&days, 11, 3, &|clicks, bots| clicks - bots);
        let rows: Vec<_> = rows.iter().map(|day| (day.day.as_str(), day.count)).collect();
        assert_eq!(rows, [("1970-01-10", 0), ("1970-01-11", 3), ("1970-01-12", 0)]);
    }

    #[test]
    fn the_top_is_sorted_and_cut() {
        let share = |n: u64| Share { value: format!("{n:02}"), clicks: n / 2, bots: 0 };
        let mut all = Counts::default();
        all.shares[0] = (0..30).map(share).collect();
        all.shares[4] = vec![Share { value: String::new(), clicks: 1, bots: 0 }];
        let parts = top(&all, Dimension::Country, &|clicks, _| clicks);
        assert_eq!(parts.len(), TOP);
        assert_eq!((parts[0].name.as_str(), parts[1].name.as_str()), ("28", "29"));
        let parts = top(&all, Dimension::Referrer, &|clicks, _| clicks);
        assert_eq!(parts, [Part { name: "Direct".to_owned(), count: 1 }]);
        assert_eq!(top(&all, Dimension::Os, &|clicks, _| clicks), []);
    }
}
