//! `makeLink`: nineteen parameters become a link, and the answer is its short URL.

use waypost_link::{DomainId, DomainStatus, Flags, Link, Name, Slug, Timestamp};
use waypost_service::{Draft, Drawn, Fault, Service, hash_password};

use crate::kit::{Answer, Call, Fail, Fields, reply, time};

/// `GET` or `POST /api/v1_0/makeLink`
pub(super) fn make_link(call: &Call) -> Answer {
    let (service, workspace) = (call.service(), call.principal()?.workspace);
    let wanted = Wanted::read(call.fields()?, call.utc_offset())?;
    let destination = service.destination(&wanted.external_url)?;
    let domain = wanted.domain(call)?;
    let slug = wanted.vanity_link.clone();
    let draft = Draft { workspace, domain, slug, drawn: Drawn::Short, destination };
    let make = |once: &Service| {
        // With the use cases that remember nothing: the commit that is remembered is the link's.
        wanted.is_free(service, domain)?;
        let group = wanted.group.as_deref();
        let group = group.map(|name| service.collection_named(workspace, name)).transpose()?;
        Ok(once.create_link(&draft, |link| {
            wanted.set(link);
            link.collection = group.map(|group| group.id);
            Ok(())
        })?)
    };
    let link = call.once(make, |ids| call.link_made(ids))?;
    Ok(reply::text(200, service.short_url(&link)?))
}

/// The parameters, read and checked.
#[derive(Debug, Default, PartialEq)]
struct Wanted {
    external_url: String,
    host: Option<String>,
    vanity_link: Option<Slug>,
    title: Option<String>,
    description: Option<String>,
    notes: Option<String>,
    group: Option<String>,
    password: Option<String>,
    alert_at: Option<u64>,
    deactivate_at: Option<u64>,
    expires_at: Option<Timestamp>,
    flags: Flags,
}

/// The booleans, and what each is where it is absent.
const SWITCHES: [(&str, Flags, bool); 6] = [
    ("is_active", Flags::ACTIVE, true),
    ("is_public", Flags::PUBLIC, false),
    ("has_alert_email", Flags::ALERT_EMAIL, false),
    ("has_plus_tracking", Flags::PLUS_TRACKING, false),
    ("has_public_tracking", Flags::PUBLIC_TRACKING, false),
    ("has_conversion_tracking", Flags::CONVERSION_TRACKING, false),
];

impl Wanted {
    /// An empty parameter is as good as none: clients send all that they know.
    fn read(fields: &Fields, offset: i32) -> Result<Self, Fail> {
        let text = |name: &str| fields.get(name).filter(|value| !value.is_empty());
        let owned = |name: &str| text(name).map(str::to_owned);
        let required = || Fail::missing("external_url");
        Ok(Self {
            external_url: owned("external_url").ok_or_else(required)?,
            host: owned("host"),
            vanity_link: text("vanity_link").map(Slug::parse).transpose().map_err(Fault::from)?,
            title: owned("title"),
            description: owned("description"),
            notes: owned("notes"),
            group: owned("group"),
            password: text("password").map(hash_password).transpose()?,
            alert_at: text("alert_at").map(|text| count("alert_at", text)).transpose()?,
            deactivate_at: text("deactivate_at")
                .map(|text| count("deactivate_at", text))
                .transpose()?,
            expires_at: text("expires_at").map(|text| expiry(text, offset)).transpose()?,
            flags: switches(text)?,
        })
    }

    /// The domain of `host`: an active one of the workspace, or the server's own name.
    fn domain(&self, call: &Call) -> Result<DomainId, Fail> {
        let Some(host) = &self.host else { return Ok(DomainId::DEFAULT) };
        match call.service().domain_for(call.principal()?.workspace, host) {
            Ok(None) => Ok(DomainId::DEFAULT),
            Ok(Some(domain)) if domain.status == DomainStatus::Active => Ok(domain.id),
            Ok(Some(_)) | Err(Fault::NotFound(_)) => {
                Err(Fail::invalid("host", "not an active domain of this workspace"))
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Looks before a group is made for nothing; the commit has the last word.
    fn is_free(&self, service: &Service, domain: DomainId) -> Result<(), Fail> {
        let Some(slug) = &self.vanity_link else { return Ok(()) };
        match service.link_named(&Name { domain, slug: slug.clone() })? {
            Some(_) => Err(Fail::Taken(format!("vanity_link {slug}"))),
            None => Ok(()),
        }
    }

    fn set(&self, link: &mut Link) {
        link.title.clone_from(&self.title);
        link.description.clone_from(&self.description);
        link.notes.clone_from(&self.notes);
        link.password.clone_from(&self.password);
        link.flags = self.flags;
        link.alert_at = self.alert_at;
        link.max_clicks = self.deactivate_at;
        link.expires_at = self.expires_at;
    }
}

fn switches<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Result<Flags, Fail> {
    SWITCHES.iter().try_fold(Flags::default(), |flags, (name, flag, default)| {
        let on = match text(name) {
            None => *default,
            Some("0") => false,
            Some("1") => true,
            Some(_) => return Err(Fail::invalid(*name, "expected 0 or 1")),
        };
        Ok(flags.with(*flag, on))
    })
}

fn count(name: &'static str, text: &str) -> Result<u64, Fail> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Fail::invalid(name, "expected a whole number, at least 1"))
}

fn expiry(text: &str, offset: i32) -> Result<Timestamp, Fail> {
    let why = "expected 2024-11-24 10:35:16 or 2024-11-24";
    time::parse_wall(text, offset).ok_or_else(|| Fail::invalid("expires_at", why))
}
