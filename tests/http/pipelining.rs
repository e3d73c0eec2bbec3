//! Many requests in one write: answered in order, each once.

use super::{assert_well, server};
use crate::support::{Client, Data};

#[test]
fn answers_come_in_order() {
    let data = Data::new();
    let links: String = (0..100).map(|n| format!("p{n},https://example.com/{n}\n")).collect();
    let file = data.path().join("links.csv");
    std::fs::write(&file, format!("code,destination_url\n{links}")).expect("write");
    data.ok(&["import", file.to_str().expect("UTF-8")]);
    let server = data.serve();
    let mut client = Client::connect(server.address);
    for _ in 0..20 {
        let requests: String =
            (0..100).map(|n| format!("GET /p{n} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
        client.send(requests);
        for n in 0..100 {
            let answer = client.answer().expect("an answer");
            assert_eq!(answer.field("location"), Some(format!("https://example.com/{n}").as_str()));
        }
    }
}

#[test]
fn bodies_between_requests_are_not_requests() {
    let data = Data::new();
    let server = server(&data, &[]);
    let mut client = Client::connect(server.address);
    client.send(
        "POST /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\nGET /hi HTTP/1.1\r\nHost: smuggled\r\n\r\n\
         POST /hi HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n\
         GET /hi HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\
         HEAD /hi HTTP/1.1\r\nHost: a\r\n\r\nGET /hi HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_eq!(client.answer().expect("POST").status, 405);
    assert_eq!(client.answer().expect("chunked POST").status, 405);
    assert_eq!(client.answer().expect("GET with a body").status, 302);
    assert_eq!(client.answer_to_head().expect("HEAD").status, 302);
    assert_eq!(client.answer().expect("GET").status, 302);
    // Nothing of the bodies was taken for a request.
    client.half_close();
    assert!(client.is_closed());
}

#[test]
fn a_request_that_arrives_byte_by_byte_is_one_request() {
    let data = Data::new();
    let server = server(&data, &[]);
    let mut client = Client::connect(server.address);
    for byte in "GET /hi HTTP/1.1\r\nHost: a\r\nUser-Agent: drip\r\n\r\n".bytes() {
        client.send([byte]);
    }
    assert_eq!(client.answer().expect("an answer").status, 302);
    assert_well(&server);
}
