//! `waypost domain`: hostnames of a workspace's own, and whether they are proven.

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use waypost_link::{Domain, DomainStatus, Provider, WorkspaceId};
use waypost_service::{Fault, Service};

use super::output;
use crate::{context::Context, exchange::print_time};

/// Arguments of `waypost domain`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Whose
    #[arg(long, global = true, value_name = "NAME", default_value = "default")]
    workspace: String,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Register a hostname
    Add(Add),
    /// List hostnames, newest first, as they are known
    List,
    /// Have a hostname proven now; exit status 1 where it isn't
    Verify {
        /// The hostname
        host: String,
    },
    /// Give a hostname up: nothing resolves under it any more
    Rm {
        /// The hostname
        host: String,
    },
}

#[derive(Args)]
struct Add {
    /// The hostname
    host: String,
    /// Take it for proven
    #[arg(long)]
    active: bool,
    /// How it is proven
    #[arg(long, value_enum, default_value_t = ProviderName::Own)]
    provider: ProviderName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ProviderName {
    /// By what is fetched through it
    #[value(name = "self")]
    Own,
    /// By Cloudflare's Custom Hostnames
    Cloudflare,
}

/// Runs `waypost domain`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let service = context.open()?.service;
    let workspace = service.workspace(&arguments.workspace)?.id;
    let json = arguments.json;
    match &arguments.command {
        Command::Add(add) => print(&added(add, &service, workspace)?, json),
        Command::List => list(&service.domains(workspace)?, json),
        Command::Verify { host } => verify(host, &service, workspace, json),
        Command::Rm { host } => {
            let id = service.domain_named(workspace, host)?.id;
            let removed = service.remove_domain(workspace, id)?;
            let host = removed.hostname.as_str();
            if json {
                return Ok(output::json(&json!({ "removed": host }))?);
            }
            Ok(output::line(host)?)
        }
    }
}

/// Registers a hostname; `--active` also takes one for proven that the workspace has already.
fn added(add: &Add, service: &Service, workspace: WorkspaceId) -> Result<Domain> {
    let provider = match add.provider {
        ProviderName::Own => Provider::Own,
        ProviderName::Cloudflare => Provider::Cloudflare,
    };
    let domain = match service.register_domain(workspace, &add.host, provider) {
        Err(Fault::Taken(what)) if add.active => {
            let own = service.domain_named(workspace, &add.host);
            own.map_err(|_| Fault::Taken(what))?
        }
        other => other?,
    };
    if !add.active {
        return Ok(domain);
    }
    Ok(service.activate_domain(workspace, domain.id)?)
}

fn verify(host: &str, service: &Service, workspace: WorkspaceId, json: bool) -> Result<()> {
    let id = service.domain_named(workspace, host)?.id;
    let domain = service.verify_domain(workspace, id)?;
    print(&domain, json)?;
    if domain.status != DomainStatus::Active {
        let why = domain.verification_errors.as_deref().unwrap_or("nobody has proven it yet");
        bail!("{} is {}: {why}", domain.hostname.as_str(), domain.status.name());
    }
    Ok(())
}

fn list(domains: &[Domain], json: bool) -> Result<()> {
    if json {
        let all: Vec<_> = domains.iter().map(object).collect();
        return Ok(output::json(&all)?);
    }
    let rows = domains.iter().map(|domain| {
        let status = domain.status.name().to_owned();
        let host = domain.hostname.as_str().to_owned();
        vec![domain.id.to_string(), host, provider(domain).to_owned(), status]
    });
    Ok(output::table(&["id", "hostname", "provider", "status"], rows, &[0])?)
}

/// A hostname, its status, and what would prove it.
fn print(domain: &Domain, json: bool) -> Result<()> {
    if json {
        return Ok(output::json(&object(domain))?);
    }
    let host = domain.hostname.as_str();
    output::line(format_args!("{host} {}", domain.status.name()))?;
    let pending = domain.status == DomainStatus::Pending;
    if let Some(path) = domain.proof_path().filter(|_| pending) {
        output::line(format_args!("proven by http://{host}{path}"))?;
    }
    Ok(())
}

fn object(domain: &Domain) -> Value {
    json!({
        "id": domain.id.0,
        "hostname": domain.hostname.as_str(),
        "provider": provider(domain),
        "status": domain.status.name(),
        "cf_hostname_id": domain.provider_id,
        "ssl_status": domain.ssl_status,
        "verification_errors": domain.verification_errors,
        "verification_path": domain.proof_path(),
        "created_at": print_time(domain.created_at),
    })
}

fn provider(domain: &Domain) -> &'static str {
    match domain.provider {
        Provider::Own => "self",
        Provider::Cloudflare => "cloudflare",
    }
}
