//! Control plane use cases: what people do to links and to all that belongs to them.
//!
//! Every way in (the command line, the dialects) calls these; they check, build
//! [`Change`]s and commit them. No wire format and no HTTP: a caller hands
//! in domain values and gets domain values or a [`Fault`] back.
//!
//! Everything here may block on the store: call it from the command line, at boot, or from the
//! [`Lane`], never from a coroutine.
#![forbid(unsafe_code)]

mod alerts;
mod batch;
mod bulk;
mod collections;
mod conversions;
mod domains;
mod explain;
mod fault;
mod keys;
mod lane;
pub mod limits;
mod links;
mod once;
mod passwords;
mod pixels;
mod plans;
mod principal;
mod products;
mod quota;
mod random;
mod records;
mod reported;
mod stats;
mod tags;
#[cfg(test)]
mod testing;
mod workspaces;

use std::sync::{Arc, Mutex, PoisonError};

pub use alerts::{AlertWatch, Email, Mailer};
pub use batch::{Conflict, Outcome, Planned};
pub use bulk::Row;
pub use collections::{NewCollection, PALETTE};
pub use domains::{Prober, Proof};
pub use explain::{Explanation, Reply, Visit};
pub use fault::{Fault, Result};
pub use keys::{NewKey, SecretToken, hash_token};
pub use lane::{Lane, LaneFull};
pub use links::{Draft, Drawn, first_of, follow_activity};
pub use once::Once;
pub use passwords::{hash_password, verify_password};
pub use pixels::{NewPixel, PLATFORMS, Platform};
pub use plans::Plan;
pub use principal::Principal;
pub use products::{Catalogue, Details, Product, asin, follow_product};
pub use quota::{Allowance, Caller, Quota, Rate, Standing};
pub use random::random_text;
pub use reported::ReportedClick;
pub use stats::{
    Clock, Comparison, DayCount, Days, Figures, Group, Growth, LinkClicks, Overview, Part,
    Performance, Picture, Rank, Stats, Subject, Summary, Total, Usage,
};
pub use tags::{NewTag, STORES};
use waypost_link::{Change, Hostname, IpPolicy, Remembered, Revision, Schemes, Timestamp};
use waypost_redirect::Countries;
use waypost_storage::{ClickStore, Committed, LinkStore};
pub use waypost_storage::{Dimension, Error as StoreError, LinkQuery, Order, Page, StoredClick};

/// What the operator's settings allow.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The schemes destinations may have.
    pub schemes: Schemes,
    /// The server's own hostnames: a link on the default domain may not lead to itself there.
    pub own_hosts: Vec<Hostname>,
    /// What short links on the default domain begin with, without a slash at the end.
    pub public_url: String,
    /// How much of the address of a reported click is kept.
    pub click_ip: IpPolicy,
}

/// The use cases, over one store.
#[derive(Clone)]
pub struct Service {
    store: Arc<dyn LinkStore>,
    clicks: Arc<dyn ClickStore>,
    policy: Arc<Policy>,
    now: fn() -> Timestamp,
    applied: Option<Arc<dyn Fn(Revision) + Send + Sync>>,
    countries: Option<Arc<dyn Countries>>,
    secret: Arc<reported::Secret>,
    touches: Arc<principal::Touches>,
    scopes: Arc<once::Scopes>,
    recent: Arc<stats::Recent>,
    /// What the next commit remembers.
    remember: Option<Arc<Mutex<Option<Remembered>>>>,
    prober: Option<Arc<dyn Prober>>,
    catalogue: Option<Arc<dyn Catalogue>>,
}

impl Service {
    /// The use cases over a store's two halves; `now` is the clock.
    pub fn new(
        store: Arc<dyn LinkStore>,
        clicks: Arc<dyn ClickStore>,
        policy: Policy,
        now: fn() -> Timestamp,
    ) -> Self {
        Self {
            store,
            clicks,
            policy: Arc::new(policy),
            now,
            applied: None,
            countries: None,
            secret: Arc::default(),
            touches: Arc::default(),
            scopes: Arc::default(),
            recent: Arc::default(),
            remember: None,
            prober: None,
            catalogue: None,
        }
    }

    /// Calls `wait` after each commit: it returns once the local index has applied it, so that
    /// a client's next redirect sees its own write.
    #[must_use]
    pub fn and_wait(mut self, wait: Arc<dyn Fn(Revision) + Send + Sync>) -> Self {
        self.applied = Some(wait);
        self
    }

    /// Asks `prober` about custom hostnames; without one they can be registered, not proven.
    #[must_use]
    pub fn and_ask(mut self, prober: Arc<dyn Prober>) -> Self {
        self.prober = Some(prober);
        self
    }

    /// Looks products up in `catalogue`; without one nothing is known of them.
    #[must_use]
    pub fn and_look_up(mut self, catalogue: Arc<dyn Catalogue>) -> Self {
        self.catalogue = Some(catalogue);
        self
    }

    /// Looks up the countries of reported clicks.
    #[must_use]
    pub fn and_countries(mut self, countries: Option<Arc<dyn Countries>>) -> Self {
        self.countries = countries;
        self
    }

    /// The store underneath.
    pub fn store(&self) -> &dyn LinkStore {
        &*self.store
    }

    /// Clicks and their roll-ups.
    pub fn clicks(&self) -> &dyn ClickStore {
        &*self.clicks
    }

    /// The clock.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// What the settings allow.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Commits, and waits until this node serves it.
    fn commit(&self, changes: &[Change]) -> waypost_storage::Result<Committed> {
        let done = match &self.remember {
            None => self.store.commit(changes, (self.now)())?,
            Some(remember) => self.commit_once(changes, remember)?,
        };
        if let Some(wait) = &self.applied {
            wait(done.revision);
        }
        Ok(done)
    }

    /// Commits with what is to be remembered, the first time that succeeds.
    fn commit_once(
        &self,
        changes: &[Change],
        remember: &Mutex<Option<Remembered>>,
    ) -> waypost_storage::Result<Committed> {
        let mut remember = remember.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = changes.to_vec();
        changes.extend(remember.clone().map(Change::Remember));
        let done = self.store.commit(&changes, (self.now)())?;
        *remember = None;
        Ok(done)
    }
}

/// What is left of `text` in lower case of `[a-z0-9_-]`, at most `longest` characters.
///
/// ```
/// assert_eq!(waypost_service::sanitized(" IG Bio! ", 60), "igbio");
/// ```
pub fn sanitized(text: &str, longest: usize) -> String {
    let legal = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.chars().filter(legal).take(longest).map(|c| c.to_ascii_lowercase()).collect()
}
