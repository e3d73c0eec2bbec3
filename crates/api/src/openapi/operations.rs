//! A route as OpenAPI says it: parameters, body, answers, and how a caller proves who it is.

use serde_json::{Map, Value, json};
use waypost_h1::Method;

use super::{failures, reference, schemas::Schemas};
use crate::kit::{Access, Body, Dialect, Parameter, Route};

/// The headers that rate limits add (SPEC 4), and how long to wait.
const HEADERS: [(&str, &str); 4] = [
    ("X-RateLimit-Limit", "Requests that the limit allows"),
    ("X-RateLimit-Remaining", "Requests left right now"),
    ("X-RateLimit-Reset", "When all are there again, in Unix seconds"),
    ("Retry-After", "Seconds to wait"),
];

/// Whether something is true of a route.
type Trait = fn(&Route) -> bool;

/// What a refusal of a status asks of a route.
const REFUSALS: [(u16, Trait); 12] = [
    (400, |route| route.body != Body::Nothing || !route.query.is_empty() || has_name(route)),
    (401, needs_key),
    (402, |route| route.counted),
    (403, needs_key),
    (404, |route| route.finds || has_name(route)),
    (409, |route| route.once || makes(route)),
    (413, |route| route.body != Body::Nothing),
    (415, |route| route.body != Body::Nothing),
    (422, |route| route.once),
    (429, |route| route.rate.is_some()),
    (500, |_| true),
    (503, |_| true),
];

/// One operation.
pub(super) fn operation(dialect: &Dialect, route: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": format!("{}_{}", dialect.name, route.id),
        "summary": route.summary,
        "tags": [dialect.name],
        "parameters": parameters(route, schemas),
        "responses": responses(dialect, route, schemas),
        "security": security(dialect, route),
    });
    if let Some(body) = body(route, schemas) {
        operation["requestBody"] = body;
    }
    operation
}

/// The headers of answers.
pub(super) fn headers() -> Value {
    let described = HEADERS.iter().map(|(name, what)| {
        let schema = json!({ "type": "integer", "minimum": 0 });
        ((*name).to_owned(), json!({ "description": what, "schema": schema }))
    });
    Value::Object(described.collect())
}

/// A token in a header, or a key's login and token as parameters.
pub(super) fn security_schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "A key's token" },
        "login": { "type": "apiKey", "in": "query", "name": "login", "description": "A key's login" },
        "pass": { "type": "apiKey", "in": "query", "name": "pass", "description": "Its token" },
    })
}

fn parameters(route: &Route, schemas: &mut Schemas) -> Vec<Value> {
    let in_path = names(route.pattern).map(|name| {
        let schema = json!({ "type": "string", "minLength": 1 });
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let in_query = route.query.iter().map(|Parameter { name, doc, schema, required }| {
        let schema = schemas.taken(*schema);
        json!({ "name": name, "in": "query", "description": doc, "required": required, "schema": schema })
    });
    let mut all: Vec<_> = in_path.chain(in_query).collect();
    if route.once {
        let what = "A repetition under the same key is answered like the first, for a day";
        let schema = json!({ "type": "string", "minLength": 1 });
        let header = json!({ "name": "Idempotency-Key", "in": "header", "description": what, "schema": schema });
        all.push(header);
    }
    all
}

fn body(route: &Route, schemas: &mut Schemas) -> Option<Value> {
    let schema = json!({ "schema": schemas.taken(route.request?) });
    let kinds: &[&str] = match route.body {
        Body::Nothing => return None,
        Body::Json(_) => &["application/json"],
        Body::Form => &["application/x-www-form-urlencoded", "multipart/form-data"],
    };
    let content = kinds.iter().map(|kind| ((*kind).to_owned(), schema.clone()));
    Some(json!({ "required": route.body != Body::Form, "content": content.collect::<Map<_, _>>() }))
}

fn responses(dialect: &Dialect, route: &Route, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    responses.insert(route.status.to_string(), success(route, schemas));
    for (status, _) in REFUSALS.iter().filter(|(_, holds)| holds(route)) {
        let response = reference("responses", &failures::response(dialect, *status));
        responses.insert(status.to_string(), response);
    }
    let any = reference("responses", &failures::response(dialect, 500));
    responses.insert("default".to_owned(), any);
    Value::Object(responses)
}

fn success(route: &Route, schemas: &mut Schemas) -> Value {
    let mut success = json!({ "description": route.summary });
    if let Some(response) = route.response {
        let mut content = json!({ "application/json": { "schema": schemas.given(response) } });
        // Where a caller chooses the format, XML is the other one.
        if route.query.iter().any(|parameter| parameter.name == "format") {
            content["application/xml"] = json!({ "schema": { "type": "string" } });
        }
        success["content"] = content;
    }
    if route.rate.is_some() {
        let limits = HEADERS.iter().filter(|(name, _)| name.starts_with("X-"));
        let limits = limits.map(|(name, _)| ((*name).to_owned(), reference("headers", name)));
        success["headers"] = Value::Object(limits.collect());
    }
    success
}

/// Nothing for everybody; `login` and `pass` in a dialect that has them as parameters, else a token.
fn security(dialect: &Dialect, route: &Route) -> Value {
    let mut parameters = dialect.routes.iter().flat_map(|route| route.query);
    let has_pass = parameters.any(|parameter| parameter.name == "pass");
    match route.access {
        Access::Public => json!([]),
        Access::Key(_) if has_pass => json!([{ "login": [], "pass": [] }]),
        Access::Key(_) => json!([{ "bearer": [] }]),
    }
}

fn needs_key(route: &Route) -> bool {
    matches!(route.access, Access::Key(_))
}

fn has_name(route: &Route) -> bool {
    names(route.pattern).next().is_some()
}

fn makes(route: &Route) -> bool {
    matches!(route.method, Method::Post | Method::Patch) && route.body != Body::Nothing
}

/// The parameters of a pattern.
fn names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}
