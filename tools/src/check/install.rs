//! What a bare Debian machine with Rust on it lacks.
//!
//! System packages come through apt-get, by root or sudo, and only where they are missing; cargo-nextest, and
//! cargo-fuzz where there is a nightly toolchain, are built by cargo. Nothing is upgraded or removed.

use super::{Checkout, Outcome, must, works};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// Something that a build or a test needs, how to see that it is there, and the Debian packages that bring it.
struct Need {
    what: &'static str,
    is_there: fn() -> bool,
    packages: &'static [&'static str],
}

/// LMDB and the allocator are C; valgrind counts the instructions of a redirect; the tests start a PostgreSQL of
/// their own.
const NEEDS: &[Need] = &[
    Need { what: "a C compiler", is_there: || runs("cc"), packages: &["gcc", "libc6-dev"] },
    Need {
        what: "the C library's headers",
        is_there: || Path::new("/usr/include/stdlib.h").exists(),
        packages: &["libc6-dev"],
    },
    Need { what: "valgrind", is_there: || runs("valgrind"), packages: &["valgrind"] },
    Need { what: "PostgreSQL", is_there: has_postgres, packages: &["postgresql"] },
];

/// Parts of the toolchain that rustup can leave out.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// Installs the missing ones of [`NEEDS`] and [`COMPONENTS`].
pub(super) fn missing(checkout: &Checkout) -> Result<Outcome> {
    let missing: Vec<_> = NEEDS.iter().filter(|need| !(need.is_there)()).collect();
    for need in &missing {
        eprintln!("{} is missing", need.what);
    }
    if !missing.is_empty() {
        let packages = missing.iter().flat_map(|need| need.packages).copied();
        apt_get(checkout, packages.collect())?;
    }
    for (command, component) in COMPONENTS {
        if !works(&mut checkout.cargo(&[command, "--version"])) {
            must(&mut checkout.command("rustup", &["component", "add", component]))?;
        }
    }
    Ok(Outcome::Done)
}

/// Whether cargo-nextest is there, after an attempt to build it where it isn't.
pub(super) fn nextest(checkout: &Checkout) -> bool {
    let is_there = || works(&mut checkout.cargo(&["nextest", "--version"]));
    if is_there() {
        return true;
    }
    eprintln!("cargo-nextest is missing: building it, which takes some minutes, once");
    let built = must(&mut checkout.cargo(&["install", "--locked", "cargo-nextest"]));
    if let Err(error) = &built {
        eprintln!("{error:#}");
    }
    built.is_ok() && is_there()
}

/// Whether the targets can be fuzzed, after an attempt to build cargo-fuzz where there is a nightly
/// toolchain without it. The fuzzer's runtime is C++.
pub(super) fn cargo_fuzz(checkout: &Checkout) -> bool {
    let nightly = |words: &[&str]| {
        let words: Vec<_> = ["run", "nightly"].iter().chain(words).copied().collect();
        checkout.command("rustup", &words)
    };
    let is_there = || works(&mut nightly(&["cargo", "fuzz", "--version"]));
    if !works(&mut nightly(&["rustc", "--version"])) {
        return false;
    }
    if !runs("c++") && apt_get(checkout, vec!["g++"]).is_err() {
        return false;
    }
    if !is_there() {
        eprintln!("cargo-fuzz is missing: building it, which takes some minutes, once");
        let built = must(&mut checkout.cargo(&["install", "--locked", "cargo-fuzz"]));
        built.err().iter().for_each(|error| eprintln!("{error:#}"));
    }
    is_there()
}

fn apt_get(checkout: &Checkout, packages: Vec<&str>) -> Result<()> {
    let Some(prefix) = root_prefix() else {
        bail!("install {} first (there is neither root nor sudo here)", packages.join(" "));
    };
    let run = |words: &[&str]| {
        let words: Vec<_> = prefix.iter().chain(words).copied().collect();
        must(&mut checkout.command("env", &words))
    };
    run(&["apt-get", "update"])?;
    let install = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y"];
    let words: Vec<_> =
        install.into_iter().chain(["--no-install-recommends"]).chain(packages).collect();
    run(&words)?;
    Ok(())
}

/// The words that make a command run as root.
fn root_prefix() -> Option<&'static [&'static str]> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        Some(&[])
    } else {
        works(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n", "env"])
    }
}

/// On the path, or where Debian puts it.
fn has_postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    runs("initdb") || versions.into_iter().any(|version| version.path().join("bin/initdb").exists())
}

fn runs(program: &str) -> bool {
    works(Command::new(program).arg("--version"))
}
