//! The first words: where the server listens, and once, on a store without keys, the first one.

use std::io::{self, Write, stdout};

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

/// Prints where the server listens, and the first key. A server that nobody listens to serves all the same.
pub(super) fn show(config: &Config, servers: &Servers, first: Option<&FirstKey>) {
    if let Err(error) = write(&mut stdout().lock(), config, servers, first) {
        let lost = if first.is_some() { "; `waypost key create` makes a key" } else { "" };
        tracing::warn!("what is said at the start can't be printed: {error}{lost}");
    }
}

fn write(
    out: &mut impl Write,
    config: &Config,
    servers: &Servers,
    first: Option<&FirstKey>,
) -> io::Result<()> {
    writeln!(out, "waypost {}", env!("CARGO_PKG_VERSION"))?;
    for address in servers.public.addresses() {
        writeln!(out, "  redirects   http://{address}/")?;
    }
    let admin = servers.admin.as_ref().unwrap_or(&servers.public);
    for address in admin.addresses() {
        writeln!(out, "  health      http://{address}/healthz  /readyz  /metrics")?;
    }
    writeln!(out, "  short links {}", config.public_url)?;
    writeln!(out, "  data        {}", config.data.display())?;
    if let Some(FirstKey { login, token }) = first {
        writeln!(out, "\n  The first key, shown this once:")?;
        writeln!(out, "    login  {login}")?;
        match token {
            Some(token) => writeln!(out, "    token  {}", token.reveal())?,
            None => writeln!(out, "    token  as {VARIABLE} says")?,
        }
    }
    out.flush()
}
