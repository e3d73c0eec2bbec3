//! Work stealing stays off.
//!
//! Cargo gives one build of `may` the features that any member asks for. With `work_steal`, which is
//! on by default, a coroutine may wake on another thread than it slept on, and what `h1` does is
//! undefined behaviour. So nobody in this workspace may ask for it, tests and examples included.

use super::Finding;
use crate::repo::Repo;
use toml::{Table, Value};

/// The crates whose default features turn work stealing on.
const CRATES: &[&str] = &["may", "may_minihttp"];

/// Dependencies on these crates that don't turn their default features off.
pub(super) fn work_stealing(repo: &Repo) -> Vec<Finding> {
    let root = repo.text("Cargo.toml").map(|text| ("Cargo.toml".to_owned(), text));
    let members = repo.manifests().map(|(folder, text)| (format!("{folder}/Cargo.toml"), text));
    let mut findings = Vec::new();
    for (path, text) in root.into_iter().chain(members) {
        let manifest = text.parse::<Table>().unwrap_or_default();
        let alone = path != "Cargo.toml" && manifest.contains_key("workspace");
        for name in if alone { &[] } else { CRATES } {
            if asks(&Value::Table(manifest.clone()), name) {
                let what = format!("{name} without default-features = false: it would steal work");
                findings.push(Finding::new(&path, 0, what));
            }
        }
    }
    findings
}

/// Whether any table below `value` depends on `name` with its default features or `work_steal`.
fn asks(value: &Value, name: &str) -> bool {
    let Some(table) = value.as_table() else { return false };
    table.iter().any(|(key, value)| match key == name {
        true => steals(value),
        false => asks(value, name),
    })
}

fn steals(dependency: &Value) -> bool {
    let is = |key: &str, wanted: bool| dependency.get(key).and_then(Value::as_bool) == Some(wanted);
    let features = dependency.get("features").and_then(Value::as_array).into_iter().flatten();
    let named = features.filter_map(Value::as_str).any(|f| f == "work_steal" || f == "default");
    named || !(is("default-features", false) || is("workspace", true))
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::work_stealing;

    #[test]
    fn nobody_asks_for_it() {
        let check = |manifest: &str, count: usize| {
            let found = vec![("x/Cargo.toml", 0); count];
            expect(work_stealing, &[("x/Cargo.toml", manifest)], &found);
        };
        check("[dependencies]\nmay = \"0.3\"", 1);
        check("[dev-dependencies]\nmay_minihttp = \"0.1\"", 1);
        check("[dependencies]\nmay = { version = \"0.3\", default-features = false }", 0);
        check("[target.x.dependencies]\nmay.workspace = true", 0);
        check("[dependencies]\nmay = { workspace = true, features = [\"work_steal\"] }", 1);
        check("[workspace]\n[dependencies]\nmay = \"0.3\"", 0);
    }
}
