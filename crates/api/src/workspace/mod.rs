//! workspace: tracking links of vCards and storefronts (SPEC 7).
//!
//! A tracking link is a link with an attribute `type`; its destination is its `fullUrl`. Ids are 24 hex
//! digits.

mod handlers;
mod tracking_link;
mod wire;

use schemars::SchemaGenerator;
use serde_json::json;
use waypost_h1::Response;
use waypost_link::Permissions;

use crate::kit::{Dialect, Fail, Failure, Parameter, Route, bearer, reply};

/// The dialect.
pub const DIALECT: Dialect = Dialect {
    name: "workspace",
    bases: &["/api/v1/workspace/"],
    routes: ROUTES,
    authenticate: bearer,
    names: &[("destination_url", "baseUrl"), ("title", "name")],
    foreign: Fail::NotFound(None),
    fail,
};

const LINKS: &str = "/api/v1/workspace/{workspaceId}/tracking-links";
const LINK: &str = "/api/v1/workspace/{workspaceId}/tracking-links/{id}";

const ROUTES: &[Route] = &[
    Route::get(LINKS, handlers::list)
        .named("listTrackingLinks", "Lists a workspace's tracking links, newest first")
        .needs(Permissions::WORKSPACE_READ)
        .with_query(LIST)
        .gives(200, SchemaGenerator::subschema_for::<wire::Listed>),
    Route::post(LINKS, handlers::create)
        .named("createTrackingLink", "Makes a tracking link")
        .needs(Permissions::LINKS_WRITE)
        .once()
        .takes(SchemaGenerator::subschema_for::<wire::NewLink>)
        .gives(201, SchemaGenerator::subschema_for::<wire::TrackingLink>),
    Route::patch(LINK, handlers::edit)
        .named("updateTrackingLink", "Changes a tracking link")
        .needs(Permissions::LINKS_WRITE)
        .takes(SchemaGenerator::subschema_for::<wire::LinkEdit>)
        .gives(200, SchemaGenerator::subschema_for::<wire::TrackingLink>),
    Route::delete(LINK, handlers::delete)
        .named("deleteTrackingLink", "Deletes a tracking link and its clicks")
        .needs(Permissions::LINKS_WRITE)
        .gives_plain(204),
];

const LIST: &[Parameter] = &[
    Parameter {
        name: "type",
        doc: "Only links of this type",
        schema: SchemaGenerator::subschema_for::<wire::Type>,
        required: false,
    },
    Parameter {
        name: "baseUrl",
        doc: "An absolute http or https URL: what fullUrl begins with",
        schema: SchemaGenerator::subschema_for::<String>,
        required: false,
    },
    Parameter {
        name: "limit",
        doc: "Most links of a page, 1 to 1000; without it all, up to 10,000",
        schema: SchemaGenerator::subschema_for::<u32>,
        required: false,
    },
    Parameter {
        name: "cursor",
        doc: "The nextCursor of the page before",
        schema: SchemaGenerator::subschema_for::<String>,
        required: false,
    },
];

/// `{"error":…,"message":…}`: the status in words, and a sentence.
fn fail(failure: &Failure<'_>) -> Response {
    let status = failure.fail.status();
    let error = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
    reply::error(status, &json!({ "error": error, "message": failure.fail.to_string() }))
}
