//! golinks: the examples of its document, what it refuses, and hostnames of two owners.

use super::replay::Stage;
use crate::support::{Data, exchange, free_port};

#[test]
fn examples() {
    let mut stage = Stage::new(&[]);
    stage.run(&["workspace", "set", "default", "plan", "small"]);
    stage.replay(include_str!("golinks.fixture")).await_clicks("{{code}}", 2);
    stage.replay(include_str!("golinks_counted.fixture"));
}

#[test]
fn refused() {
    Stage::new(&[]).replay(include_str!("golinks_refused.fixture"));
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
    let call = |token: &str, line: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: go.example\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let answer = exchange(server.address, request).expect("an answer");
        (answer.status, serde_json::from_str(&answer.body).unwrap_or(serde_json::Value::Null))
    };
    let visit = |host: &str| {
        let request = format!("GET /sale HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = exchange(server.address, request).expect("an answer");
        (answer.status, answer.field("location").map(str::to_owned))
    };
    let mut domains = Vec::new();
    for (owner, host) in [("acme", "go.acme.localhost"), ("umbrella", "go.umbrella.localhost")] {
        data.ok(&["workspace", "create", owner]);
        let key = data.ok(&["key", "create", "--workspace", owner, "--role", "owner", "--json"]);
        let key: serde_json::Value = serde_json::from_str(&key).expect("JSON");
        let token = key["token"].as_str().expect("a token").to_owned();
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
    let (their_token, umbrella, theirs) = domains.remove(0);
    let refused = |token: &str, line: &str, body: &str| {
        let (status, body) = call(token, line, body);
        (status, body["error"].as_str().unwrap_or_default().to_owned())
    };
    let wanted = format!("{{\"hostname\":\"{host}\"}}");
    let taken = refused(&their_token, "POST /api/domains", &wanted);
    assert_eq!(taken, (409, "hostname_taken".to_owned()));
    data.ok(&["workspace", "set", "umbrella", "plan", "free"]);
    let unpaid = refused(&their_token, "POST /api/domains", "{\"hostname\":\"x.localhost\"}");
    assert_eq!(unpaid, (402, "upgrade_required".to_owned()));
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(1 << 20));
    let too_large = refused(&token, "POST /api/links", &large);
    assert_eq!(too_large, (413, "payload_too_large".to_owned()));
    for (line, status) in [
        (format!("DELETE /api/domains/{theirs}"), 403),
        ("PATCH /api/links/2".to_owned(), 403),
        ("DELETE /api/links/2".to_owned(), 403),
        ("GET /api/links/2".to_owned(), 403),
        ("GET /api/stats/link/2".to_owned(), 403),
        ("GET /api/links/3".to_owned(), 404),
    ] {
        let (answered, body) = call(&token, &line, "{}");
        let code = if status == 403 { "forbidden" } else { "not_found" };
        assert_eq!((answered, body["error"].as_str()), (status, Some(code)), "{line}");
    }
    assert_eq!(call(&token, &format!("DELETE /api/domains/{id}"), "").0, 200);
    assert_eq!(visit(host), (404, None), "given up");
    assert_eq!(visit(umbrella).0, 302);
}
