//! From links to what is shown of them.

use std::{cell::RefCell, collections::HashMap};

use waypost_link::{DomainId, Flags, Link, LinkId, WorkspaceId};
use waypost_service::Service;

use super::wire::{OneLink, Shown, Utm};
use crate::kit::{Call, Fail, WireRule, WireScript, time};

/// Renders the links of a workspace; what they name is looked up once.
pub(super) struct Renderer<'c> {
    service: &'c Service,
    workspace: WorkspaceId,
    domains: RefCell<HashMap<DomainId, Domain>>,
}

/// What is shown of a domain.
#[derive(Clone)]
struct Domain {
    name: Option<String>,
    base: String,
}

impl<'c> Renderer<'c> {
    pub(super) fn of(call: &'c Call) -> Result<Self, Fail> {
        let workspace = call.principal()?.workspace;
        Ok(Self { service: call.service(), workspace, domains: RefCell::default() })
    }

    /// Links with their clicks.
    pub(super) fn links(&self, links: &[Link]) -> Result<Vec<Shown>, Fail> {
        let ids: Vec<LinkId> = links.iter().map(|link| link.id).collect();
        let totals = self.service.stats(self.workspace)?.totals(&ids)?;
        let clicks = totals.iter().map(|total| total.clicks).chain(std::iter::repeat(0));
        links.iter().zip(clicks).map(|(link, clicks)| self.link(link, clicks)).collect()
    }

    /// Links that were made just now.
    pub(super) fn fresh(&self, links: &[Link]) -> Result<Vec<Shown>, Fail> {
        links.iter().map(|link| self.link(link, 0)).collect()
    }

    /// A link by itself, with its clicks.
    pub(super) fn one(&self, link: &Link) -> Result<OneLink, Fail> {
        let clicks = self.service.stats(self.workspace)?.total(link.id)?.clicks;
        self.with_clicks(link, clicks)
    }

    /// A link that was made just now.
    pub(super) fn new_one(&self, link: &Link) -> Result<OneLink, Fail> {
        self.with_clicks(link, 0)
    }

    fn with_clicks(&self, link: &Link, clicks: u64) -> Result<OneLink, Fail> {
        let link = self.link(link, clicks)?;
        let short_url = link.short_url.clone();
        Ok(OneLink { link, short_url, short_domain: short_domain(self.service) })
    }

    fn link(&self, link: &Link, clicks: u64) -> Result<Shown, Fail> {
        let Domain { name, base } = self.domain(link.domain)?;
        let has = |flag| link.flags.has(flag);
        Ok(Shown {
            id: link.id.0,
            code: link.slug.as_str().to_owned(),
            domain: name,
            short_url: format!("{base}/{}", link.slug.encoded()),
            destination_url: link.destination.as_str().to_owned(),
            asin: link.asin.clone(),
            title: link.title.clone(),
            source_label: link.source_label.clone(),
            product_image_url: link.product_image_url.as_deref().map(|url| self.absolute(url)),
            collection_id: link.collection.map(|id| id.0),
            created_at: time::seconds(link.created_at),
            updated_at: time::seconds(link.updated_at),
            archived_at: link.archived_at.map(time::seconds),
            deactivated_at: link.deactivated_at.map(time::seconds),
            clicks,
            tags: link.tags.clone(),
            status: link.status.code(),
            active: has(Flags::ACTIVE),
            valid_from: link.valid_from.map(time::rfc3339),
            expires_at: link.expires_at.map(time::rfc3339),
            max_clicks: link.max_clicks,
            alert_at: link.alert_at,
            alert_email: has(Flags::ALERT_EMAIL),
            has_password: link.password.is_some(),
            forward_query: has(Flags::FORWARD_QUERY),
            public: has(Flags::PUBLIC),
            public_tracking: has(Flags::PUBLIC_TRACKING),
            plus_tracking: has(Flags::PLUS_TRACKING),
            conversion_tracking: has(Flags::CONVERSION_TRACKING),
            pixels: has(Flags::PIXELS),
            utm: utm(&link.utm),
            rules: link.rules.iter().map(WireRule::from).collect(),
            scripts: link.scripts.iter().map(WireScript::from).collect(),
            description: link.description.clone(),
            notes: link.notes.clone(),
            attributes: link
                .attributes
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        })
    }

    /// Of what is served here, the path alone is kept.
    fn absolute(&self, url: &str) -> String {
        let here = &self.service.policy().public_url;
        if url.starts_with('/') { format!("{here}{url}") } else { url.to_owned() }
    }

    fn domain(&self, id: DomainId) -> Result<Domain, Fail> {
        if let Some(known) = self.domains.borrow().get(&id) {
            return Ok(known.clone());
        }
        let name = self.service.hostname(id)?.map(|host| host.as_str().to_owned());
        let domain = Domain { name, base: self.service.base_url(id)? };
        self.domains.borrow_mut().insert(id, domain.clone());
        Ok(domain)
    }
}

/// The host of the default domain's short links.
pub(super) fn short_domain(service: &Service) -> String {
    let url = service.policy().public_url.as_str();
    url.split_once("://").map_or(url, |(_, host)| host).to_owned()
}

fn utm(utm: &waypost_link::Utm) -> Utm {
    let set = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Utm {
        source: set(&utm.source),
        medium: set(&utm.medium),
        campaign: set(&utm.campaign),
        term: set(&utm.term),
        content: set(&utm.content),
    }
}
