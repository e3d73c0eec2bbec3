//! What a request asks to change of a link, checked before anything is done.

use waypost_link::{Destination, DomainId, Link, Rule, Script, Slug, Timestamp};
use waypost_service::Fault;

use super::wire::LinkEdit;
use crate::kit::{Call, Edit, Fail, options, time};

/// The changes; what is `None` stays.
pub(super) struct Change<'e> {
    pub(super) destination: Option<Destination>,
    pub(super) slug: Option<Slug>,
    pub(super) domain: Option<DomainId>,
    expires_at: Option<Option<Timestamp>>,
    rules: Option<Vec<Rule>>,
    scripts: Option<Vec<Script>>,
    edit: &'e LinkEdit,
}

impl<'e> Change<'e> {
    /// What `edit` asks for.
    ///
    /// # Errors
    /// [`Fail::Invalid`] names the field.
    pub(super) fn of(call: &Call, edit: &'e LinkEdit) -> Result<Self, Fail> {
        let (rules, scripts) = (edit.traffic_routing.change(), edit.retargeting_scripts.change());
        let rules = rules.map(|rules| {
            let rules = rules.map_or(&[][..], Vec::as_slice);
            options::rules(call.service(), "traffic_routing", rules)
        });
        let scripts = scripts.map(|scripts| {
            let scripts = scripts.map_or(&[][..], Vec::as_slice);
            options::scripts("retargeting_scripts", scripts)
        });
        Ok(Self {
            destination: destination(call, &edit.long_url)?,
            slug: slug(&edit.short_code)?,
            domain: edit.domain.text().map(|host| call.domain_called(host)).transpose()?,
            expires_at: edit.expires_at.text().map(expiry).transpose()?,
            rules: rules.transpose()?,
            scripts: scripts.transpose()?,
            edit,
        })
    }

    /// Makes the changes.
    pub(super) fn put(&self, link: &mut Link) {
        set(&mut link.destination, &self.destination);
        set(&mut link.slug, &self.slug);
        set(&mut link.domain, &self.domain);
        set(&mut link.expires_at, &self.expires_at);
        set(&mut link.rules, &self.rules);
        set(&mut link.scripts, &self.scripts);
        let edit = self.edit;
        if let Some(title) = edit.title.text() {
            link.title = title.map(str::to_owned);
        }
        if let Some(tags) = edit.tags.change() {
            link.tags = tags.cloned().unwrap_or_default();
        }
        for (utm, edit) in [
            (&mut link.utm.source, &edit.utm_source),
            (&mut link.utm.medium, &edit.utm_medium),
            (&mut link.utm.campaign, &edit.utm_campaign),
            (&mut link.utm.term, &edit.utm_term),
            (&mut link.utm.content, &edit.utm_content),
        ] {
            if let Some(value) = edit.text() {
                *utm = value.unwrap_or_default().to_owned();
            }
        }
    }
}

fn set<T: Clone>(field: &mut T, change: &Option<T>) {
    if let Some(value) = change {
        field.clone_from(value);
    }
}

fn destination(call: &Call, edit: &Edit<String>) -> Result<Option<Destination>, Fail> {
    match edit.text() {
        None => Ok(None),
        Some(None) => Err(Fail::invalid("longUrl", "a link leads somewhere")),
        Some(Some(url)) => Ok(Some(call.service().destination(url)?)),
    }
}

/// A code to be drawn, or to stay as it is, is none.
fn slug(edit: &Edit<String>) -> Result<Option<Slug>, Fail> {
    let code = edit.text().flatten();
    Ok(code.map(Slug::parse).transpose().map_err(Fault::from)?)
}

fn expiry(text: Option<&str>) -> Result<Option<Timestamp>, Fail> {
    let wrong = || Fail::invalid("expiresAt", "expected a time such as 2027-01-31T18:00:00Z");
    text.map(|text| time::parse(text).ok_or_else(wrong)).transpose()
}
