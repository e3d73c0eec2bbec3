//! A server to be hostile to, and what no answer of it may be.

use super::entry::{Entry, Verdict};
use crate::support::{Answer, Client, Data, Server};

const TOKEN: &str = "wp_0123456789abcdefghijklmn";

pub(super) struct Site {
    pub(super) data: Data,
    server: Server,
    client: Client,
    workspace: String,
    /// What was accepted that should not have been, or the other way round.
    wrong: Vec<String>,
}

impl Site {
    pub(super) fn new() -> Self {
        let data = Data::new();
        let flags = ["--no-rate-limit", "--public-url", "https://yourdomain.com"];
        let server = data.serve_logged(&flags, &[("WAYPOST_ADMIN_KEY", TOKEN)]);
        let client = Client::connect(server.address);
        let listed = data.ok(&["workspace", "list", "--json"]);
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        let workspace = listed[0]["workspace_id"].as_str().expect("an id").to_owned();
        Self { data, server, client, workspace, wrong: Vec::new() }
    }

    /// A path or parameters with `{{workspace}}` and `{{auth}}` (linktrack's) filled in.
    pub(super) fn named(&self, text: &str) -> String {
        let auth = format!("login=admin&pass={TOKEN}");
        text.replace("{{workspace}}", &self.workspace).replace("{{auth}}", &auth)
    }

    /// A request line, and a body: JSON if it looks so, a form otherwise, none if it is empty.
    pub(super) fn send(&mut self, line: &str, body: &[u8]) -> Answer {
        let form = line.contains("/api/v1_0/");
        let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let bodied = !(line.starts_with("GET") || line.starts_with("DELETE"));
        let length = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        let head = format!(
            "{line} HTTP/1.1\r\nHost: yourdomain.com\r\nAuthorization: Bearer {TOKEN}\r\n{}\r\n",
            if bodied { &length } else { "" }
        );
        let request = [head.as_bytes(), body].concat();
        if let Some(answer) = self.client.send(&request).answer() {
            return answer;
        }
        self.client = Client::connect(self.server.address);
        self.client.send(&request).answer().unwrap_or_else(|| panic!("no answer to {line}"))
    }

    pub(super) fn get(&mut self, path: &str) -> Answer {
        let line = format!("GET {}", self.named(path));
        self.send(&line, b"")
    }

    /// These bytes on a connection of their own, and nothing after them.
    pub(super) fn raw(&self, request: &[u8]) -> Option<Answer> {
        Client::connect(self.server.address).send(request).half_close().answer()
    }

    /// What was answered is harmless, and what was to be expected.
    pub(super) fn judge(&mut self, entry: &Entry, place: &str, answer: &Answer) {
        assert_harmless(entry, place, answer);
        let accepted = (200..400).contains(&answer.status);
        self.expect(entry, place, accepted, &answer.body);
    }

    /// An entry is accepted where it should be, and nowhere else.
    pub(super) fn expect(&mut self, entry: &Entry, place: &str, accepted: bool, said: &str) {
        let right = match entry.verdict {
            Verdict::Refused => !accepted,
            Verdict::Accepted => accepted,
            Verdict::Either => true,
        };
        if !right {
            self.wrong.push(format!("{place} has not {entry}: {said:.200}"));
        }
    }

    /// Everything was as expected, it lives, and nothing went wrong inside.
    pub(super) fn end(mut self) {
        assert_eq!(self.get("/healthz").status, 200);
        let log = self.data.log();
        assert!(!log.contains("panicked"), "{log}");
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

/// Whatever an entry was fed to: nothing breaks, and nothing is broken out of.
pub(super) fn assert_harmless(entry: &Entry, place: &str, answer: &Answer) {
    assert_whole(&format!("{place}, of {entry}"), answer);
    assert_escaped(entry, place, answer);
}

/// An answer that any reader reads as it was meant.
pub(super) fn assert_whole(place: &str, answer: &Answer) {
    let shown = || format!("{place}: {}{}", answer.head, answer.body);
    assert!(answer.status < 500, "{}", shown());
    for line in answer.head.lines() {
        let injected = line.starts_with("X-Injected") || line.starts_with("Set-Cookie");
        assert!(!injected && line.bytes().all(|b| (b' '..0x7f).contains(&b)), "{}", shown());
    }
    let kind = answer.field("content-type").unwrap_or_default();
    if kind.starts_with("application/json") {
        let parsed = serde_json::from_str::<serde_json::Value>(&answer.body);
        assert!(parsed.is_ok(), "{}", shown());
    } else if kind.starts_with("application/xml") {
        assert!(roxmltree::Document::parse(&answer.body).is_ok(), "{}", shown());
    } else if kind.starts_with("text/html") {
        assert!(answer.field("content-security-policy").is_some(), "{}", shown());
    }
    if matches!(kind, "application/json; charset=utf-8" | "text/html; charset=utf-8") {
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{}", shown());
    }
}

/// A page that has no markup of the entry's.
pub(super) fn assert_escaped(entry: &Entry, place: &str, answer: &Answer) {
    let kind = answer.field("content-type").unwrap_or_default();
    let text = entry.text();
    let markup = text.len() > 3 && text.contains(['<', '>', '"']);
    let raw = kind.starts_with("text/html") && markup && answer.body.contains(&text);
    assert!(!raw, "{place}, of {entry}: {}{}", answer.head, answer.body);
}
