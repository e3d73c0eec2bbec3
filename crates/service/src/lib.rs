//! Control plane use cases: what people do to links, keys and workspaces.
//!
//! Every way in (the command line, later the dialects) calls these; they check, build
//! [`Change`](waypost_link::Change)s and commit them. No wire format and no HTTP: a caller hands
//! in domain values and gets domain values or a [`Fault`] back.
//!
//! Everything here may block on the store: call it from the command line, at boot, or from the
//! [`Lane`], never from a coroutine.
#![forbid(unsafe_code)]

mod batch;
mod explain;
mod fault;
mod keys;
mod lane;
pub mod limits;
mod links;
mod passwords;
mod random;
mod stats;
mod workspaces;

use std::sync::Arc;

pub use batch::{Conflict, Outcome, Planned};
pub use explain::{Explanation, Reply, Visit};
pub use fault::{Fault, Result};
pub use keys::{NewKey, SecretToken, hash_token};
pub use lane::{Lane, LaneFull};
pub use links::Draft;
pub use passwords::{hash_password, verify_password};
pub use stats::{
    Clock, Comparison, DayCount, Days, Figures, Group, Growth, LinkClicks, Overview, Part,
    Performance, Picture, Rank, Stats, Subject, Summary, Total, Usage,
};
use waypost_link::{Hostname, Revision, Schemes, Timestamp};
use waypost_storage::{ClickStore, LinkStore};
pub use waypost_storage::{Dimension, Order, Page, StoredClick};

/// What the operator's settings allow.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The schemes destinations may have.
    pub schemes: Schemes,
    /// The server's own hostnames: a link on the default domain may not lead to itself there.
    pub own_hosts: Vec<Hostname>,
}

/// The use cases, over one store.
#[derive(Clone)]
pub struct Service {
    store: Arc<dyn LinkStore>,
    clicks: Arc<dyn ClickStore>,
    policy: Arc<Policy>,
    now: fn() -> Timestamp,
    applied: Option<Arc<dyn Fn(Revision) + Send + Sync>>,
}

impl Service {
    /// The use cases over a store's two halves; `now` is the clock.
    pub fn new(
        store: Arc<dyn LinkStore>,
        clicks: Arc<dyn ClickStore>,
        policy: Policy,
        now: fn() -> Timestamp,
    ) -> Self {
        Self { store, clicks, policy: Arc::new(policy), now, applied: None }
    }

    /// Calls `wait` after each commit: it returns once the local index has applied it, so that
    /// a client's next redirect sees its own write.
    #[must_use]
    pub fn and_wait(mut self, wait: Arc<dyn Fn(Revision) + Send + Sync>) -> Self {
        self.applied = Some(wait);
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

    fn commit(
        &self,
        changes: &[waypost_link::Change],
    ) -> waypost_storage::Result<waypost_storage::Committed> {
        let done = self.store.commit(changes, (self.now)())?;
        if let Some(wait) = &self.applied {
            wait(done.revision);
        }
        Ok(done)
    }
}
