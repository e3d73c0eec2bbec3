//! Health, metrics and pages, beside redirects or on an address of their own.

use crate::support::{Data, exchange};

#[test]
fn health_and_metrics() {
    let data = Data::new();
    data.ok(&["link", "add", "hi", "https://example.com/"]);
    let server = data.serve();
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    for _ in 0..3 {
        server.get("/hi");
    }
    server.get("/nothing");
    let page = server.get("/metrics").body;
    for line in [
        "waypost_redirects_total{outcome=\"redirect\"} 3",
        "waypost_redirects_total{outcome=\"not_found\"} 1",
        "waypost_redirect_duration_seconds_count 4",
        "waypost_clicks_dropped_total 0",
        "waypost_index_links 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    data.await_clicks("hi", 3);
    assert!((server.metric("waypost_clicks_recorded_total") - 3.0).abs() < 0.1);
}

#[test]
fn pages_and_what_browsers_and_crawlers_ask_for() {
    let data = Data::new();
    data.ok(&["link", "add", "hi", "https://example.com/"]);
    let server = data.serve();
    for (path, status, kind, cache) in [
        ("/", 404, Some("text/html; charset=utf-8"), "no-store"),
        ("/hi+", 404, Some("text/html; charset=utf-8"), "no-store"),
        ("/c/none", 404, Some("text/html; charset=utf-8"), "no-store"),
        ("/track/none", 404, Some("application/json"), "no-store"),
        ("/metrics", 200, Some("text/plain; version=0.0.4; charset=utf-8"), "no-store"),
        ("/robots.txt", 200, Some("text/plain; charset=utf-8"), "public, max-age=86400"),
        ("/favicon.ico", 404, None, "public, max-age=86400"),
    ] {
        let answer = server.get(path);
        let found = (answer.status, answer.field("content-type"), answer.field("cache-control"));
        assert_eq!(found, (status, kind, Some(cache)), "{path}");
        let policy = answer.field("content-security-policy");
        let is_page = kind.is_some_and(|kind| kind.starts_with("text/html"));
        assert_eq!(policy.is_some_and(|policy| policy.contains("'nonce-")), is_page, "{path}");
    }
}

#[test]
fn an_admin_address_takes_them_away_from_the_public_one() {
    let data = Data::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let admin = free.local_addr().expect("address");
    drop(free);
    let server = data.serve_with(&["--admin-listen", &admin.to_string()], &[]);
    assert_eq!(server.get("/metrics").status, 404);
    assert_eq!([server.get("/healthz").status, server.get("/readyz").status], [200, 200]);
    let request = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(exchange(admin, request).expect("an answer").status, 200);
    let request = "GET /hi HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(exchange(admin, request).expect("an answer").status, 404);
}
