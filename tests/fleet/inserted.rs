//! Clicks that another program inserts into the database: every dialect counts them.

use serde_json::{Value, json as value};

use super::{Node, TOKEN, json, visit};
use crate::support::{Backend, Data, await_that};

#[test]
fn an_inserted_click_counts_everywhere_and_spends_no_limit() {
    let [node, other] = Node::two("");
    let link =
        value!({ "destination_url": "https://example.com/", "code": "seen", "max_clicks": 1 });
    let id = json(&node.call("POST", "/api/links", "", &link))["link"]["id"].clone();
    let mut program = node.data.database().connect();
    program
        .batch_execute(
            "SET ROLE link_tracking_user; \
             INSERT INTO link_clicks (tracking_id, session_id, user_agent, referrer_url, ip_address, click_source) \
             VALUES ('seen', 'a', 'Mozilla/5.0', 'https://news.example/x', '192.0.2.7', 'email'), \
                    ('seen', 'b', 'Mozilla/5.0', 'https://news.example/y', '192.0.2.7', 'email')",
        )
        .expect("two clicks");
    let counts = [
        ("/api/link-tracking/analytics/seen".to_owned(), "/click_statistics/total_clicks"),
        ("/api/link-tracking/analytics/seen".to_owned(), "/click_statistics/unique_sessions"),
        (
            format!("/api/v1_0/getLink?login=admin&pass={TOKEN}&redirect_hash=seen&format=json"),
            "/count_total",
        ),
        ("/api/v1/stats/seen".to_owned(), "/totalClicks"),
        (format!("/api/stats/link/{id}"), "/totals/clicks"),
        (format!("/api/stats/link/{id}"), "/totals/unique_clicks"),
        ("/api/stats/overview".to_owned(), "/totals/clicks"),
    ];
    for (path, pointer) in &counts {
        for node in [&node, &other] {
            let count =
                || json(&node.call("GET", path, "", &Value::Null)).pointer(pointer).cloned();
            await_that(|| count() == Some(value!(2)), path);
        }
    }
    let picture = json(&other.call("GET", &format!("/api/stats/link/{id}"), "", &Value::Null));
    assert_eq!(picture["by_referrer"], value!([{ "name": "news.example", "count": 2 }]));
    assert_eq!(picture["recent_clicks"][0]["ip"], value!("192.0.2.7"));

    other.server.await_link("seen");
    assert_eq!(visit(&mut node.client(), "seen"), 302, "the limit was spent by an insert");
    assert_eq!(visit(&mut node.client(), "seen"), 404);
    node.data.await_clicks("seen", 3);
    node.data.ok(&["verify"]);
}

/// While no node runs they wait.
#[test]
fn inserted_clicks_wait_for_a_node() {
    let data = Data::on(Backend::Postgres);
    data.ok(&["link", "add", "later", "https://example.com/"]);
    let insert =
        "SET ROLE link_tracking_user; INSERT INTO link_clicks (tracking_id) VALUES ('later')";
    data.database().connect().batch_execute(insert).expect("a click");
    let node = Node::on(data);
    node.data.await_clicks("later", 1);
}
