//! Two nodes edit different fields of one small object at the same moment: neither edit is lost.

use std::thread;

use serde_json::{Value, json};

use super::{Node, json};

const ROUNDS: usize = 40;

#[test]
fn no_edit_of_a_small_object_is_lost() {
    let nodes = Node::two("");
    let made = nodes[0].call("POST", "/api/collections", "", &json!({ "name": "first" }));
    let id = json(&made)["collection"]["id"].to_string();
    let path = format!("/api/collections/{id}");
    let edit = |node: &Node, body: Value| {
        let answer = node.call("PATCH", &path, "", &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    for round in 0..ROUNDS {
        let (name, description) = (format!("name {round}"), format!("description {round}"));
        thread::scope(|scope| {
            scope.spawn(|| edit(&nodes[0], json!({ "name": name })));
            scope.spawn(|| edit(&nodes[1], json!({ "description": description })));
        });
        let found = json(&nodes[round % 2].call("GET", &path, "", &Value::Null));
        let found = &found["collection"];
        assert_eq!((&found["name"], &found["description"]), (&json!(name), &json!(description)));
    }
}
