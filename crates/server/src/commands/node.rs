//! `waypost node`: the servers that share a store.

use anyhow::{Result, bail};
use clap::Subcommand;
use serde_json::{Value, json};
use waypost::fleet::{self, Forgotten};
use waypost_link::{Node, NodeId, Revision, Timestamp};

use super::output;
use crate::{
    config::StoreUrl,
    context::{Context, now},
    exchange::print_time,
};

/// What `waypost node` does.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the nodes with their versions, how far each is behind, and when it was seen
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget a node that is gone for good
    Forget {
        /// Its id
        id: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs `waypost node`.
///
/// # Errors
/// A sentence for standard error.
pub(crate) fn run(command: &Command, context: &Context) -> Result<()> {
    if matches!(context.config(Vec::new())?.store, StoreUrl::Lmdb) {
        bail!("this store is in a data directory: it has one node and no list of them");
    }
    let store = context.open()?.store;
    match *command {
        Command::List { json } => {
            let (nodes, head) = fleet::nodes(&*store.links)?;
            list(&nodes, head, json)
        }
        Command::Forget { id, json } => {
            let Forgotten { name, clicks } = fleet::forget(&store, NodeId(id), now())?;
            if json {
                return Ok(output::json(&json!({ "forgotten": name, "clicks": clicks }))?);
            }
            Ok(output::line(format_args!("{name}: {clicks} clicks of limited links came back"))?)
        }
    }
}

fn list(nodes: &[Node], head: Revision, json: bool) -> Result<()> {
    if json {
        let all: Vec<_> = nodes.iter().map(|node| object(node, head)).collect();
        return Ok(output::json(&all)?);
    }
    let now = now();
    let rows = nodes.iter().map(|node| {
        let (id, lag) = (node.id.to_string(), lag(node, head).to_string());
        let silent = (now.0 - node.seen_at.0).max(0) / Timestamp::SECOND;
        vec![id, node.name.clone(), node.version.clone(), lag, format!("{silent} s ago")]
    });
    Ok(output::table(&["id", "name", "version", "lag", "last seen"], rows, &[0, 3])?)
}

fn object(node: &Node, head: Revision) -> Value {
    json!({
        "id": node.id.0,
        "name": node.name,
        "version": node.version,
        "lag": lag(node, head),
        "last_seen": print_time(node.seen_at),
    })
}

/// How many commits it had not applied when it last said so.
fn lag(node: &Node, head: Revision) -> u64 {
    head.0.saturating_sub(node.applied)
}
