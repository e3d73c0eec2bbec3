//! `/api/stats/…`: the workspace at a glance, and one link.

use waypost_link::LinkId;
use waypost_service::{Days, Subject};

use super::{
    links,
    stats_shapes::{OverviewPage, StatsPage},
};
use crate::kit::{Answer, Call, Fail, reply};

/// The window where none is asked for, and the longest.
const WINDOW: (usize, usize) = (14, 90);

/// `GET /api/stats/overview`
pub(super) fn overview(call: &Call) -> Answer {
    let stats = call.service().stats(call.principal()?.workspace)?;
    let overview = stats.overview(window(call)?)?;
    reply::json(200, &OverviewPage::of(overview, |link| code(call, link)))
}

/// `GET /api/stats/link/{id}`
pub(super) fn link(call: &Call) -> Answer {
    let link = links::found(call)?;
    let stats = call.service().stats(link.workspace)?;
    let picture = stats.picture(&Subject::Link(link.id), window(call)?)?;
    let code = link.slug.as_str();
    reply::json(200, &StatsPage::of(picture, |_| Some(code.to_owned()), true))
}

/// The statistics of links together.
pub(super) fn together(call: &Call, links: &[LinkId]) -> Result<StatsPage, Fail> {
    let stats = call.service().stats(call.principal()?.workspace)?;
    let picture = stats.picture(&Subject::Links(links.to_vec()), window(call)?)?;
    Ok(StatsPage::of(picture, |link| code(call, link), false))
}

/// `?days=`, brought into 1 to 90; what is no number is 14.
fn window(call: &Call) -> Result<Days, Fail> {
    let days = call.fields()?.get("days").and_then(|days| days.trim().parse::<i64>().ok());
    let count = days.map_or(WINDOW.0, |days| days.clamp(1, WINDOW.1 as i64) as usize);
    Ok(Days::last(count, call.service().now()))
}

fn code(call: &Call, link: LinkId) -> Option<String> {
    let workspace = call.principal().ok()?.workspace;
    let link = call.service().own_link(workspace, link).ok()?;
    Some(link.slug.as_str().to_owned())
}
