//! The world outside: what the server itself asks of others.
//!
//! Hostnames are proven, products looked up, alerts mailed. All of it blocks, so it runs on threads that may: the
//! lane's, and one for alerts. Addresses that a stranger chose are fetched through
//! [`fetch::Fetcher`], which reaches no private network unless the operator lets it.

pub(crate) mod alerts;
mod cloudflare;
mod fetch;
mod own_proof;
mod prober;
mod products;
mod public;
mod smtp;

pub(crate) use cloudflare::Account;
pub(crate) use prober::prober;
pub(crate) use products::Products;
pub(crate) use smtp::SmtpMailer;
