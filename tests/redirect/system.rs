//! Health and metrics, beside redirects or on an address of their own.

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
fn an_admin_address_takes_them_away_from_the_public_one() {
    let data = Data::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let admin = free.local_addr().expect("address");
    drop(free);
    let server = data.serve_with(&["--admin-listen", &admin.to_string()], &[]);
    assert_eq!(server.get("/metrics").status, 404);
    let request = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(exchange(admin, request).expect("an answer").status, 200);
    let request = "GET /hi HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(exchange(admin, request).expect("an answer").status, 404);
}
