//! The redirect engine: facts about a request in, an answer out, and the click recorded on the way.
//!
//! [`Engine::decide`] is the whole of the resolver: hosts, codes, the order of checks, routing rules, UTM parameters,
//! forwarded queries, click limits, passwords, rotators, interstitials. It reads the index, which is memory, and
//! hands clicks to the recorder, which never waits; on the way of a plain link it allocates nothing. What it gives
//! are values: whoever embeds it brings the HTTP, the pages, the password hashing and the clock.
//!
//! It never does I/O, never blocks, knows no store, no JSON, no runtime, and not which API made a link.
//!
//! ```
//! use std::sync::Arc;
//! use waypost_index::Index;
//! use waypost_link::*;
//! use waypost_redirect::{Answer, Engine, Facts, Scratch, Settings};
//!
//! let index = Arc::new(Index::new());
//! let slug = Slug::parse("hi").unwrap();
//! let to = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
//! let mut link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
//! (link.id, link.version) = (LinkId(1), 1);
//! index.apply(Revision(1), &[Change::CreateLink(Box::new(link))]);
//!
//! let (recorder, mut clicks) = waypost_clicks::queue(1, 1 << 20);
//! let engine = Engine::new(index, recorder, Settings::default());
//!
//! let facts = Facts { host: b"localhost:8080", path: "/hi", ..Facts::default() };
//! let mut scratch = Scratch::default();
//! let Answer::Redirect(redirect) = engine.decide(&facts, &mut scratch) else { panic!() };
//! assert_eq!((redirect.status, redirect.location), (302, "https://example.com/"));
//! assert_eq!(clicks.take(|click| assert_eq!(click.link, LinkId(1))), 1);
//! ```
#![forbid(unsafe_code)]

mod amazon;
mod answer;
mod client;
mod compose;
mod engine;
mod facts;
mod follow;
pub mod limits;
mod query;
mod resolve;
mod scratch;
mod settings;
mod target;
mod tries;
mod visitor;
mod zone;

pub use amazon::{App, STORES};
pub use answer::{
    Answer, Interstitial, NotFound, PasswordCheck, PasswordForm, Redirect, StatsPage,
};
pub use client::{Client, Countries};
pub use compose::CLICK_PARAMETER;
pub use engine::Engine;
pub use facts::{Facts, Method};
pub use scratch::Scratch;
pub use settings::Settings;
pub use zone::zone_at;
