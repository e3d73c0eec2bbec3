//! linkpack: the examples of its document, what it counts, and what it refuses.

use super::replay::{Stage, TOKEN};
use crate::support::{Client, Data};

/// Enough to empty a bucket of ten a second, however slowly they are answered.
const MANY: usize = 100;

on_each_store! {
    fn examples(backend) {
        Stage::on(backend, &["--no-rate-limit"]).replay(include_str!("linkpack.fixture"));
    }
}

on_each_store! {
    fn counted(backend) {
        let (clicks, stats) = include_str!("linkpack_counted.fixture").split_once("\n\n\n").unwrap();
        Stage::on(backend, &["--no-rate-limit"]).replay(clicks).await_clicks("counted", 3).replay(stats);
    }
}

on_each_store! {
    fn refused(backend) {
        Stage::on(backend, &["--no-rate-limit"]).replay(include_str!("linkpack_refused.fixture"));
    }
}

#[test]
fn ten_a_second() {
    let data = Data::new();
    let server = data.serve_with(&[], &[("WAYPOST_ADMIN_KEY", TOKEN)]);
    let mut client = Client::connect(server.address);
    let request = format!(
        "GET /api/v1/stats/none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    client.send(request.repeat(MANY));
    let answers: Vec<_> = (0..MANY).map_while(|_| client.answer()).collect();
    assert_eq!(answers.len(), MANY);
    let first = answers.first().unwrap();
    assert_eq!((first.status, first.field("X-RateLimit-Limit")), (404, Some("10")));
    assert_eq!(first.field("X-RateLimit-Remaining"), Some("9"));
    let over = answers.iter().find(|answer| answer.status == 429).expect("a refusal");
    assert_eq!(
        (over.field("Retry-After"), over.field("X-RateLimit-Remaining")),
        (Some("1"), Some("0"))
    );
    assert_eq!(over.body, r#"{"error":"Rate limit exceeded"}"#);
}
