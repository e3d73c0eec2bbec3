//! A change on one node is seen on the other, whether the database tells of it or has to be asked.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Node, visit};
use crate::support::await_that;

const CHANGES: usize = 40;
/// Far beyond what it takes; the figures are printed.
const BOUND: Duration = Duration::from_secs(10);

fn check(query: &'static str) {
    let [node, other] = Node::two(query);
    let mut delays = Vec::new();
    for n in 0..CHANGES {
        let code = format!("c{n}");
        node.link(&json!({ "destination_url": "https://example.com/", "code": code }));
        let made = Instant::now();
        let mut client = other.client();
        while visit(&mut client, &code) != 302 {
            assert!(made.elapsed() < BOUND, "{code} is not seen");
        }
        delays.push(made.elapsed());
    }
    delays.sort_unstable();
    let ms = |delay: Duration| delay.as_secs_f64() * 1e3;
    let (median, worst) = (ms(delays[CHANGES / 2]), ms(delays[CHANGES - 1]));
    println!("seen on another node {query}: median {median:.1} ms, worst {worst:.1} ms");
}

#[test]
fn with_notify() {
    check("");
}

#[test]
fn without_notify() {
    check("?notify=off");
}

#[test]
fn what_is_deleted_on_one_node_is_gone_on_the_other() {
    let [node, other] = Node::two("");
    node.link(&json!({ "destination_url": "https://example.com/", "code": "hi" }));
    other.server.await_link("hi");
    other.data.ok(&["link", "rm", "hi"]);
    for node in [&node, &other] {
        await_that(|| visit(&mut node.client(), "hi") == 404, "the link to be gone");
    }
}

/// Not even those of a link whose clicks are limited wait for a node's clicks to be written.
#[test]
fn changes_are_followed_while_clicks_wait() {
    let [node, other] = Node::two("");
    let link = |code: &str| json!({ "destination_url": "https://example.com/", "code": code });
    node.link(&link("limited"));
    node.data.ok(&["link", "set", "limited", "max_clicks=10"]);
    node.link(&link("hi"));
    other.server.await_link("hi");
    let mut database = node.data.database().connect();
    let mut locked = database.transaction().expect("a transaction");
    let lock = "LOCK TABLE waypost.clicks IN ACCESS EXCLUSIVE MODE";
    locked.batch_execute(lock).expect("a lock");
    assert_eq!(visit(&mut other.client(), "hi"), 302);
    node.data.ok(&["link", "set", "limited", "max_clicks=30"]);
    node.link(&link("later"));
    other.server.await_link("later");
    locked.rollback().expect("an answer");
    other.data.await_clicks("hi", 1);
}
