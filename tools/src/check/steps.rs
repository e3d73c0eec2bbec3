//! The steps of `cargo xtask test`, in order: cheap and telling ones first.

use super::{Checkout, Outcome, Step, fuzz, install, must, works};
use crate::{prove, tidy};
use anyhow::{Result, bail};
use std::process::ExitCode;

/// Every step.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "install", help: "what a bare machine lacks", run: install::missing },
    Step { name: "fmt", help: "the sources are formatted", run: fmt },
    Step { name: "clippy", help: "no warnings, in any target", run: clippy },
    Step { name: "tidy", help: "the invariants hold", run: invariants },
    Step { name: "doc", help: "the docs build without a warning", run: doc },
    Step { name: "deny", help: "licences, advisories and banned packages", run: deny },
    Step { name: "models", help: "the hand-overs, in every interleaving", run: models },
    Step { name: "fuzz", help: "the corpus, and 30 s of each target", run: fuzz::smoke },
    Step { name: "instructions", help: "a redirect costs no more than before", run: instructions },
    Step { name: "doctest", help: "the examples in the docs", run: doctest },
    Step { name: "tests", help: "all other tests", run: tests },
];

fn fmt(checkout: &Checkout) -> Result<Outcome> {
    must(&mut checkout.cargo(&["fmt", "--all", "--check"]))
}

fn clippy(checkout: &Checkout) -> Result<Outcome> {
    let words = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    must(&mut checkout.cargo(&words))
}

fn invariants(_: &Checkout) -> Result<Outcome> {
    if tidy::run(&[])? != ExitCode::SUCCESS {
        bail!("the repository breaks its own rules");
    }
    Ok(Outcome::Done)
}

fn doc(checkout: &Checkout) -> Result<Outcome> {
    let mut command = checkout.cargo(&["doc", "--workspace", "--no-deps"]);
    must(command.env("RUSTDOCFLAGS", "-Dwarnings"))
}

fn deny(checkout: &Checkout) -> Result<Outcome> {
    if !works(&mut checkout.cargo(&["deny", "--version"])) {
        let why = "cargo-deny is not installed: `cargo install --locked cargo-deny`.";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    must(&mut checkout.cargo(&["deny", "check", "bans", "licenses", "sources"]))?;
    if !works(&mut checkout.cargo(&["deny", "fetch", "db"])) {
        let why = "Licences and bans were checked; the advisory database could not be fetched.";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    must(&mut checkout.cargo(&["deny", "check", "advisories"]))
}

/// The crates whose hand-overs loom checks: each has a `model.rs`, and a feature that lets loom stand in for `std`.
const MODELLED: &[&str] = &["waypost-clicks", "waypost-h1", "waypost-index"];

fn models(checkout: &Checkout) -> Result<Outcome> {
    let features: Vec<_> = MODELLED.iter().map(|package| format!("{package}/model")).collect();
    let packages = MODELLED.iter().flat_map(|package| ["--package", package]);
    let mut command = checkout.cargo(&["test", "--lib", "--features", &features.join(",")]);
    must(command.args(packages).arg("model::"))
}

fn instructions(_: &Checkout) -> Result<Outcome> {
    if prove::run(&[])? != ExitCode::SUCCESS {
        bail!("a redirect costs more instructions than before");
    }
    Ok(Outcome::Done)
}

fn doctest(checkout: &Checkout) -> Result<Outcome> {
    must(&mut checkout.cargo(&["test", "--workspace", "--doc"]))
}

/// nextest where it is or can be had; else what cargo brings, said out loud, since its output and its isolation of
/// tests differ.
fn tests(checkout: &Checkout) -> Result<Outcome> {
    if install::nextest(checkout) {
        return must(&mut checkout.cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]));
    }
    eprintln!("!! cargo-nextest could not be installed: falling back to `cargo test`, which runs");
    eprintln!("!! the tests of a binary as threads of one process instead of a process each.");
    let words =
        ["test", "--workspace", "--lib", "--bins", "--tests", "--examples", "--no-fail-fast"];
    must(&mut checkout.cargo(&words))
}
