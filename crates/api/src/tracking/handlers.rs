//! What each tracking route does: decode, one use case, encode.

use waypost_link::{Attributes, DomainId, Link, LinkId, WorkspaceId};
use waypost_service::{Draft, Drawn, Service};

use super::wire::{Created, Health, NewLink};
use crate::kit::{Answer, Call, Fail, reply, time};

/// `POST /api/link-tracking/create`
pub(super) fn create(call: &Call) -> Answer {
    let new: NewLink = call.json()?;
    let workspace = call.principal()?.workspace;
    let link =
        call.once(|service| new.make(service, workspace), |ids| made(call.service(), ids))?;
    reply::json(201, &created(call.service(), &link)?)
}

/// `GET /track/health`
pub(super) fn health(_: &Call) -> Answer {
    let (service, version) = ("link_redirect_handler", env!("CARGO_PKG_VERSION"));
    reply::json(200, &Health { status: "healthy", service, version })
}

impl NewLink {
    fn make(&self, service: &Service, workspace: WorkspaceId) -> Result<Link, Fail> {
        let destination = service.destination(&self.original_url)?;
        let (domain, drawn) = (DomainId::DEFAULT, Drawn::Tracking);
        let draft = Draft { workspace, domain, slug: None, drawn, destination };
        let attributes = self.attributes()?;
        Ok(service.create_link(&draft, |link| {
            link.description.clone_from(&self.description);
            link.attributes = attributes;
            Ok(())
        })?)
    }

    fn attributes(&self) -> Result<Attributes, Fail> {
        let kind = self.link_type.as_deref().unwrap_or("profile");
        let mut attributes = Attributes::default();
        for (name, value) in [
            ("link_function", Some(text("link_function", &self.link_function)?)),
            ("link_type", Some(text("link_type", kind)?)),
            ("job_id", uuid("job_id", self.job_id.as_deref())?.as_deref()),
            ("application_id", uuid("application_id", self.application_id.as_deref())?.as_deref()),
        ] {
            if !attributes.set(name, value) {
                return Err(Fail::invalid(name, "at most 256 bytes"));
            }
        }
        Ok(attributes)
    }
}

/// A text that says something.
fn text<'a>(name: &'static str, value: &'a str) -> Result<&'a str, Fail> {
    let blank = value.trim().is_empty() || value.chars().any(char::is_control);
    if blank { Err(Fail::invalid(name, "expected printable text")) } else { Ok(value) }
}

/// A UUID, as it is kept: in lower case, with hyphens.
fn uuid(name: &'static str, value: Option<&str>) -> Result<Option<String>, Fail> {
    let Some(value) = value else { return Ok(None) };
    match uuid::Uuid::try_parse(value).ok().filter(|_| value.len() == 36) {
        Some(uuid) => Ok(Some(uuid.to_string())),
        None => Err(Fail::invalid(name, "expected a UUID")),
    }
}

/// The link that an earlier request made.
fn made(service: &Service, ids: &[u64]) -> Result<Link, Fail> {
    let id = ids.first().copied().unwrap_or_default();
    let link = service.store().link(LinkId(id)).map_err(waypost_service::Fault::from)?;
    link.ok_or(Fail::NotFound(None))
}

fn created(service: &Service, link: &Link) -> Result<Created, Fail> {
    let attribute = |name| link.attributes.get(name).map(str::to_owned);
    let base = service.base_url(link.domain)?;
    Ok(Created {
        tracking_id: link.slug.as_str().to_owned(),
        redirect_url: format!("{base}/track/{}", link.slug.encoded()),
        original_url: link.destination.as_str().to_owned(),
        link_function: attribute("link_function"),
        link_type: attribute("link_type"),
        job_id: attribute("job_id"),
        application_id: attribute("application_id"),
        created_at: time::seconds(link.created_at),
    })
}
