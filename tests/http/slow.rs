//! Clients that take too long lose their connection, and nobody else notices.

use super::{assert_well, server};
use crate::support::{Client, Data};

#[test]
fn every_deadline_ends_a_connection() {
    let data = Data::new();
    let server = server(
        &data,
        &[
            ("WAYPOST_HEAD_TIMEOUT_MS", "300"),
            ("WAYPOST_BODY_TIMEOUT_MS", "300"),
            ("WAYPOST_IDLE_TIMEOUT_MS", "300"),
        ],
    );
    let mut head = Client::connect(server.address);
    head.send("GET /hi HTTP/1.1\r\nHost:");
    let mut body = Client::connect(server.address);
    body.send("POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    let mut idle = Client::connect(server.address);
    assert_eq!(idle.send("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n").answer().expect("302").status, 302);
    assert_eq!(head.answer().expect("408").status, 408);
    assert!(head.is_closed());
    assert_eq!(body.answer().expect("408").status, 408);
    assert!(body.is_closed());
    assert!(idle.is_closed());
    assert_well(&server);
}
