//! `cargo xtask miri`: the index's unsafe code, interpreted, so that undefined behaviour shows itself.
//!
//! Miri takes a thousand times as long as a processor: the tests that the unsafe code is behind are run, with smaller
//! numbers, and none of the model's. It needs a nightly toolchain; its parts are added where they are missing.

use crate::repo;
use anyhow::Result;
use std::process::{Command, ExitCode, Stdio};

/// The tests, as words for cargo and for the test program.
const TESTS: &[&[&str]] = &[
    &["--lib", "--", "ground", "arena", "line", "entry", "table"],
    &["--test", "index", "readers"],
];

/// Runs them; says so where that can't be done here, and fails then.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        eprintln!("xtask miri: there are no arguments");
        return Ok(ExitCode::from(crate::USAGE));
    }
    let there = || {
        succeeds(rustup(&["run", "nightly", "cargo", "miri", "--version"]).stdout(Stdio::null()))
    };
    let add = ["component", "add", "--toolchain", "nightly", "miri", "rust-src"];
    if !(there() || succeeds(&mut rustup(&add)) && there()) {
        eprintln!(
            "xtask miri: NOT RUN: there is no miri, and no nightly toolchain that it can be added to"
        );
        return Ok(ExitCode::FAILURE);
    }
    let passed = TESTS.iter().all(|words| {
        let cargo = ["run", "nightly", "cargo", "miri", "test", "--package", "waypost-index"];
        succeeds(rustup(&[&cargo[..], words].concat()).env("MIRIFLAGS", "-Zmiri-disable-isolation"))
    });
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn rustup(words: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(words).current_dir(repo::root());
    command
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}
