//! `/api/domains`: hostnames of the workspace's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waypost_link::{Domain, DomainId, Provider};
use waypost_service::Service;

use super::{fail::taken, wire::Done};
use crate::kit::{Answer, Call, reply, time};

/// A hostname to be registered.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(super) struct DomainBody {
    /// Such as `go.acme.com`.
    pub(super) hostname: String,
    /// How it is proven; `self` where absent.
    pub(super) provider: Option<ProviderName>,
}

/// How a hostname is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProviderName {
    /// By what is fetched through it.
    #[serde(rename = "self")]
    Own,
    /// By Cloudflare's Custom Hostnames.
    Cloudflare,
}

/// A hostname.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownDomain {
    pub(super) id: u64,
    pub(super) hostname: String,
    pub(super) provider: ProviderName,
    pub(super) cf_hostname_id: Option<String>,
    /// `pending`, `active`, `failed` or `blocked`.
    pub(super) status: &'static str,
    pub(super) ssl_status: Option<String>,
    pub(super) verification_errors: Option<String>,
    /// What must be served at it; of the provider `self`.
    pub(super) verification_path: Option<String>,
    pub(super) cf_last_synced_at: Option<String>,
    pub(super) created_at: String,
}

/// All hostnames.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DomainList {
    pub(super) domains: Vec<ShownDomain>,
    pub(super) plan: &'static str,
    /// `null` where there is none.
    pub(super) domain_limit: Option<usize>,
    pub(super) cname_target: String,
}

/// One hostname, and what its owner is to do.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OneDomain {
    pub(super) domain: ShownDomain,
    pub(super) cname_target: String,
    pub(super) instructions: String,
}

/// `GET /api/domains`
pub(super) fn list(call: &Call) -> Answer {
    let workspace = call.principal()?.workspace;
    let plan = call.service().plan(workspace)?;
    let domains = call.service().refreshed_domains(workspace)?;
    reply::json(
        200,
        &DomainList {
            domains: domains.iter().map(shown).collect(),
            plan: plan.name(),
            domain_limit: plan.domains(),
            cname_target: call.public_host(),
        },
    )
}

/// `POST /api/domains`
pub(super) fn create(call: &Call) -> Answer {
    let body: DomainBody = call.json()?;
    let workspace = call.principal()?.workspace;
    let provider = match body.provider {
        Some(ProviderName::Cloudflare) => Provider::Cloudflare,
        Some(ProviderName::Own) | None => Provider::Own,
    };
    let make = |service: &Service| {
        let domain = service.register_domain(workspace, &body.hostname, provider);
        domain.map_err(taken("hostname_taken"))
    };
    // The key goes with what the provider said of the domain, which makes no id: the name finds it.
    let again = |_: &[u64]| Ok(call.service().domain_named(workspace, &body.hostname)?);
    answer(call, &call.once(make, again)?)
}

/// `POST /api/domains/{id}/verify`
pub(super) fn verify(call: &Call) -> Answer {
    let id = DomainId(super::id(call)?);
    answer(call, &call.service().verify_domain(call.principal()?.workspace, id)?)
}

/// `DELETE /api/domains/{id}`
pub(super) fn remove(call: &Call) -> Answer {
    call.service().remove_domain(call.principal()?.workspace, DomainId(super::id(call)?))?;
    reply::json(200, &Done { ok: true })
}

fn answer(call: &Call, domain: &Domain) -> Answer {
    let cname_target = call.public_host();
    let host = domain.hostname.as_str();
    let instructions =
        format!("Add a CNAME record at your DNS provider: {host} CNAME {cname_target}");
    reply::json(200, &OneDomain { domain: shown(domain), cname_target, instructions })
}

fn shown(domain: &Domain) -> ShownDomain {
    let own = domain.provider == Provider::Own;
    ShownDomain {
        id: domain.id.0,
        hostname: domain.hostname.as_str().to_owned(),
        provider: if own { ProviderName::Own } else { ProviderName::Cloudflare },
        cf_hostname_id: domain.provider_id.clone(),
        status: domain.status.name(),
        ssl_status: domain.ssl_status.clone(),
        verification_errors: domain.verification_errors.clone(),
        verification_path: domain.proof_path(),
        cf_last_synced_at: domain.synced_at.map(time::seconds),
        created_at: time::seconds(domain.created_at),
    }
}
