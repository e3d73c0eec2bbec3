//! linkpack: short links with UTM parameters, traffic routing and retargeting scripts (SPEC 8).
//!
//! Its links redirect with 307, and are called by UUIDs that carry their ids.

mod change;
mod handlers;
mod wire;

use schemars::SchemaGenerator;
use serde_json::json;
use waypost_h1::Response;
use waypost_link::Permissions;
use waypost_service::Rate;

use crate::kit::{Dialect, Fail, Failure, Parameter, Route, bearer, reply};

/// The dialect.
pub const DIALECT: Dialect = Dialect {
    name: "linkpack",
    bases: &["/api/v1/"],
    routes: ROUTES,
    authenticate: bearer,
    names: &[
        ("destination_url", "longUrl"),
        ("code", "shortCode"),
        ("expires_at", "expiresAt"),
        ("rules", "traffic_routing"),
        ("scripts", "retargeting_scripts"),
        ("days", "endDate"),
    ],
    foreign: Fail::NotFound(None),
    fail,
};

const ROUTES: &[Route] = &[
    Route::post("/api/v1/shorten", handlers::shorten)
        .named("shorten", "Makes a short link")
        .needs(Permissions::LINKS_WRITE)
        .limited(Rate::Linkpack)
        .once()
        .takes(wire::new_link)
        .gives(200, SchemaGenerator::subschema_for::<wire::Edited>),
    Route::patch("/api/v1/link/{id}", handlers::edit)
        .named("updateLink", "Changes a short link")
        .needs(Permissions::LINKS_WRITE)
        .limited(Rate::Linkpack)
        .takes(SchemaGenerator::subschema_for::<wire::LinkEdit>)
        .gives(200, SchemaGenerator::subschema_for::<wire::Edited>),
    Route::delete("/api/v1/link/{id}", handlers::delete)
        .named("deleteLink", "Deletes a short link and its clicks")
        .needs(Permissions::LINKS_WRITE)
        .limited(Rate::Linkpack)
        .gives(200, SchemaGenerator::subschema_for::<wire::Deleted>),
    Route::get("/api/v1/stats/{shortCode}", handlers::stats)
        .named("linkStats", "What a short link's clicks come to")
        .needs(Permissions::STATS_READ)
        .limited(Rate::Linkpack)
        .with_query(RANGE)
        .gives(200, SchemaGenerator::subschema_for::<wire::Stats>),
];

const RANGE: &[Parameter] = &[
    Parameter {
        name: "startDate",
        doc: "The first UTC day; without it, that of the creation or the first click",
        schema: SchemaGenerator::subschema_for::<String>,
        required: false,
    },
    Parameter {
        name: "endDate",
        doc: "The last UTC day; without it, today",
        schema: SchemaGenerator::subschema_for::<String>,
        required: false,
    },
];

/// `{"error":…}`, with `details` where a field is to blame.
fn fail(failure: &Failure<'_>) -> Response {
    let error = failure.fail.to_string();
    let body = match failure.fail {
        Fail::Missing { field, .. } => {
            json!({ "error": error, "details": [{ "field": field, "message": "is required" }] })
        }
        Fail::Invalid { field, why } => {
            json!({ "error": error, "details": [{ "field": field, "message": why }] })
        }
        Fail::NotFound(_) => json!({ "error": "Link not found" }),
        _ => json!({ "error": error }),
    };
    reply::error(failure.fail.status(), &body)
}
