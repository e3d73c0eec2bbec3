//! Black-box tests: a real binary, real sockets, a data directory of its own each.
//!
//! Every test binds port 0 on loopback and cleans up after itself. `support/` starts and stops the
//! binary and speaks raw HTTP; the other folders have one file a feature.

mod dialects;
mod fleet;
mod http;
mod outage;
mod outside;
mod redirect;
mod restart;
mod support;
