//! Links: made one by one or as a package, shown with their statistics, ended.

use waypost_link::{Attributes, Destination, DomainId, Flags, Link, Timestamp, WorkspaceId};
use waypost_service::{Draft, Drawn, Fault, Row, Service, StoredClick, Subject, Summary};

use super::{
    find,
    wire::{
        Analytics, Click, Created, Deactivated, Health, LinkInfo, NewLink, NewPackage, Package,
        Statistics,
    },
};
use crate::kit::{Answer, Call, Fail, Object, reply, time};

/// Clicks that a timeline shows (SPEC 5).
const TIMELINE: usize = 100;

/// `POST /api/link-tracking/create`
pub(super) fn create(call: &Call) -> Answer {
    let new: NewLink = call.json()?;
    let workspace = call.principal()?.workspace;
    let make = |service: &Service| new.make(service, workspace);
    let link = call.once(make, |ids| call.link_made(ids))?;
    reply::json(201, &created(call.service(), &link)?)
}

/// `POST /api/link-tracking/application/create-links`
pub(super) fn create_package(call: &Call) -> Answer {
    let new: NewPackage = call.json()?;
    let job_id = uuid("job_id", &new.job_id)?;
    let application_id = uuid("application_id", &new.application_id)?;
    let rows = new.rows(call, &job_id, &application_id)?;
    let make = |service: &Service| match rows.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(service.create_links(rows.clone())?),
    };
    let links = call.once(make, |ids| call.links_made(ids))?;
    let base = call.service().base_url(DomainId::DEFAULT)?;
    let shown = |link: &Link| (function(link).unwrap_or_default(), redirect_url(&base, link));
    let package = Package {
        job_id,
        application_id,
        tracked_links: links.iter().map(shown).collect(),
        total_links: links.len(),
    };
    reply::json(201, &package)
}

/// `GET /api/link-tracking/analytics/{tracking_id}`
pub(super) fn analytics(call: &Call) -> Answer {
    let workspace = call.principal()?.workspace;
    let link = find(call.service(), workspace, call.parameter("tracking_id"))?;
    let stats = call.service().stats(workspace)?;
    let subject = Subject::Link(link.id);
    let summary = stats.summary(&[link.id])?;
    let rolling = |days| stats.rolling(&subject, days * Timestamp::DAY);
    let clicks = stats.newest(&subject, TIMELINE)?;
    let analytics = Analytics {
        link_info: LinkInfo {
            link: created(call.service(), &link)?,
            is_active: link.flags.has(Flags::ACTIVE),
            description: link.description.clone(),
        },
        click_statistics: Statistics {
            total_clicks: summary.clicks,
            unique_sessions: summary.unique,
            first_click: first(&summary),
            last_click: last(&summary),
            clicks_24h: rolling(1)?,
            clicks_7d: rolling(7)?,
        },
        click_timeline: clicks.into_iter().map(click).collect(),
    };
    reply::json(200, &analytics)
}

/// `POST /api/link-tracking/deactivate/{tracking_id}`: again, the first time counts.
pub(super) fn deactivate(call: &Call) -> Answer {
    let (service, workspace) = (call.service(), call.principal()?.workspace);
    let id = call.parameter("tracking_id");
    let mut link = find(service, workspace, id)?;
    if link.flags.has(Flags::ACTIVE) || link.deactivated_at.is_none() {
        let ended = service.edit_link(workspace, link.id, |link| {
            // One that was made inactive has no such time; any other gets it as it is edited.
            if !link.flags.has(Flags::ACTIVE) {
                link.deactivated_at.get_or_insert_with(|| service.now());
            }
            link.flags = link.flags.with(Flags::ACTIVE, false);
            Ok(())
        });
        link = ended.map_err(|fault| super::unknown(fault, id))?;
    }
    let deactivated = Deactivated {
        message: "Link deactivated successfully",
        tracking_id: id.to_owned(),
        deactivated_at: time::seconds(link.deactivated_at.unwrap_or(link.updated_at)),
    };
    reply::json(200, &deactivated)
}

/// `GET /track/health`
pub(super) fn health(_: &Call) -> Answer {
    let (service, version) = ("link_redirect_handler", env!("CARGO_PKG_VERSION"));
    reply::json(200, &Health { status: "healthy", service, version })
}

/// The earliest click, as it is shown.
pub(super) fn first(summary: &Summary) -> Option<String> {
    summary.first.map(moment)
}

/// The latest click, as it is shown.
pub(super) fn last(summary: &Summary) -> Option<String> {
    summary.last.map(moment)
}

/// A click's time. One with microseconds is taken for a redirect's, whose clock puts them there: it is shown
/// in whole seconds. Any other was reported, and is shown as it came.
pub(super) fn moment(at: Timestamp) -> String {
    if at.0 % 1_000 == 0 { time::rfc3339(at) } else { time::seconds(at) }
}

/// What a link is for.
pub(super) fn function(link: &Link) -> Option<String> {
    link.attributes.get("link_function").map(str::to_owned)
}

/// A UUID, as it is kept: in lower case, with hyphens.
pub(super) fn uuid(name: &'static str, value: &str) -> Result<String, Fail> {
    match uuid::Uuid::try_parse(value).ok().filter(|_| value.len() == 36) {
        Some(uuid) => Ok(uuid.to_string()),
        None => Err(Fail::invalid(name, "expected a UUID")),
    }
}

impl NewLink {
    fn make(&self, service: &Service, workspace: WorkspaceId) -> Result<Link, Fail> {
        let destination = service.destination(&self.original_url)?;
        let attributes = self.attributes()?;
        Ok(service.create_link(&draft(workspace, destination), |link| {
            link.description.clone_from(&self.description);
            link.attributes = attributes;
            Ok(())
        })?)
    }

    fn attributes(&self) -> Result<Attributes, Fail> {
        let optional = |name, value: &Option<String>| {
            value.as_deref().map(|value| uuid(name, value)).transpose()
        };
        let job = optional("job_id", &self.job_id)?;
        let application = optional("application_id", &self.application_id)?;
        let kind = self.link_type.as_deref().unwrap_or("profile");
        attributes(&[
            ("link_function", Some(text("link_function", &self.link_function)?)),
            ("link_type", Some(text("link_type", kind)?)),
            ("job_id", job.as_deref()),
            ("application_id", application.as_deref()),
        ])
    }
}

impl NewPackage {
    /// The links to be made: those that have a URL.
    fn rows(&self, call: &Call, job: &str, application: &str) -> Result<Vec<Row>, Fail> {
        let (service, workspace) = (call.service(), call.principal()?.workspace);
        let settings = service.workspace_of(workspace)?.settings;
        let profile = |name: &str| settings.get(&format!("profile.{name}")).cloned();
        let Object(data) = &self.job_data;
        let links = [
            ("LinkedIn", "profile", "LinkedIn", profile("LinkedIn")),
            ("Calendly", "networking", "Calendly", profile("Calendly")),
            (
                "Company_Website",
                "company",
                "job_data.company_website",
                data.company_website.clone(),
            ),
            ("Apply_Now", "application", "job_data.apply_url", data.apply_url.clone()),
            ("Job_Posting", "job", "job_data.job_url", data.job_url.clone()),
        ];
        let given = links.into_iter().filter_map(|(function, kind, field, url)| {
            Some((function, kind, field, url.filter(|url| !url.is_empty())?))
        });
        let row = |(function, kind, field, url): (_, _, &'static str, String)| {
            let destination = service.destination(&url).map_err(|fault| of_field(fault, field))?;
            let mut link = service.link_of(&draft(workspace, destination))?;
            link.attributes = attributes(&[
                ("link_function", Some(function)),
                ("link_type", Some(kind)),
                ("job_id", Some(job)),
                ("application_id", Some(application)),
            ])?;
            Ok(Row { link, drawn: Some(Drawn::Tracking) })
        };
        given.map(row).collect()
    }
}

/// A wrong destination, by the field that it came in.
fn of_field(fault: Fault, field: &'static str) -> Fail {
    match fault {
        Fault::Invalid { why, .. } => Fail::invalid(field, why),
        other => other.into(),
    }
}

fn draft(workspace: WorkspaceId, destination: Destination) -> Draft {
    let (domain, drawn) = (DomainId::DEFAULT, Drawn::Tracking);
    Draft { workspace, domain, slug: None, drawn, destination }
}

fn attributes(values: &[(&'static str, Option<&str>)]) -> Result<Attributes, Fail> {
    let mut attributes = Attributes::default();
    for (name, value) in values {
        if !attributes.set(name, *value) {
            return Err(Fail::invalid(*name, "at most 256 bytes"));
        }
    }
    Ok(attributes)
}

/// A text that says something.
fn text<'a>(name: &'static str, value: &'a str) -> Result<&'a str, Fail> {
    let blank = value.trim().is_empty() || value.chars().any(char::is_control);
    if blank { Err(Fail::invalid(name, "expected printable text")) } else { Ok(value) }
}

fn created(service: &Service, link: &Link) -> Result<Created, Fail> {
    let attribute = |name| link.attributes.get(name).map(str::to_owned);
    Ok(Created {
        tracking_id: link.slug.as_str().to_owned(),
        redirect_url: redirect_url(&service.base_url(link.domain)?, link),
        original_url: link.destination.as_str().to_owned(),
        link_function: function(link),
        link_type: attribute("link_type"),
        job_id: attribute("job_id"),
        application_id: attribute("application_id"),
        created_at: time::seconds(link.created_at),
    })
}

fn redirect_url(base: &str, link: &Link) -> String {
    format!("{base}/track/{}", link.slug.encoded())
}

fn click(click: StoredClick) -> Click {
    let clicked_at = match click.source.as_str() {
        "redirect" => time::seconds(click.clicked_at),
        _ => time::rfc3339(click.clicked_at),
    };
    Click { clicked_at, click_source: click.source, ip_address: click.ip }
}
