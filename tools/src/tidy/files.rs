//! Files: how long, how called, how they begin.

use super::Finding;
use crate::repo::Repo;
use std::path::Path;

/// Lines that a source may have.
const MAX_LINES: usize = 500;

/// Longer sources, each with the reason why it stays in one piece: uniform tables, mostly.
const LONG: &[(&str, &str)] = &[];

/// Names that say nothing about what is inside.
const VAGUE: &[&str] = &["utils", "util", "helpers", "helper", "manager", "managers", "misc"];

/// The crates that may hold `unsafe`.
const UNSAFE: &[&str] = &["crates/h1", "crates/index", "storage-backends/lmdb"];

/// In how many lines a source says why it exists.
const OPENING: usize = 10;

/// Sources longer than [`MAX_LINES`], and exceptions that are none.
pub(super) fn long(repo: &Repo) -> Vec<Finding> {
    over(repo, LONG)
}

/// Files and folders on the way to a source that are called utils or the like.
pub(super) fn vague_names(repo: &Repo) -> Vec<Finding> {
    let vague = |path: &str| {
        let part = path.split('/').find(|part| VAGUE.contains(&part.trim_end_matches(".rs")))?;
        Some(Finding::new(path, 0, format!("\"{part}\" doesn't say what is in it")))
    };
    repo.rust().filter_map(|(path, _)| vague(path)).collect()
}

/// Sources without module docs near the top.
pub(super) fn without_docs(repo: &Repo) -> Vec<Finding> {
    let starts = |text: &str| text.lines().take(OPENING).any(|line| line.starts_with("//!"));
    let silent = repo.rust().filter(|(_, text)| !starts(text));
    silent.map(|(path, _)| Finding::new(path, 1, "doesn't say why it exists (//! …)")).collect()
}

/// Crate roots that leave `unsafe` open without being among those who may.
pub(super) fn without_forbid(repo: &Repo) -> Vec<Finding> {
    let open = |(path, text): (&str, &str)| {
        let folder = path.rsplit_once("/src/").map_or("", |(folder, _)| folder);
        let may = UNSAFE.contains(&folder) || !is_crate_root(path);
        let forbids = text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]");
        (!may && !forbids).then(|| Finding::new(path, 1, "lacks #![forbid(unsafe_code)]"))
    };
    repo.rust().filter_map(open).collect()
}

fn over(repo: &Repo, long: &[(&str, &str)]) -> Vec<Finding> {
    let lines = |text: &str| text.lines().count();
    let mut findings = Vec::new();
    for (path, text) in repo.rust() {
        let count = lines(text);
        if count > MAX_LINES && !long.iter().any(|(name, _)| *name == path) {
            findings.push(Finding::new(path, 0, format!("{count} lines of {MAX_LINES}")));
        }
    }
    for (path, _) in long {
        if repo.text(path).is_none_or(|text| lines(text) <= MAX_LINES) {
            findings.push(Finding::new(path, 0, "no longer needs to be an exception"));
        }
    }
    findings
}

fn is_crate_root(path: &str) -> bool {
    let path = Path::new(path);
    let name = path.file_name().unwrap_or_default();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    (folder == "src" && (name == "lib.rs" || name == "main.rs")) || folder == "bin"
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::{MAX_LINES, long, over, vague_names, without_docs, without_forbid};

    #[test]
    fn length() {
        let check = |lines: usize, expected: &[(&str, usize)]| {
            expect(long, &[("a.rs", &"\n".repeat(lines))], expected);
        };
        check(MAX_LINES, &[]);
        check(MAX_LINES + 1, &[("a.rs", 0)]);
    }

    #[test]
    fn exceptions_are_needed() {
        let check = |lines: usize, count: usize| {
            let repo = crate::repo::Repo::of(&[("a.rs", &"\n".repeat(lines))]);
            assert_eq!(over(&repo, &[("a.rs", "a table")]).len(), count, "{lines}");
        };
        check(MAX_LINES, 1);
        check(MAX_LINES + 1, 0);
        assert_eq!(over(&crate::repo::Repo::of(&[]), &[("gone.rs", "a table")]).len(), 1);
    }

    #[test]
    fn names() {
        let check = |path: &str, found: bool| {
            let expected = [(path, 0)];
            expect(vague_names, &[(path, "")], if found { &expected } else { &[] });
        };
        check("crates/a/src/utils.rs", true);
        check("crates/a/src/helpers/mod.rs", true);
        check("crates/a/src/manager.rs", true);
        check("crates/a/src/slug.rs", false);
        check("crates/a/src/utilities_of_birds.rs", false);
    }

    #[test]
    fn docs_come_first() {
        let check = |text: &str, expected: &[(&str, usize)]| {
            expect(without_docs, &[("a.rs", text)], expected);
        };
        check("//! Why.\n", &[]);
        check("#![forbid(unsafe_code)]\n//! Why.\n", &[]);
        check("fn f() {}\n", &[("a.rs", 1)]);
        check("/// Docs of something else.\nfn f() {}\n", &[("a.rs", 1)]);
        check(&format!("{}//! Late.\n", "\n".repeat(10)), &[("a.rs", 1)]);
    }

    #[test]
    fn unsafe_is_forbidden_at_the_root() {
        let check = |path: &str, text: &str, found: bool| {
            let expected = [(path, 1)];
            expect(without_forbid, &[(path, text)], if found { &expected } else { &[] });
        };
        check("crates/link/src/lib.rs", "", true);
        check("crates/link/src/lib.rs", "//! #![forbid(unsafe_code)]\n", true);
        check("crates/link/src/lib.rs", "#![forbid(unsafe_code)]\n", false);
        check("crates/link/src/slug.rs", "", false);
        check("crates/server/src/main.rs", "", true);
        check("crates/server/src/bin/other.rs", "", true);
        check("crates/h1/src/lib.rs", "", false);
        check("storage-backends/lmdb/src/lib.rs", "", false);
        check("storage-backends/postgres/src/lib.rs", "", true);
    }
}
