//! Who is asking: a key that lives, with what it may do.
//!
//! A token is looked up by its SHA-256, so no byte of it is ever compared with a secret; a login's token
//! is compared in constant time. Nothing here says why a credential opens nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use subtle::ConstantTimeEq as _;
use waypost_link::{Claim, Key, KeyId, Noun, Permissions, Record, Role, Timestamp, WorkspaceId};

use crate::{Result, Service, hash_token, limits};

/// How often the use of a key is written down, in microseconds.
const TOUCH: i64 = 60 * Timestamp::SECOND;

/// Somebody who was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The key that opened the door.
    pub key: KeyId,
    /// The workspace behind it.
    pub workspace: WorkspaceId,
    /// What the key may do there.
    pub role: Role,
}

impl Principal {
    /// Whether all of `permissions` are granted.
    pub const fn may(&self, permissions: Permissions) -> bool {
        self.role.may(permissions)
    }
}

/// When each key's use was last written down by this process.
#[derive(Debug, Default)]
pub(crate) struct Touches(Mutex<HashMap<KeyId, Timestamp>>);

impl Touches {
    /// Whether it is this caller's turn to write down that `key` is used `now`.
    fn due(&self, key: &Key, now: Timestamp) -> bool {
        let old = |at: Timestamp| at.plus(TOUCH) <= now;
        if !key.last_used_at.is_none_or(old) {
            return false;
        }
        let mut touched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if touched.len() >= limits::TOUCHED && !touched.contains_key(&key.id) {
            touched.retain(|_, at| !old(*at));
        }
        let due = touched.get(&key.id).copied().is_none_or(old);
        if due && touched.len() < limits::TOUCHED {
            touched.insert(key.id, now);
        }
        due
    }
}

impl Service {
    /// Whoever this token belongs to; `None` where it is unknown or revoked.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn authenticate(&self, token: &str) -> Result<Option<Principal>> {
        let key = self.key_holding(&Claim::Token(hash_token(token)))?;
        Ok(key.and_then(|key| self.admit(&key)))
    }

    /// Whoever this login with its token belongs to; `None` where they don't fit, or it is revoked.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn authenticate_login(&self, login: &str, token: &str) -> Result<Option<Principal>> {
        let key = self.key_holding(&Claim::Login(login.to_owned()))?;
        let hash = hash_token(token);
        let key = key.filter(|key| bool::from(key.token_hash.ct_eq(&hash)));
        Ok(key.and_then(|key| self.admit(&key)))
    }

    fn key_holding(&self, claim: &Claim) -> Result<Option<Key>> {
        match self.store.record_holding(Noun::Key, claim)? {
            Some(Record::Key(key)) => Ok(Some(key)),
            _ => Ok(None),
        }
    }

    fn admit(&self, key: &Key) -> Option<Principal> {
        if key.revoked_at.is_some() {
            return None;
        }
        let now = (self.now)();
        if self.touches.due(key, now)
            && let Err(error) = self.store.touch(&[(key.id, now)])
        {
            // Not worth a refusal: it shows an older time of use.
            tracing::warn!(key = key.id.0, %error, "the use of a key can't be written down");
        }
        Some(Principal { key: key.id, workspace: key.workspace, role: key.role })
    }
}
