//! `cargo xtask tidy`: the invariants that the compiler doesn't know.
//!
//! A rule is a function from the repository to findings; [`RULES`] lists them all. Plain `cargo test` runs them too
//! (the last test below), so nobody has to remember this command. Exceptions are tables with a reason in them, next
//! to their rule, never a marker in the code that breaks it.

mod documented;
mod edges;
mod files;
mod functions;
mod scheduler;
mod tokens;

use crate::repo::{self, Repo};
use anyhow::Result;
use std::fmt;
use std::process::ExitCode;

/// One invariant.
struct Rule {
    name: &'static str,
    check: fn(&Repo) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule { name: "edge", check: edges::between_members },
    Rule { name: "reach", check: edges::reach },
    Rule { name: "work-stealing", check: scheduler::work_stealing },
    Rule { name: "long-function", check: functions::long },
    Rule { name: "long-file", check: files::long },
    Rule { name: "vague-name", check: files::vague_names },
    Rule { name: "module-docs", check: files::without_docs },
    Rule { name: "unsafe", check: files::without_forbid },
    Rule { name: "unfinished", check: tokens::unfinished },
    Rule { name: "undocumented-setting", check: documented::settings },
    Rule { name: "undocumented-metric", check: documented::metrics },
];

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1; 0 where the finding is about the whole file.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// Prints what is wrong; fails where anything is.
pub(crate) fn run(_: &[String]) -> Result<ExitCode> {
    let findings = findings(&Repo::read(&repo::root())?);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} rules, nothing found", RULES.len());
            Ok(ExitCode::SUCCESS)
        }
        count => {
            eprintln!("tidy: {count} findings");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What every rule has to say, each line with its rule's name.
fn findings(repo: &Repo) -> Vec<String> {
    let of = |rule: &Rule| {
        let name = rule.name;
        (rule.check)(repo).into_iter().map(move |finding| format!("{finding} [{name}]"))
    };
    RULES.iter().flat_map(of).collect()
}

/// Checks what one rule says of a made-up repository: findings by path and line.
#[cfg(test)]
fn expect(check: fn(&Repo) -> Vec<Finding>, texts: &[(&str, &str)], expected: &[(&str, usize)]) {
    let found = check(&Repo::of(texts));
    let places: Vec<_> = found.iter().map(|finding| (&*finding.path, finding.line)).collect();
    assert_eq!(places, expected, "{found:#?}\nin {texts:#?}");
}

#[cfg(test)]
mod tests {
    use super::{Finding, findings};
    use crate::repo::{self, Repo};

    #[test]
    fn findings_can_be_clicked() {
        assert_eq!(Finding::new("a/b.rs", 3, "why").to_string(), "a/b.rs:3: why");
        assert_eq!(Finding::new("a/b.rs", 0, "why").to_string(), "a/b.rs: why");
    }

    #[test]
    fn this_repository_is_tidy() {
        let repo = Repo::read(&repo::root()).expect("the checkout can be read");
        assert!(repo.text("Cargo.toml").is_some(), "the root was found");
        let findings = findings(&repo);
        assert!(findings.is_empty(), "{} findings\n{}", findings.len(), findings.join("\n"));
    }
}
