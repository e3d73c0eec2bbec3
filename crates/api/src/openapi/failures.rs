//! How a dialect refuses, seen by letting it: a sample of every refusal goes through its `fail`, and what
//! comes out is the example, its shape the schema. So no dialect describes its errors, and none can lie.

use serde_json::{Map, Value, json};
use waypost_link::Timestamp;
use waypost_service::{Allowance, Standing};

use super::reference;
use crate::kit::{Dialect, Fail, Failure};

/// The refusals of one dialect.
pub(super) struct Failures {
    /// What all bodies have in common.
    pub(super) schema: Value,
    /// By [`response`]'s names.
    pub(super) responses: Map<String, Value>,
}

/// Every status of a refusal, and what it means. Which operations refuse with it, `operations` says.
const STATUSES: &[(u16, &str)] = &[
    (400, "What was sent can't be understood; a wrong field is named"),
    (401, "No key, or one that doesn't live"),
    (402, "The workspace's plan doesn't have it, or it has as many as it may"),
    (403, "The key may not do this"),
    (404, "There is no such object, or it is another workspace's"),
    (409, "Taken already"),
    (413, "The body is too large"),
    (415, "The body is of another type"),
    (422, "The Idempotency-Key was used with another body"),
    (429, "The rate limit is reached; Retry-After says for how many seconds"),
    (500, "A mistake of the server's; its log says more"),
    (503, "The store is away, or there is too much to do; try again"),
];

/// When the samples are refused.
const AT: Timestamp = Timestamp(1_753_651_800_000_000);

/// The name of the schema of a dialect's error bodies.
pub(super) fn name(dialect: &Dialect) -> String {
    format!("{}.Error", dialect.name)
}

/// The name of a dialect's response of this status.
pub(super) fn response(dialect: &Dialect, status: u16) -> String {
    format!("{}.{status}", dialect.name)
}

/// Lets the dialect refuse.
pub(super) fn of(dialect: &Dialect) -> Failures {
    let samples: Vec<_> = samples().iter().map(|fail| refused(dialect, fail)).collect();
    let bodies: Vec<_> = samples.iter().map(|(_, body)| body).collect();
    let responses = STATUSES.iter().map(|(status, what)| {
        let own: Vec<_> =
            samples.iter().filter(|(s, _)| s == status).map(|(_, body)| body).collect();
        (response(dialect, *status), described(dialect, *status, what, &own))
    });
    Failures { schema: shape(&bodies), responses: responses.collect() }
}

fn samples() -> Vec<Fail> {
    let allowance = Allowance { requests: 100, seconds: 60 };
    let full_at = AT.plus(60_000_000);
    vec![
        Fail::Malformed("The body is not JSON: expected `,` at line 1".to_owned()),
        Fail::Missing { field: "url".to_owned(), required: vec!["url".to_owned()] },
        Fail::invalid("url", "expected an absolute URL"),
        Fail::Row { row: 7, fail: Box::new(Fail::invalid("url", "expected an absolute URL")) },
        Fail::Unauthorized,
        Fail::Other {
            status: 402,
            code: "plan_limit_reached",
            message: "The plan's limit is reached".to_owned(),
        },
        Fail::Forbidden,
        Fail::NotFound(None),
        Fail::NotFound(Some("aB3xY7zQ".to_owned())),
        Fail::Taken("The code".to_owned()),
        Fail::TooLarge,
        Fail::UnsupportedMediaType,
        Fail::Reused,
        Fail::TooMany(Standing {
            allowed: false,
            allowance,
            remaining: 0,
            full_at,
            retry_after: 60,
        }),
        Fail::Internal { request_id: "req_aB3xY7zQmN9pK2rT".to_owned() },
        Fail::Unavailable,
    ]
}

/// Status and body: JSON, or text.
fn refused(dialect: &Dialect, fail: &Fail) -> (u16, Value) {
    let response = (dialect.fail)(&Failure { fail, at: AT });
    let text = || Value::String(String::from_utf8_lossy(response.bytes()).into_owned());
    let body = serde_json::from_slice(response.bytes()).unwrap_or_else(|_| text());
    (response.status(), body)
}

fn described(dialect: &Dialect, status: u16, what: &str, bodies: &[&Value]) -> Value {
    let is_text = bodies.iter().all(|body| body.is_string());
    let kind = if is_text { "text/plain" } else { "application/json" };
    let examples = bodies.iter().enumerate();
    let examples: Map<_, _> =
        examples.map(|(n, body)| (format!("{}", n + 1), json!({ "value": body }))).collect();
    let content = json!({ "schema": reference("schemas", &name(dialect)), "examples": examples });
    let mut response = json!({ "description": what, "content": { kind: content } });
    if matches!(status, 429 | 503) {
        response["headers"] = json!({ "Retry-After": reference("headers", "Retry-After") });
    }
    response
}

/// The least that all these values have in common.
fn shape(values: &[&Value]) -> Value {
    if values.iter().all(|value| value.is_string()) {
        return json!({ "type": "string" });
    }
    let objects: Vec<_> = values.iter().filter_map(|value| value.as_object()).collect();
    if objects.is_empty() || objects.len() < values.len() {
        return kinds(values);
    }
    let mut properties = Map::new();
    for key in objects.iter().flat_map(|object| object.keys()) {
        let of_key: Vec<_> = objects.iter().filter_map(|object| object.get(key)).collect();
        properties.insert(key.clone(), kinds(&of_key));
    }
    let everywhere = |key: &&String| objects.iter().all(|object| object.contains_key(*key));
    let required: Vec<_> = properties.keys().filter(everywhere).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// The types of values; those of objects and arrays are left open.
fn kinds(values: &[&Value]) -> Value {
    let mut kinds: Vec<_> = values.iter().map(|value| kind(value)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    match kinds.as_slice() {
        [one] => json!({ "type": one }),
        many => json!({ "type": many }),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
