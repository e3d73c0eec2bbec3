//! A rolling upgrade: a node brings an older schema up to date, and works on a schema that a newer
//! version has added to.

use serde_json::json;

use super::Node;
use crate::support::{Backend, Data};

/// The schema of the first version, and the note that says so.
const FIRST: &str =
    include_str!("../../storage-backends/postgres/migrations/0001_links_and_clicks.sql");
const NOTE: &str = "
    CREATE SCHEMA waypost;
    CREATE TABLE waypost.migrations (
        number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
    INSERT INTO waypost.migrations (number, name) VALUES (1, 'links_and_clicks');
";

/// What a later version may do: add tables, columns with a default, indexes, and say so.
const LATER: &str = "
    ALTER TABLE waypost.links ADD COLUMN later text;
    ALTER TABLE waypost.clicks ADD COLUMN later bigint NOT NULL DEFAULT 0;
    ALTER TABLE waypost.records ADD COLUMN later boolean NOT NULL DEFAULT false;
    ALTER TABLE waypost.link_buckets ADD COLUMN later bigint NOT NULL DEFAULT 0;
    CREATE TABLE waypost.later (id bigint PRIMARY KEY);
    CREATE INDEX later_links ON waypost.links (created_at);
    INSERT INTO waypost.migrations (number, name) VALUES (1000, 'later');
";

#[test]
fn a_node_brings_an_older_schema_up_to_date() {
    let data = Data::on(Backend::Postgres);
    for sql in [NOTE, FIRST] {
        data.database().connect().batch_execute(sql).expect("the first schema");
    }
    let pending = || data.ok(&["migrate", "status"]).contains("pending");
    assert!(pending(), "looking changes nothing");
    let node = Node::on(data.beside(""));
    assert!(!pending());
    node.link(&json!({ "destination_url": "https://example.com/", "code": "hi" }));
    node.server.await_link("hi");
    assert_eq!(node.server.get("/hi").status, 302);
    node.data.await_clicks("hi", 1);
    data.ok(&["verify"]);
}

#[test]
fn a_node_works_on_a_newer_schema() {
    let data = Data::on(Backend::Postgres);
    let before = Node::on(data.beside(""));
    before.link(&json!({ "destination_url": "https://example.com/", "code": "before" }));
    data.database().connect().batch_execute(LATER).expect("a later schema");
    let after = Node::on(data.beside(""));
    for (node, code) in [(&before, "meanwhile"), (&after, "after")] {
        let link =
            json!({ "destination_url": "https://example.com/", "code": code, "max_clicks": 9 });
        node.link(&link);
    }
    for node in [&before, &after] {
        for code in ["before", "meanwhile", "after"] {
            node.server.await_link(code);
            assert_eq!(node.server.get(&format!("/{code}")).status, 302);
        }
    }
    for code in ["before", "meanwhile", "after"] {
        before.data.await_clicks(code, 2);
    }
    let status = data.ok(&["migrate", "status"]);
    assert!(status.contains("links_and_clicks"), "{status}");
    data.ok(&["verify"]);
}
