//! Which requests are clicks.

use crate::support::{Client, Data};

#[test]
fn a_get_counts_and_a_head_or_prefetch_does_not() {
    let data = Data::new();
    data.ok(&["link", "add", "hi", "https://example.com/"]);
    let server = data.serve();
    let mut client = Client::connect(server.address);
    for (request, counts) in [
        ("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n", true),
        ("GET /track/hi HTTP/1.1\r\nHost: a\r\nUser-Agent: Googlebot/2.1\r\n\r\n", true),
        ("GET /hi HTTP/1.1\r\nHost: a\r\nSec-Purpose: prefetch\r\n\r\n", false),
        ("GET /hi HTTP/1.1\r\nHost: a\r\nPurpose: prefetch\r\n\r\n", false),
        ("GET /hi HTTP/1.1\r\nHost: a\r\nX-Moz: prefetch\r\n\r\n", false),
    ] {
        let before = data.clicks("hi");
        assert_eq!(client.send(request).answer().expect("an answer").status, 302);
        data.await_clicks("hi", before + u64::from(counts));
    }
    client.send("HEAD /hi HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer_to_head().expect("an answer").status, 302);
    assert!(server.stop().success());
    data.await_clicks("hi", 2);
}

#[test]
fn statistics_say_who_came() {
    let data = Data::new();
    data.ok(&["link", "add", "hi", "https://example.com/"]);
    let server = data.serve();
    let mut client = Client::connect(server.address);
    for (agent, referrer) in [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
            "https://news.example/a",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "https://news.example/b",
        ),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", ""),
    ] {
        client.send(format!(
            "GET /hi HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\nReferer: {referrer}\r\n\
             Accept-Language: de-DE,de;q=0.9\r\nCF-IPCountry: DE\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
        ));
        assert_eq!(client.answer().expect("an answer").status, 302);
    }
    assert!(server.stop().success());
    let stats: serde_json::Value =
        serde_json::from_str(&data.ok(&["stats", "hi", "--json"])).expect("JSON");
    assert_eq!(stats["clicks"], 3, "{stats}");
    assert_eq!(stats["bots"], 1, "{stats}");
    let text = stats.to_string();
    for value in ["news.example", "DE", "Safari", "Chrome", "Mobile", "Desktop"] {
        assert!(text.contains(value), "{value} is not in {text}");
    }
}

#[test]
fn a_click_limit_is_exact_under_load_and_survives_a_restart() {
    let data = Data::new();
    data.ok(&["link", "add", "few", "https://example.com/", "--max-clicks", "50"]);
    let server = data.serve();
    let address = server.address;
    let threads: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(move || {
                let mut client = Client::connect(address);
                let go = |_: &u32| {
                    let answer = client.send("GET /few HTTP/1.1\r\nHost: a\r\n\r\n").answer();
                    answer.expect("an answer").status == 302
                };
                (0..20).filter(go).count()
            })
        })
        .collect();
    let through: usize = threads.into_iter().map(|thread| thread.join().expect("thread")).sum();
    assert_eq!(through, 50);
    assert!(server.stop().success());
    let server = data.serve();
    assert_eq!(server.get("/few").status, 404);
    data.ok(&["link", "set", "few", "max_clicks=52"]);
    crate::support::await_that(|| server.get("/few").status == 302, "the new limit");
    assert_eq!([server.get("/few").status, server.get("/few").status], [302, 404]);
    assert!(server.stop().success());
    data.await_clicks("few", 52);
}
