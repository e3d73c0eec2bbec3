//! Links added up: of a job, of an application, of the workspace.

use waypost_link::{Link, LinkId};
use waypost_service::{Days, Stats, Subject};

use super::{
    links::{first, function, last, moment, uuid},
    wire::{Application, Day, Function, Job, Overall, Performance, Period, Report, Tracked},
};
use crate::kit::{Answer, Call, Fail, reply, time};

/// `GET /api/link-tracking/job/{job_id}/links`
pub(super) fn job(call: &Call) -> Answer {
    let workspace = call.principal()?.workspace;
    let job_id = uuid("job_id", call.parameter("job_id"))?;
    let links = call.service().links_with(workspace, "job_id", &job_id)?;
    let stats = call.service().stats(workspace)?;
    let all = stats.summary(&ids(&links))?;
    let job = Job {
        link_functions: functions(&stats, &links)?,
        total_links: all.links,
        total_clicks: all.clicks,
        unique_sessions: all.unique,
        job_id,
    };
    reply::json(200, &job)
}

/// `GET /api/link-tracking/application/{application_id}/links`
pub(super) fn application(call: &Call) -> Answer {
    let workspace = call.principal()?.workspace;
    let application_id = uuid("application_id", call.parameter("application_id"))?;
    let links = call.service().links_with(workspace, "application_id", &application_id)?;
    let totals = call.service().stats(workspace)?.totals(&ids(&links))?;
    let tracked = links.iter().zip(&totals).map(|(link, total)| Tracked {
        link_function: function(link),
        tracking_id: link.slug.as_str().to_owned(),
        original_url: link.destination.as_str().to_owned(),
        description: link.description.clone(),
        click_count: total.clicks,
        first_click: total.first.map(moment),
        last_click: total.last.map(moment),
    });
    let application = Application {
        application_id,
        tracked_links: tracked.collect(),
        total_tracked_links: links.len(),
        total_clicks: totals.iter().map(|total| total.clicks).sum(),
    };
    reply::json(200, &application)
}

/// `GET /api/link-tracking/report`
pub(super) fn report(call: &Call) -> Answer {
    let count = call.query_number("days", 1..=365)?.unwrap_or(30);
    let days = Days::last(usize::try_from(count).unwrap_or(30), call.now());
    let stats = call.service().stats(call.principal()?.workspace)?;
    let groups = stats.groups("link_function", days)?;
    let figures = stats.figures(&Subject::Workspace, days)?;
    let report = Report {
        report_period: Period {
            start_date: time::seconds(days.start()),
            end_date: time::seconds(call.now()),
            days: count,
        },
        overall_statistics: Overall {
            total_links: groups.iter().map(|group| group.links).sum(),
            jobs_with_links: stats.distinct("job_id")?,
            applications_with_links: stats.distinct("application_id")?,
            total_clicks: figures.clicks,
        },
        function_performance: groups
            .into_iter()
            .map(|group| Performance {
                avg_clicks_per_link: (group.clicks_per_link() * 100.0).round() / 100.0,
                link_function: group.value,
                link_count: group.links,
                total_clicks: group.clicks,
            })
            .collect(),
        daily_trends: figures
            .by_day
            .iter()
            .map(|day| Day { click_date: time::date(day.day), clicks: day.count })
            .collect(),
    };
    reply::json(200, &report)
}

/// Links by function and type, in the order in which the first of each was made.
fn functions(stats: &Stats<'_>, links: &[Link]) -> Result<Vec<Function>, Fail> {
    let mut groups: Vec<(Option<String>, Option<String>, Vec<LinkId>)> = Vec::new();
    for link in links {
        let function = function(link);
        let kind = link.attributes.get("link_type").map(str::to_owned);
        match groups.iter_mut().find(|(f, k, _)| (f, k) == (&function, &kind)) {
            Some((.., ids)) => ids.push(link.id),
            None => groups.push((function, kind, vec![link.id])),
        }
    }
    let function = |(link_function, link_type, ids): (_, _, Vec<LinkId>)| {
        let summary = stats.summary(&ids)?;
        Ok(Function {
            link_function,
            link_type,
            link_count: summary.links,
            total_clicks: summary.clicks,
            unique_sessions: summary.unique,
            first_click: first(&summary),
            last_click: last(&summary),
        })
    };
    groups.into_iter().map(function).collect()
}

fn ids(links: &[Link]) -> Vec<LinkId> {
    links.iter().map(|link| link.id).collect()
}
