//! `waypost workspace`: the tenants and their settings.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use waypost_api::kit::ids;
use waypost_link::Workspace;

use super::output;
use crate::{context::Context, exchange::print_time};

/// What `waypost workspace` does.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a workspace
    Create {
        /// Its name
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List workspaces with their settings, oldest first
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Set a setting: `base_url`, timezone, plan, `alert_email`, `exclude_bots`, profile.NAME
    Set {
        /// The workspace
        name: String,
        /// The setting
        key: String,
        /// Its value; an empty one clears it
        value: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs `waypost workspace`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    let service = context.open()?.service;
    match command {
        Command::Create { name, json } => print(&service.create_workspace(name)?, *json),
        Command::Set { name, key, value, json } => {
            print(&service.set_workspace(name, key, value)?, *json)
        }
        Command::List { json: true } => {
            let all: Vec<_> = service.workspaces()?.iter().map(object).collect();
            Ok(output::json(&all)?)
        }
        Command::List { json: false } => {
            let rows = service.workspaces()?.into_iter().map(|workspace| {
                let id = ids::HEX.workspace(&workspace);
                let settings =
                    workspace.settings.iter().map(|(key, value)| format!("{key}={value}"));
                vec![workspace.name.clone(), id, settings.collect::<Vec<_>>().join(" ")]
            });
            Ok(output::table(&["name", "workspace_id", "settings"], rows, &[])?)
        }
    }
}

fn print(workspace: &Workspace, json: bool) -> Result<()> {
    if json {
        return Ok(output::json(&object(workspace))?);
    }
    Ok(output::line(ids::HEX.workspace(workspace))?)
}

fn object(workspace: &Workspace) -> Value {
    json!({
        "workspace": workspace.name,
        "workspace_id": ids::HEX.workspace(workspace),
        "settings": workspace.settings,
        "created_at": print_time(workspace.created_at),
    })
}
