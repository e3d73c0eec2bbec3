//! Options of a link, as a visitor meets them.

use crate::support::{Data, exchange};

fn location(data: &Data, options: &[&str], path: &str) -> Option<String> {
    let fields: Vec<&str> = options.iter().flat_map(|option| ["--set", *option]).collect();
    data.ok(&[&["link", "add", "x", "https://example.com/a?own=1#end"], fields.as_slice()].concat());
    let server = data.serve();
    server.get(path).field("location").map(str::to_owned)
}

#[test]
fn parameters_are_composed_in_order() {
    for (options, path, expected) in [
        (
            &["utm_source=mail", "utm_medium=x"][..],
            "/x?a=b",
            "https://example.com/a?own=1&utm_source=mail&utm_medium=x#end",
        ),
        (&["forward_query=true"], "/x?a=b&own=2", "https://example.com/a?own=1&a=b#end"),
        (
            &["forward_query=true", "utm_source=s"],
            "/x?utm_source=t&a=b",
            "https://example.com/a?own=1&utm_source=s&a=b#end",
        ),
    ] {
        assert_eq!(location(&Data::new(), options, path).as_deref(), Some(expected), "{options:?}");
    }
}

#[test]
fn statuses_and_caching() {
    let data = Data::new();
    for status in ["301", "302", "307", "308"] {
        data.ok(&["link", "add", status, "https://example.com/", "--status", status]);
    }
    let server = data.serve();
    for (status, cache) in [
        (301, "private, max-age=300"),
        (302, "private, no-store"),
        (307, "private, no-store"),
        (308, "private, max-age=300"),
    ] {
        let answer = server.get(&format!("/{status}"));
        assert_eq!((answer.status, answer.field("cache-control")), (status, Some(cache)));
    }
}

#[test]
fn closed_links_are_not_found() {
    let data = Data::new();
    for option in
        ["active=false", "expires_at=2001-01-01T00:00:00Z", "valid_from=2999-01-01T00:00:00Z"]
    {
        let code = option.split('=').next().expect("a name");
        data.ok(&["link", "add", code, "https://example.com/", "--set", option]);
    }
    let server = data.serve();
    for code in ["active", "expires_at", "valid_from"] {
        assert_eq!(server.get(&format!("/{code}")).status, 404, "{code}");
        let json = server.get(&format!("/track/{code}"));
        assert_eq!(json.status, 404);
        let body: serde_json::Value = serde_json::from_str(&json.body).expect("JSON");
        assert_eq!(body["error"], "Link not found or expired");
        assert_eq!(body["tracking_id"], code);
    }
}

#[test]
fn a_password_opens_once_it_is_right() {
    let data = Data::new();
    data.ok(&["link", "add", "locked", "https://example.com/in", "--set", "password=letmein"]);
    let server = data.serve();
    let form = server.get("/locked");
    assert_eq!(form.status, 200);
    assert!(form.body.contains("name=\"password\"") && form.field("location").is_none());
    let post = |password: &str| {
        let body = format!("password={password}");
        let request = format!(
            "POST /locked HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        exchange(server.address, request).expect("an answer")
    };
    assert_eq!(post("wrong").status, 401);
    let right = post("letmein");
    assert_eq!((right.status, right.field("location")), (303, Some("https://example.com/in")));
    let statuses: Vec<u16> = (0..5).map(|_| post("wrong").status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    assert!(server.stop().success());
    data.await_clicks("locked", 1);
}

#[test]
fn rules_choose_by_country_behind_a_trusted_proxy() {
    let data = Data::new();
    let rules = r#"rules=[{"id":"north","condition":"geo","value":"US,CA","destination":"https://example.com/north"}]"#;
    data.ok(&["link", "add", "geo", "https://example.com/else", "--set", rules]);
    let server = data.serve();
    for (country, expected) in
        [("ca", "https://example.com/north"), ("DE", "https://example.com/else")]
    {
        let request = format!("GET /geo HTTP/1.1\r\nHost: a\r\nCF-IPCountry: {country}\r\n\r\n");
        let answer = exchange(server.address, request).expect("an answer");
        assert_eq!(answer.field("location"), Some(expected), "{country}");
    }
}
