//! What each linkpack route does: decode, one use case, encode.

use waypost_link::{DomainId, Link, Status};
use waypost_service::{Dimension, Draft, Drawn, Figures, Part, Service};

use super::{
    change::Change,
    wire::{Country, DateRange, Day, Deleted, Device, Edited, LinkEdit, Referer, Stats, StatsLink},
};
use crate::kit::{Answer, Call, Edit, Fail, ids, reply, time};

/// `POST /api/v1/shorten`
pub(super) fn shorten(call: &Call) -> Answer {
    let edit: LinkEdit = call.json()?;
    let change = Change::of(call, &edit)?;
    let missing = || Fail::missing("longUrl");
    let draft = Draft {
        workspace: call.principal()?.workspace,
        domain: change.domain.unwrap_or(DomainId::DEFAULT),
        slug: change.slug.clone(),
        drawn: Drawn::Short,
        destination: change.destination.clone().ok_or_else(missing)?,
    };
    let make = |service: &Service| {
        Ok(service.create_link(&draft, |link| {
            link.status = Status::Temporary;
            change.put(link);
            Ok(())
        })?)
    };
    let link = call.once(make, |ids| call.link_made(ids))?;
    reply::json(200, &edit.answer(call.service(), &link)?)
}

/// `PATCH /api/v1/link/{id}`
pub(super) fn edit(call: &Call) -> Answer {
    let link = call.link_called(ids::UUID, call.parameter("id"))?;
    let edit: LinkEdit = call.json()?;
    let change = Change::of(call, &edit)?;
    let link = call.service().edit_link(link.workspace, link.id, |link| {
        change.put(link);
        Ok(())
    })?;
    reply::json(200, &edit.answer(call.service(), &link)?)
}

/// `DELETE /api/v1/link/{id}`
pub(super) fn delete(call: &Call) -> Answer {
    let link = call.link_called(ids::UUID, call.parameter("id"))?;
    call.service().delete_link(link.workspace, link.id)?;
    reply::json(200, &Deleted { success: true })
}

/// `GET /api/v1/stats/{shortCode}`
pub(super) fn stats(call: &Call) -> Answer {
    let workspace = call.principal()?.workspace;
    let link = call.service().find_link(workspace, call.parameter("shortCode"))?;
    let (first, last) = (day(call, "startDate")?, day(call, "endDate")?);
    let figures = call.service().stats(workspace)?.range(&link, first, last)?;
    let filtered = first.is_some() || last.is_some();
    reply::json(200, &Stats::of(&link, &figures, filtered))
}

fn day(call: &Call, name: &'static str) -> Result<Option<i64>, Fail> {
    let wrong = || Fail::invalid(name, "expected a date such as 2024-01-31");
    let text = call.query(name)?.filter(|text| !text.is_empty());
    text.map(|text| time::parse_date(text).ok_or_else(wrong)).transpose()
}

impl LinkEdit {
    /// The link as it is now, with those of its options that this spoke of.
    fn answer(&self, service: &Service, link: &Link) -> Result<Edited, Fail> {
        let text = |edit: &Edit<String>, value: &str| {
            edit.echo(Some(value.to_owned()).filter(|value| !value.is_empty()))
        };
        let (utm, rules, scripts) = (&link.utm, &link.rules, &link.scripts);
        let rules = rules.iter().map(Into::into).collect();
        let scripts = scripts.iter().map(Into::into).collect();
        let host = service.hostname(link.domain)?;
        Ok(Edited {
            id: ids::UUID.link(link),
            short_code: link.slug.as_str().to_owned(),
            short_url: service.short_url(link)?,
            long_url: link.destination.as_str().to_owned(),
            domain: host.map(|host| host.as_str().to_owned()),
            expires_at: link.expires_at.map(time::rfc3339),
            title: link.title.clone(),
            tags: link.tags.clone(),
            utm_source: text(&self.utm_source, &utm.source),
            utm_medium: text(&self.utm_medium, &utm.medium),
            utm_campaign: text(&self.utm_campaign, &utm.campaign),
            utm_term: text(&self.utm_term, &utm.term),
            utm_content: text(&self.utm_content, &utm.content),
            traffic_routing: self.traffic_routing.echo(Some(rules)),
            retargeting_scripts: self.retargeting_scripts.echo(Some(scripts)),
        })
    }
}

impl Stats {
    fn of(link: &Link, figures: &Figures, filtered: bool) -> Self {
        let parts = |dimension, nameless| figures.top(dimension, usize::MAX, nameless).into_iter();
        let countries = parts(Dimension::Country, "Unknown");
        let devices = parts(Dimension::Device, "Unknown");
        let referers = parts(Dimension::Referrer, "Direct");
        let daily = figures.by_day.iter();
        Self {
            link: StatsLink {
                id: ids::UUID.link(link),
                long_url: link.destination.as_str().to_owned(),
                short_code: link.slug.as_str().to_owned(),
            },
            total_clicks: figures.clicks,
            date_range: DateRange {
                start_date: time::date(figures.days.first()),
                end_date: time::date(figures.days.end() - 1),
                filtered,
            },
            daily: daily.map(|row| Day { date: time::date(row.day), clicks: row.count }).collect(),
            countries: countries
                .map(|Part { name, clicks }| Country { country: name, clicks })
                .collect(),
            devices: devices.map(|Part { name, clicks }| Device { device: name, clicks }).collect(),
            referers: referers
                .map(|Part { name, clicks }| Referer { referer: name, clicks })
                .collect(),
        }
    }
}
