//! Against a stand-in for the API: each call what it must be, each answer what it means.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
};

use waypost_link::{DomainId, Hostname, Provider, Timestamp, WorkspaceId};

use super::*;

/// Answers with these, one after the other; what it was asked.
fn stand_in(answers: Vec<(u16, String)>) -> (Cloudflare, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/client/v4/", listener.local_addr().unwrap());
    let (asked, requests) = channel();
    std::thread::spawn(move || {
        for (status, body) in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&stream);
            let head: Vec<String> = reader
                .by_ref()
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .map(|line| line.to_ascii_lowercase())
                .collect();
            let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
            let mut sent = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            reader.read_exact(&mut sent).unwrap();
            assert!(head.contains(&"authorization: bearer secret".to_owned()), "{head:?}");
            asked.send(format!("{} {}", head[0], String::from_utf8(sent).unwrap())).unwrap();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
    });
    let (zone, token) = ("z1".to_owned(), "secret".to_owned());
    (Cloudflare::new(Account { url, zone, token }), requests)
}

fn domain(provider_id: Option<&str>) -> Domain {
    Domain {
        id: DomainId(7),
        workspace: WorkspaceId(1),
        hostname: Hostname::parse("go.acme.com").unwrap(),
        status: DomainStatus::Pending,
        provider: Provider::Cloudflare,
        token: "t".to_owned(),
        provider_id: provider_id.map(str::to_owned),
        ssl_status: None,
        verification_errors: None,
        created_at: Timestamp(0),
        synced_at: None,
    }
}

fn result(status: &str, ssl: &str, errors: &[&str]) -> (u16, String) {
    let result = json!({
        "id": "0d89c70d-ad9f", "hostname": "go.acme.com", "status": status,
        "ssl": { "status": ssl }, "verification_errors": errors,
    });
    (200, json!({ "success": true, "errors": [], "messages": [], "result": result }).to_string())
}

fn refusal(status: u16, message: &str) -> (u16, String) {
    let errors = json!([{ "code": 1406, "message": message }]);
    (status, json!({ "success": false, "errors": errors, "result": null }).to_string())
}

#[test]
fn three_calls() {
    let (api, requests) = stand_in(vec![
        result("pending", "initializing", &[]),
        result("active", "active", &[]),
        (
            200,
            json!({ "success": true, "errors": [], "result": { "id": "0d89c70d-ad9f" } })
                .to_string(),
        ),
    ]);
    let made = api.create(&domain(None)).unwrap();
    assert_eq!(
        (made.status, made.ssl_status.as_deref()),
        (DomainStatus::Pending, Some("initializing"))
    );
    assert_eq!(made.provider_id.as_deref(), Some("0d89c70d-ad9f"));
    let known = domain(made.provider_id.as_deref());
    assert_eq!(api.get(&known).unwrap().status, DomainStatus::Active);
    api.delete(&known).unwrap();
    let asked: Vec<String> = requests.iter().take(3).collect();
    assert_eq!(
        asked,
        [
            r#"post /client/v4/zones/z1/custom_hostnames http/1.1 {"hostname":"go.acme.com","ssl":{"method":"http","type":"dv"}}"#,
            "get /client/v4/zones/z1/custom_hostnames/0d89c70d-ad9f http/1.1 ",
            "delete /client/v4/zones/z1/custom_hostnames/0d89c70d-ad9f http/1.1 ",
        ]
    );
}

#[test]
fn what_its_words_mean() {
    for (answer, status, errors) in [
        (
            result("pending", "pending_validation", &["no CNAME", "no TXT"]),
            DomainStatus::Pending,
            Some("no CNAME; no TXT"),
        ),
        (result("blocked", "active", &[]), DomainStatus::Blocked, None),
        (result("moved", "active", &[]), DomainStatus::Failed, None),
        (result("what_is_this", "active", &[]), DomainStatus::Pending, None),
        (
            refusal(404, "not found"),
            DomainStatus::Failed,
            Some("Cloudflare doesn't know this hostname any more"),
        ),
    ] {
        let (api, _requests) = stand_in(vec![answer]);
        let proof = api.get(&domain(Some("x"))).unwrap();
        assert_eq!((proof.status, proof.errors.as_deref()), (status, errors));
    }
}

#[test]
fn refusals_are_said() {
    for (answer, said) in [
        (
            refusal(403, "Duplicate custom hostname found."),
            "Duplicate custom hostname found. (1406)",
        ),
        ((502, "<html>".to_owned()), "Cloudflare answered status 502 without a word of sense"),
        (
            (200, json!({ "success": true, "result": {} }).to_string()),
            "Cloudflare's answer has no id",
        ),
        (
            (200, json!({ "success": true, "result": { "id": "../x" } }).to_string()),
            "Cloudflare's answer has no id",
        ),
    ] {
        let (api, _requests) = stand_in(vec![answer]);
        assert_eq!(api.create(&domain(None)), Err(said.to_owned()));
    }
    let (api, _requests) = stand_in(vec![refusal(404, "not found"), refusal(500, "later")]);
    assert_eq!(api.delete(&domain(Some("x"))), Ok(()));
    assert_eq!(api.delete(&domain(Some("x"))), Err("later (1406)".to_owned()));
    assert_eq!(api.delete(&domain(None)), Ok(()));
}
