//! `getLinkHistory`: the clicks of a link, one by one.

use waypost_link::{LinkId, Timestamp};
use waypost_service::{Order, Stats, StoredClick};

use crate::{
    kit::{Answer, Call, Fail, time},
    limits,
};

use super::{
    format::Format,
    params::{limit, order},
    wire::ClickRow,
};

/// How far back a history reaches, in days.
const DAYS: i64 = 30;

/// `GET /api/v1_0/getLinkHistory`
pub(super) fn get_link_history(call: &Call) -> Answer {
    let format = Format::of(call)?;
    let hash = call.query("redirect_hash")?.filter(|hash| !hash.is_empty());
    let hash = hash.ok_or_else(|| Fail::missing("redirect_hash"))?;
    if call.query("sort")?.is_some_and(|sort| !matches!(sort, "" | "h.created_at")) {
        return Err(Fail::invalid("sort", "expected h.created_at"));
    }
    let (order, limit, span) = (order(call)?, limit(call)?, span(call)?);
    let workspace = call.principal()?.workspace;
    let link = call.service().find_link(workspace, hash)?;
    let stats = call.service().stats(workspace)?;
    let clicks = clicks(&stats, link.id, span, order, limit)?;
    let rows: Vec<_> = clicks.iter().map(|click| ClickRow::of(click, call.utc_offset())).collect();
    format.list("history", "item", &rows)
}

/// From when, and before when: by default from the start of today.
fn span(call: &Call) -> Result<(Option<Timestamp>, Option<Timestamp>), Fail> {
    let (now, offset) = (call.now(), call.utc_offset());
    let today = midnight(now, offset);
    let at = |name: &'static str| match call.query(name)?.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => match time::parse_wall(text, offset) {
            Some(at) => Ok(Some(at)),
            None => Err(Fail::invalid(name, "expected 2024-11-24 10:35:16 or 2024-11-24")),
        },
    };
    let start = at("start_date")?.unwrap_or(today);
    if start < today.plus(-DAYS * Timestamp::DAY) {
        return Err(Fail::invalid("start_date", format!("at most {DAYS} days back")));
    }
    Ok((Some(start), at("end_date")?))
}

/// When the day of `now` began, on a clock that is `offset` seconds ahead of UTC.
fn midnight(now: Timestamp, offset: i32) -> Timestamp {
    let ahead = i64::from(offset) * Timestamp::SECOND;
    let local = now.plus(ahead).0;
    Timestamp(local - local.rem_euclid(Timestamp::DAY)).plus(-ahead)
}

fn clicks(
    stats: &Stats<'_>,
    link: LinkId,
    span: (Option<Timestamp>, Option<Timestamp>),
    order: Order,
    limit: usize,
) -> Result<Vec<StoredClick>, Fail> {
    let (mut clicks, mut after) = (Vec::new(), None);
    // Where bots don't count, what few clicks are asked for may lie behind many.
    let size = if stats.counts_bots() { limit } else { limits::PAGE };
    for _ in 0..limits::HISTORY_PAGES {
        let page = stats.clicks(link, span, order, after, size)?;
        clicks.extend(page.items);
        after = page.next;
        if after.is_none() || clicks.len() >= limit {
            break;
        }
    }
    clicks.truncate(limit);
    Ok(clicks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_by_the_clock() {
        let central = -6 * 3_600;
        for (now, start) in [
            ("2024-11-24T05:59:59Z", "2024-11-23T06:00:00Z"),
            ("2024-11-24T06:00:00Z", "2024-11-24T06:00:00Z"),
            ("2024-11-24T23:00:00Z", "2024-11-24T06:00:00Z"),
        ] {
            let now = time::parse(now).expect("a time");
            assert_eq!(time::seconds(midnight(now, central)), start);
        }
    }
}
