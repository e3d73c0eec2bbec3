//! `cargo xtask test`: everything that has to hold before a change lands, in one command.
//!
//! Steps are a table, run in order, each under a heading and stopped at by the first failure; `cargo xtask test fmt
//! clippy` runs just those. The tests are the last step, so that the output ends in the test runner's own summary. A
//! step that can't run here says why; what is skipped is listed again before the tests.

mod fuzz;
mod install;
mod steps;

use crate::repo;
use anyhow::{Context as _, Result, bail};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

pub(crate) use steps::STEPS;

/// One check.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    run: fn(&Checkout) -> Result<Outcome>,
}

/// What became of a step that didn't fail.
enum Outcome {
    Done,
    /// With the reason, a whole sentence.
    Skipped(String),
}

/// Where the steps run.
struct Checkout {
    root: PathBuf,
}

/// Runs the steps named in `arguments`, or all of them.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let steps = match select(arguments) {
        Ok(steps) => steps,
        Err(error) => {
            eprintln!("xtask test: {error}");
            return Ok(ExitCode::from(crate::USAGE));
        }
    };
    let checkout = Checkout { root: repo::root() };
    let count = steps.len();
    let mut skipped = Vec::new();
    for (number, step) in steps.into_iter().enumerate() {
        if number + 1 == count {
            skipped.iter().for_each(|line| eprintln!("{line}"));
        }
        eprintln!("\n━━ {}/{count} {}: {}", number + 1, step.name, step.help);
        let start = Instant::now();
        let outcome =
            (step.run)(&checkout).with_context(|| format!("step {} failed", step.name))?;
        let seconds = start.elapsed().as_secs_f64();
        match outcome {
            Outcome::Skipped(why) => {
                let line = format!("━━ {}: SKIPPED. {why}", step.name);
                eprintln!("{line}");
                skipped.push(line);
            }
            Outcome::Done if number + 1 == count => {} // the runner's last line closes the output
            Outcome::Done => eprintln!("━━ {}: {seconds:.1} s", step.name),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The steps of these names in the table's order; all of them where there are none.
fn select(names: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        bail!("there is no step \"{unknown}\"; there are {}", known.join(", "));
    }
    let wanted = |step: &&Step| names.is_empty() || names.iter().any(|name| *name == step.name);
    Ok(STEPS.iter().filter(wanted).collect())
}

impl Checkout {
    /// `cargo` with these words, in the checkout.
    fn cargo(&self, arguments: &[&str]) -> Command {
        self.at_root(crate::cargo::cargo(), arguments)
    }

    /// Any program, in the checkout.
    fn command(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        self.at_root(Command::new(program), arguments)
    }

    fn at_root(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).current_dir(&self.root);
        command
    }

    fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }
}

/// Shows the command, runs it, and fails where it does.
fn must(command: &mut Command) -> Result<Outcome> {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let line = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
    eprintln!("$ {line}");
    let status = command.status().with_context(|| line.clone())?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(Outcome::Done)
}

/// Whether the command can be run and says that all is well; its output is nobody's business.
fn works(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::{STEPS, select};

    #[test]
    fn steps_are_picked_by_name_in_order() {
        let check = |names: &[&str], expected: Option<&[&str]>| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            let picked = select(&names).ok();
            let picked: Option<Vec<_>> =
                picked.map(|steps| steps.iter().map(|step| step.name).collect());
            assert_eq!(picked.as_deref(), expected, "{names:?}");
        };
        check(&["clippy", "fmt"], Some(&["fmt", "clippy"]));
        check(&["nonsense"], None);
        let all: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        check(&[], Some(&all));
        assert_eq!(all.last(), Some(&"tests"), "the runner's summary closes the output");
    }
}
