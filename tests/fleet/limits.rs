//! Click limits over two nodes: never more than the limit, and all of it, unless a dead node holds a part.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Node, visit};
use crate::support::{Client, await_that};

const CLIENTS: usize = 4;
/// How long nothing may be redirected until a limit is taken for spent.
const QUIET: Duration = Duration::from_secs(2);

fn limited(nodes: &[Node], code: &str, limit: u64) {
    let link =
        json!({ "destination_url": "https://example.com/", "code": code, "max_clicks": limit });
    nodes[0].link(&link);
    for node in nodes {
        node.server.await_link(code);
    }
}

/// Visits until nothing has been redirected for a while, or the server ends, or `most` were; how many were.
fn visits(mut client: Client, code: &str, most: u64) -> u64 {
    let request = format!("GET /{code} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let (mut redirected, mut last) = (0, Instant::now());
    while last.elapsed() < QUIET && redirected < most {
        let Some(answer) = client.send(&request).answer() else { break };
        match answer.status {
            302 => (redirected, last) = (redirected + 1, Instant::now()),
            503 => assert_eq!(answer.field("retry-after"), Some("1")),
            404 => thread::sleep(Duration::from_millis(5)),
            other => panic!("{other}"),
        }
    }
    redirected
}

/// All of `nodes` visited at once until nothing is left; how many were redirected.
fn hammer(nodes: &[&Node], code: &str) -> u64 {
    thread::scope(|scope| {
        let visit = |node: &Node| {
            let client = node.client();
            scope.spawn(move || visits(client, code, u64::MAX))
        };
        let visits: Vec<_> =
            nodes.iter().flat_map(|node| (0..CLIENTS).map(move |_| visit(node))).collect();
        visits.into_iter().map(|visits| visits.join().expect("a client")).sum()
    })
}

#[test]
fn a_limit_is_exact_on_two_nodes() {
    let nodes = Node::two("");
    for limit in [1, 100, 5_000] {
        let code = format!("only{limit}");
        limited(&nodes, &code, limit);
        assert_eq!(hammer(&nodes.each_ref(), &code), limit);
    }
    nodes[1].data.await_clicks("only5000", 5_000);
}

#[test]
fn a_raised_limit_goes_on() {
    let nodes = Node::two("");
    limited(&nodes, "hi", 10);
    assert_eq!(hammer(&nodes.each_ref(), "hi"), 10);
    nodes[0].data.ok(&["link", "set", "hi", "max_clicks=30"]);
    for node in &nodes {
        node.server.await_link("hi");
    }
    assert_eq!(hammer(&nodes.each_ref(), "hi"), 20);
}

#[test]
fn a_node_that_stops_gives_its_lease_back() {
    let nodes = Node::two("");
    limited(&nodes, "hi", 100);
    let before = visits(nodes[0].client(), "hi", 3);
    let [first, other] = nodes;
    assert!(first.server.stop().success());
    assert_eq!(before + hammer(&[&other], "hi"), 100);
}

#[test]
fn a_killed_node_comes_back_with_its_lease() {
    let nodes = Node::two("");
    limited(&nodes, "hi", 100);
    let before = visits(nodes[0].client(), "hi", 3);
    let [first, other] = nodes;
    let first = first.killed();
    first.server.await_link("hi");
    assert_eq!(before + hammer(&[&first, &other], "hi"), 100, "what it had not spent is there");
}

#[test]
fn a_node_killed_under_load_loses_what_was_on_its_way_at_most() {
    let nodes = Node::two("");
    limited(&nodes, "hi", 3_000);
    let [Node { data, server }, other] = nodes;
    let before: u64 = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| Client::connect(server.address)).collect();
        let visits: Vec<_> = clients
            .into_iter()
            .map(|client| scope.spawn(move || visits(client, "hi", u64::MAX)))
            .collect();
        thread::sleep(Duration::from_millis(50));
        server.kill();
        visits.into_iter().map(|visits| visits.join().expect("a client")).sum()
    });
    let first = Node::on(data);
    first.server.await_link("hi");
    let all = before + hammer(&[&first, &other], "hi");
    println!("{before} before the kill, {all} of 3000 in all");
    assert!(all <= 3_000, "{all}: more than the limit");
    // An eighth of what a lease holds is open at a time, and a lease is at most a quarter.
    assert!(all >= 3_000 - 3_000 / 32 - CLIENTS as u64, "{all}: too much was lost");
}

#[test]
fn a_dead_nodes_lease_comes_back_when_it_is_forgotten_and_not_by_itself() {
    let nodes = Node::two("");
    limited(&nodes, "hi", 100);
    let mut redirected = visits(nodes[0].client(), "hi", 3);
    // Counted, so that it is known what the dead node spent.
    nodes[1].data.await_clicks("hi", redirected);
    let [dead, other] = nodes;
    let list = |node: &Node| -> Vec<Value> {
        let list = node.data.ok(&["node", "list", "--json"]);
        serde_json::from_str(&list).expect("JSON")
    };
    dead.server.kill();
    redirected += hammer(&[&other], "hi");
    assert!(redirected < 100, "the dead node holds some");
    other.data.await_clicks("hi", redirected);
    // The one that is silent is forgotten; the one that is there isn't.
    let silent = || {
        let ids = list(&other).into_iter().map(|node| node["id"].to_string());
        ids.into_iter().any(|id| other.data.run(&["node", "forget", &id]).status.success())
    };
    await_that(silent, "the dead node to be forgotten");
    assert_eq!(list(&other).len(), 1);
    assert_eq!(redirected + hammer(&[&other], "hi"), 100);
    assert_eq!(visit(&mut other.client(), "hi"), 404);
}
