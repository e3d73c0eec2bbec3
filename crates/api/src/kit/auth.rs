//! Who may come in: a token in `Authorization: Bearer`, and what its key may do.

use waypost_h1::Field;
use waypost_service::Principal;

use super::{Access, Call, Fail};

/// The key whose token stands in `Authorization: Bearer` (RFC 6750, 2.1).
///
/// # Errors
/// [`Fail::Unauthorized`]: missing, unknown and revoked look the same.
pub fn bearer(call: &Call) -> Result<Principal, Fail> {
    let token = call.header(Field::Authorization).and_then(token).ok_or(Fail::Unauthorized)?;
    call.service().authenticate(token)?.ok_or(Fail::Unauthorized)
}

/// Lets a call in, or not: 401, then 403.
pub(crate) fn admit(call: &Call) -> Result<Option<Principal>, Fail> {
    match call.route().access {
        Access::Public => Ok(None),
        Access::Key(permissions) => {
            let principal = (call.dialect().authenticate)(call)?;
            if principal.may(permissions) { Ok(Some(principal)) } else { Err(Fail::Forbidden) }
        }
    }
}

fn token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_bearer_token() {
        for (value, expected) in [
            ("Bearer wp_x", Some("wp_x")),
            ("bearer  wp_x ", Some("wp_x")),
            ("Basic wp_x", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("wp_x", None),
            ("", None),
        ] {
            assert_eq!(token(value), expected, "{value:?}");
        }
    }
}
