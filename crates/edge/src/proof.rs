//! `/.well-known/waypost/{token}`: by answering it, a custom hostname proves that it leads here.
//!
//! Asked for only where the engine knows no link, so no redirect is the slower for it. Registered
//! hostnames and their tokens are in the index.

use waypost_h1::Response;
use waypost_link::Domain;
use waypost_redirect::{Engine, Facts, Method};

/// Whether these facts ask for a proof.
pub(crate) fn is_path(facts: &Facts<'_>) -> bool {
    facts.method != Method::Other && facts.path.starts_with(Domain::PROOF_PATH)
}

/// The proof, where the token is that of the host.
pub(crate) fn response(engine: &Engine, facts: &Facts<'_>) -> Response {
    let token = facts.path.strip_prefix(Domain::PROOF_PATH).unwrap_or_default();
    let (status, body) = match engine.proven(facts.host, token) {
        Some(domain) => (200, Domain::proof(domain)),
        None => (404, "no such proof\n".to_owned()),
    };
    Response::new(status)
        .header("Content-Type", "text/plain; charset=utf-8")
        .header("Cache-Control", "no-store")
        .header("X-Content-Type-Options", "nosniff")
        .body(body)
}
