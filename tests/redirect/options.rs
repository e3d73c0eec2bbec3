//! Options of a link, as a visitor meets them.

use crate::support::{Client, Data, exchange};

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

#[test]
fn archived_links_and_app_links_redirect() {
    let data = Data::new();
    data.ok(&["link", "add", "old", "https://example.com/", "--set", "archived_at=2026-01-01"]);
    let app = ("WAYPOST_ALLOWED_SCHEMES", "myapp");
    let mut add = data.command(&["link", "add", "app", "myapp://open/1?a=b"]);
    assert!(add.env(app.0, app.1).output().expect("run waypost").status.success());
    let server = data.serve_with(&[], &[app]);
    for (code, location) in [("old", "https://example.com/"), ("app", "myapp://open/1?a=b")] {
        let answer = server.get(&format!("/{code}"));
        assert_eq!((answer.status, answer.field("location")), (302, Some(location)));
    }
}

#[test]
fn retargeting_scripts_run_on_a_page_that_counts() {
    let data = Data::new();
    let scripts = r#"scripts=[{"id":"t","placement":"head","script":"<script>track('x')</script>"},{"id":"u","placement":"body","script":"https://cdn.example/u.js"}]"#;
    data.ok(&["link", "add", "tagged", "https://example.com/?a=1&b='2'", "--set", scripts]);
    let server = data.serve();
    let head = "HEAD /tagged HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = Client::connect(server.address).send(head).answer_to_head().expect("an answer");
    let page = server.get("/tagged");
    assert_eq!((head.status, page.status), (200, 200));
    assert_eq!(head.field("content-length"), page.field("content-length"));
    for text in [
        "<script>track('x')</script>",
        "<script src=\"https://cdn.example/u.js\" async></script>",
        "content=\"1;url=https://example.com/?a=1&amp;b='2'\"",
    ] {
        assert!(page.body.contains(text), "{text} is not in {}", page.body);
    }
    let policy = page.field("content-security-policy").expect("a policy");
    assert!(policy.contains("script-src https: 'unsafe-inline'"), "{policy}");
    assert_eq!(page.field("cache-control"), Some("no-store"));
    assert!(server.stop().success());
    data.await_clicks("tagged", 1);
}
