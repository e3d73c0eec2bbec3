//! The first words: where the server listens, and once, on a store without keys, the first one.

use anyhow::Result;
use waypost_link::Role;
use waypost_service::{NewKey, SecretToken, Service, hash_token};

use super::Servers;
use crate::config::Config;

/// The variable that sets the first key's token.
const VARIABLE: &str = "WAYPOST_ADMIN_KEY";
/// The login of a first key whose token was given.
const LOGIN: &str = "admin";

/// The first key of a store.
pub(super) struct FirstKey {
    login: String,
    /// `None` where the operator gave it, and so knows it.
    token: Option<SecretToken>,
}

/// Makes the workspace `default`, and its first owner key where the store has no key.
pub(super) fn first_key(service: &Service) -> Result<Option<FirstKey>> {
    let workspace = service.default_workspace()?;
    let given = std::env::var(VARIABLE).ok().filter(|token| !token.is_empty());
    let made = service.create_first_key(NewKey {
        workspace: workspace.id,
        role: Role::Owner,
        label: "first key".to_owned(),
        prefix: "wp_".to_owned(),
        login: given.is_some().then(|| LOGIN.to_owned()),
        token: given.clone(),
    })?;
    match (made, given) {
        (Some((key, token)), given) => {
            Ok(Some(FirstKey { login: key.login, token: given.is_none().then_some(token) }))
        }
        (None, Some(token)) if !is_known(service, &token)? => {
            tracing::warn!("{VARIABLE} is ignored: the store has keys, and this is none of them");
            Ok(None)
        }
        (None, _) => Ok(None),
    }
}

fn is_known(service: &Service, token: &str) -> Result<bool> {
    Ok(service.keys(None)?.iter().any(|key| key.token_hash == hash_token(token)))
}

/// Prints where the server listens, and the first key.
pub(super) fn show(config: &Config, servers: &Servers, first: Option<&FirstKey>) {
    println!("waypost {}", env!("CARGO_PKG_VERSION"));
    for address in servers.public.addresses() {
        println!("  redirects   http://{address}/");
    }
    let admin = servers.admin.as_ref().unwrap_or(&servers.public);
    for address in admin.addresses() {
        println!("  health      http://{address}/healthz  /readyz  /metrics");
    }
    println!("  short links {}", config.public_url);
    println!("  data        {}", config.data.display());
    if let Some(FirstKey { login, token }) = first {
        println!("\n  The first key, shown this once:");
        println!("    login  {login}");
        match token {
            Some(token) => println!("    token  {}", token.reveal()),
            None => println!("    token  as {VARIABLE} says"),
        }
    }
}
