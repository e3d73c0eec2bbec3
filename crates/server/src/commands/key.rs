//! `waypost key`: API keys. A token is shown once, when its key is made.

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use waypost_api::kit::ids;
use waypost_link::{Claim, Key, KeyId, Permissions, Role, Timestamp, Workspace};
use waypost_service::NewKey;

use super::output;
use crate::{context::Context, exchange::print_time};

/// What `waypost key` does.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key and print its token, once
    Create(Create),
    /// List keys, oldest first
    List(List),
    /// Revoke a key
    Revoke(Revoke),
}

#[derive(Args)]
pub(crate) struct Create {
    /// Whose
    #[arg(long, value_name = "NAME", default_value = "default")]
    workspace: String,
    /// What it may do: everything, or what --permission lists
    #[arg(long, value_enum, default_value_t = RoleName::Owner)]
    role: RoleName,
    /// A label for people
    #[arg(long, default_value = "")]
    label: String,
    /// What the token begins with
    #[arg(long, default_value = "wp_")]
    prefix: String,
    /// What a staff key may do, such as links.read; may be repeated
    #[arg(long, value_name = "P", value_delimiter = ',')]
    permission: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct List {
    /// Only this workspace's
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// The key's login, or its id
    #[arg(value_name = "LOGIN|ID")]
    key: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Everything
    Owner,
    /// What --permission lists
    Staff,
}

/// Runs `waypost key`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Create(arguments) => create(arguments, context),
        Command::List(arguments) => list(arguments, context),
        Command::Revoke(arguments) => revoke(arguments, context),
    }
}

fn create(arguments: &Create, context: &Context) -> Result<()> {
    let role = role(arguments.role, &arguments.permission)?;
    let service = context.open()?.service;
    let workspace = service.workspace(&arguments.workspace)?;
    let (key, token) = service.create_key(NewKey {
        workspace: workspace.id,
        role,
        label: arguments.label.clone(),
        prefix: arguments.prefix.clone(),
        login: None,
        token: None,
    })?;
    let id = ids::HEX.workspace(&workspace);
    if arguments.json {
        return Ok(output::json(&json!({
            "workspace": workspace.name,
            "workspace_id": id,
            "login": key.login,
            "token": token.reveal(),
        }))?);
    }
    let rows = [
        ("workspace", workspace.name.as_str()),
        ("workspace_id", &id),
        ("login", &key.login),
        ("token", token.reveal()),
    ];
    for (name, value) in rows {
        output::line(format_args!("{name:<14}{value}"))?;
    }
    eprintln!("waypost: the token is shown this once");
    Ok(())
}

fn role(name: RoleName, permissions: &[String]) -> Result<Role> {
    let mut all = Permissions::default();
    for name in permissions {
        let Some(permission) = Permissions::named(name) else {
            let known = Permissions::NAMES.map(|(_, name)| name).join(", ");
            bail!("unknown permission {name:?}: there are {known}");
        };
        all = all.and(permission);
    }
    match name {
        RoleName::Staff => Ok(Role::Staff(all)),
        RoleName::Owner if permissions.is_empty() => Ok(Role::Owner),
        RoleName::Owner => bail!("an owner may do everything: --permission is for --role staff"),
    }
}

fn list(arguments: &List, context: &Context) -> Result<()> {
    let service = context.open()?.service;
    let only = arguments.workspace.as_deref().map(|name| service.workspace(name)).transpose()?;
    let workspaces = service.workspaces()?;
    let keys = service.keys(only.map(|workspace| workspace.id))?;
    let objects: Vec<Value> = keys.iter().map(|key| object(key, &workspaces)).collect();
    if arguments.json {
        return Ok(output::json(&objects)?);
    }
    let header = ["id", "workspace", "login", "role", "label", "created_at", "revoked_at"];
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rows = objects.iter().map(|object| header.map(|name| text(&object[name])).to_vec());
    Ok(output::table(&header, rows, &[0])?)
}

fn object(key: &Key, workspaces: &[Workspace]) -> Value {
    let (role, permissions) = match key.role {
        Role::Owner => ("owner", Value::Null),
        Role::Staff(own) => {
            let named =
                Permissions::NAMES.into_iter().filter(|(permission, _)| own.has(*permission));
            ("staff", named.map(|(_, name)| name).collect())
        }
    };
    let own = workspaces.iter().find(|workspace| workspace.id == key.workspace);
    let time = |time: Option<Timestamp>| time.map(print_time);
    json!({
        "id": key.id.0,
        "workspace": own.map(|workspace| &workspace.name),
        "workspace_id": own.map(|workspace| ids::HEX.workspace(workspace)),
        "login": key.login,
        "role": role,
        "permissions": permissions,
        "label": key.label,
        "prefix": key.prefix,
        "created_at": time(Some(key.created_at)),
        "last_used_at": time(key.last_used_at),
        "revoked_at": time(key.revoked_at),
    })
}

fn revoke(arguments: &Revoke, context: &Context) -> Result<()> {
    let service = context.open()?.service;
    let by_login = service.store().holder(&Claim::Login(arguments.key.clone()))?;
    let Some(id) = by_login.or_else(|| arguments.key.parse().ok()) else {
        bail!("key {:?} not found", arguments.key);
    };
    let key = service.revoke_key(KeyId(id))?;
    if arguments.json {
        return Ok(output::json(&object(&key, &service.workspaces()?))?);
    }
    Ok(output::line(format_args!("revoked {}", key.login))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        for (name, permissions, expected) in [
            (RoleName::Owner, &[][..], Some(Role::Owner)),
            (RoleName::Owner, &["links.read"][..], None),
            (
                RoleName::Staff,
                &["links.read", "stats.read"][..],
                Some(Role::Staff(Permissions(20))),
            ),
            (RoleName::Staff, &["links.raed"][..], None),
        ] {
            let permissions: Vec<_> = permissions.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(role(name, &permissions).ok(), expected, "{name:?} {permissions:?}");
        }
    }
}
