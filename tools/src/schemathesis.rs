//! `cargo xtask schemathesis`: requests made up from `/openapi.json`, right ones and wrong ones, and every answer held against it.
//!
//! A server of a debug build, whose assertions are on, gets them on a free port of loopback. None may be answered by a
//! 5xx, nor by a status, a content type, header or body that the document doesn't have. The program comes from the
//! Python Package Index, into a virtual environment below `target/`; where that can't be had it is said, and nothing fails.

use crate::cargo;
use crate::peers::build::Programs;
use crate::peers::process::{Interrupt, Room};
use crate::peers::server::{ADMIN_KEY, Kit, Running, Server};
use crate::repo;
use anyhow::{Context as _, Result};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The version that is installed.
const PACKAGE: &str = "schemathesis==4.32.5";
/// What must hold of each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance";
/// The call that can take our own key away: it comes last, alone.
const REVOKE: &str = "golinks_revokeKey";

/// Hold the APIs against their OpenAPI document
#[derive(Parser)]
#[command(name = "cargo xtask schemathesis")]
struct Options {
    /// Most requests of an operation in each phase that draws them
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    examples: u64,
    /// What they are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One dialect only: tracking, linktrack, golinks, linkpack, workspace
    #[arg(long)]
    tag: Option<String>,
}

/// Runs it; fails where an answer broke its promise.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let name = "cargo xtask schemathesis".to_owned();
    let options = Options::parse_from(std::iter::once(&name).chain(arguments));
    let root = repo::root();
    let Some(program) = installed(&root.join("target/schemathesis"))? else {
        println!(
            "SKIPPED: schemathesis can't be installed here (python3 with venv, and its package index, are needed)"
        );
        return Ok(ExitCode::SUCCESS);
    };
    let words = ["--package", "waypost-server", "--bin", "waypost"];
    let waypost = cargo::build(&root, &words, "waypost")?;
    let folder = tempfile::tempdir()?;
    let programs = Programs { waypost, ..Programs::default() };
    let kit = Kit::new(folder.path(), programs, 1, Interrupt::new()?)?;
    let mut running = kit.start_in(Server::Waypost, Room::AllCores)?;
    let mut all_held = true;
    for which in ["--exclude-operation-id", "--include-operation-id"] {
        let mut command = command(&program, folder.path(), &running, &options)?;
        all_held &= command.args([which, REVOKE]).status().context("schemathesis")?.success();
    }
    running.process.must_run()?;
    Ok(if all_held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The program, installed where it is missing; none where that fails.
fn installed(folder: &Path) -> Result<Option<PathBuf>> {
    let program = folder.join("bin/schemathesis");
    if program.exists() {
        return Ok(Some(program));
    }
    println!("installing {PACKAGE} into {}", folder.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(folder);
    let mut fill = Command::new(folder.join("bin/python3"));
    fill.args(["-m", "pip", "install", "--quiet", PACKAGE]);
    for mut step in [make, fill] {
        if !step.stdin(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return Ok(None);
        }
    }
    Ok(Some(program))
}

fn command(program: &Path, folder: &Path, running: &Running, options: &Options) -> Result<Command> {
    let file = folder.join("schemathesis.toml");
    std::fs::write(&file, settings())?;
    let mut command = Command::new(program);
    command.arg("--config-file").arg(&file).arg("run");
    command.arg(format!("http://{}/openapi.json", running.address));
    command.args([
        "--checks",
        CHECKS,
        "--phases",
        "examples,coverage,fuzzing",
        "--continue-on-failure",
    ]);
    command.args(["--suppress-health-check", "all", "--warnings", "off", "--no-color"]);
    command.args(["--max-examples", &options.examples.to_string()]);
    command.args(["--seed", &options.seed.to_string()]);
    if let Some(tag) = &options.tag {
        command.args(["--include-tag", tag]);
    }
    command.current_dir(folder).stdin(Stdio::null());
    Ok(command)
}

/// The owner key, by the document's names of how it is shown; and the methods tried where they aren't served, which
/// are those that the server knows: 501 is right for any other (RFC 9110, 15.6.2).
fn settings() -> String {
    format!(
        "[phases.coverage]\nunexpected-methods = [\"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\"]\n\
         [auth.openapi.bearer]\nbearer = \"{ADMIN_KEY}\"\n\
         [auth.openapi.login]\napi_key = \"admin\"\n\
         [auth.openapi.pass]\napi_key = \"{ADMIN_KEY}\"\n"
    )
}
