//! Which way a hostname is proven.

use std::sync::Arc;

use waypost_link::{Domain, Provider};
use waypost_service::{Prober, Proof};

use super::{cloudflare::Cloudflare, own_proof::OwnProof};
use crate::config::Config;

/// The prober that `config` makes possible.
pub(crate) fn prober(config: &Config) -> Arc<dyn Prober> {
    Arc::new(Either {
        own: OwnProof::new(config.domain_verify_port, config.allow_private_targets),
        cloudflare: config.cloudflare.clone().map(Cloudflare::new),
    })
}

/// Each domain by its own provider.
struct Either {
    own: OwnProof,
    cloudflare: Option<Cloudflare>,
}

impl Either {
    fn cloudflare(&self) -> Result<&Cloudflare, String> {
        let unset = || "cloudflare_zone and cloudflare_token are not set".to_owned();
        self.cloudflare.as_ref().ok_or_else(unset)
    }
}

impl Prober for Either {
    fn announce(&self, domain: &Domain) -> Result<Proof, String> {
        match domain.provider {
            Provider::Own => Ok(Proof::default()),
            Provider::Cloudflare => self.cloudflare()?.create(domain),
        }
    }

    fn probe(&self, domain: &Domain) -> Result<Proof, String> {
        match domain.provider {
            Provider::Own => Ok(self.own.probe(domain)),
            Provider::Cloudflare => self.cloudflare()?.get(domain),
        }
    }

    fn withdraw(&self, domain: &Domain) -> Result<(), String> {
        match domain.provider {
            Provider::Own => Ok(()),
            Provider::Cloudflare => self.cloudflare()?.delete(domain),
        }
    }
}
