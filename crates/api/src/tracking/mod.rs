//! tracking: links of job applications, and the clicks that others report (SPEC 5).

mod handlers;
mod wire;

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use waypost_h1::Response;
use waypost_link::Permissions;
use waypost_service::Rate;

use crate::kit::{Dialect, Fail, Failure, Route, bearer, reply, time};

/// The dialect.
pub const DIALECT: Dialect = Dialect {
    name: "tracking",
    bases: &["/api/link-tracking/"],
    routes: ROUTES,
    authenticate: bearer,
    names: &[("destination_url", "original_url")],
    fail,
};

const ROUTES: &[Route] = &[
    Route::post("/api/link-tracking/create", handlers::create)
        .named("createLink", "Makes a tracked link")
        .needs(Permissions::LINKS_WRITE)
        .limited(Rate::Creation)
        .takes(SchemaGenerator::subschema_for::<wire::NewLink>)
        .gives(201, SchemaGenerator::subschema_for::<wire::Created>),
    Route::get("/track/health", handlers::health)
        .named("redirectHealth", "Whether redirects are served")
        .public()
        .beside_redirects()
        .gives(200, SchemaGenerator::subschema_for::<wire::Health>),
];

/// One of the five error shapes: all have `error` and `timestamp`.
fn fail(failure: &Failure<'_>) -> Response {
    let message = failure.fail.to_string();
    let (error, more) = match failure.fail {
        Fail::Missing { required, .. } => (message, json!({ "required_fields": required })),
        Fail::Unauthorized => {
            let how = "Please provide a valid authorization token";
            (message, json!({ "message": how }))
        }
        Fail::NotFound(id) => {
            ("Link not found or expired".to_owned(), json!({ "tracking_id": id }))
        }
        Fail::TooMany(standing) => {
            let window = window(standing.allowance.seconds);
            let (limit, retry_after) = (standing.allowance.requests, standing.retry_after);
            (message, json!({ "limit": limit, "window": window, "retry_after": retry_after }))
        }
        Fail::Internal { request_id } => {
            let why = "An unexpected error occurred";
            (message, json!({ "message": why, "request_id": request_id }))
        }
        _ => (message, json!({})),
    };
    let mut body = Map::new();
    body.insert("error".to_owned(), error.into());
    if let Value::Object(more) = more {
        body.extend(more);
    }
    body.insert("timestamp".to_owned(), time::seconds(failure.at).into());
    reply::error(failure.fail.status(), &Value::Object(body))
}

/// `1 minute`, or so many seconds.
fn window(seconds: u32) -> String {
    if seconds == 60 { "1 minute".to_owned() } else { format!("{seconds} seconds") }
}
