//! tracking: links of job applications, and the clicks that others report (SPEC 5).
//!
//! `links.rs` makes, shows and deactivates links, `clicks.rs` takes reported clicks, `summaries.rs`
//! adds up jobs, applications and the workspace.

mod clicks;
mod links;
mod summaries;
mod wire;

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use waypost_h1::Response;
use waypost_link::{Link, Permissions, WorkspaceId};
use waypost_service::{Fault, Rate, Service};

use crate::kit::{Dialect, Fail, Failure, Parameter, Route, bearer, reply, time};

/// The dialect.
pub const DIALECT: Dialect = Dialect {
    name: "tracking",
    bases: &["/api/link-tracking/"],
    routes: ROUTES,
    authenticate: bearer,
    names: &[("destination_url", "original_url")],
    foreign: Fail::NotFound(None),
    fail,
};

const ROUTES: &[Route] = &[
    Route::post("/api/link-tracking/record-click", clicks::record)
        .named("recordClick", "Records a click")
        .needs(Permissions::CLICKS_WRITE)
        .limited(Rate::Clicks)
        .once()
        .takes(SchemaGenerator::subschema_for::<wire::NewClick>)
        .gives(201, SchemaGenerator::subschema_for::<wire::Recorded>),
    Route::get("/api/link-tracking/analytics/{tracking_id}", links::analytics)
        .named("linkAnalytics", "A link, its counts and its newest clicks")
        .needs(Permissions::STATS_READ)
        .limited(Rate::Analytics)
        .gives(200, SchemaGenerator::subschema_for::<wire::Analytics>),
    Route::post("/api/link-tracking/create", links::create)
        .named("createLink", "Makes a tracked link")
        .needs(Permissions::LINKS_WRITE)
        .limited(Rate::Creation)
        .once()
        .takes(SchemaGenerator::subschema_for::<wire::NewLink>)
        .gives(201, SchemaGenerator::subschema_for::<wire::Created>),
    Route::get("/api/link-tracking/job/{job_id}/links", summaries::job)
        .named("jobLinks", "The links of a job, added up by function")
        .needs(Permissions::STATS_READ)
        .limited(Rate::Analytics)
        .gives(200, SchemaGenerator::subschema_for::<wire::Job>),
    Route::get("/api/link-tracking/application/{application_id}/links", summaries::application)
        .named("applicationLinks", "The links of an application, with their clicks")
        .needs(Permissions::STATS_READ)
        .limited(Rate::Analytics)
        .gives(200, SchemaGenerator::subschema_for::<wire::Application>),
    Route::post("/api/link-tracking/application/create-links", links::create_package)
        .named("createApplicationLinks", "Makes the usual links of an application, all or none")
        .needs(Permissions::LINKS_WRITE)
        .limited(Rate::Creation)
        .once()
        .takes(SchemaGenerator::subschema_for::<wire::NewPackage>)
        .gives(201, SchemaGenerator::subschema_for::<wire::Package>),
    Route::get("/api/link-tracking/report", summaries::report)
        .named("performanceReport", "All links over the last days")
        .needs(Permissions::STATS_READ)
        .limited(Rate::Analytics)
        .with_query(&[Parameter {
            name: "days",
            doc: "Days that it covers, today included: 1 to 365, 30 where absent",
            schema: SchemaGenerator::subschema_for::<u16>,
            required: false,
        }])
        .gives(200, SchemaGenerator::subschema_for::<wire::Report>),
    Route::post("/api/link-tracking/deactivate/{tracking_id}", links::deactivate)
        .named("deactivateLink", "Ends a link: it answers 404 and records nothing")
        .needs(Permissions::LINKS_WRITE)
        .limited(Rate::Creation)
        .gives(200, SchemaGenerator::subschema_for::<wire::Deactivated>),
    Route::get("/track/health", links::health)
        .named("redirectHealth", "Whether redirects are served")
        .public()
        .beside_redirects()
        .gives(200, SchemaGenerator::subschema_for::<wire::Health>),
];

/// The link of this tracking id: a code, or `hostname/code`.
fn find(service: &Service, workspace: WorkspaceId, id: &str) -> Result<Link, Fail> {
    service.find_link(workspace, id).map_err(|fault| unknown(fault, id))
}

/// Where it is the link that isn't there, its id is repeated.
fn unknown(fault: Fault, id: &str) -> Fail {
    match fault {
        Fault::NotFound(_) => Fail::NotFound(Some(id.to_owned())),
        other => other.into(),
    }
}

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
