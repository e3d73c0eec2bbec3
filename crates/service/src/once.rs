//! Idempotency: a creation that is asked for twice under one key happens once (SPEC 4).
//!
//! What is kept is the status and the ids made, in the creating commit itself: either both are
//! there or neither. Two requests at once are told apart here by a table of what is going on, and
//! between nodes by the store, which lets only one commit have the scope.

use std::{
    collections::HashSet,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};
use waypost_link::{KeyId, Remembered, Timestamp};

use crate::{Fault, Result, Service, limits};

/// A request that must not happen twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    /// SHA-256 of the API key's id, the route and the idempotency key.
    pub scope: [u8; 32],
    /// SHA-256 of the request's body.
    pub request: [u8; 32],
    /// The status that a success answers.
    pub status: u16,
}

impl Once {
    /// What `idempotency_key`, sent by `key` to `route` with `body`, stands for.
    pub fn new(key: KeyId, route: &str, idempotency_key: &str, body: &[u8], status: u16) -> Self {
        let mut scope = Sha256::new();
        scope.update(key.0.to_be_bytes());
        // A route has no NUL, so nothing else has the same bytes.
        scope.update(route);
        scope.update([0]);
        scope.update(idempotency_key);
        Self { scope: scope.finalize().into(), request: Sha256::digest(body).into(), status }
    }

    /// What is kept of it; the store fills in the ids.
    pub(crate) fn remembered(&self, now: Timestamp) -> Remembered {
        let Self { scope, request, status } = *self;
        let expires_at = now.plus(limits::IDEMPOTENCY);
        Remembered { scope, request, status, ids: Vec::new(), expires_at }
    }
}

/// The scopes that are being worked on in this process.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    open: Mutex<HashSet<[u8; 32]>>,
    closed: Condvar,
}

/// A scope that is this caller's until it is dropped.
struct Turn<'a>(&'a Scopes, [u8; 32]);

impl Scopes {
    /// Waits until nobody else is at `scope`. Callers are lane threads, so they are few.
    fn enter(&self, scope: [u8; 32]) -> Turn<'_> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while !open.insert(scope) {
            open = self.closed.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
        Turn(self, scope)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
        self.0.closed.notify_all();
    }
}

impl Service {
    /// Does `make` unless it was done before under this scope: then `again` renders the ids it made.
    ///
    /// `make` is called with use cases whose first successful commit remembers the scope. It must
    /// make what it makes in that one commit; what it looks up or prepares beforehand, it does with
    /// other use cases.
    ///
    /// # Errors
    /// [`Fault::Reused`] where the scope was used for another request; what `make` or `again` say.
    pub fn once<T, E: From<Fault>>(
        &self,
        once: &Once,
        make: impl Fn(&Self) -> std::result::Result<T, E>,
        again: impl Fn(&[u64]) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let _turn = self.scopes.enter(once.scope);
        if let Some(ids) = self.made_before(once)? {
            return again(&ids);
        }
        make(&self.remembering(once)).or_else(|failure| match self.made_before(once)? {
            // Another node was faster: its commit has the scope, ours was refused.
            Some(ids) => again(&ids),
            None => Err(failure),
        })
    }

    /// Does `work` while nobody else is at the scope; it is told whether the scope was used before, for
    /// the same request.
    pub(crate) fn at_scope<T>(
        &self,
        once: &Once,
        work: impl FnOnce(bool) -> Result<T>,
    ) -> Result<T> {
        let _turn = self.scopes.enter(once.scope);
        work(self.made_before(once)?.is_some())
    }

    /// The ids that this request made before.
    fn made_before(&self, once: &Once) -> Result<Option<Vec<u64>>> {
        match self.store.remembered(&once.scope, (self.now)())? {
            Some(known) if known.request != once.request => Err(Fault::Reused),
            known => Ok(known.map(|known| known.ids)),
        }
    }

    /// These use cases; the first commit that succeeds remembers `once`.
    fn remembering(&self, once: &Once) -> Self {
        let remembered = once.remembered((self.now)());
        Self { remember: Some(Arc::new(Mutex::new(Some(remembered)))), ..self.clone() }
    }
}
