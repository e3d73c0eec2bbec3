//! Explain: what a link would answer a visitor who isn't there, and by which rule.
//!
//! The redirect engine itself decides, over an index that holds this one link and its workspace
//! and over a click queue that nobody else reads: there is no second reading of the rules to
//! differ from the first, and nothing of it is recorded, spent or seen elsewhere. The rule is the
//! one that the engine wrote into the click.

use std::{fmt::Write, net::IpAddr, sync::Arc};

use waypost_index::Index;
use waypost_link::{Change, DomainId, Link, LinkId, Noun, Record, Revision, Timestamp};
use waypost_redirect::{Answer, Engine, Facts, Scratch, Settings};

use crate::{Result, Service};

/// Who comes, when, and from where. What is left empty was not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visit {
    /// ISO 3166-1 alpha-2, any case; empty for unknown. It isn't looked up by `ip`.
    pub country: String,
    /// `User-Agent`
    pub user_agent: String,
    /// `Referer`: a URL.
    pub referrer: String,
    /// `Accept-Language`
    pub language: String,
    /// When; `None` for now.
    pub at: Option<Timestamp>,
    /// The visitor's address.
    pub ip: Option<IpAddr>,
    /// The query string, without its `?`.
    pub query: Option<String>,
}

/// What a visitor would be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A redirect with this status.
    Redirect(u16),
    /// A page that goes on to the location: scripts, pixels, or an app to try first.
    Page,
    /// 404: inactive, not yet valid, expired, or out of clicks.
    NotFound,
}

/// What a visitor would be answered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What kind of answer.
    pub reply: Reply,
    /// Where it leads. A `wp_click` in it names no click.
    pub location: Option<String>,
    /// Which of the link's rules fires, counted from 0; `None` where it is its own destination.
    pub rule: Option<usize>,
    /// Whether a password is asked for first; the rest is what follows the right one.
    pub password: bool,
}

impl Service {
    /// What `link` would answer `visit`.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn explain(&self, link: &Link, visit: &Visit) -> Result<Explanation> {
        let index = self.index_of(link)?;
        let (recorder, mut clicks) = waypost_clicks::queue(1, 0);
        let engine = Engine::new(Arc::new(index), recorder, Settings::default());
        let path = path_of(link);
        let mut scratch = Scratch::default();
        let ip = visit.ip.map_or_else(String::new, |ip| ip.to_string());
        let answer = engine.decide(&visit.facts(&path, &ip, self.now()), &mut scratch);
        let (reply, location) = match answer {
            Answer::Redirect(redirect) => {
                (Reply::Redirect(redirect.status), Some(redirect.location.to_owned()))
            }
            Answer::Interstitial(page) => (Reply::Page, Some(page.location.to_owned())),
            _ => (Reply::NotFound, None),
        };
        let mut rule = None;
        clicks.take(|click| rule = click.rule.parse().ok());
        Ok(Explanation { reply, location, rule, password: link.password.is_some() })
    }

    /// An index of nothing but this link and what its answers may need of its workspace.
    fn index_of(&self, link: &Link) -> Result<Index> {
        let mut changes = vec![Change::CreateLink(Box::new(double_of(link)))];
        let workspace = self.store.record(Noun::Workspace, link.workspace.0)?;
        let mut records: Vec<Record> = workspace.into_iter().collect();
        records.extend(self.all(Some(link.workspace))?.into_iter().map(Record::Tag));
        records.extend(self.all(Some(link.workspace))?.into_iter().map(Record::Pixel));
        changes.extend(records.into_iter().map(Change::PutRecord));
        let index = Index::new();
        index.apply(Revision(1), &changes);
        if link.max_clicks.is_some() {
            index.set_spent(link.id, self.spent(link.id)?);
        }
        Ok(index)
    }

    fn spent(&self, link: LinkId) -> Result<u64> {
        Ok(self.clicks.totals(&[link])?.first().map_or(0, |totals| totals.spent))
    }
}

impl Visit {
    /// The request that they would make, by way of a proxy on this machine.
    fn facts<'f>(&'f self, path: &'f str, ip: &'f str, now: Timestamp) -> Facts<'f> {
        Facts {
            host: b"localhost",
            path,
            query: self.query.as_deref().map(str::as_bytes),
            user_agent: self.user_agent.as_bytes(),
            referrer: self.referrer.as_bytes(),
            accept_language: self.language.as_bytes(),
            country: self.country.as_bytes(),
            real_ip: ip.as_bytes(),
            // Trusted, so that address and country are believed.
            peer: [127, 0, 0, 1].into(),
            at: self.at.unwrap_or(now),
            ..Facts::default()
        }
    }
}

/// The link on the default domain, without its password, each rule named by its place.
fn double_of(link: &Link) -> Link {
    let mut double = link.clone();
    double.domain = DomainId::DEFAULT;
    double.password = None;
    double.version = link.version.max(1);
    for (place, rule) in double.rules.iter_mut().enumerate() {
        rule.id = place.to_string();
    }
    double
}

/// `/` and the code, every byte encoded.
fn path_of(link: &Link) -> String {
    let mut path = "/".to_owned();
    for byte in link.slug.as_str().bytes() {
        // Writing into a string can't fail.
        let _ = write!(path, "%{byte:02X}");
    }
    path
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
