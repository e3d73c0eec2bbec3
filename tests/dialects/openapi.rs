//! The description is a valid one, and true in both directions: what is in it is served, by these methods
//! and no others. (That every route is in it is a test of `crates/api`.)

use std::collections::BTreeSet;

use serde_json::Value;

use super::contract::{Contract, Operation};
use crate::support::{Answer, Data, exchange};

/// <https://spec.openapis.org/oas/3.1/schema/2022-10-07>, as published (Apache-2.0).
const META_SCHEMA: &str = include_str!("openapi-3.1.schema.json");

#[test]
fn it_is_openapi() {
    let data = Data::new();
    let contract = Contract::of(&data.serve());
    let schema: Value = serde_json::from_str(META_SCHEMA).expect("JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let wrong: Vec<_> = validator.iter_errors(&contract.document).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let schemas = contract.document["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
    }
}

#[test]
fn what_is_in_it_is_served() {
    let data = Data::new();
    data.ok(&["link", "add", "open", "https://example.com/"]);
    data.ok(&["link", "add", "locked", "https://example.com/", "--set", "password=sesame"]);
    let server = data.serve();
    server.await_link("open");
    let ask = |method: &str, path: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        exchange(server.address, request).expect("an answer")
    };
    for operation in Contract::of(&server).operations() {
        let Operation { path, method, operation } = operation;
        let code = if method == "post" { "locked" } else { "open" };
        let path = filled(&path.replace("{code}", code));
        let answer = ask(&method.to_ascii_uppercase(), &path);
        let shown = format!("{method} {path}: {}{}", answer.head, answer.body);
        if operation["security"].as_array().is_some_and(Vec::is_empty) {
            let nothing = answer.status == 404 && path != "/c/x" && !path.ends_with(".gif");
            assert!(!nothing && answer.status != 405, "{shown}");
        } else {
            assert_eq!(answer.status, 401, "{shown}");
        }
    }
}

#[test]
fn nothing_else_is_served_there() {
    let data = Data::new();
    let server = data.serve();
    let contract = Contract::of(&server);
    let is_system = |one: &Operation<'_>| one.operation["tags"][0] == "redirects and health";
    let paths: BTreeSet<_> =
        contract.operations().filter(|one| !is_system(one)).map(|one| one.path).collect();
    for path in paths {
        let documented = contract.operations().filter(|one| one.path == path);
        let documented: BTreeSet<_> =
            documented.map(|one| one.method.to_ascii_uppercase()).collect();
        let request = format!(
            "PUT {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            filled(path)
        );
        let answer: Answer = exchange(server.address, request).expect("an answer");
        assert_eq!(answer.status, 405, "{path}: {}", answer.head);
        let allowed = answer.field("allow").unwrap_or_default().split(", ").map(str::to_owned);
        let allowed: BTreeSet<_> =
            allowed.filter(|method| method != "HEAD" && method != "OPTIONS").collect();
        assert_eq!(allowed, documented, "{path}");
    }
}

#[test]
fn it_is_asked_for_once_and_read_offline() {
    let data = Data::new();
    let server = data.serve();
    let document = server.get("/openapi.json");
    let etag = document.field("etag").expect("ETag");
    for (known, status) in [
        (etag.to_owned(), 304),
        (format!("W/{etag}"), 304),
        (format!("\"other\", W/{etag}"), 304),
        ("*".to_owned(), 304),
        ("W/\"other\"".to_owned(), 200),
    ] {
        let again = format!(
            "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {known}\r\nConnection: close\r\n\r\n"
        );
        let again = exchange(server.address, again).expect("an answer");
        assert_eq!((again.status, again.body.is_empty()), (status, status == 304), "{known}");
    }
    let page = server.get("/docs");
    assert_eq!(page.status, 200);
    let policy = page.field("content-security-policy").expect("a policy");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next());
    assert!(page.body.contains(&format!("<style nonce=\"{}\">", nonce.expect("a nonce"))));
    assert!(policy.starts_with("default-src 'none'") && !page.body.contains("<script"));
}

/// A path with something for every name.
fn filled(path: &str) -> String {
    let segments =
        path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}
