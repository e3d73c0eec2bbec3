//! From a link to what its visitor is answered, in the order of SPEC 3.3: open? password? which destination?
//! composed how? a click left? plain, or a page on the way?

use std::{cell::OnceCell, sync::Arc};

use waypost_clicks::Recorder;
use waypost_index::{Details, Entry, Limit, Spend};
use waypost_link::{Click, ClickId, Flags, Rule, Timestamp, Zone};

use crate::{
    App, Engine, Facts, Method, Scratch, amazon::Storefront, client::Client, compose::Parts,
    engine::Verdict, limits, visitor::Guest, zone_at,
};

/// Whether a link is there for visitors at all: active, valid, not expired, with a click left.
#[inline]
pub(crate) fn is_open(entry: &Entry<'_>, at: Timestamp) -> bool {
    let in_time = |details: &Details| {
        details.valid_from.is_none_or(|from| from <= at)
            && details.expires_at.is_none_or(|end| at < end)
    };
    let has_clicks = |details: &Details| !details.limit.as_ref().is_some_and(Limit::is_spent);
    let open = |details: &Arc<Details>| in_time(details) && has_clicks(details);
    entry.flags.has(Flags::ACTIVE) && entry.details.is_none_or(open)
}

/// Whether a link asks for a password.
pub(crate) fn has_password(entry: &Entry<'_>) -> bool {
    entry.details.is_some_and(|details| details.password.is_some())
}

/// `/{code}+`: shown where the link is open and its owner has published its statistics.
pub(crate) fn stats_page(entry: &Entry<'_>, at: Timestamp, scratch: &mut Scratch) -> Verdict {
    let public = Flags::PLUS_TRACKING.with(Flags::PUBLIC_TRACKING, true);
    if !entry.flags.has(public) || !is_open(entry, at) {
        return Verdict::NotFound;
    }
    scratch.code.push_str(entry.code);
    Verdict::Stats(entry.id, entry.workspace)
}

/// A visit to an open link.
struct Visit<'a> {
    engine: &'a Engine,
    entry: Entry<'a>,
    facts: &'a Facts<'a>,
    client: Client,
    country: OnceCell<Option<[u8; 2]>>,
}

/// Where a visit leads, before anything is added to it.
enum Way<'a> {
    /// The link's own destination.
    Own,
    /// That of a rule.
    Rule(&'a Rule),
    /// A product, in the visitor's store.
    Amazon(&'a str),
}

impl Engine {
    /// What the visitor of a link is answered. `rotated`: a rotator picked it.
    #[inline]
    pub(crate) fn follow(
        &self,
        entry: Entry<'_>,
        facts: &Facts<'_>,
        proof: Option<&str>,
        rotated: bool,
        scratch: &mut Scratch,
    ) -> Verdict {
        if !is_open(&entry, facts.at) {
            return Verdict::NotFound;
        }
        let client = Client::of(facts, &self.settings.trusted_proxies);
        let visit = Visit { engine: self, entry, facts, client, country: OnceCell::new() };
        match visit.refuse(proof, rotated, scratch) {
            Some(verdict) => verdict,
            None => visit.redirect(scratch),
        }
    }
}

impl<'a> Visit<'a> {
    /// What stands between the visitor and the destination: the password, if there is one.
    #[inline]
    fn refuse(&self, proof: Option<&str>, rotated: bool, scratch: &mut Scratch) -> Option<Verdict> {
        let posted = self.facts.method == Method::Post;
        let details = self.entry.details.filter(|details| details.password.is_some());
        match (details, posted) {
            (None, false) => None,
            (None, true) => Some(Verdict::MethodNotAllowed { posts: false }),
            (Some(_), false) => Some(Verdict::PasswordForm { wrong: false, rotated }),
            (Some(details), true) => self.try_password(details, proof, scratch),
        }
    }

    fn try_password(
        &self,
        details: &Arc<Details>,
        proof: Option<&str>,
        scratch: &mut Scratch,
    ) -> Option<Verdict> {
        const WRONG: Verdict = Verdict::PasswordForm { wrong: true, rotated: false };
        if let Some(hash) = proof {
            return (details.password.as_deref() != Some(hash)).then_some(WRONG);
        }
        let facts = self.facts;
        if let Err(wait) = self.engine.tries.count(self.entry.id, self.client.ip, facts.at) {
            return Some(Verdict::TooManyTries(wait));
        }
        if facts.password.is_none_or(|password| password.len() > limits::PASSWORD_BYTES) {
            return Some(WRONG);
        }
        scratch.details = Some(Arc::clone(details));
        Some(Verdict::PasswordCheck(self.entry.id))
    }

    #[inline]
    fn redirect(&self, scratch: &mut Scratch) -> Verdict {
        let salt = self.engine.next_salt();
        let way = self.way();
        self.compose(&way, salt, scratch);
        match self.count(&way, salt) {
            Spend::Done => {}
            Spend::Out => return Verdict::NotFound,
            Spend::Ask => return Verdict::LeaseSpent(self.entry.id),
        }
        let app = if matches!(way, Way::Amazon(_)) { App::of(self.facts.user_agent) } else { None };
        if app.is_some() || self.has_page() {
            return self.interstitial(app, scratch);
        }
        match self.facts.method {
            Method::Post => Verdict::Redirect(303),
            _ => Verdict::Redirect(self.entry.status.code()),
        }
    }

    /// The first matching rule's destination, else the link's own; an Amazon link's own is the product's.
    #[inline]
    fn way(&self) -> Way<'a> {
        let Some(details) = self.entry.details else { return Way::Own };
        match (self.matching_rule(&details.rules), &details.asin) {
            (Some(rule), _) => Way::Rule(rule),
            (None, Some(asin)) => Way::Amazon(asin),
            (None, None) => Way::Own,
        }
    }

    fn matching_rule(&self, rules: &'a [Rule]) -> Option<&'a Rule> {
        if rules.is_empty() {
            return None;
        }
        let guest = Guest::new(
            self.facts,
            self.entry.id,
            self.client.ip,
            || self.country(),
            || self.zone(),
        );
        Rule::first_match(rules, &guest)
    }

    /// Writes the location.
    #[inline]
    fn compose(&self, way: &Way<'_>, salt: u32, scratch: &mut Scratch) {
        let Scratch { location, base, names, .. } = scratch;
        let destination = match way {
            Way::Own => self.entry.destination,
            Way::Rule(rule) => rule.destination.as_str(),
            Way::Amazon(asin) => {
                self.write_product(asin, base);
                base
            }
        };
        let flags = self.entry.flags;
        let converts = flags.has(Flags::CONVERSION_TRACKING) && self.facts.counts();
        let id = ClickId { received: self.facts.at, link: self.entry.id, salt };
        let parts = Parts {
            destination,
            utm: self.entry.details.map(|details| &details.utm),
            forwarded: self.facts.query.filter(|_| flags.has(Flags::FORWARD_QUERY)),
            click: converts.then(|| id.to_uuid()),
        };
        parts.write(location, names);
    }

    fn write_product(&self, asin: &str, out: &mut String) {
        self.engine.index.with_directory(|directory| {
            let tags =
                directory.tenant(self.entry.workspace).map_or(&[][..], |tenant| &tenant.tags);
            Storefront::choose(tags, self.country()).write(out, asin, self.entry.code);
        });
    }

    /// Spends a click of the limit, if there is one, and records it where that is done. `HEAD` and prefetches do
    /// neither.
    #[inline]
    fn count(&self, way: &Way<'_>, salt: u32) -> Spend {
        if !self.facts.counts() {
            return Spend::Done;
        }
        let limit = self.entry.details.and_then(|details| details.limit.as_ref());
        if let Some(other @ (Spend::Out | Spend::Ask)) = limit.map(Limit::try_spend) {
            return other;
        }
        let facts = self.facts;
        let click = Click {
            link: self.entry.id,
            workspace: self.entry.workspace,
            at: facts.at,
            salt,
            ip: self.client.ip,
            country: self.country(),
            spent: true,
            user_agent: facts.user_agent,
            referrer: facts.referrer,
            language: facts.accept_language,
            rule: if let Way::Rule(rule) = way { &rule.id } else { "" },
        };
        self.engine.clicks.record(Recorder::lane(), &click);
        Spend::Done
    }

    /// Whether something has to run on a page before the redirect, whoever visits.
    #[inline]
    fn has_page(&self) -> bool {
        let has_scripts = |details: &Arc<Details>| !details.scripts.is_empty();
        self.entry.flags.has(Flags::PIXELS) || self.entry.details.is_some_and(has_scripts)
    }

    fn interstitial(&self, app: Option<App>, scratch: &mut Scratch) -> Verdict {
        scratch.details = self.entry.details.cloned();
        self.engine.index.with_directory(|directory| {
            if let Some(tenant) = directory.tenant(self.entry.workspace) {
                scratch.pixels.extend_from_slice(&tenant.pixels);
            }
        });
        Verdict::Interstitial(self.entry.id, app)
    }

    fn country(&self) -> Option<[u8; 2]> {
        *self.country.get_or_init(|| {
            self.client.country(self.facts.country, self.engine.settings.countries.as_deref())
        })
    }

    fn zone(&self) -> Zone {
        self.engine.index.with_directory(|directory| {
            let tenant = directory.tenant(self.entry.workspace);
            tenant.map_or(Zone::UTC, |tenant| zone_at(tenant.timezone(), self.facts.at))
        })
    }
}
