//! Every setting and every metric is in the docs.
//!
//! The tables in the code are what counts: a setting is a row `setting("…", …)` under `crates/server/src/config`, a metric
//! any `waypost_…` name in a string literal of a crate. The docs name each in backticks or as a word of its own.

use super::Finding;
use super::tokens::strings;
use crate::repo::Repo;
use std::collections::BTreeSet;

const SETTINGS_FOLDER: &str = "crates/server/src/config";
const SETTINGS_DOCS: &str = "docs/configuration.md";
const METRICS_DOCS: &str = "docs/metrics.md";

/// What Prometheus adds to the name of a histogram.
const HISTOGRAM: &[&str] = &["_bucket", "_sum", "_count"];

/// Settings that the docs don't name.
pub(super) fn settings(repo: &Repo) -> Vec<Finding> {
    let documented = words(repo.text(SETTINGS_DOCS).unwrap_or_default());
    let sources = repo.rust().filter(|(path, _)| path.starts_with(SETTINGS_FOLDER));
    let mut findings = Vec::new();
    for (path, text) in sources {
        for (number, line) in text.lines().enumerate() {
            if let Some(name) = setting(line).filter(|name| !documented.contains(*name)) {
                let what = format!("setting \"{name}\" is not in {SETTINGS_DOCS}");
                findings.push(Finding::new(path, number + 1, what));
            }
        }
    }
    findings
}

/// Metrics that the docs don't name, each once.
pub(super) fn metrics(repo: &Repo) -> Vec<Finding> {
    let documented = words(repo.text(METRICS_DOCS).unwrap_or_default());
    let packages = packages(repo);
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for (path, text) in repo.rust().filter(|(path, _)| is_crate_source(path)) {
        for (line, string) in strings(text) {
            for name in words(&string).into_iter().filter(|name| name.starts_with("waypost_")) {
                let is_known = packages.contains(name) || is_documented(&documented, name);
                if !is_known && seen.insert(name.to_owned()) {
                    let what = format!("metric {name} is not in {METRICS_DOCS}");
                    findings.push(Finding::new(path, line, what));
                }
            }
        }
    }
    findings
}

/// The name in a row such as `setting("listen", List, …),`.
fn setting(line: &str) -> Option<&str> {
    let (name, _) = line.trim().strip_prefix("setting(\"")?.split_once('"')?;
    Some(name)
}

/// The identifiers in a text.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').collect()
}

fn is_documented(documented: &BTreeSet<&str>, name: &str) -> bool {
    let base = HISTOGRAM.iter().find_map(|end| name.strip_suffix(end));
    documented.contains(name) || base.is_some_and(|base| documented.contains(base))
}

fn is_crate_source(path: &str) -> bool {
    path.starts_with("crates/") && path.contains("/src/")
}

/// The members' names as Rust spells them: log targets, not metrics.
fn packages(repo: &Repo) -> BTreeSet<String> {
    let folder = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    repo.manifests().map(|(path, _)| format!("waypost_{}", folder(path))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::{metrics, settings};

    #[test]
    fn settings_are_in_the_docs() {
        let check = |table: &str, docs: &str, lines: &[usize]| {
            let path = "crates/server/src/config/settings.rs";
            let expected: Vec<_> = lines.iter().map(|line| (path, *line)).collect();
            expect(settings, &[(path, table), ("docs/configuration.md", docs)], &expected);
        };
        check(
            "    setting(\"listen\", List),\n    setting(\"data\", Text),",
            "| `listen` | where |",
            &[2],
        );
        check("setting(\"listen\", List, \"\")", "", &[1]);
        check("    setting(\"listen\", List),", "`listener`", &[1]);
        check("    setting(\"listen\", List),", "[`listen`]", &[]);
        check("    // the setting(\"listen\")", "", &[]);
    }

    #[test]
    fn metrics_are_in_the_docs() {
        let check = |path: &str, text: &str, docs: &str, lines: &[usize]| {
            let texts = [
                (path, text),
                ("docs/metrics.md", docs),
                ("crates/h1/Cargo.toml", "[package]\nname = \"waypost-h1\""),
            ];
            let expected: Vec<_> = lines.iter().map(|line| (path, *line)).collect();
            expect(metrics, &texts, &expected);
        };
        let path = "crates/edge/src/metrics.rs";
        check(path, "const A: &str = \"waypost_connections\";", "", &[1]);
        check(path, "const A: &str = \"waypost_connections\";", "`waypost_connections`", &[]);
        check(path, "write!(w, \"waypost_x_bucket{{le={x}}} 1\")", "`waypost_x`", &[]);
        check(path, "write!(w,\n \"# HELP waypost_x A thing\")", "`waypost_xy`", &[2]);
        check(path, "f(\"waypost_x\");\nf(\"waypost_x\");", "", &[1]);
        check(path, "/// `waypost_x`\nuse waypost_link::Link;", "", &[]);
        check(path, "f(\"waypost_h1=debug\")", "", &[]);
        check("tests/src/main.rs", "f(\"waypost_x\");", "", &[]);
    }
}
