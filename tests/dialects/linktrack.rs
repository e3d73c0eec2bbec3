//! linktrack: the examples of its document, what it refuses, and what its links count.

use super::replay::{Stage, TOKEN};
use crate::support::{Answer, await_that, exchange};

on_each_store! {
    fn examples(backend) {
        let mut stage = Stage::on(backend, &["--no-rate-limit"]);
        let php = [
            ("external_url", "http://www.google.com"),
            ("login", "admin"),
            ("pass", TOKEN),
            ("title", "Grüße, \"quoted\" & <tagged>"),
        ];
        let step = format!(
            "# makeLink as PHP's curl sends an array\n{}\n=> 200\n\nhttps://yourdomain.com/<word as php>",
            php_curl(&php)
        );
        stage.replay(include_str!("linktrack.fixture")).replay(&step);
        let made = get(&stage, &format!("getLink?redirect_hash={}&format=json", stage.captured("php")));
        assert!(made.body.contains("\"title\":\"Grüße, \\\"quoted\\\" & <tagged>\""), "{}", made.body);
    }
}

on_each_store! {
    fn refused(backend) {
        Stage::on(backend, &["--no-rate-limit"]).replay(include_str!("linktrack_refused.fixture"));
    }
}

/// The request of `curl_setopt($ch, CURLOPT_POSTFIELDS, $array)`.
fn php_curl(fields: &[(&str, &str)]) -> String {
    const BOUNDARY: &str = "------------------------d74496d66958873e";
    let part = |(name, value): &(&str, &str)| {
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let parts: String = fields.iter().map(part).collect();
    format!(
        "POST /api/v1_0/makeLink\nAuthorization: none\nAccept: */*\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\n\n{parts}--{BOUNDARY}--\r\n"
    )
}

fn get(stage: &Stage, call: &str) -> Answer {
    let joint = if call.contains('?') { '&' } else { '?' };
    stage.server.get(&format!("/api/v1_0/{call}{joint}login=admin&pass={TOKEN}"))
}

fn make(stage: &Stage, parameters: &str) -> Answer {
    get(stage, &format!("makeLink?external_url=https://example.com/{parameters}"))
}

#[test]
fn links_count_down_to_nothing() {
    let stage = Stage::new(&[]);
    assert_eq!(make(&stage, "&vanity_link=three&deactivate_at=3").status, 200);
    let statuses: Vec<u16> = (0..5).map(|_| stage.server.get("/three").status).collect();
    assert_eq!(statuses, [302, 302, 302, 404, 404]);
    assert_eq!(make(&stage, "&vanity_link=off&is_active=0").status, 200);
    assert_eq!(make(&stage, "&vanity_link=over&expires_at=2001-01-01").status, 200);
    for code in ["off", "over"] {
        assert_eq!(stage.server.get(&format!("/{code}")).status, 404);
    }
}

#[test]
fn clicks_and_conversions_are_shown() {
    let stage = Stage::new(&[]);
    assert_eq!(make(&stage, "&vanity_link=sold&has_conversion_tracking=1").status, 200);
    let request = "GET /sold HTTP/1.1\r\nHost: yourdomain.com\r\nCF-IPCountry: DE\r\n\
                   Referer: https://news.example/x\r\nUser-Agent: curl/8.0\r\n\r\n";
    let answer = exchange(stage.server.address, request).expect("an answer");
    let click =
        answer.field("location").and_then(|to| to.split("wp_click=").nth(1)).expect("a click");
    // At once: the click may still be in the journal.
    for _ in 0..2 {
        let sold = stage.server.get(&format!("/conversion.gif?wp_click={click}&value=9.90"));
        assert_eq!((sold.status, sold.field("content-type")), (200, Some("image/gif")));
    }
    let seen = || {
        let shown = get(&stage, "getLink?redirect_hash=sold&format=json").body;
        shown.contains("\"count_day\":1,\"count_total\":1,\"conversions\":1")
    };
    await_that(seen, "the click and its conversion to be shown");
    let history = get(&stage, "getLinkHistory?redirect_hash=sold").body;
    for text in [
        "<country>DE</country><referrer>news.example</referrer><user_agent>curl/8.0</user_agent>",
        "<history><item><created_at>",
        "<ip>127.0.0.1</ip>",
    ] {
        assert!(history.contains(text), "{text} is not in {history}");
    }
    assert_eq!(history.matches("<item>").count(), 1);
    let by_clicks = get(&stage, "getLinks?sort=lc.updated_at&limit=1&format=json").body;
    assert!(by_clicks.contains("\"redirect_hash\":\"sold\""), "{by_clicks}");
    let later = get(&stage, "getLinkHistory?redirect_hash=sold&start_date=2099-01-01&format=json");
    assert_eq!(later.body, "{\"history\":[]}");
}
