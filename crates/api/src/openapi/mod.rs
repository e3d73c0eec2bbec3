//! What the APIs say about themselves: OpenAPI 3.1 at `/openapi.json`, and the same for people at `/docs`.
//!
//! Both are made of the tables that requests are routed by, once, when somebody first asks: a route that
//! is not described doesn't exist, nor does a description without its route. The shapes of refusals are
//! seen by letting each dialect refuse (`failures`). Nothing here knows a dialect by name.

mod failures;
mod operations;
mod page;
mod schemas;
mod system;

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::LazyLock,
};

use serde_json::{Map, Value, json};
use waypost_h1::{Field, Response};

use crate::{
    DIALECTS,
    kit::{Answer, Call, Dialect, Fail, Failure, Route, bearer, reply},
};

/// The paths that describe all dialects. Their refusals are plain text.
pub const DIALECT: Dialect = Dialect {
    name: "openapi",
    bases: &[],
    routes: ROUTES,
    authenticate: bearer,
    names: &[],
    foreign: Fail::NotFound(None),
    fail,
};

const ROUTES: &[Route] = &[
    Route::get("/openapi.json", document)
        .named("document", "All dialects, in OpenAPI 3.1")
        .public()
        .gives_plain(200),
    Route::get("/docs", docs).named("docs", "All dialects, on a page").public().gives_plain(200),
];

/// The document, its bytes, and what `ETag` says of them.
struct Document {
    value: Value,
    bytes: Vec<u8>,
    etag: String,
}

/// Made when first asked for, and kept: it depends on nothing but the program.
static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let value = described(DIALECTS);
    let bytes = value.to_string().into_bytes();
    // With fixed keys: the same program says the same on all nodes.
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Document { value, bytes, etag: format!("\"{:016x}\"", hasher.finish()) }
});

/// `GET /openapi.json`; asked again with its `ETag`, 304 (RFC 9110, 13.1.2).
fn document(call: &Call) -> Answer {
    let Document { bytes, etag, .. } = &*DOCUMENT;
    let known = call.header(Field::IfNoneMatch).unwrap_or_default();
    // Compared weakly (RFC 9110, 8.8.3.2): a proxy that compresses the body marks its tag so.
    let same = |known: &str| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag;
    let fresh = known.split(',').any(|known| same(known.trim()));
    let response = if fresh {
        Response::new(304)
    } else {
        let response = Response::new(200).header("Content-Type", "application/json; charset=utf-8");
        response.header("X-Content-Type-Options", "nosniff").body(bytes.clone())
    };
    Ok(response.header("ETag", etag).header("Cache-Control", "public, no-cache"))
}

/// `GET /docs`
fn docs(_: &Call) -> Answer {
    page::page(&DOCUMENT.value)
}

fn fail(failure: &Failure<'_>) -> Response {
    reply::text(failure.fail.status(), format!("{}\n", failure.fail))
}

/// The document of these dialects.
fn described(dialects: &'static [&'static Dialect]) -> Value {
    let mut paths = system::paths();
    let mut schemas = Map::new();
    let mut responses = Map::new();
    for dialect in dialects {
        let mut own = schemas::Schemas::new(dialect.name);
        for route in dialect.routes {
            let operation = operations::operation(dialect, route, &mut own);
            let path = paths.entry(route.pattern).or_insert_with(|| json!({}));
            path[route.method.as_str().to_ascii_lowercase()] = operation;
        }
        schemas.extend(own.components());
        let failures = failures::of(dialect);
        schemas.insert(failures::name(dialect), failures.schema);
        responses.extend(failures.responses);
    }
    let tags = dialects.iter().map(|dialect| dialect.name).chain([system::TAG]);
    let tags: Vec<_> = tags.map(|name| json!({ "name": name })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Waypost",
            "summary": "A redirect engine that counts every click, and the APIs that it speaks",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "headers": operations::headers(),
            "securitySchemes": operations::security_schemes(),
        },
    })
}

/// A reference to a part of the document.
fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
