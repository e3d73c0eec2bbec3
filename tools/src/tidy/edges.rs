//! Who may import whom: DESIGN's table, checked against every manifest and the lock file.
//!
//! Edges between members come from `[dependencies]` and `[build-dependencies]`, for every target; tests may import
//! what they like. What a crate may not even reach is looked for through the lock file, which holds no
//! dev-dependencies of other people's packages and knows all features: it may see too much, never too little.

use super::Finding;
use crate::repo::Repo;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// What a member may import.
enum May {
    /// These members.
    Only(&'static [&'static str]),
    /// These, and these behind a feature.
    AndOptional(&'static [&'static str], &'static [&'static str]),
    Everything,
}

/// Every member by its package's name, `waypost-` left out.
const MEMBERS: &[(&str, May)] = &[
    ("link", May::Only(&[])),
    ("agent", May::Only(&[])),
    ("h1", May::Only(&[])),
    ("storage", May::Only(&["link"])),
    ("index", May::Only(&["link"])),
    ("clicks", May::Only(&["link", "storage"])),
    ("redirect", May::Only(&["link", "agent", "index", "clicks"])),
    (
        "waypost",
        May::AndOptional(
            &["redirect", "index", "clicks", "storage", "link", "agent"],
            &["lmdb", "postgres"],
        ),
    ),
    ("edge", May::Only(&["h1", "redirect", "link"])),
    ("service", May::Only(&["link", "agent", "storage", "index", "clicks", "redirect"])),
    ("api", May::Only(&["h1", "service", "link", "redirect"])),
    ("console", May::Only(&["h1"])),
    ("lmdb", May::Only(&["storage", "link", "agent"])),
    ("postgres", May::Only(&["storage", "link", "agent"])),
    ("server", May::Everything),
    ("tests", May::Everything),
    ("benches", May::Everything),
    ("peers", May::Only(&[])),
    ("fuzz", May::Everything),
    ("tools", May::Only(&[])),
];

/// Stores, JSON and vendors' names: what the data plane may not reach.
const NOT_DATA_PLANE: &[&str] = &[
    "waypost-lmdb",
    "waypost-postgres",
    "waypost-api",
    "waypost-service",
    "heed",
    "postgres",
    "tokio",
    "serde_json",
    "simd-json",
];

/// What a crate may have no path to, however long.
const UNREACHABLE: &[(&str, &[&str])] = &[
    ("waypost-redirect", NOT_DATA_PLANE),
    ("waypost-index", NOT_DATA_PLANE),
    ("waypost-h1", NOT_DATA_PLANE),
    ("waypost", &["tokio", "may", "may_minihttp"]),
];

/// One package of the workspace.
struct Package {
    manifest: String,
    name: String,
    /// Package names, and whether each is behind a feature.
    imports: Vec<(String, bool)>,
}

/// Members that import a member they may not.
pub(super) fn between_members(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages(repo, &mut findings) {
        let Some((_, may)) = MEMBERS.iter().find(|(name, _)| *name == short(&package.name)) else {
            let what = format!("{} is not in the table of who may import whom", package.name);
            findings.push(Finding::new(&package.manifest, 0, what));
            continue;
        };
        for (import, optional) in &package.imports {
            if is_member(import) && !allowed(may, short(import), *optional) {
                let what = format!("{} may not import {import}", package.name);
                findings.push(Finding::new(&package.manifest, 0, what));
            }
        }
    }
    findings
}

/// Members that reach what they may not know.
pub(super) fn reach(repo: &Repo) -> Vec<Finding> {
    let packages = packages(repo, &mut Vec::new());
    let mut graph = locked(repo.text("Cargo.lock").unwrap_or_default());
    for package in &packages {
        let imports = package.imports.iter().filter(|(_, optional)| !optional);
        graph.insert(package.name.clone(), imports.map(|(name, _)| name.clone()).collect());
    }
    let mut findings = Vec::new();
    for package in &packages {
        for (_, targets) in UNREACHABLE.iter().filter(|(name, _)| *name == package.name) {
            for path in targets.iter().filter_map(|target| path_to(&graph, &package.name, target)) {
                findings.push(Finding::new(&package.manifest, 0, path.join(" → ")));
            }
        }
    }
    findings
}

fn short(name: &str) -> &str {
    name.strip_prefix("waypost-").unwrap_or(name)
}

fn is_member(name: &str) -> bool {
    name == "waypost" || name.starts_with("waypost-")
}

fn allowed(may: &May, import: &str, optional: bool) -> bool {
    match may {
        May::Everything => true,
        May::Only(names) => names.contains(&import),
        May::AndOptional(names, behind) => {
            names.contains(&import) || (optional && behind.contains(&import))
        }
    }
}

fn packages(repo: &Repo, findings: &mut Vec<Finding>) -> Vec<Package> {
    let mut packages = Vec::new();
    for (folder, text) in repo.manifests() {
        let manifest = format!("{folder}/Cargo.toml");
        match text.parse::<Table>() {
            Err(error) => findings.push(Finding::new(&manifest, 0, error.message())),
            Ok(table) => {
                let name = table.get("package").and_then(|package| package.get("name"));
                let name = name.and_then(Value::as_str).unwrap_or(folder).to_owned();
                packages.push(Package { manifest, name, imports: imports(&table) });
            }
        }
    }
    packages
}

/// Everything that the package itself is built from.
fn imports(manifest: &Table) -> Vec<(String, bool)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    let mut imports = Vec::new();
    for table in std::iter::once(manifest).chain(targets) {
        for kind in ["dependencies", "build-dependencies"] {
            for (key, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let package = value.get("package").and_then(Value::as_str).unwrap_or(key);
                let optional = value.get("optional").and_then(Value::as_bool).unwrap_or(false);
                imports.push((package.to_owned(), optional));
            }
        }
    }
    imports
}

/// Package name → the names that it depends on, from a lock file.
fn locked(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let table = lock.parse::<Table>().unwrap_or_default();
    for package in table.get("package").and_then(Value::as_array).into_iter().flatten() {
        let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
        let list = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let names = list.filter_map(Value::as_str).filter_map(|entry| entry.split(' ').next());
        graph.entry(name.to_owned()).or_default().extend(names.map(str::to_owned));
    }
    graph
}

/// The shortest way from one package to another.
fn path_to(
    graph: &BTreeMap<String, BTreeSet<String>>,
    from: &str,
    to: &str,
) -> Option<Vec<String>> {
    let mut seen = BTreeSet::from([from.to_owned()]);
    let mut paths = vec![vec![from.to_owned()]];
    while !paths.is_empty() {
        let mut longer = Vec::new();
        for path in paths {
            for next in path.last().and_then(|last| graph.get(last)).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    let path: Vec<_> = path.iter().chain([next]).cloned().collect();
                    if next == to {
                        return Some(path);
                    }
                    longer.push(path);
                }
            }
        }
        paths = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::{between_members, reach};

    const LINK: &str = "[package]\nname = \"waypost-link\"\n";

    #[test]
    fn edges_of_the_table_and_no_others() {
        let check = |manifest: &str, count: usize| {
            let found = vec![("x/Cargo.toml", 0); count];
            expect(between_members, &[("x/Cargo.toml", manifest)], &found);
        };
        check(
            "[package]\nname = \"waypost-index\"\n[dependencies]\nwaypost-link = {}\nurl = \"2\"",
            0,
        );
        check("[package]\nname = \"waypost-index\"\n[dependencies]\nwaypost-storage = {}", 1);
        check("[package]\nname = \"waypost-link\"\n[dependencies]\nwaypost.workspace = true", 1);
        check("[package]\nname = \"waypost-link\"\n[dev-dependencies]\nwaypost-lmdb = {}", 0);
        check("[package]\nname = \"waypost-link\"\n[build-dependencies]\nwaypost-lmdb = {}", 1);
        check("[package]\nname = \"waypost-link\"\n[target.x.dependencies]\nwaypost-h1 = {}", 1);
        check(
            "[package]\nname = \"waypost-link\"\n[dependencies]\nx = { package = \"waypost-h1\" }",
            1,
        );
        check(
            "[package]\nname = \"waypost\"\n[dependencies]\nwaypost-lmdb = { optional = true }",
            0,
        );
        check("[package]\nname = \"waypost\"\n[dependencies]\nwaypost-lmdb = {}", 1);
        check("[package]\nname = \"waypost-server\"\n[dependencies]\nwaypost-lmdb = {}", 0);
        check("[package]\nname = \"waypost-stranger\"\n", 1);
        check("[package\n", 1);
    }

    #[test]
    fn long_ways_are_found() {
        let check = |index: &str, lock: &str, count: usize| {
            let texts = [("i/Cargo.toml", index), ("l/Cargo.toml", LINK), ("Cargo.lock", lock)];
            expect(reach, &texts, &vec![("i/Cargo.toml", 0); count]);
        };
        let index = "[package]\nname = \"waypost-index\"\n[dependencies]\nurl = \"2\"\n";
        let entry = |name: &str, to: &str| {
            format!("[[package]]\nname = \"{name}\"\ndependencies = [\"{to}\"]\n")
        };
        check(index, "", 0);
        check(index, &entry("url", "idna"), 0);
        check(index, &(entry("url", "idna 1.0.0") + &entry("idna", "serde_json")), 1);
        check(&format!("{index}tokio = \"1\""), "", 1);
        check(&format!("{index}tokio = {{ version = \"1\", optional = true }}"), "", 0);
        check(&format!("{index}\n[dev-dependencies]\nserde_json = \"1\""), "", 0);
        check(index, &(entry("url", "idna") + &entry("idna", "url")), 0);
    }
}
