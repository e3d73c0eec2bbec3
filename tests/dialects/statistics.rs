//! Statistics as all dialects show them: the same clicks by everything they can be counted by, with
//! bots and without, and after their link was deleted.

use super::replay::{Stage, TOKEN};
use crate::support::{Backend, await_that, exchange};

/// To PostgreSQL and back: every dialect still says the same of the same clicks, and counts on.
#[test]
fn the_same_after_a_move() {
    let parts: Vec<_> = include_str!("statistics.fixture").split("\n\n\n").collect();
    let [clicked, counted, people, _] = parts[..] else { panic!("four parts") };
    let mut stage = Stage::new(&["--no-rate-limit"]);
    stage.replay(clicked).await_clicks("first", 5).await_clicks("second", 1).replay(counted);
    for to in [Backend::Postgres, Backend::Lmdb] {
        stage = stage.moved(to);
        stage.replay(counted).run(&["verify"]);
    }
    stage.run(&["workspace", "set", "default", "exclude_bots", "true"]).replay(people);
}

#[test]
fn the_same_clicks_everywhere() {
    let parts: Vec<_> = include_str!("statistics.fixture").split("\n\n\n").collect();
    let [clicked, counted, people, left] = parts[..] else { panic!("four parts") };
    let mut stage = Stage::new(&["--no-rate-limit"]);
    stage.replay(clicked).await_clicks("first", 5).await_clicks("second", 1).replay(counted);
    stage.run(&["workspace", "set", "default", "exclude_bots", "true"]).replay(people);
    stage.run(&["link", "rm", "first"]);
    let request = format!(
        "GET /api/stats/overview HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    let gone = || {
        let answer = exchange(stage.server.address, &request).expect("an answer");
        answer.body.contains("\"clicks\":1,\"bots\":0")
    };
    await_that(gone, "the deleted link's clicks to be taken out");
    stage.replay(left);
}
