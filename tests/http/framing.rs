//! Requests that two readers could read differently are refused (RFC 9112; request smuggling).

use super::{assert_well, server};
use crate::support::{Client, Data};

/// Requests and the status of their refusal (0: 400 or 501, as the server likes); the connection ends.
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
    (
        "POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 0),
    ("POST /hi HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (
        "POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n",
        400,
    ),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 400),
    (
        "POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        400,
    ),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ("GET hi HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hi#there HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hi\\there HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hi there HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hi HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    ("GET /hi http/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hi HTTP/01.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hi\r\n", 400),
    ("GET http://user@a/hi HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hi HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("get /hi HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
    ("GET /hi HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a:80x\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a?b\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost:\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\n \r\nHost: a\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\nNoColon\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\nX[]: z\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\nX: \u{7}\u{8}\u{b}\r\n\r\n", 400),
    ("GET /hi HTTP/1.1\r\nHost: a\r\nX: \u{7f}\r\n\r\n", 400),
    ("POST /hi HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\nContent-Length: 3\r\n\r\nabc", 417),
];

/// Bytes that no text can hold, refused with 400.
const BYTES: &[&[u8]] = &[
    b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\xc0\xaf HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /hi?\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /hi HTTP/1.1\r\nHost: \xe9\r\n\r\n",
    b"GET /hi HTTP/1.1\r\nHost: a\r\nX\xc3\xab: y\r\n\r\n",
    b"GET /hi HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
];

/// What Content-Length may not be: 400.
const LENGTHS: &[&str] = &[
    "",
    "abc",
    "+3",
    "-1",
    "-0",
    "0x3",
    "0o3",
    "3.0",
    "3e0",
    "3;",
    "3 3",
    "3,3",
    "3, 3",
    "03",
    "3_0",
    "\u{663}",
    // No number of bytes has so many digits: not too large, but no length.
    "99999999999999999999",
    "18446744073709551619",
];

/// What Transfer-Encoding may not be: not exactly `chunked` once. 400 or 501.
const CODINGS: &[&str] = &[
    "",
    "identity",
    "xchunked",
    "chunked2",
    "\"chunked\"",
    "chunked;q=1",
    "chunked,",
    ",chunked",
    "chunked, chunked",
    "chunked, identity",
    "identity, chunked",
    "gzip, chunked",
    "chunked gzip",
    "\u{b}chunked",
    "chunke\u{17f}d",
    "chunked\r\nTransfer-Encoding: identity",
    "chunked\r\nContent-Length: 3",
    "chunked\r\nContent-Length: 0",
];

/// What the chunked coding may not look like, each with a request behind it that is never answered: 400.
const CHUNKS: &[&str] = &[
    "3 \r\nabc",
    " 3\r\nabc",
    "3\t\r\nabc",
    "\r\nabc",
    "x\r\nabc",
    "0x3\r\nabc",
    "+3\r\nabc",
    "-3\r\nabc",
    "3_\r\nabc",
    "3\nabc",
    "3\rabc",
    "3\r\nabcd",
    "3\r\nab",
    "3\r\nabc\n",
    "3\r\nabc\r",
    "3;\r\nabc",
    "3;=\r\nabc",
    "3;a=\r\nabc",
    "3;a\nb\r\nabc",
    "3;a\rb\r\nabc",
    "3;a\0b\r\nabc",
    "3;a b\r\nabc",
    "3 ;a\r\nabc",
    "3; a\r\nabc",
    "3;a=\"b\r\nabc",
    "3;a=\"b\nc\"\r\nabc",
    "3;a=\"b\"c\r\nabc",
    "ffffffffffffffff0\r\nabc",
    "10000000000000003\r\nabc",
    "0\r\nX Y: z",
    "0\r\n: z",
    "0\r\nX",
    "0\r\nX: y\n",
    "0\r\n Y: z",
    "0\r\nX: \0",
    "0\n",
];

#[test]
fn bytes_lengths_codings_and_chunks_are_read_strictly() {
    let data = Data::new();
    let server = server(&data, &[]);
    let post = |fields: &str| format!("POST /hi HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
    let length = |length: &&str| post(&format!("Content-Length: {length}")) + "abc";
    let coding = |coding: &&str| post(&format!("Transfer-Encoding: {coding}")) + "0\r\n\r\n";
    let chunk = |chunk: &&str| post("Transfer-Encoding: chunked") + chunk + "\r\n0\r\n\r\n";
    let bytes = BYTES.iter().map(|bytes| bytes.to_vec());
    let lengths = LENGTHS.iter().map(length).map(String::into_bytes);
    let codings = CODINGS.iter().map(coding).map(String::into_bytes);
    let chunks = CHUNKS.iter().map(chunk).map(String::into_bytes);
    for mut request in bytes.chain(lengths).chain(codings).chain(chunks) {
        let shown = String::from_utf8_lossy(&request).into_owned();
        request.extend(b"GET /hi HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut client = Client::connect(server.address);
        let answer = client.send(&request).answer();
        let answer = answer.unwrap_or_else(|| panic!("no answer to {shown:?}"));
        let unknown = answer.status == 501 && shown.contains("Transfer-Encoding");
        assert!(answer.status == 400 || unknown, "{shown:?} was answered {}", answer.status);
        assert_eq!(answer.field("connection"), Some("close"), "{shown:?}");
        assert!(client.is_closed(), "still open after {shown:?}");
    }
    assert_well(&server);
}

#[test]
fn what_is_ambiguous_is_refused_and_the_connection_ends() {
    let data = Data::new();
    let server = server(&data, &[]);
    for (request, status) in REQUESTS {
        let mut client = Client::connect(server.address);
        let answer = client.send(request).answer();
        let answer = answer.unwrap_or_else(|| panic!("no answer to {request:?}"));
        let fits =
            answer.status == *status || (*status == 0 && (400..=501).contains(&answer.status));
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
        ("\r\n\r\nGET /hi HTTP/1.1\r\nHost: a\r\n\r\n", 302),
        ("GET http://a/hi HTTP/1.1\r\nHost: a\r\n\r\n", 302),
        ("GET /hi HTTP/1.1\r\nHost: a\r\nX: caf\u{e9}\r\n\r\n", 302),
        (
            "GET /hi HTTP/1.1\r\nHost: a\r\nContent_Length: 9\r\nTransfer_Encoding: chunked\r\n\r\n",
            302,
        ),
        ("GET /hi HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 302),
        ("GET /hi HTTP/1.0\r\nHost: a\r\nExpect: anything\r\n\r\n", 302),
        ("POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: \t5 \r\n\r\nhello", 405),
        (
            "POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=\"b;c\"\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n",
            405,
        ),
        ("TRACE /hi HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("OPTIONS /hi HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("DELETE /hi HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    ] {
        let answer = Client::connect(server.address).send(request).answer().expect("an answer");
        let fits = answer.status == status || (status == 200 && answer.status == 204);
        assert!(fits, "{request:?} was answered {}", answer.status);
    }
}
