//! `provider = "self"`: a hostname is proven by what is fetched through it.

use std::time::Duration;

use waypost_link::{Domain, DomainStatus};
use waypost_service::Proof;

use super::fetch::{Fetched, Fetcher};

/// How long a hostname may take to answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// More bytes than a proof has.
const MOST: u64 = 256;

/// Proves hostnames by fetching from port `port` of each.
pub(super) struct OwnProof {
    fetcher: Fetcher,
    port: u16,
}

impl OwnProof {
    pub(super) fn new(port: u16, private: bool) -> Self {
        Self { fetcher: Fetcher::new(private, PATIENCE), port }
    }

    /// Active where the hostname serves its own proof, else pending, and why.
    pub(super) fn probe(&self, domain: &Domain) -> Proof {
        match self.failure(domain) {
            None => Proof { status: DomainStatus::Active, ..Proof::default() },
            errors => Proof { errors, ..Proof::default() },
        }
    }

    fn failure(&self, domain: &Domain) -> Option<String> {
        let (host, path, token) = (&domain.hostname, Domain::PROOF_PATH, &domain.token);
        let url = format!("http://{host}:{}{path}{token}", self.port);
        match self.fetcher.get(&url, MOST) {
            Err(why) => Some(format!("{url}: {why}")),
            Ok(Fetched { status: 200, body }) if body == Domain::proof(domain.id).as_bytes() => {
                None
            }
            Ok(Fetched { status, .. }) => {
                Some(format!("{url}: status {status}, and not this server's proof"))
            }
        }
    }
}
