//! Requests that two readers could read differently are refused (RFC 9112; request smuggling).

use super::{assert_well, server};
use crate::support::{Client, Data};

/// Request, expected status (0: any 4xx), whether the connection ends.
const REQUESTS: &[(&str, u16)] = &[
    ("GET /hi HTTP/1.1\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: user@a\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\nHost: a\n\n", 400),
    ("GET  /hi HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /h\u{7f}i HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hi HTTP/9.9\r\nHost: a\r\n\r\n", 505),
    ("BREW /hi HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 4\r\n\r\nabc", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 0),
    ("POST /hi HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\nContent-Length: 3\r\n\r\nabc", 417),
];

#[test]
fn what_is_ambiguous_is_refused_and_the_connection_ends() {
    let data = Data::new();
    let server = server(&data, &[]);
    for (request, status) in REQUESTS {
        let mut client = Client::connect(server.address);
        let answer = client.send(request).answer();
        let answer = answer.unwrap_or_else(|| panic!("no answer to {request:?}"));
        let fits = answer.status == *status || (*status == 0 && (400..=501).contains(&answer.status));
        assert!(fits, "{request:?} was answered {}", answer.status);
        assert!(client.is_closed(), "still open after {request:?}");
    }
    assert_well(&server);
}

#[test]
fn a_smuggled_request_is_never_answered() {
    let data = Data::new();
    let server = server(&data, &[]);
    for framing in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
    ] {
        let request = format!(
            "POST /hi HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n0\r\n\r\nGET /hi HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let mut client = Client::connect(server.address);
        let first = client.send(request).answer().expect("an answer");
        assert!(first.status >= 400, "{framing:?} was answered {}", first.status);
        assert!(client.answer().is_none(), "a second answer after {framing:?}");
    }
    assert_well(&server);
}

#[test]
fn odd_but_legal_requests_are_answered() {
    let data = Data::new();
    let server = server(&data, &[]);
    for (request, status) in [
        ("GET http://localhost/hi HTTP/1.1\r\nHost: other\r\n\r\n", 302),
        ("GET /hi HTTP/1.0\r\n\r\n", 302),
        ("\r\nGET /hi HTTP/1.1\r\nHost: a\r\n\r\n", 302),
        ("GET /hi HTTP/1.1\r\nhOST:a\r\nX:\r\n\r\n", 302),
        ("GET /hi?a=b%20c HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 302),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("DELETE /hi HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    ] {
        let answer = Client::connect(server.address).send(request).answer().expect("an answer");
        let fits = answer.status == status || (status == 200 && answer.status == 204);
        assert!(fits, "{request:?} was answered {}", answer.status);
    }
}
