//! A hostname of the provider `cloudflare`, from its registration to its end.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::support::{Data, Server, exchange};

const TOKEN: &str = "wp_0123456789abcdefghijklmn";

/// The API as far as one custom hostname goes.
#[derive(Default)]
struct Zone {
    asked: Vec<String>,
    status: &'static str,
    refuses: bool,
}

/// Cloudflare's API, and what it knows.
fn cloudflare() -> (String, Arc<Mutex<Zone>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/client/v4", listener.local_addr().expect("an address"));
    let zone = Arc::new(Mutex::new(Zone { status: "pending", ..Zone::default() }));
    let known = Arc::clone(&zone);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(&stream);
            let head: Vec<String> = (&mut reader)
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let length = head.iter().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse().ok())?
            });
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = reader.read_exact(&mut body);
            let mut zone = known.lock().expect("a zone");
            zone.asked.push(head.first().cloned().unwrap_or_default());
            let answer = if zone.refuses {
                json!({"success": false, "errors": [{"code": 1414, "message": "no"}], "result": null})
            } else {
                let ssl = json!({"status": "initializing"});
                let result = json!({"id": "cf-1", "status": zone.status, "ssl": ssl});
                json!({"success": true, "errors": [], "result": result})
            };
            let answer = answer.to_string();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close", answer.len());
            let _ = (&stream).write_all(format!("{head}\r\n\r\n{answer}").as_bytes());
        }
    });
    (url, zone)
}

fn call(server: &Server, line: &str, body: &str) -> (u16, Value) {
    let length = body.len();
    let answer = exchange(
        server.address,
        format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    );
    let answer = answer.expect("an answer");
    (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
}

#[test]
fn a_custom_hostname_and_its_statuses() {
    let (url, zone) = cloudflare();
    let data = Data::new();
    let server = data.serve_with(
        &[],
        &[
            ("WAYPOST_ADMIN_KEY", TOKEN),
            ("WAYPOST_CLOUDFLARE_API_URL", &url),
            ("WAYPOST_CLOUDFLARE_ZONE", "z1"),
            ("WAYPOST_CLOUDFLARE_TOKEN", "secret"),
        ],
    );
    let host = r#"{"hostname":"go.acme.com","provider":"cloudflare"}"#;
    zone.lock().expect("a zone").refuses = true;
    let (status, refused) = call(&server, "POST /api/domains", host);
    assert_eq!((status, refused["error"].as_str()), (502, Some("cloudflare_error")));
    zone.lock().expect("a zone").refuses = false;
    let (status, made) = call(&server, "POST /api/domains", host);
    let domain = &made["domain"];
    assert_eq!((status, domain["status"].as_str()), (200, Some("pending")), "{made}");
    assert_eq!(domain["cf_hostname_id"], "cf-1");
    assert_eq!(domain["ssl_status"], "initializing");
    zone.lock().expect("a zone").status = "active";
    let (_, list) = call(&server, "GET /api/domains", "");
    assert_eq!(list["domains"][0]["status"], "active", "{list}");
    zone.lock().expect("a zone").status = "blocked";
    let (_, list) = call(&server, "GET /api/domains", "");
    assert_eq!(list["domains"][0]["status"], "active", "known for less than five minutes: {list}");
    let (_, verified) = call(&server, &format!("POST /api/domains/{}/verify", domain["id"]), "");
    assert_eq!(verified["domain"]["status"], "blocked", "{verified}");
    assert_eq!(call(&server, &format!("DELETE /api/domains/{}", domain["id"]), "").0, 200);
    let asked = zone.lock().expect("a zone").asked.clone();
    let path = "/client/v4/zones/z1/custom_hostnames";
    assert_eq!(
        asked,
        [
            format!("POST {path} HTTP/1.1"),
            format!("POST {path} HTTP/1.1"),
            format!("GET {path}/cf-1 HTTP/1.1"),
            format!("GET {path}/cf-1 HTTP/1.1"),
            format!("DELETE {path}/cf-1 HTTP/1.1"),
        ]
    );
}
