//! Where HTTP meets the engine: a request becomes [`Facts`](waypost_redirect::Facts), an
//! [`Answer`](waypost_redirect::Answer) becomes bytes.
//!
//! Beside redirects stand the few pages that a visitor may meet on the way, `/healthz`, `/readyz`,
//! `/metrics`, `/robots.txt`, `/favicon.ico` and `/bookmarklet`. The crate decides nothing about links, knows no store,
//! and never blocks: a password is checked, and clicks are counted, by whoever implements [`Blocking`].
#![forbid(unsafe_code)]

mod answer;
mod facts;
mod figures;
mod handler;
pub mod limits;
mod media;
mod metrics;
mod pages;
mod proof;
mod system;

pub use figures::{Count, Figures};
pub use handler::{Blocking, Edge, Mounted, Settings};
pub use media::Picture;
pub use metrics::{METRICS, Metric, Readings, Ready};
