//! The fuzz targets, briefly.
//!
//! `fuzz/` is a workspace of its own: a library with one `pub fn NAME(data: &[u8])` a target, a thin
//! `fuzz_targets/NAME.rs` each, `corpus/NAME/*`, and a test that runs every corpus file through its target. That test
//! runs always, on the stable compiler; where nightly and cargo-fuzz are installed each target is also fuzzed for
//! [`SECONDS`]. New inputs go to `fuzz/target/`, so a run never changes the corpus that is under version control.

use super::{Checkout, Outcome, install, must};
use anyhow::{Context as _, Result};

/// How long each target is fuzzed.
const SECONDS: u32 = 30;

/// Replays the corpus, then fuzzes where that can be done.
pub(super) fn smoke(checkout: &Checkout) -> Result<Outcome> {
    if !checkout.has("fuzz/Cargo.toml") {
        return Ok(Outcome::Skipped("There is no fuzz/ yet.".to_owned()));
    }
    let replay = ["test", "--manifest-path", "fuzz/Cargo.toml", "--no-default-features"];
    must(&mut checkout.cargo(&replay))?;
    if !install::cargo_fuzz(checkout) {
        let why = "The corpus was replayed; to fuzz as well, install a nightly toolchain.";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    for target in targets(checkout)? {
        fuzz(checkout, &target)?;
    }
    Ok(Outcome::Done)
}

/// The names of the files in `fuzz_targets`, in order.
fn targets(checkout: &Checkout) -> Result<Vec<String>> {
    let folder = checkout.root.join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn fuzz(checkout: &Checkout, target: &str) -> Result<Outcome> {
    let fresh = format!("fuzz/target/smoke/{target}");
    std::fs::create_dir_all(checkout.root.join(&fresh)).with_context(|| fresh.clone())?;
    let corpus = format!("fuzz/corpus/{target}");
    let time = format!("-max_total_time={SECONDS}");
    let mut words = vec!["run", "nightly", "cargo", "fuzz", "run", target, &fresh];
    if checkout.has(&corpus) {
        words.push(&corpus);
    }
    words.extend(["--", &time]);
    must(&mut checkout.command("rustup", &words))
}
