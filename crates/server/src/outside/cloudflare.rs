//! `provider = "cloudflare"`: Custom Hostnames of Cloudflare for SaaS.
//!
//! Three calls of its API (version 4), under a zone and a token that the operator sets. What it
//! says of a hostname maps to our statuses by one table.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use ureq::Agent;
use waypost_link::{Domain, DomainStatus};
use waypost_service::Proof;

/// How long the API may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// Longest answer that is read, in bytes.
const MOST: u64 = 1 << 20;

/// The operator's account.
#[derive(Clone)]
pub(crate) struct Account {
    /// Where the API is: `https://api.cloudflare.com/client/v4`.
    pub(crate) url: String,
    /// The zone's id.
    pub(crate) zone: String,
    /// The token, which is never logged.
    pub(crate) token: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({}, zone {})", self.url, self.zone)
    }
}

/// What each status of theirs means here; any other is pending.
const STATUSES: &[(&str, DomainStatus)] = &[
    ("active", DomainStatus::Active),
    ("active_redeploying", DomainStatus::Active),
    ("provisioned", DomainStatus::Active),
    ("test_active", DomainStatus::Active),
    ("test_active_apex", DomainStatus::Active),
    ("blocked", DomainStatus::Blocked),
    ("pending_blocked", DomainStatus::Blocked),
    ("test_blocked", DomainStatus::Blocked),
    ("deleted", DomainStatus::Failed),
    ("moved", DomainStatus::Failed),
    ("pending_deletion", DomainStatus::Failed),
    ("test_failed", DomainStatus::Failed),
];

/// The API.
pub(super) struct Cloudflare {
    agent: Agent,
    account: Account,
}

#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    errors: Vec<Message>,
    result: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    code: Option<i64>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct CustomHostname {
    id: String,
    #[serde(default)]
    status: String,
    ssl: Option<Ssl>,
    #[serde(default)]
    verification_errors: Vec<String>,
}

#[derive(Deserialize)]
struct Ssl {
    status: Option<String>,
}

impl Cloudflare {
    pub(super) fn new(account: Account) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .user_agent(concat!("waypost/", env!("CARGO_PKG_VERSION")));
        Self { agent: config.build().new_agent(), account }
    }

    /// Creates the custom hostname.
    pub(super) fn create(&self, domain: &Domain) -> Result<Proof, String> {
        let body = json!({
            "hostname": domain.hostname.as_str(),
            "ssl": { "method": "http", "type": "dv" },
        });
        let request = self.agent.post(self.url("")).header("Authorization", self.bearer());
        let request = request.header("Content-Type", "application/json");
        proof(read(request.send(body.to_string()))?.1)
    }

    /// What is known of it; it is created where it is not known at all.
    pub(super) fn get(&self, domain: &Domain) -> Result<Proof, String> {
        let Some(id) = &domain.provider_id else { return self.create(domain) };
        let request = self.agent.get(self.url(id)).header("Authorization", self.bearer());
        match read(request.call())? {
            (404, _) => Ok(Proof {
                status: DomainStatus::Failed,
                errors: Some("Cloudflare doesn't know this hostname any more".to_owned()),
                ..Proof::default()
            }),
            (_, envelope) => proof(envelope),
        }
    }

    /// Deletes it; done as well where it is gone.
    pub(super) fn delete(&self, domain: &Domain) -> Result<(), String> {
        let Some(id) = &domain.provider_id else { return Ok(()) };
        let request = self.agent.delete(self.url(id)).header("Authorization", self.bearer());
        match read(request.call())? {
            (404, _) => Ok(()),
            (_, envelope) if envelope.success => Ok(()),
            (_, envelope) => Err(envelope.said()),
        }
    }

    fn url(&self, id: &str) -> String {
        let Account { url, zone, .. } = &self.account;
        let base = format!("{}/zones/{zone}/custom_hostnames", url.trim_end_matches('/'));
        if id.is_empty() { base } else { format!("{base}/{id}") }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.account.token)
    }
}

impl Envelope {
    fn said(&self) -> String {
        let said: Vec<String> = self.errors.iter().map(Message::text).collect();
        if said.is_empty() { "Cloudflare refused".to_owned() } else { said.join("; ") }
    }
}

impl Message {
    fn text(&self) -> String {
        let text = self.message.as_deref().unwrap_or("no reason given");
        self.code.map_or_else(|| text.to_owned(), |code| format!("{text} ({code})"))
    }
}

/// The status and the envelope of an answer.
fn read(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<(u16, Envelope), String> {
    let mut response = answer.map_err(|error| format!("Cloudflare can't be reached: {error}"))?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(MOST).read_to_vec();
    let body = body.map_err(|error| format!("Cloudflare can't be read: {error}"))?;
    let odd = |_| format!("Cloudflare answered status {status} without a word of sense");
    let envelope = serde_json::from_slice(&body).map_err(odd)?;
    Ok((status, envelope))
}

fn proof(envelope: Envelope) -> Result<Proof, String> {
    if !envelope.success {
        return Err(envelope.said());
    }
    let result = envelope.result.unwrap_or_default();
    let known: CustomHostname =
        serde_json::from_value(result).map_err(|_| "Cloudflare's answer has no id".to_owned())?;
    // It becomes part of a path.
    if known.id.is_empty()
        || !known.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err("Cloudflare's answer has no id".to_owned());
    }
    let status = STATUSES.iter().find(|(theirs, _)| *theirs == known.status);
    Ok(Proof {
        status: status.map_or(DomainStatus::Pending, |(_, ours)| *ours),
        provider_id: Some(known.id),
        ssl_status: known.ssl.and_then(|ssl| ssl.status),
        errors: (!known.verification_errors.is_empty())
            .then(|| known.verification_errors.join("; ")),
    })
}

#[cfg(test)]
#[path = "cloudflare_tests.rs"]
mod tests;
