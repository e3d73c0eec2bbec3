//! From what was sent to a link: each field that is there, checked, and what it sets.

use std::collections::BTreeMap;

use waypost_link::{
    Attributes, CollectionId, Destination, DestinationError, DomainId, Flags, Link, Slug, Status,
    Timestamp, Utm, WorkspaceId,
};
use waypost_service::{Fault, Service, hash_password, sanitized};

use super::{fail::only, wire, wire::LinkBody};
use crate::kit::{Call, Edit, Fail, Object, options, time};

/// Longest title, in characters.
const TITLE: usize = 200;
/// Longest source label, in characters.
const SOURCE_LABEL: usize = 60;

/// What was sent, checked by all rules that don't need the link itself: what it names was looked
/// up, the password is hashed.
#[derive(Default)]
pub(super) struct Options {
    pub(super) slug: Option<Slug>,
    pub(super) domain: Option<DomainId>,
    pub(super) destination: Option<Destination>,
    /// What each further field does to a link.
    effects: Vec<Effect>,
}

type Effect = Box<dyn Fn(&mut Link)>;

impl Options {
    /// The options of `body` in the caller's workspace.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub(super) fn of(body: &LinkBody, call: &Call) -> Result<Self, Fail> {
        let (service, workspace) = (call.service(), call.principal()?.workspace);
        let slug = body.code.text().flatten().map(Slug::parse).transpose().map_err(Fault::from)?;
        let domain = body.domain.text().map(|host| call.domain_called(host)).transpose()?;
        let destination = destination(&body.destination_url, service)?;
        let mut options = Self { slug, domain, destination, effects: Vec::new() };
        options.texts(body)?;
        options.switches(body);
        options.times(body, call.now())?;
        options.numbers(body)?;
        options.routing(body, service)?;
        options.collection(&body.collection_id, service, workspace)?;
        if let Some(password) = body.password.text() {
            let hash = password.map(hash_password).transpose()?;
            options.set(move |link| link.password.clone_from(&hash));
        }
        Ok(options)
    }

    /// Whether nothing was said.
    pub(super) fn is_empty(&self) -> bool {
        let Self { slug, domain, destination, effects } = self;
        slug.is_none() && domain.is_none() && destination.is_none() && effects.is_empty()
    }

    /// Sets all that was said.
    pub(super) fn apply(&self, link: &mut Link) {
        link.slug = self.slug.clone().unwrap_or_else(|| link.slug.clone());
        link.domain = self.domain.unwrap_or(link.domain);
        if let Some(destination) = &self.destination {
            link.destination = destination.clone();
            link.asin = waypost_service::asin(destination);
        }
        self.effects.iter().for_each(|effect| effect(link));
    }

    /// Puts a link into a collection, or out of it.
    ///
    /// # Errors
    /// [`Fail::Invalid`] where the workspace has no such collection.
    pub(super) fn collection(
        &mut self,
        id: &Edit<u64>,
        service: &Service,
        workspace: WorkspaceId,
    ) -> Result<(), Fail> {
        let Some(id) = id.change() else { return Ok(()) };
        let id = id.copied().map(CollectionId);
        if let Some(id) = id {
            service.check_collection(workspace, id)?;
        }
        self.set(move |link| link.collection = id);
        Ok(())
    }

    fn set(&mut self, effect: impl Fn(&mut Link) + 'static) {
        self.effects.push(Box::new(effect));
    }

    fn texts(&mut self, body: &LinkBody) -> Result<(), Fail> {
        if let Some(title) = owned(&body.title) {
            if title.as_ref().is_some_and(|title| title.chars().count() > TITLE) {
                return Err(wrong("title", "at most 200 characters"));
            }
            self.set(move |link| link.title.clone_from(&title));
        }
        if let Some(label) = body.source_label.text() {
            let label = label.map(|label| sanitized(label, SOURCE_LABEL));
            let label = label.filter(|label| !label.is_empty());
            self.set(move |link| link.source_label.clone_from(&label));
        }
        if let Some(text) = owned(&body.description) {
            self.set(move |link| link.description.clone_from(&text));
        }
        if let Some(text) = owned(&body.notes) {
            self.set(move |link| link.notes.clone_from(&text));
        }
        if let Some(tags) = body.tags.change() {
            let tags = tags.cloned().unwrap_or_default();
            self.set(move |link| link.tags.clone_from(&tags));
        }
        if let Some(given) = body.attributes.change() {
            let attributes = given.map(attributes).transpose()?.unwrap_or_default();
            self.set(move |link| link.attributes.clone_from(&attributes));
        }
        Ok(())
    }

    fn switches(&mut self, body: &LinkBody) {
        for (value, flag) in [
            (&body.active, Flags::ACTIVE),
            (&body.alert_email, Flags::ALERT_EMAIL),
            (&body.forward_query, Flags::FORWARD_QUERY),
            (&body.public, Flags::PUBLIC),
            (&body.public_tracking, Flags::PUBLIC_TRACKING),
            (&body.plus_tracking, Flags::PLUS_TRACKING),
            (&body.conversion_tracking, Flags::CONVERSION_TRACKING),
            (&body.pixels, Flags::PIXELS),
        ] {
            if let Some(on) = value.change() {
                let on = on.copied().unwrap_or(Flags::default().has(flag));
                self.set(move |link| link.flags = link.flags.with(flag, on));
            }
        }
    }

    fn times(&mut self, body: &LinkBody, now: Timestamp) -> Result<(), Fail> {
        if let Some(archived) = body.archived.change() {
            let at = (archived == Some(&true)).then_some(now);
            self.set(move |link| link.archived_at = at);
        }
        if let Some(at) = instant("valid_from", &body.valid_from)? {
            self.set(move |link| link.valid_from = at);
        }
        if let Some(at) = instant("expires_at", &body.expires_at)? {
            self.set(move |link| link.expires_at = at);
        }
        Ok(())
    }

    fn numbers(&mut self, body: &LinkBody) -> Result<(), Fail> {
        if let Some(status) = body.status.change() {
            let status = status.map_or(Some(Status::Found), |code| Status::from_code(*code));
            let status = status.ok_or_else(|| wrong("status", "301, 302, 307 or 308"))?;
            self.set(move |link| link.status = status);
        }
        if let Some(most) = count("max_clicks", &body.max_clicks)? {
            self.set(move |link| link.max_clicks = most);
        }
        if let Some(at) = count("alert_at", &body.alert_at)? {
            self.set(move |link| link.alert_at = at);
        }
        Ok(())
    }

    fn routing(&mut self, body: &LinkBody, service: &Service) -> Result<(), Fail> {
        if let Some(given) = body.utm.change() {
            let utm = given.cloned().map(|Object(utm)| Utm::from(utm)).unwrap_or_default();
            self.set(move |link| link.utm.clone_from(&utm));
        }
        if let Some(given) = body.rules.change() {
            let given = given.map_or(&[][..], Vec::as_slice);
            let rules = options::rules(service, "rules", given)?;
            self.set(move |link| link.rules.clone_from(&rules));
        }
        if let Some(given) = body.scripts.change() {
            let scripts = options::scripts("scripts", given.map_or(&[][..], Vec::as_slice))?;
            self.set(move |link| link.scripts.clone_from(&scripts));
        }
        Ok(())
    }
}

impl From<wire::Utm> for Utm {
    fn from(given: wire::Utm) -> Self {
        Self {
            source: given.source.unwrap_or_default(),
            medium: given.medium.unwrap_or_default(),
            campaign: given.campaign.unwrap_or_default(),
            term: given.term.unwrap_or_default(),
            content: given.content.unwrap_or_default(),
        }
    }
}

/// A wrong field.
fn wrong(field: &'static str, expected: &str) -> Fail {
    Fail::invalid(field, format!("expected {expected}"))
}

/// What a text becomes, where it is spoken of; an empty one is none.
fn owned(field: &Edit<String>) -> Option<Option<String>> {
    field.text().map(|text| text.map(str::to_owned))
}

fn instant(name: &'static str, field: &Edit<String>) -> Result<Option<Option<Timestamp>>, Fail> {
    let at = |text: &str| {
        time::parse(text).ok_or_else(|| wrong(name, "a time such as 2030-01-01T00:00:00Z"))
    };
    field.text().map(|text| text.map(at).transpose()).transpose()
}

fn count(name: &'static str, field: &Edit<u64>) -> Result<Option<Option<u64>>, Fail> {
    match field.change() {
        Some(Some(0)) => Err(wrong(name, "at least 1")),
        change => Ok(change.map(Option::<&u64>::copied)),
    }
}

fn attributes(from: &BTreeMap<String, String>) -> Result<Attributes, Fail> {
    let mut attributes = Attributes::default();
    let legal = |text: &str| !text.chars().any(char::is_control);
    for (name, value) in from {
        if !legal(name) || !legal(value) || !attributes.set(name, Some(value)) {
            return Err(wrong("attributes", "at most 32 printable texts of 256 bytes"));
        }
    }
    Ok(attributes)
}

fn destination(field: &Edit<String>, service: &Service) -> Result<Option<Destination>, Fail> {
    let Some(text) = field.text() else { return Ok(None) };
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Fail::missing("destination_url"))?;
    match Destination::parse(text, &service.policy().schemes) {
        Ok(destination) => Ok(Some(destination)),
        Err(error @ DestinationError::Scheme(_)) => {
            Err(only(400, "invalid_url_scheme", &error.to_string()))
        }
        Err(error) => Err(Fail::invalid("destination_url", error.to_string())),
    }
}
