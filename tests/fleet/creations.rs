//! Eight writers on two nodes that want the same codes: each goes to one of them, and all are on both
//! nodes afterwards.
//!
//! 1,000 codes by default; `FLEET_CREATIONS=10000 cargo nextest run -p waypost-tests fleet --no-capture`
//! for more.

use std::{thread, time::Instant};

use serde_json::json;

use super::{Node, request, visit};
use crate::support::await_that;

const CODES: usize = 1_000;
/// Names another number of codes.
const VARIABLE: &str = "FLEET_CREATIONS";
const WRITERS: usize = 8;

/// Tries every code that is this writer's; those that it got. Writers `n` and `n + 4` are on different nodes and want
/// the same ones.
fn write(node: &Node, writer: usize, codes: usize) -> Vec<usize> {
    let mut client = node.client();
    let own = (0..codes).filter(|code| code % (WRITERS / 2) == writer % (WRITERS / 2));
    let got = |&code: &usize| {
        let body = json!({ "destination_url": "https://example.com/", "code": format!("c{code}") });
        let answer = client.send(request("POST", "/api/links", "", &body)).answer();
        match answer.expect("an answer").status {
            200 => true,
            409 => false,
            other => panic!("{other}"),
        }
    };
    own.filter({
        let mut got = got;
        move |code| got(code)
    })
    .collect()
}

#[test]
fn eight_writers_on_two_nodes() {
    let codes = std::env::var(VARIABLE).map_or(CODES, |codes| codes.parse().expect("a number"));
    let nodes = Node::two("");
    let begun = Instant::now();
    let mut made: Vec<usize> = thread::scope(|scope| {
        let nodes = &nodes;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || write(&nodes[writer / 4], writer, codes)))
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect()
    });
    println!("{codes} codes, each wanted twice: {:.1} s", begun.elapsed().as_secs_f64());
    made.sort_unstable();
    assert_eq!(made, (0..codes).collect::<Vec<_>>(), "each code goes to one writer");
    for node in &nodes {
        let mut client = node.client();
        for code in 0..codes {
            let code = format!("c{code}");
            if visit(&mut client, &code) != 302 {
                await_that(|| visit(&mut node.client(), &code) == 302, "the link");
            }
        }
    }
    let links =
        nodes[0].data.database().connect().query_one("SELECT count(*) FROM waypost.links", &[]);
    assert_eq!(links.expect("a count").get::<_, i64>(0), codes as i64);
}
