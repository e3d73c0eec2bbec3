//! Statistics as golinks shows them: a page of a window of days.

use schemars::JsonSchema;
use serde::Serialize;
use waypost_link::{Link, LinkId};
use waypost_service::{
    Clock, DayCount, Dimension, Figures, Growth, LinkClicks, Overview, Part, Picture, StoredClick,
};

use crate::kit::time;

/// Rows of a breakdown.
const TOP: usize = 10;

/// The workspace at a glance.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OverviewPage {
    pub(super) link_performance: PerformanceShown,
    pub(super) links_created_by_day: Vec<Day>,
    pub(super) top_links: Vec<TopLink>,
    #[serde(flatten)]
    pub(super) page: StatsPage,
}

/// The clicks of a link, a collection or a workspace.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StatsPage {
    pub(super) totals: Totals,
    pub(super) comparison: ComparisonShown,
    pub(super) by_day: Vec<Day>,
    pub(super) by_country: Vec<Count>,
    pub(super) by_device: Vec<Count>,
    pub(super) by_browser: Vec<Count>,
    pub(super) by_os: Vec<Count>,
    pub(super) by_referrer: Vec<Count>,
    pub(super) by_language: Vec<Count>,
    pub(super) by_source: Vec<Count>,
    /// The ids of routing rules; `default` is the link's own destination.
    pub(super) by_rule: Vec<Count>,
    /// 24 of them, UTC.
    pub(super) by_hour: Vec<Hour>,
    /// 7 of them, Sunday first, UTC.
    pub(super) by_weekday: Vec<Count>,
    /// 0–23; `null` without clicks.
    pub(super) peak_hour: Option<usize>,
    /// Such as `Sun`; `null` without clicks.
    pub(super) peak_weekday: Option<&'static str>,
    /// The newest 25, of whatever day.
    pub(super) recent_clicks: Vec<RecentClick>,
    pub(super) window_days: usize,
}

/// What the window comes to.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Totals {
    /// Archived ones included; only in the overview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) links: Option<u64>,
    pub(super) clicks: u64,
    /// Those of known crawlers, also where the workspace leaves them out.
    pub(super) bots: u64,
    pub(super) unique_clicks: u64,
    pub(super) unique_referrers: usize,
    pub(super) countries: usize,
    pub(super) top_referrer: Option<String>,
    pub(super) top_country: Option<String>,
}

/// This window against the one before.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ComparisonShown {
    pub(super) clicks: u64,
    pub(super) previous_clicks: u64,
    /// `null` where there was nothing before.
    pub(super) trend_pct: Option<f64>,
}

/// How links do.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PerformanceShown {
    /// Percent of active links that were clicked.
    pub(super) health: u64,
    pub(super) active: u64,
    pub(super) growing: u64,
    pub(super) declining: u64,
    pub(super) top_growing: Vec<Growing>,
}

/// A link that was clicked more than in the window before.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Growing {
    #[serde(flatten)]
    pub(super) link: TopLink,
    /// `null` where there was nothing before.
    pub(super) delta_pct: Option<f64>,
}

/// A link and its clicks.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TopLink {
    pub(super) id: u64,
    pub(super) code: String,
    pub(super) title: Option<String>,
    pub(super) clicks: u64,
}

/// A day's count.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Day {
    /// `YYYY-MM-DD`, UTC.
    pub(super) day: String,
    pub(super) count: u64,
}

/// A value's count.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Count {
    pub(super) name: String,
    pub(super) count: u64,
}

/// An hour's count.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Hour {
    pub(super) hour: usize,
    pub(super) count: u64,
}

/// A click.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RecentClick {
    pub(super) clicked_at: String,
    pub(super) link_id: u64,
    pub(super) code: Option<String>,
    pub(super) country: Option<String>,
    pub(super) device: &'static str,
    pub(super) browser: &'static str,
    pub(super) os: &'static str,
    pub(super) referrer: Option<String>,
    pub(super) language: Option<String>,
    pub(super) source: String,
    /// The `id` of the routing rule that served it; `null` for the link's own destination.
    pub(super) rule: Option<String>,
    /// Whether it is a known crawler's.
    pub(super) bot: bool,
    /// Only in the statistics of a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Option<String>,
}

impl OverviewPage {
    /// The page of an overview; `code` finds a link's.
    pub(super) fn of(overview: Overview, code: impl Fn(LinkId) -> Option<String>) -> Self {
        let performance = overview.performance;
        let mut page = StatsPage::of(overview.picture, code, false);
        page.totals.links = Some(overview.links);
        Self {
            link_performance: PerformanceShown {
                health: performance.health,
                active: performance.active,
                growing: performance.growing,
                declining: performance.declining,
                top_growing: performance.top_growing.iter().map(growing).collect(),
            },
            links_created_by_day: overview.links_created_by_day.iter().map(day).collect(),
            top_links: overview.top_links.iter().map(top_link).collect(),
            page,
        }
    }
}

impl StatsPage {
    /// The page of a picture; `code` finds a link's, `ip` says whether addresses are shown.
    pub(super) fn of(picture: Picture, code: impl Fn(LinkId) -> Option<String>, ip: bool) -> Self {
        let Picture { figures, clock, comparison, recent } = picture;
        let top = |dimension, nameless| top(&figures, dimension, nameless);
        let recent = recent.into_iter().map(|click| recent_click(click, &code, ip));
        Self {
            totals: totals(&figures),
            comparison: ComparisonShown {
                clicks: comparison.clicks,
                previous_clicks: comparison.previous,
                trend_pct: comparison.trend_pct,
            },
            by_day: figures.by_day.iter().map(day).collect(),
            by_country: top(Dimension::Country, "Unknown"),
            by_device: top(Dimension::Device, "Unknown"),
            by_browser: top(Dimension::Browser, "Unknown"),
            by_os: top(Dimension::Os, "Unknown"),
            by_referrer: top(Dimension::Referrer, "Direct"),
            by_language: top(Dimension::Language, "Unknown"),
            by_source: top(Dimension::Source, "Unknown"),
            by_rule: top(Dimension::Rule, "default"),
            by_hour: hours(&clock),
            by_weekday: weekdays(&clock),
            peak_hour: clock.peak_hour(),
            peak_weekday: clock.peak_weekday(),
            recent_clicks: recent.collect(),
            window_days: figures.days.count(),
        }
    }
}

fn totals(figures: &Figures) -> Totals {
    Totals {
        links: None,
        clicks: figures.clicks,
        bots: figures.bots,
        unique_clicks: figures.unique,
        unique_referrers: figures.distinct(Dimension::Referrer),
        countries: figures.distinct(Dimension::Country),
        top_referrer: figures.most(Dimension::Referrer),
        top_country: figures.most(Dimension::Country),
    }
}

fn top(figures: &Figures, dimension: Dimension, nameless: &str) -> Vec<Count> {
    let count = |Part { name, clicks }| Count { name, count: clicks };
    figures.top(dimension, TOP, nameless).into_iter().map(count).collect()
}

fn hours(clock: &Clock) -> Vec<Hour> {
    clock.hours.iter().enumerate().map(|(hour, &count)| Hour { hour, count }).collect()
}

fn weekdays(clock: &Clock) -> Vec<Count> {
    let counts = Clock::WEEKDAYS.iter().zip(clock.weekdays);
    counts.map(|(name, count)| Count { name: (*name).to_owned(), count }).collect()
}

fn day(row: &DayCount) -> Day {
    Day { day: time::date(row.day), count: row.count }
}

fn top_link(found: &LinkClicks) -> TopLink {
    shown(&found.link, found.clicks)
}

fn growing(found: &Growth) -> Growing {
    Growing { link: shown(&found.link, found.clicks), delta_pct: found.delta_pct }
}

fn shown(link: &Link, clicks: u64) -> TopLink {
    let code = link.slug.as_str().to_owned();
    TopLink { id: link.id.0, code, title: link.title.clone(), clicks }
}

fn recent_click(
    click: StoredClick,
    code: impl Fn(LinkId) -> Option<String>,
    ip: bool,
) -> RecentClick {
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    RecentClick {
        clicked_at: time::rfc3339(click.clicked_at),
        link_id: click.id.link.0,
        code: code(click.id.link),
        country: click.country.map(|country| String::from_utf8_lossy(&country).into_owned()),
        device: click.device,
        browser: click.browser,
        os: click.os,
        referrer: said(click.referrer),
        language: said(click.language),
        source: click.source,
        rule: said(click.rule),
        bot: click.bot,
        ip: click.ip.filter(|_| ip),
    }
}
