//! `cargo xtask prove`: the instructions of a redirect's steps, held against `benches/instructions.toml`.
//!
//! Callgrind counts instructions, not seconds: the same build counts the same on a busy machine. Each step of the example
//! `redirect_path` runs for two counts, and the difference is what the step costs, without setting up. A rise of more
//! than [`RISE`] fails; after a change that is meant, `cargo xtask prove --write` notes the new figures.

use crate::{cargo, repo};
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::{Command, ExitCode};
use toml::{Table, Value};

/// The steps, by their names in the example.
const STEPS: &[&str] = &[
    "parse-small",
    "parse-browser",
    "lookup",
    "decide",
    "decide-uncounted",
    "encode",
    "push",
    "redirect-small",
    "redirect-browser",
];

/// How often a step is done in the two runs.
const TIMES: (u64, u64) = (4_000, 14_000);

/// How often it is counted.
const RUNS: u32 = 3;

/// The rise that fails, as a share.
const RISE: f64 = 0.03;

const BASELINE: &str = "benches/instructions.toml";

/// Runs it; `--write` notes the figures instead of judging them.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let write = match arguments {
        [] => false,
        [flag] if flag == "--write" => true,
        _ => {
            eprintln!("xtask prove: the only argument is --write");
            return Ok(ExitCode::from(crate::USAGE));
        }
    };
    let root = repo::root();
    let words = ["--release", "--package", "waypost-benches", "--example", "redirect_path"];
    let example = cargo::build(&root, &words, "redirect_path")?;
    let counts =
        STEPS.iter().map(|step| Ok((*step, count(&example, step)?))).collect::<Result<Vec<_>>>()?;
    let path = root.join(BASELINE);
    if write {
        std::fs::write(&path, page(&counts)).with_context(|| path.display().to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let risen = judge(&counts, &text.parse().context(BASELINE)?);
    if risen.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("more than {:.0} % over {BASELINE}: {}", RISE * 100.0, risen.join(", "));
    Ok(ExitCode::FAILURE)
}

/// The instructions of one step: the least of some runs, since tables are keyed anew in each.
fn count(example: &Path, step: &str) -> Result<u64> {
    let once = || -> Result<u64> {
        let (few, many) = (collected(example, step, TIMES.0)?, collected(example, step, TIMES.1)?);
        Ok(many.saturating_sub(few) / (TIMES.1 - TIMES.0))
    };
    (0..RUNS).map(|_| once()).try_fold(u64::MAX, |least, count| Ok(least.min(count?)))
}

fn collected(example: &Path, step: &str, times: u64) -> Result<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let output = command.arg(example).arg(step).arg(times.to_string()).output();
    let output = output.context("valgrind can't be run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let found = said.lines().find_map(|line| line.split_once("Collected :"));
    match found.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if output.status.success() => Ok(count),
        _ => bail!("callgrind did not count {step}:\n{said}"),
    }
}

fn page(counts: &[(&str, u64)]) -> String {
    let rows = counts.iter().map(|(step, count)| format!("{step} = {count}\n"));
    let head = "# Instructions of a redirect's steps; `cargo xtask prove --write` writes this.\n";
    head.to_owned() + &rows.collect::<String>()
}

/// Prints each step beside its baseline; the names of those that rose too much or have none.
fn judge(counts: &[(&str, u64)], baseline: &Table) -> Vec<String> {
    let mut risen = Vec::new();
    println!("{:<20} {:>12} {:>12} {:>8}", "step", "instructions", "baseline", "change");
    for (step, count) in counts {
        let before = baseline.get(*step).and_then(Value::as_integer).unwrap_or(0) as f64;
        let change = *count as f64 / before - 1.0;
        println!("{step:<20} {count:>12} {before:>12} {:>7.1}%", change * 100.0);
        if change.is_nan() || change > RISE {
            risen.push((*step).to_owned());
        }
    }
    risen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_is_noticed_and_a_fall_is_not() {
        let baseline = page(&[("lookup", 100), ("push", 100)]).parse().unwrap();
        for (lookup, push, risen) in [(100, 102, 0), (50, 104, 1), (104, 104, 2)] {
            let counts = [("lookup", lookup), ("push", push)];
            assert_eq!(judge(&counts, &baseline).len(), risen, "{counts:?}");
        }
        assert_eq!(judge(&[("decide", 1)], &baseline), ["decide"]);
    }
}
