//! A creation that is repeated at the other node gives the first answer, also at the same moment.

use std::{collections::BTreeSet, thread};

use serde_json::json;

use super::{Node, json};

#[test]
fn an_idempotency_key_holds_on_all_nodes() {
    let nodes = Node::two("");
    let create = |node: &Node, key: &str, url: &str| {
        let header = format!("Idempotency-Key: {key}\r\n");
        node.call("POST", "/api/links", &header, &json!({ "destination_url": url }))
    };
    let first = create(&nodes[0], "one", "https://example.com/");
    let again = create(&nodes[1], "one", "https://example.com/");
    assert_eq!((first.status, again.status), (200, 200), "{}", again.body);
    assert_eq!(json(&first)["link"]["id"], json(&again)["link"]["id"]);
    assert_eq!(create(&nodes[1], "one", "https://example.org/").status, 422);
    for n in 0..10 {
        let key = format!("at once {n}");
        let ids: BTreeSet<String> = thread::scope(|scope| {
            let one = |node| {
                let answer = create(node, &key, "https://example.com/");
                assert_eq!(answer.status, 200, "{}", answer.body);
                json(&answer)["link"]["id"].to_string()
            };
            let both = nodes.each_ref().map(|node| scope.spawn(move || one(node)));
            both.into_iter().map(|one| one.join().expect("a creation")).collect()
        });
        assert_eq!(ids.len(), 1, "one link was made, and both are told of it");
    }
}
