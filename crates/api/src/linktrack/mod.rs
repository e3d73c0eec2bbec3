//! linktrack: one call that makes a link, and the lists and histories of its clients (SPEC 6).
//!
//! Parameters come from the query string or a form, a caller is `login` and `pass`, booleans are
//! `0` and `1`, times are those of a clock that stands still at one offset from UTC, and everything
//! that is refused is a line of text that begins with `Error:`.

mod conversion;
mod format;
mod history;
mod list;
mod make;
mod params;
mod ping;
mod wire;

use schemars::SchemaGenerator;
use waypost_h1::Response;
use waypost_link::Permissions;
use waypost_service::Principal;

use crate::kit::{Call, Dialect, Fail, Failure, Route, reply};

/// The dialect.
pub const DIALECT: Dialect = Dialect {
    name: "linktrack",
    bases: &["/api/v1_0/", "/api/ping"],
    routes: ROUTES,
    authenticate,
    names: &[
        ("destination_url", "external_url"),
        ("code", "vanity_link"),
        ("max_clicks", "deactivate_at"),
        ("domain", "host"),
        ("name", "group"),
    ],
    foreign: Fail::NotFound(None),
    fail,
};

const ROUTES: &[Route] = &[
    Route::get("/api/v1_0/makeLink", make::make_link)
        .named("makeLinkByQuery", "Makes a link; answers its short URL as text")
        .needs(Permissions::LINKS_WRITE)
        .with_query(params::MAKE)
        .once()
        .counted()
        .without_head()
        .gives_plain(200),
    Route::post("/api/v1_0/makeLink", make::make_link)
        .named("makeLink", "Makes a link; answers its short URL as text")
        .needs(Permissions::LINKS_WRITE)
        .takes_form(params::make_form)
        .once()
        .counted()
        .gives_plain(200),
    Route::get("/api/v1_0/getLink", list::get_link)
        .named("getLink", "A link, or without `redirect_hash` the list of links, in XML or JSON")
        .needs(Permissions::LINKS_READ)
        .with_query(params::LINK)
        .finds()
        .gives(200, wire::link_or_links),
    Route::get("/api/v1_0/getLinks", list::get_links)
        .named("getLinks", "Links, sorted, in XML or JSON")
        .needs(Permissions::LINKS_READ)
        .with_query(params::LINKS)
        .gives(200, SchemaGenerator::subschema_for::<wire::Links>),
    Route::get("/api/v1_0/getLinkHistory", history::get_link_history)
        .named("getLinkHistory", "The clicks of a link, in XML or JSON")
        .needs(Permissions::STATS_READ)
        .with_query(params::HISTORY)
        .finds()
        .gives(200, SchemaGenerator::subschema_for::<wire::History>),
    Route::get("/api/ping", ping::ping)
        .named("ping", "The host's name and its local time, as text")
        .public()
        .gives_plain(200),
    Route::get("/conversion.gif", conversion::conversion)
        .named("convert", "Records the conversion of a click; answers an image of one pixel")
        .public()
        .with_query(params::CONVERSION)
        .finds()
        .beside_redirects()
        .without_head()
        .gives_plain(200),
];

/// `login` and `pass`: a key's login and token.
fn authenticate(call: &Call) -> Result<Principal, Fail> {
    let fields = call.fields()?;
    let (Some(login), Some(pass)) = (fields.get("login"), fields.get("pass")) else {
        return Err(Fail::Unauthorized);
    };
    call.service().authenticate_login(login, pass)?.ok_or(Fail::Unauthorized)
}

/// `Error:` and a sentence, in plain text.
fn fail(failure: &Failure<'_>) -> Response {
    let why = match failure.fail {
        Fail::Unauthorized => "login or pass is wrong".to_owned(),
        Fail::NotFound(_) => "no such link".to_owned(),
        fail => fail.to_string(),
    };
    reply::text(failure.fail.status(), format!("Error: {why}"))
}
