//! Which hosts see which links (SPEC 3.1).

use crate::support::{Answer, Data, Server, exchange};

fn get(server: &Server, host: &str, accept: &str) -> Answer {
    let request = format!("GET /hi HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n");
    exchange(server.address, request).expect("an answer")
}

#[test]
fn strict_hosts_knows_its_own_names_only() {
    let data = Data::new();
    data.ok(&["link", "add", "hi", "https://example.com/"]);
    let server = data.serve_with(
        &["--public-url", "https://go.example"],
        &[("WAYPOST_STRICT_HOSTS", "true"), ("WAYPOST_EXTRA_HOSTS", "links.example,käse.example")],
    );
    for (host, status) in [
        ("go.example", 302),
        ("GO.Example.:8080", 302),
        ("links.example", 302),
        ("xn--kse-qla.example", 302),
        ("localhost:1", 302),
        ("127.0.0.1", 302),
        ("192.0.2.7:80", 302),
        ("[2001:db8::1]:80", 302),
        ("example.com", 404),
        ("go.example.com", 404),
        ("xgo.example", 404),
    ] {
        assert_eq!(get(&server, host, "*/*").status, status, "{host}");
    }
    let page = get(&server, "example.com", "text/html");
    assert!(page.body.contains("Domain not registered"), "{}", page.body);
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    let json = get(&server, "example.com", "application/json");
    assert_eq!(json.body, r#"{"error":"Domain not registered"}"#);
}

#[test]
fn any_name_sees_the_default_domain_otherwise() {
    let data = Data::new();
    data.ok(&["link", "add", "hi", "https://example.com/"]);
    let server = data.serve();
    for host in ["anything.example", "UPPER.example:99", "localhost", "under_score.example"] {
        assert_eq!(get(&server, host, "*/*").status, 302, "{host}");
    }
    // The host of an absolute target counts, not the field.
    let request = "GET http://localhost/hi HTTP/1.1\r\nHost: other\r\n\r\n";
    assert_eq!(exchange(server.address, request).expect("an answer").status, 302);
}
