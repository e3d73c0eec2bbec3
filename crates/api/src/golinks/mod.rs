//! golinks: branded links with Amazon geo routing, collections, pixels, keys and domains (SPEC 9).
//!
//! The console speaks this dialect, so it carries every option of a link. One file a noun: its
//! shapes, then what each route does.

mod collections;
mod domains;
mod explain;
mod fail;
mod keys;
mod links;
mod options;
mod pixels;
mod show;
mod stats_routes;
mod stats_shapes;
mod tags;
mod wire;

use schemars::SchemaGenerator;
use waypost_link::Permissions;

use crate::{
    kit::{Call, Dialect, Fail, Parameter, Route, bearer},
    limits,
};

/// The dialect.
pub const DIALECT: Dialect = Dialect {
    name: "golinks",
    bases: &["/api/"],
    routes: ROUTES,
    authenticate: bearer,
    names: &[("collection", "collection_id"), ("alias", "rotator_alias")],
    foreign: Fail::Forbidden,
    fail: fail::fail,
};

const READ: Permissions = Permissions::WORKSPACE_READ;
const WRITE: Permissions = Permissions::WORKSPACE_WRITE;

macro_rules! schema {
    ($shape:ty) => {
        SchemaGenerator::subschema_for::<$shape>
    };
}

const fn parameter(
    name: &'static str,
    doc: &'static str,
    schema: crate::kit::SchemaOf,
) -> Parameter {
    Parameter { name, doc, schema, required: false }
}

const LISTING: &[Parameter] = &[
    parameter("include_archived", "`1` for archived links too", schema!(u8)),
    parameter("limit", "At most 1000; without it up to 10,000 links come at once", schema!(u32)),
    parameter("cursor", "`next_cursor` of the page before", schema!(String)),
    parameter("q", "Code, title, destination or a tag contains this", schema!(String)),
    parameter("sort", "`newest` (default), `oldest` or `clicks`", schema!(String)),
];

const WINDOW: &[Parameter] =
    &[parameter("days", "1 to 90 UTC days, today included; default 14", schema!(u8))];

const VISIT: &[Parameter] = &[
    parameter("country", "ISO 3166-1 alpha-2", schema!(String)),
    parameter("user_agent", "`User-Agent`", schema!(String)),
    parameter("referer", "`Referer`: a URL", schema!(String)),
    parameter("language", "`Accept-Language`", schema!(String)),
    parameter("time", "RFC 3339; now where absent", schema!(String)),
    parameter("ip", "The visitor's address", schema!(String)),
    parameter("query", "The query string, without `?`", schema!(String)),
];

const ROUTES: &[Route] = &[
    Route::get("/api/links", links::list)
        .named("listLinks", "Lists links with their clicks, and what the plan counts")
        .needs(Permissions::LINKS_READ)
        .with_query(LISTING)
        .gives(200, schema!(wire::LinkList)),
    Route::post("/api/links", links::create)
        .named("createLink", "Makes a link")
        .needs(Permissions::LINKS_WRITE)
        .once()
        .takes(schema!(wire::LinkBody))
        .gives(200, schema!(wire::OneLink)),
    Route::post("/api/links/bulk", links::bulk)
        .named("createLinks", "Makes up to 10,000 links, all or none")
        .needs(Permissions::LINKS_WRITE)
        .once()
        .takes(schema!(wire::Bulk))
        .up_to(limits::BULK_BODY)
        .gives(200, schema!(wire::Made)),
    Route::get("/api/links/{id}", links::show)
        .named("getLink", "A link")
        .needs(Permissions::LINKS_READ)
        .gives(200, schema!(wire::OneLink)),
    Route::patch("/api/links/{id}", links::edit)
        .named("editLink", "Changes a link")
        .needs(Permissions::LINKS_WRITE)
        .takes(schema!(wire::LinkBody))
        .gives(200, schema!(wire::OneLink)),
    Route::delete("/api/links/{id}", links::delete)
        .named("deleteLink", "Deletes a link and its clicks")
        .needs(Permissions::LINKS_WRITE)
        .gives(200, schema!(wire::Done)),
    Route::post("/api/links/{id}/collection", links::assign)
        .named("assignLink", "Puts a link into a collection, or takes it out")
        .needs(Permissions::LINKS_WRITE)
        .takes(schema!(wire::Assignment))
        .gives(200, schema!(wire::OneLink)),
    Route::get("/api/links/{id}/explain", explain::explain)
        .named("explainLink", "What a visitor would be answered, and by which rule")
        .needs(Permissions::LINKS_READ)
        .with_query(VISIT)
        .gives(200, schema!(explain::Explained)),
    Route::get("/api/stats/overview", stats_routes::overview)
        .named("overview", "The workspace at a glance")
        .needs(Permissions::STATS_READ)
        .with_query(WINDOW)
        .gives(200, schema!(stats_shapes::OverviewPage)),
    Route::get("/api/stats/link/{id}", stats_routes::link)
        .named("linkStats", "The clicks of a link")
        .needs(Permissions::STATS_READ)
        .with_query(WINDOW)
        .gives(200, schema!(stats_shapes::StatsPage)),
    Route::get("/api/collections", collections::list)
        .named("listCollections", "Lists collections with their links' clicks")
        .needs(READ)
        .gives(200, schema!(collections::CollectionList)),
    Route::post("/api/collections", collections::create)
        .named("createCollection", "Makes a collection")
        .needs(WRITE)
        .once()
        .counted()
        .takes(schema!(collections::CollectionBody))
        .gives(200, schema!(collections::OneCollection)),
    Route::get("/api/collections/{id}", collections::show)
        .named("getCollection", "A collection, its links and their clicks")
        .needs(READ)
        .with_query(WINDOW)
        .gives(200, schema!(collections::CollectionDetail)),
    Route::patch("/api/collections/{id}", collections::edit)
        .named("editCollection", "Changes a collection")
        .needs(WRITE)
        .takes(schema!(collections::CollectionBody))
        .gives(200, schema!(collections::OneCollection)),
    Route::delete("/api/collections/{id}", collections::delete)
        .named("deleteCollection", "Deletes a collection; its links stay")
        .needs(WRITE)
        .gives(200, schema!(wire::Done)),
    Route::get("/api/amazon-tags", tags::list)
        .named("listAmazonTags", "Lists Amazon tags, and the stores there are")
        .needs(READ)
        .gives(200, schema!(tags::TagList)),
    Route::post("/api/amazon-tags", tags::put)
        .named("putAmazonTag", "Makes the tag of a store, or changes it")
        .needs(WRITE)
        .once()
        .takes(schema!(tags::TagBody))
        .gives(200, schema!(tags::OneTag)),
    Route::patch("/api/amazon-tags/{id}", tags::edit)
        .named("editAmazonTag", "Changes a tag")
        .needs(WRITE)
        .takes(schema!(tags::TagBody))
        .gives(200, schema!(tags::OneTag)),
    Route::delete("/api/amazon-tags/{id}", tags::delete)
        .named("deleteAmazonTag", "Deletes a tag")
        .needs(WRITE)
        .gives(200, schema!(wire::Done)),
    Route::get("/api/tracking-pixels", pixels::list)
        .named("listPixels", "Lists pixels, and the platforms there are")
        .needs(READ)
        .gives(200, schema!(pixels::PixelList)),
    Route::post("/api/tracking-pixels", pixels::create)
        .named("createPixel", "Makes a pixel")
        .needs(WRITE)
        .once()
        .counted()
        .takes(schema!(pixels::PixelBody))
        .gives(200, schema!(pixels::OnePixel)),
    Route::patch("/api/tracking-pixels/{id}", pixels::edit)
        .named("editPixel", "Changes a pixel")
        .needs(WRITE)
        .takes(schema!(pixels::PixelBody))
        .gives(200, schema!(pixels::OnePixel)),
    Route::delete("/api/tracking-pixels/{id}", pixels::delete)
        .named("deletePixel", "Deletes a pixel")
        .needs(WRITE)
        .gives(200, schema!(wire::Done)),
    Route::get("/api/api-keys", keys::list)
        .named("listKeys", "Lists keys")
        .needs(READ)
        .gives(200, schema!(keys::KeyList)),
    Route::post("/api/api-keys", keys::create)
        .named("createKey", "Makes a key; its token is shown this once")
        .needs(Permissions::KEYS_WRITE)
        .counted()
        .takes(schema!(keys::KeyBody))
        .gives(200, schema!(keys::NewKey)),
    Route::delete("/api/api-keys/{id}", keys::revoke)
        .named("revokeKey", "Revokes a key")
        .needs(Permissions::KEYS_WRITE)
        .gives(200, schema!(wire::Done)),
    Route::get("/api/domains", domains::list)
        .named("listDomains", "Lists hostnames, each looked up anew")
        .needs(READ)
        .gives(200, schema!(domains::DomainList)),
    Route::post("/api/domains", domains::create)
        .named("createDomain", "Registers a hostname")
        .needs(Permissions::DOMAINS_WRITE)
        .once()
        .counted()
        .takes(schema!(domains::DomainBody))
        .gives(200, schema!(domains::OneDomain)),
    Route::post("/api/domains/{id}/verify", domains::verify)
        .named("verifyDomain", "Looks a hostname up now")
        .needs(Permissions::DOMAINS_WRITE)
        .gives(200, schema!(domains::OneDomain)),
    Route::delete("/api/domains/{id}", domains::remove)
        .named("removeDomain", "Gives a hostname up")
        .needs(Permissions::DOMAINS_WRITE)
        .gives(200, schema!(wire::Done)),
];

/// The object's id in the path: what is no id is nobody's.
fn id(call: &Call) -> Result<u64, Fail> {
    let text = call.parameter("id");
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(Fail::NotFound(None))
}
