//! `waypost node`: who is there, how far it has come, and who isn't any more.

use std::{fs, path::Path};

use serde_json::Value;

use super::Node;
use crate::support::{Data, await_that};

fn list(data: &Data) -> Vec<Value> {
    serde_json::from_str(&data.ok(&["node", "list", "--json"])).expect("JSON")
}

#[test]
fn nodes_are_listed_with_version_lag_and_name() {
    let [one, other] = Node::two("");
    await_that(|| list(&one.data).len() == 2, "both to be listed");
    one.data.ok(&["link", "add", "hi", "https://example.com/"]);
    let caught_up = || list(&other.data).iter().all(|node| node["lag"] == 0);
    await_that(caught_up, "both to have no lag");
    for node in list(&other.data) {
        assert_eq!(node["version"], env!("CARGO_PKG_VERSION"));
        assert!(node["last_seen"].as_str().is_some_and(|at| at.ends_with('Z')), "{node}");
    }
    let table = one.data.ok(&["node", "list"]);
    assert!(table.starts_with("ID") && table.lines().count() == 3, "{table}");
    let id = list(&one.data)[0]["id"].to_string();
    let refused = one.data.run(&["node", "forget", &id]);
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && why.contains("stop it first"), "{why}");
}

#[test]
fn a_directory_keeps_its_node_and_a_copy_is_another() {
    let [one, other] = Node::two("");
    await_that(|| list(&one.data).len() == 2, "both to be listed");
    let one = one.killed();
    let copied = one.data.beside("");
    one.server.kill();
    copy(&one.data.path().join("data"), &copied.path().join("data"));
    let (one, copied) = (Node::on(one.data), Node::on(copied));
    await_that(|| list(&one.data).len() == 3, "the copy to be listed");
    let mut names: Vec<_> =
        list(&copied.data).iter().map(|node| node["name"].to_string()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 3);
    drop(other);
}

#[test]
fn a_store_in_a_directory_has_no_list() {
    let data = Data::new();
    let refused = data.run(&["node", "list"]);
    assert_eq!(refused.status.code(), Some(1));
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(why.contains("one node"), "{why}");
}

/// Copies a directory as `cp -r` does.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
