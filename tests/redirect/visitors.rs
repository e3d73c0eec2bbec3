//! Who a visitor is: addresses behind proxies, PROXY headers, and shares that stick (SPEC 3.6, 3.7).

use crate::support::{Client, Data, Server, exchange};

/// A link whose rule leads visitors from 192.0.2.0/24 elsewhere.
fn with_link() -> Data {
    let data = Data::new();
    let rules = r#"rules=[{"id":"net","condition":"ip","value":"192.0.2.0/24","destination":"https://example.com/net"}]"#;
    data.ok(&["link", "add", "net", "https://example.com/else", "--set", rules]);
    data
}

fn is_led(answer: &str) -> bool {
    match answer {
        "https://example.com/net" => true,
        "https://example.com/else" => false,
        other => panic!("led to {other}"),
    }
}

fn get(server: &Server, before: &str, fields: &str) -> bool {
    let request = format!("{before}GET /net HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let answer = exchange(server.address, request).expect("an answer");
    is_led(answer.field("location").expect("a location"))
}

#[test]
fn a_trusted_proxy_is_believed_and_nobody_else() {
    let data = with_link();
    let rows = [
        ("", false),
        ("X-Forwarded-For: 192.0.2.1\r\n", true),
        ("X-Forwarded-For: 192.0.2.1, 198.51.100.1\r\n", false),
        ("X-Forwarded-For: 198.51.100.1, 192.0.2.1\r\n", true),
        ("X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\n", true),
        ("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 127.0.0.9\r\n", true),
        ("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 198.51.100.1\r\n", false),
        ("X-Real-IP: 192.0.2.1\r\n", true),
        ("X-Real-IP: 192.0.2.1\r\nX-Forwarded-For: 198.51.100.1\r\n", false),
        ("Forwarded: for=192.0.2.1\r\n", false),
    ];
    let server = data.serve();
    for (fields, led) in rows {
        assert_eq!(get(&server, "", fields), led, "{fields:?}");
    }
    drop(server);
    let server = data.serve_with(&[], &[("WAYPOST_TRUSTED_PROXIES", "10.0.0.0/8")]);
    for (fields, _) in rows {
        assert!(!get(&server, "", fields), "{fields:?}");
    }
}

#[test]
fn a_proxied_listener_takes_the_address_from_the_header() {
    let data = with_link();
    let server = data.serve_with(&[], &[("WAYPOST_PROXY_PROTOCOL", "127.0.0.1:0")]);
    for (header, led) in [
        ("PROXY TCP4 192.0.2.1 127.0.0.1 1000 80\r\n", true),
        ("PROXY TCP4 198.51.100.1 127.0.0.1 1000 80\r\n", false),
        ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1000 80\r\n", true),
        ("PROXY UNKNOWN\r\n", false),
    ] {
        assert_eq!(get(&server, header, ""), led, "{header:?}");
    }
    // What the header names is no trusted proxy, so that it can't name another in turn.
    let header = "PROXY TCP4 198.51.100.1 127.0.0.1 1000 80\r\n";
    assert!(!get(&server, header, "X-Forwarded-For: 192.0.2.1\r\n"));
    let version_2: Vec<u8> = [
        &b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..],
        &[192, 0, 2, 1, 127, 0, 0, 1, 3, 232, 0, 80],
        b"GET /net HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    .concat();
    let answer = exchange(server.address, version_2).expect("an answer");
    assert!(is_led(answer.field("location").expect("a location")));
    for without in ["GET /net HTTP/1.1\r\nHost: a\r\n\r\n", "PROXY TCP4 nonsense\r\n"] {
        let mut client = Client::connect(server.address);
        assert!(client.send(without).is_closed(), "{without:?}");
    }
}

#[test]
fn shares_stick_to_visitors_and_are_right() {
    let data = Data::new();
    let rules = r#"rules=[{"id":"a","condition":"percentage","percentage":20,"value":"20","destination":"https://example.com/a"},{"id":"b","condition":"percentage","percentage":30,"value":"30","destination":"https://example.com/b"}]"#;
    data.ok(&["link", "add", "ab", "https://example.com/c", "--set", rules]);
    let visit = |server: &Server| -> Vec<String> {
        let mut client = Client::connect(server.address);
        let requests = (0..4_000).map(|visitor| {
            let (high, low) = (visitor / 250, visitor % 250);
            format!(
                "GET /ab HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.{high}.{low}\r\n\
                 User-Agent: Visitor/{visitor}\r\n\r\n"
            )
        });
        let lead = |request: String| {
            let answer = client.send(request).answer().expect("an answer");
            answer.field("location").expect("a location").to_owned()
        };
        requests.map(lead).collect()
    };
    let server = data.serve();
    let first = visit(&server);
    // Five standard deviations of 4,000 draws are 130 at most.
    for (end, share) in [("/a", 800), ("/b", 1_200), ("/c", 2_000)] {
        let count = first.iter().filter(|location| location.ends_with(end)).count();
        assert!(count.abs_diff(share) < 160, "{count} of {share} were led to {end}");
    }
    assert_eq!(visit(&server), first);
    assert!(server.stop().success());
    assert_eq!(visit(&data.serve()), first);
}
