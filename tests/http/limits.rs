//! What is too large is refused by its own status, and costs the server nothing.

use super::{assert_well, server};
use crate::support::{Client, Data};

#[test]
fn too_large_in_every_way() {
    let data = Data::new();
    let server = server(&data, &[]);
    let long = |bytes: usize| "a".repeat(bytes);
    let many = "X: y\r\n".repeat(101);
    for (request, status) in [
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(9 << 10)), 414),
        (format!("GET /hi HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", long(33 << 10)), 431),
        (format!("GET /hi HTTP/1.1\r\nHost: a\r\n{many}\r\n"), 431),
        ("POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n".to_owned(), 413),
        (format!("GET /hi HTTP/1.1\r\nHost: a\r\n{}: y\r\n\r\n", long(33 << 10)), 431),
        (format!("{} /hi HTTP/1.1\r\nHost: a\r\n\r\n", long(33 << 10)), 400),
        ("PUT /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n".to_owned(), 413),
        (
            format!(
                "POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                "1000\r\n".to_owned() + &long(4096) + "\r\n2000\r\n" + &long(8192)
            ),
            413,
        ),
    ] {
        let mut client = Client::connect(server.address);
        let answer = client.send(&request).answer().expect("an answer");
        assert_eq!(answer.status, status, "{}", &request[..40]);
        assert!(client.is_closed());
    }
    assert_well(&server);
}

#[test]
fn a_hundred_headers_are_fine() {
    let data = Data::new();
    let server = server(&data, &[]);
    let many = "X: y\r\n".repeat(99);
    let request = format!("GET /hi HTTP/1.1\r\nHost: a\r\n{many}\r\n");
    assert_eq!(
        Client::connect(server.address).send(request).answer().expect("an answer").status,
        302
    );
}

#[test]
fn past_the_cap_connections_are_refused_and_those_that_exist_go_on() {
    let data = Data::new();
    let server = server(&data, &[("WAYPOST_MAX_CONNECTIONS", "4")]);
    let request = "GET /hi HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut clients: Vec<_> = (0..4).map(|_| Client::connect(server.address)).collect();
    for client in &mut clients {
        assert_eq!(client.send(request).answer().expect("an answer").status, 302);
    }
    let refused = Client::connect(server.address).send(request).answer();
    assert!(refused.is_none_or(|answer| answer.status == 503));
    for client in &mut clients {
        assert_eq!(client.send(request).answer().expect("an answer").status, 302);
    }
}
