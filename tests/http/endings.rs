//! How connections end: on request, half-closed, and when the server stops.

use super::server;
use crate::support::{Client, Data};

#[test]
fn connection_close_and_http_1_0() {
    let data = Data::new();
    let server = server(&data, &[]);
    for (request, stays) in [
        ("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n", true),
        ("GET /hi HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET /hi HTTP/1.0\r\nHost: a\r\n\r\n", false),
        ("GET /hi HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", true),
    ] {
        let mut client = Client::connect(server.address);
        assert_eq!(client.send(request).answer().expect("an answer").status, 302);
        let again = client.send("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n").answer();
        assert_eq!(again.is_some(), stays, "{request:?}");
    }
}

#[test]
fn a_half_closed_client_gets_its_answers() {
    let data = Data::new();
    let server = server(&data, &[]);
    let mut client = Client::connect(server.address);
    client.send("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3)).half_close();
    for _ in 0..3 {
        assert_eq!(client.answer().expect("an answer").status, 302);
    }
    assert!(client.is_closed());
}

#[test]
fn an_idle_connection_ends_when_the_server_stops() {
    let data = Data::new();
    let server = server(&data, &[]);
    let mut client = Client::connect(server.address);
    assert_eq!(
        client.send("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n").answer().expect("302").status,
        302
    );
    assert!(server.stop().success());
    assert!(client.is_closed());
}

#[test]
fn expect_100_continue_is_answered_before_the_body() {
    let data = Data::new();
    data.ok(&["link", "add", "locked", "https://example.com/", "--set", "password=letmein"]);
    let server = data.serve();
    let mut client = Client::connect(server.address);
    client.send(
        "POST /locked HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 16\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
    );
    assert_eq!(client.answer().expect("100").status, 100);
    assert_eq!(client.send("password=letmein").answer().expect("303").status, 303);
}
