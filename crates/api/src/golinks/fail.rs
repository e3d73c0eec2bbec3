//! Refusals as golinks spells them: `{"error":"<code>"}`, and the row of a bulk creation.

use serde_json::{Map, Value};
use waypost_h1::Response;
use waypost_service::Fault;

use crate::kit::{Fail, Failure, reply};

/// The fields whose absence has a code of its own.
const REQUIRED: [(&str, &str); 3] =
    [("destination_url", "url_required"), ("tag", "tag_required"), ("name", "name_required")];

/// The fields whose error is not called by their own name.
const WRONG: [(&str, &str); 5] = [
    ("body", "bad_json"),
    ("destination_url", "invalid_url"),
    ("rotator_alias", "invalid_alias"),
    ("collection_id", "invalid_collection"),
    ("Idempotency-Key", "invalid_idempotency_key"),
];

/// A refusal's body.
pub(super) fn fail(failure: &Failure<'_>) -> Response {
    let mut body = Map::new();
    body.insert("error".to_owned(), code(failure.fail).into());
    if let Some(row) = row(failure.fail) {
        body.insert("row".to_owned(), row.into());
    }
    reply::error(failure.fail.status(), &Value::Object(body))
}

/// The row of a bulk creation that is to blame, whether it couldn't be read or couldn't be made.
fn row(fail: &Fail) -> Option<usize> {
    match fail {
        Fail::Row { row, .. } => Some(*row),
        Fail::Missing { field, .. } => Some(in_row(field)?.0),
        Fail::Invalid { field, .. } => Some(in_row(field)?.0),
        _ => None,
    }
}

/// The code of a refusal.
fn code(fail: &Fail) -> String {
    let code = match fail {
        Fail::Malformed(_) => "bad_json",
        Fail::Missing { field, .. } => return required(field),
        Fail::Invalid { field, .. } => return wrong(field),
        Fail::Unauthorized => "unauthorized",
        Fail::Forbidden | Fail::Foreign => "forbidden",
        Fail::NotFound(_) | Fail::NoRoute => "not_found",
        Fail::MethodNotAllowed { .. } => "method_not_allowed",
        Fail::Taken(_) => "code_taken",
        Fail::TooLarge => "payload_too_large",
        Fail::UnsupportedMediaType => "unsupported_media_type",
        Fail::Reused => "idempotency_key_reused",
        Fail::TooMany(_) => "rate_limited",
        Fail::Internal { .. } => "internal_error",
        Fail::Unavailable => "unavailable",
        Fail::Row { fail, .. } => return self::code(fail),
        Fail::Other { code, .. } => code,
    };
    code.to_owned()
}

fn required(field: &str) -> String {
    let known = REQUIRED.iter().find(|(name, _)| *name == last(field));
    known.map_or_else(|| wrong(field), |(_, code)| (*code).to_owned())
}

/// `invalid_<field>`, by the outermost field that isn't the list of a bulk creation.
fn wrong(field: &str) -> String {
    let name = outer(field);
    let known = WRONG.iter().find(|(known, _)| *known == name);
    known.map_or_else(|| format!("invalid_{name}"), |(_, code)| (*code).to_owned())
}

/// `rules` of `rules[0].destination` and of `links[3].rules[0].destination`; `links` of `links[3]`.
fn outer(path: &str) -> &str {
    let inner = in_row(path).map(|(_, inner)| inner).filter(|inner| !inner.is_empty());
    let path = inner.unwrap_or(path);
    path.split(['.', '[']).next().unwrap_or(path)
}

/// `3` and `title` of `links[3].title`.
fn in_row(path: &str) -> Option<(usize, &str)> {
    let (row, inner) = path.strip_prefix("links[")?.split_once(']')?;
    Some((row.parse().ok()?, inner.trim_start_matches('.')))
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A conflict over something other than a code.
pub(super) fn taken(code: &'static str) -> impl Fn(Fault) -> Fail {
    move |fault| match fault {
        Fault::Taken(what) => {
            Fail::Other { status: 409, code, message: format!("{what} is taken") }
        }
        other => other.into(),
    }
}

/// An edit that names nothing that could be changed.
pub(super) fn no_changes() -> Fail {
    only(400, "no_changes", "Nothing to change")
}

/// A refusal that only golinks knows.
pub(super) fn only(status: u16, code: &'static str, message: &str) -> Fail {
    Fail::Other { status, code, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        let missing = |field: &str| Fail::missing(field);
        let invalid = |field: &'static str| Fail::invalid(field, "");
        for (fail, expected) in [
            (missing("destination_url"), "url_required"),
            (missing("links[2].destination_url"), "url_required"),
            (missing("tag"), "tag_required"),
            (missing("name"), "name_required"),
            (missing("hostname"), "invalid_hostname"),
            (invalid("destination_url"), "invalid_url"),
            (invalid("links[2].title"), "invalid_title"),
            (invalid("links[2]"), "invalid_links"),
            (invalid("rules[0].destination"), "invalid_rules"),
            (invalid("links[0].utm.source"), "invalid_utm"),
            (invalid("rotator_alias"), "invalid_alias"),
            (invalid("collection_id"), "invalid_collection"),
            (invalid("body"), "bad_json"),
            (Fail::Malformed(String::new()), "bad_json"),
            (Fail::Row { row: 3, fail: Box::new(Fail::Taken(String::new())) }, "code_taken"),
            (only(402, "upgrade_required", ""), "upgrade_required"),
        ] {
            assert_eq!(code(&fail), expected, "{fail:?}");
        }
    }

    #[test]
    fn rows() {
        let made = |fail| Fail::Row { row: 3, fail: Box::new(fail) };
        for (fail, expected) in [
            (made(Fail::invalid("title", "")), Some(3)),
            (Fail::invalid("links[1].title", ""), Some(1)),
            (Fail::invalid("links[12].rules[0].destination", ""), Some(12)),
            (Fail::missing("links[2].rules[0].destination"), Some(2)),
            (Fail::invalid("links[7]", ""), Some(7)),
            (Fail::invalid("links", ""), None),
            (Fail::invalid("rules[0].destination", ""), None),
            (Fail::Forbidden, None),
        ] {
            assert_eq!(row(&fail), expected, "{fail:?}");
        }
    }
}
