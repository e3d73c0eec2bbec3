//! golinks: the examples of its document, what it refuses, and hostnames of two owners.

use serde_json::Value;

use super::replay::Stage;
use crate::support::{Data, Server, exchange, free_port};

on_each_store! {
    fn examples(backend) {
        let mut stage = Stage::on(backend, &[]);
        stage.run(&["workspace", "set", "default", "plan", "small"]);
        stage.replay(include_str!("golinks.fixture")).await_clicks("{{code}}", 2);
        stage.replay(include_str!("golinks_counted.fixture"));
    }
}

on_each_store! {
    fn refused(backend) {
        Stage::on(backend, &[]).replay(include_str!("golinks_refused.fixture"));
    }
}

/// Two workspaces, one code, two hostnames: each visitor sees its own owner's link.
#[test]
fn one_code_on_two_hostnames() {
    let (data, port) = (Data::new(), free_port());
    let (listen, port) = (format!("127.0.0.1:{port}"), port.to_string());
    let server = data.serve_with(
        &["--listen", &listen, "--public-url", "https://go.example"],
        &[("WAYPOST_ALLOW_PRIVATE_TARGETS", "true"), ("WAYPOST_DOMAIN_VERIFY_PORT", &port)],
    );
    let call = |token: &str, line: &str, body: &str| call(&server, token, line, body);
    let visit = |host: &str| {
        let request = format!("GET /sale HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = exchange(server.address, request).expect("an answer");
        (answer.status, answer.field("location").map(str::to_owned))
    };
    let mut domains = Vec::new();
    for (owner, host) in [("acme", "go.acme.localhost"), ("umbrella", "go.umbrella.localhost")] {
        let token = tenant(&data, owner);
        let (status, made) =
            call(&token, "POST /api/domains", &format!("{{\"hostname\":\"{host}\"}}"));
        assert_eq!((status, made["domain"]["status"].as_str()), (200, Some("pending")), "{made}");
        let link = format!(
            "{{\"code\":\"sale\",\"domain\":\"{host}\",\"destination_url\":\"https://{owner}.example/\"}}"
        );
        let (status, link) = call(&token, "POST /api/links", &link);
        assert_eq!(status, 200, "{link}");
        assert_eq!(link["short_url"], format!("https://{host}/sale"));
        assert_eq!(visit(host), (404, None), "not proven yet");
        let verify = format!("POST /api/domains/{}/verify", made["domain"]["id"]);
        let (status, verified) = call(&token, &verify, "");
        assert_eq!(
            (status, verified["domain"]["status"].as_str()),
            (200, Some("active")),
            "{verified}"
        );
        assert_eq!(visit(host), (302, Some(format!("https://{owner}.example/"))));
        domains.push((token, host, made["domain"]["id"].to_string()));
    }
    let (token, host, id) = domains.remove(0);
    let (_, umbrella, theirs) = domains.remove(0);
    assert_eq!(call(&token, &format!("DELETE /api/domains/{theirs}"), "").0, 403);
    assert_eq!(call(&token, &format!("DELETE /api/domains/{id}"), "").0, 200);
    assert_eq!(visit(host), (404, None), "given up");
    assert_eq!(visit(umbrella).0, 302);
}

/// What one workspace has, another is told that it may not have.
#[test]
fn what_somebody_else_has() {
    let data = Data::new();
    let (acme, umbrella) = (tenant(&data, "acme"), tenant(&data, "umbrella"));
    data.ok(&["domain", "add", "go.acme.example", "--workspace", "acme"]);
    data.ok(&["link", "add", "sale", "https://acme.example/", "--workspace", "acme"]);
    let poor = tenant(&data, "poor");
    data.ok(&["workspace", "set", "poor", "plan", "free"]);
    let server = data.serve();
    let host = r#"{"hostname":"go.acme.example"}"#;
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(1 << 20));
    for (token, line, body, status, code) in [
        (&umbrella, "DELETE /api/domains/1", "", 403, "forbidden"),
        (&umbrella, "POST /api/domains/1/verify", "", 403, "forbidden"),
        (&umbrella, "GET /api/links/1", "", 403, "forbidden"),
        (&umbrella, "PATCH /api/links/1", "{}", 403, "forbidden"),
        (&umbrella, "DELETE /api/links/1", "", 403, "forbidden"),
        (&umbrella, "GET /api/stats/link/1", "", 403, "forbidden"),
        (&umbrella, "GET /api/links/2", "", 404, "not_found"),
        (&umbrella, "DELETE /api/domains/2", "", 404, "not_found"),
        (&umbrella, "POST /api/domains", host, 409, "hostname_taken"),
        (&poor, "POST /api/domains", host, 402, "upgrade_required"),
        (&acme, "POST /api/links", &large, 413, "payload_too_large"),
    ] {
        let (answered, body) = call(&server, token, line, body);
        assert_eq!((answered, body["error"].as_str()), (status, Some(code)), "{line}");
    }
}

/// Makes a workspace; the token of a key of it.
fn tenant(data: &Data, name: &str) -> String {
    data.ok(&["workspace", "create", name]);
    let key = data.ok(&["key", "create", "--workspace", name, "--role", "owner", "--json"]);
    let key: Value = serde_json::from_str(&key).expect("JSON");
    key["token"].as_str().expect("a token").to_owned()
}

fn call(server: &Server, token: &str, line: &str, body: &str) -> (u16, Value) {
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: go.example\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let answer = exchange(server.address, request).expect("an answer");
    (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
}
