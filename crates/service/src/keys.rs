//! API keys: a public login and a secret token, of which only the hash is kept.

use sha2::{Digest, Sha256};
use waypost_link::{Change, Key, KeyId, Noun, Record, Role, WorkspaceId};
use waypost_storage::Error;

use crate::{Fault, Result, Service, limits, random};

/// Characters of a token after its prefix.
const RANDOM: usize = 24;

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Whose.
    pub workspace: WorkspaceId,
    /// What it may do.
    pub role: Role,
    /// A human's label.
    pub label: String,
    /// What its token begins with, such as `wp_`.
    pub prefix: String,
    /// Its login; drawn where absent.
    pub login: Option<String>,
    /// Its token; drawn where absent.
    pub token: Option<String>,
}

/// A token in clear: shown once, never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

impl SecretToken {
    /// The token, to show it to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretToken(…)")
    }
}

/// What is stored of a token.
pub fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl Service {
    /// Makes a key; its token is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`Fault::Invalid`], [`Fault::Taken`] (login or token), [`Fault::Store`].
    pub fn create_key(&self, new: NewKey) -> Result<(Key, SecretToken)> {
        check(&new)?;
        let (token, prefix) = token(&new)?;
        let login = match new.login {
            Some(login) => login,
            None => format!("k{}", random::text(random::BASE62, 11)?),
        };
        let mut key = Key {
            id: KeyId::UNASSIGNED,
            workspace: new.workspace,
            login,
            token_hash: hash_token(token.reveal()),
            prefix,
            label: new.label,
            role: new.role,
            created_at: (self.now)(),
            last_used_at: None,
            revoked_at: None,
        };
        let done = self.commit(&[Change::PutRecord(Record::Key(key.clone()))]);
        let done = done.map_err(|error| match error {
            Error::Taken { .. } => Fault::Taken("this login or token".to_owned()),
            other => Fault::Store(other),
        })?;
        key.id = KeyId(done.ids.first().copied().unwrap_or_default());
        Ok((key, token))
    }

    /// Makes the first key of a store; nothing where it has one, whichever node made it.
    ///
    /// # Errors
    /// As [`Service::create_key`].
    pub fn create_first_key(&self, new: NewKey) -> Result<Option<(Key, SecretToken)>> {
        self.in_turn(|turn| match turn.keys(None)?.is_empty() {
            true => turn.create_key(new).map(Some),
            false => Ok(None),
        })
    }

    /// The keys of a workspace, or of all, oldest first; revoked ones too.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn keys(&self, workspace: Option<WorkspaceId>) -> Result<Vec<Key>> {
        self.all(workspace)
    }

    /// Revokes a key: it opens nothing from now on. Again: the first time counts.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn revoke_key(&self, id: KeyId) -> Result<Key> {
        self.in_turn(|turn| {
            let Some(Record::Key(mut key)) = turn.store.record(Noun::Key, id.0)? else {
                return Err(Fault::NotFound(format!("key {id}")));
            };
            if key.revoked_at.is_none() {
                key.revoked_at = Some((turn.now)());
                turn.commit(&[Change::PutRecord(Record::Key(key.clone()))])?;
            }
            Ok(key)
        })
    }
}

impl Service {
    /// Makes a key on behalf of one that acts as `maker`; its role is the maker's where none is
    /// wanted.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] where the maker may do less, [`Fault::LimitReached`], and as
    /// [`Service::create_key`].
    pub fn create_key_as(
        &self,
        maker: Role,
        workspace: WorkspaceId,
        wanted: Option<Role>,
        label: String,
        prefix: &str,
    ) -> Result<(Key, SecretToken)> {
        let role = wanted.unwrap_or(maker);
        if !maker.covers(role) {
            return Err(Fault::Forbidden("a key may do what its maker may, no more".to_owned()));
        }
        let prefix = prefix.to_owned();
        let new = NewKey { workspace, role, label, prefix, login: None, token: None };
        self.in_turn(|turn| {
            let live = turn.keys(Some(workspace))?;
            if live.iter().filter(|key| key.revoked_at.is_none()).count() >= limits::KEYS {
                return Err(Fault::LimitReached("keys"));
            }
            turn.create_key(new)
        })
    }

    /// Revokes a key of the workspace.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn revoke_own_key(&self, workspace: WorkspaceId, id: KeyId) -> Result<Key> {
        self.own::<Key>(workspace, id.0)?;
        self.revoke_key(id)
    }
}

fn check(new: &NewKey) -> Result<()> {
    let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if new.label.chars().count() > limits::LABEL || new.label.chars().any(char::is_control) {
        return Err(Fault::invalid("label", "a label has at most 80 printable characters"));
    }
    if new.prefix.len() > 16 || !word(&new.prefix) {
        return Err(Fault::invalid("prefix", "a prefix has at most 16 letters, digits and _"));
    }
    match &new.token {
        Some(token)
            if token.len() < limits::TOKEN || !token.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Err(Fault::invalid("token", "a token has at least 16 printable ASCII characters"))
        }
        _ => Ok(()),
    }
}

/// The token and the first characters of its random part.
fn token(new: &NewKey) -> Result<(SecretToken, String)> {
    if let Some(token) = &new.token {
        let tail = token.strip_prefix(&new.prefix).unwrap_or(token);
        return Ok((SecretToken(token.clone()), tail.chars().take(4).collect()));
    }
    let tail = random::text(random::BASE62, RANDOM)?;
    let prefix = tail.chars().take(8).collect();
    Ok((SecretToken(format!("{}{tail}", new.prefix)), prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::service;

    #[test]
    fn a_store_has_one_first_key() {
        let (service, workspace) = service();
        let first = |token: &str| {
            let (label, prefix) = ("first key".to_owned(), "wp_".to_owned());
            let (login, token) = (Some("admin".to_owned()), Some(token.to_owned()));
            service.create_first_key(NewKey {
                workspace,
                role: Role::Owner,
                label,
                prefix,
                login,
                token,
            })
        };
        let token = "wp_0123456789abcdefghijklmnop";
        assert_eq!(first(token).unwrap().unwrap().0.login, "admin");
        assert!(first(token).unwrap().is_none(), "two nodes that start at once are no conflict");
    }
}
