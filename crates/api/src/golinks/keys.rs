//! `/api/api-keys`: keys made by keys, with at most their maker's permissions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waypost_link::{Key, KeyId, Permissions, Role};

use super::wire::Done;
use crate::kit::{Answer, Call, Fail, reply, time};

/// What tokens begin with here.
const PREFIX: &str = "bgl_";

/// A key to be made.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct KeyBody {
    /// At most 80 characters.
    pub(super) label: Option<String>,
    /// `owner` or `staff`; the maker's own where absent.
    pub(super) role: Option<RoleName>,
    /// What a `staff` key may do, such as `links.write`.
    pub(super) permissions: Option<Vec<String>>,
}

/// Whose rights a key acts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RoleName {
    /// All permissions.
    Owner,
    /// Those that are listed.
    Staff,
}

/// A key. Its token is never shown again.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownKey {
    pub(super) id: u64,
    pub(super) label: String,
    /// The first 8 characters of the token's random part.
    pub(super) prefix: String,
    pub(super) login: String,
    pub(super) role: RoleName,
    pub(super) permissions: Vec<&'static str>,
    pub(super) last_used_at: Option<String>,
    pub(super) created_at: String,
    pub(super) revoked_at: Option<String>,
}

/// All keys.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct KeyList {
    pub(super) keys: Vec<ShownKey>,
}

/// A key that was made, and its token: this once.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct NewKey {
    pub(super) key: ShownKey,
    pub(super) token: String,
}

/// `GET /api/api-keys`
pub(super) fn list(call: &Call) -> Answer {
    let keys = call.service().keys(Some(call.principal()?.workspace))?;
    reply::json(200, &KeyList { keys: keys.iter().rev().map(shown).collect() })
}

/// `POST /api/api-keys`
pub(super) fn create(call: &Call) -> Answer {
    let body: KeyBody = if call.body().is_empty() { KeyBody::default() } else { call.json()? };
    let maker = call.principal()?;
    let wanted = body.wanted()?;
    let label = body.label.unwrap_or_default();
    let (key, token) =
        call.service().create_key_as(maker.role, maker.workspace, wanted, label, PREFIX)?;
    reply::json(200, &NewKey { key: shown(&key), token: token.reveal().to_owned() })
}

/// `DELETE /api/api-keys/{id}`
pub(super) fn revoke(call: &Call) -> Answer {
    call.service().revoke_own_key(call.principal()?.workspace, KeyId(super::id(call)?))?;
    reply::json(200, &Done { ok: true })
}

impl KeyBody {
    /// The role that is wanted, if one is.
    fn wanted(&self) -> Result<Option<Role>, Fail> {
        let named = |name: &String| {
            Permissions::named(name)
                .ok_or_else(|| Fail::invalid("permissions", "no such permission"))
        };
        let listed = self.permissions.as_ref().map(|names| {
            let mut all = names.iter().map(named);
            all.try_fold(Permissions(0), |all, one| Ok::<_, Fail>(all.and(one?)))
        });
        match (self.role, listed.transpose()?) {
            (Some(RoleName::Owner), None) => Ok(Some(Role::Owner)),
            (Some(RoleName::Owner), Some(_)) => {
                Err(Fail::invalid("permissions", "an owner has all of them"))
            }
            (Some(RoleName::Staff), listed) => Ok(Some(Role::Staff(listed.unwrap_or_default()))),
            (None, listed) => Ok(listed.map(Role::Staff)),
        }
    }
}

fn shown(key: &Key) -> ShownKey {
    let role = match key.role {
        Role::Owner => RoleName::Owner,
        Role::Staff(_) => RoleName::Staff,
    };
    let may = Permissions::NAMES.into_iter().filter(|(permission, _)| key.role.may(*permission));
    ShownKey {
        id: key.id.0,
        label: key.label.clone(),
        prefix: key.prefix.clone(),
        login: key.login.clone(),
        role,
        permissions: may.map(|(_, name)| name).collect(),
        last_used_at: key.last_used_at.map(time::seconds),
        created_at: time::seconds(key.created_at),
        revoked_at: key.revoked_at.map(time::seconds),
    }
}
