//! The APIs: published dialects as thin adapters over one set of use cases.
//!
//! [`kit`] is what all of them share; each dialect is a folder that says what is its own. This crate
//! alone knows JSON, XML, forms and vendors' names. It knows no store: every handler calls use
//! cases of `waypost-service`, in its lane, where blocking is allowed.
//!
//! # How a dialect is written
//!
//! - `mod.rs` holds `pub const DIALECT`: name, base paths, the table of [`Route`](kit::Route)s, and the
//!   function that turns a [`Fail`](kit::Fail) into its error body. A line in [`DIALECTS`] mounts it.
//! - Shapes that go over the wire are structs with `Deserialize` or `Serialize`, and `JsonSchema` for
//!   OpenAPI. A field that must be there is no `Option`: the kit then refuses a body without it by name.
//!   A struct in a struct is an [`Object`](kit::Object).
//! - A handler is one function a route, about 15 lines: decode, one use case, encode. It gets a
//!   [`Call`](kit::Call) and gives a response or a [`Fail`](kit::Fail). It may block; it never panics
//!   on what was sent.
//! - A small dialect has its shapes in `wire.rs` and its handlers in `handlers.rs`; a larger one has a file
//!   a noun, and in `wire.rs` what several share.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use schemars::{JsonSchema, SchemaGenerator};
//! use waypost_api::kit::{Answer, Call, Route, reply};
//! use waypost_link::Permissions;
//!
//! /// What is asked for.
//! #[derive(Deserialize, JsonSchema)]
//! struct Wanted {
//!     code: String,
//! }
//!
//! /// What is answered.
//! #[derive(Serialize, JsonSchema)]
//! struct Shown {
//!     url: String,
//! }
//!
//! fn show(call: &Call) -> Answer {
//!     let wanted: Wanted = call.json()?;
//!     let link = call.service().find_link(call.principal()?.workspace, &wanted.code)?;
//!     reply::json(200, &Shown { url: link.destination.as_str().to_owned() })
//! }
//!
//! const ROUTES: &[Route] = &[Route::post("/api/show", show)
//!     .named("showLink", "Where a link leads")
//!     .needs(Permissions::LINKS_READ)
//!     .takes(SchemaGenerator::subschema_for::<Wanted>)
//!     .gives(200, SchemaGenerator::subschema_for::<Shown>)];
//! ```
//!
//! Before a handler is called, the kit has answered 404, 405 with `Allow`, 413, 401, 403, 429 and 415; after
//! it, refusals get the dialect's shape and `X-RateLimit-*` is added. Creations wrap their use case in
//! [`Call::once`](kit::Call) and say so by [`Route::once`](kit::Route::once), which is all that an
//! `Idempotency-Key` needs.
#![forbid(unsafe_code)]

mod api;
mod bulk;
mod counts;
pub mod golinks;
pub mod kit;
pub mod limits;
pub mod linkpack;
pub mod linktrack;
pub mod openapi;
pub mod tracking;
pub mod workspace;

pub use api::{Api, Mounted, Settings};
pub use counts::Count;

/// Every dialect that is served, and what describes them.
pub static DIALECTS: &[&kit::Dialect] = &[
    &tracking::DIALECT,
    &linktrack::DIALECT,
    &golinks::DIALECT,
    &linkpack::DIALECT,
    &workspace::DIALECT,
    &openapi::DIALECT,
];
