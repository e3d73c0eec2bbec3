//! Fixtures: requests with the answers that are expected, replayed against a server of their own.
//!
//! A fixture is text. A line that begins with `# ` begins a step and names it:
//!
//! ```text
//! # Create a link
//! POST /api/things?x={{thing}}
//! X-Header: sent as it stands
//!
//! {"url": "https://example.com/", "at": "{{now-1h}}"}
//!
//! => 201
//! Location: /things/<int as id>
//!
//! {"id": "<int>", "made": "<time>", "...": 0}
//! ```
//!
//! Without an `Authorization` line the owner's token is sent (`Authorization: none` sends none), without a
//! `Content-Type` a body is JSON. `{{name}}` stands for what was captured, or for `token`, `login`, `host`, `now`
//! (RFC 3339, also `now-90s`, `now+5m`, `now-2h`, `now-3d`) and `today` (a date, also `today-3d`).
//!
//! In what is expected, `<time>`, `<date>`, `<uuid>`, `<int>`, `<number>`, `<word>` and `<any>` stand for any text
//! or number of that kind; `<int as name>` captures it, and a name stands for one value in one answer. Objects must have the same keys, unless `"..."` is one of
//! them; arrays the same length. A body that isn't JSON is compared as text.
//!
//! Every exchange is also held against `/openapi.json`, see `contract.rs`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::Value;

use super::contract::Contract;
use crate::support::{Answer, Backend, Client, Data, Server};

/// The owner's token on every stage.
pub(super) const TOKEN: &str = "wp_0123456789abcdefghijklmn";

/// A server with an owner's key, and what was captured so far.
pub(super) struct Stage {
    data: Data,
    pub(super) server: Server,
    flags: Vec<String>,
    contract: Contract,
    names: BTreeMap<String, String>,
    /// Those captured in the answer at hand.
    fresh: BTreeSet<String>,
    now: Timestamp,
}

impl Stage {
    /// A server with these flags, that makes short links below `https://yourdomain.com`.
    pub(super) fn new(flags: &[&str]) -> Self {
        Self::with(flags, &[])
    }

    /// The same, with links and clicks in `backend`.
    pub(super) fn on(backend: Backend, flags: &[&str]) -> Self {
        Self::of(Data::on(backend), flags, &[])
    }

    /// The same, with these variables in its environment.
    pub(super) fn with(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::of(Data::new(), flags, variables)
    }

    fn of(data: Data, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let flags = [&["--public-url", "https://yourdomain.com"], flags].concat();
        let variables = [&[("WAYPOST_ADMIN_KEY", TOKEN)], variables].concat();
        let server = data.serve_with(&flags, &variables);
        let contract = Contract::of(&server);
        let host = server.address.to_string();
        let names = [("token", TOKEN.to_owned()), ("login", "admin".to_owned()), ("host", host)];
        let names = names.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let flags = flags.iter().map(ToString::to_string).collect();
        Self { data, server, flags, contract, names, fresh: BTreeSet::new(), now: Timestamp::now() }
    }

    /// The same on a copy of its store in another, with a server of its own.
    pub(super) fn moved(self, to: Backend) -> Self {
        assert!(self.server.stop().success());
        let target = Data::on(to);
        self.data.ok(&["copy", "--from", &self.data.store(), "--to", &target.store()]);
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        let server = target.serve_with(&flags, &[("WAYPOST_ADMIN_KEY", TOKEN)]);
        let mut names = self.names.clone();
        names.insert("host".to_owned(), server.address.to_string());
        Self { data: target, server, names, ..self }
    }

    /// Runs a command beside the server.
    pub(super) fn run(&mut self, arguments: &[&str]) -> &mut Self {
        self.data.ok(arguments);
        self
    }

    /// Runs a command with `--json` beside the server, and calls what is at `pointer` (RFC 6901) of its
    /// output `name`.
    pub(super) fn learn(&mut self, name: &str, arguments: &[&str], pointer: &str) -> &mut Self {
        let out = self.data.ok(&[arguments, &["--json"]].concat());
        let out: Value = serde_json::from_str(&out).expect("JSON");
        let value = match out.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            other => panic!("no text at {pointer}: {other:?}"),
        };
        self.call(name, &value)
    }

    /// Calls `value` `name`.
    pub(super) fn call(&mut self, name: &str, value: &str) -> &mut Self {
        self.names.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Writes a file beside the data; its path.
    pub(super) fn write(&self, name: &str, text: &str) -> String {
        let path = self.data.path().join(name);
        std::fs::write(&path, text).expect("write");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Waits until a link's clicks are in the statistics.
    pub(super) fn await_clicks(&mut self, code: &str, count: u64) -> &mut Self {
        self.data.await_clicks(&self.filled(code), count);
        self
    }

    /// Plays all steps of a fixture.
    pub(super) fn replay(&mut self, fixture: &str) -> &mut Self {
        let fixture = format!("\n{fixture}");
        for step in fixture.split("\n# ").skip(1) {
            self.step(step);
        }
        self
    }

    /// What was captured under this name.
    pub(super) fn captured(&self, name: &str) -> &str {
        self.names.get(name).unwrap_or_else(|| panic!("nothing is called {name}"))
    }

    fn step(&mut self, step: &str) {
        let (title, rest) = step.split_once('\n').expect("a title");
        let (asked, expected) = rest.split_once("\n=> ").expect("an expectation");
        let answer = self.ask(&self.filled(asked));
        self.fresh.clear();
        let (status, expected) = expected.split_once('\n').unwrap_or((expected, ""));
        let shown = format!("{title}: {}\n{}", answer.head, answer.body);
        assert_eq!(answer.status.to_string(), status.trim(), "{shown}");
        let (head, body) = split(expected);
        for line in head.lines().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").expect("a header");
            let field = answer.field(name).unwrap_or_else(|| panic!("{shown}\nlacks {name}"));
            assert!(self.text_fits(&self.filled(value), field), "{shown}\nexpected {line}");
        }
        let body = self.filled(body.trim());
        if body.starts_with(['{', '[']) {
            let body =
                serde_json::from_str(&body).unwrap_or_else(|e| panic!("{title}: {e}\n{body}"));
            let given =
                serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{e}: {shown}"));
            if let Err(why) = self.fits(&body, &given, "") {
                panic!("{shown}\n\n{why}");
            }
        } else if !body.is_empty() {
            assert!(self.text_fits(&body, answer.body.trim()), "{shown}\nexpected {body}");
        }
    }

    fn ask(&self, asked: &str) -> Answer {
        let (head, body) = split(asked);
        let (line, fields) = head.split_once('\n').unwrap_or((head, ""));
        let has = |name: &str| fields.lines().any(|field| field.starts_with(name));
        let mut request = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        for field in fields.lines().filter(|field| !field.ends_with(": none")) {
            request += &format!("{field}\r\n");
        }
        if !has("Host:") {
            request += "Host: yourdomain.com\r\n";
        }
        if !has("Authorization:") {
            request += &format!("Authorization: Bearer {TOKEN}\r\n");
        }
        let body = body.trim();
        if !body.is_empty() && !has("Content-Type:") {
            request += "Content-Type: application/json\r\n";
        }
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut client = Client::connect(self.server.address);
        client.send(format!("{request}\r\n{body}"));
        let answer =
            if line.starts_with("HEAD") { client.answer_to_head() } else { client.answer() };
        let answer = answer.unwrap_or_else(|| panic!("no answer to {line}"));
        let kind = fields.lines().find_map(|field| field.strip_prefix("Content-Type: "));
        let sent = (kind.unwrap_or("application/json"), body);
        let asked = line.split_once(' ').expect("a method and a path");
        if let Err(why) = self.contract.check(asked, sent, &answer) {
            panic!("{line}: {why}\n{}\n{}", answer.head, answer.body);
        }
        answer
    }

    /// `text` with its `{{names}}` filled in.
    fn filled(&self, text: &str) -> String {
        let mut parts = text.split("{{");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once("}}").expect("}}");
            out += &self.value(name);
            out += rest;
        }
        out
    }

    fn value(&self, name: &str) -> String {
        if let Some(shift) = name.strip_prefix("now") {
            let at = shifted(self.now, shift);
            return Timestamp::from_second(at.as_second()).expect("a time").to_string();
        }
        if let Some(shift) = name.strip_prefix("today") {
            return shifted(self.now, shift).to_zoned(TimeZone::UTC).date().to_string();
        }
        self.captured(name).to_owned()
    }

    fn fits(&mut self, expected: &Value, given: &Value, at: &str) -> Result<(), String> {
        let differ = || Err(format!("at {at:?}: expected {expected}, got {given}"));
        match (expected, given) {
            (Value::Object(expected), Value::Object(given)) => {
                let open = expected.contains_key("...");
                if let Some(more) = given.keys().find(|key| !open && !expected.contains_key(*key)) {
                    return Err(format!("at {at:?}: {more:?} is not expected"));
                }
                for (key, expected) in expected.iter().filter(|(key, _)| *key != "...") {
                    let missing = || format!("at {at:?}: {key:?} is missing");
                    let given = given.get(key).ok_or_else(missing)?;
                    self.fits(expected, given, &format!("{at}.{key}"))?;
                }
                Ok(())
            }
            (Value::Array(expected), Value::Array(given)) if expected.len() == given.len() => {
                let mut pairs = expected.iter().zip(given).enumerate();
                pairs.try_for_each(|(n, (e, g))| self.fits(e, g, &format!("{at}[{n}]")))
            }
            (Value::String(expected), Value::String(given)) if self.text_fits(expected, given) => {
                Ok(())
            }
            (Value::String(expected), Value::Number(given))
                if expected.starts_with('<') && self.text_fits(expected, &given.to_string()) =>
            {
                Ok(())
            }
            (expected, given) if expected == given => Ok(()),
            _ => differ(),
        }
    }

    /// Whether `given` is `expected`, its placeholders taken for what they stand for, and captured.
    fn text_fits(&mut self, expected: &str, given: &str) -> bool {
        let Some((before, kind, name, after)) = placeholder(expected) else {
            return expected == given;
        };
        let Some(given) = given.strip_prefix(before) else { return false };
        let next = placeholder(after).map_or(after, |(before, ..)| before);
        let end = if next.is_empty() { Some(given.len()) } else { given.find(next) };
        let Some(end) = end else { return false };
        let (value, rest) = given.split_at(end);
        if !is_a(kind, value) {
            return false;
        }
        if let Some(name) = name {
            let before = self.names.insert(name.to_owned(), value.to_owned());
            if !self.fresh.insert(name.to_owned()) && before.as_deref() != Some(value) {
                return false;
            }
        }
        self.text_fits(after, rest)
    }
}

const KINDS: [&str; 7] = ["time", "date", "uuid", "int", "number", "word", "any"];

/// The first placeholder of a text: what is before it, its kind, its name, what is after it.
fn placeholder(text: &str) -> Option<(&str, &str, Option<&str>, &str)> {
    text.match_indices('<').find_map(|(start, _)| {
        let (inside, after) = text.get(start + 1..)?.split_once('>')?;
        let (kind, name) = match inside.split_once(" as ") {
            Some((kind, name)) => (kind, Some(name)),
            None => (inside, None),
        };
        KINDS.contains(&kind).then_some((&text[..start], kind, name, after))
    })
}

fn is_a(kind: &str, value: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match kind {
        "time" => value.parse::<Timestamp>().is_ok() && value.ends_with('Z'),
        "date" => value.len() == 10 && value.parse::<jiff::civil::Date>().is_ok(),
        "uuid" => {
            let groups: Vec<_> = value.split('-').map(str::len).collect();
            groups == [8, 4, 4, 4, 12] && value.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
        }
        "int" => value.parse::<i64>().is_ok(),
        "number" => value.parse::<f64>().is_ok(),
        "word" => !value.is_empty() && value.chars().all(word),
        _ => true,
    }
}

/// `now` moved by `-90s`, `+5m`, `-2h` or `-3d`.
fn shifted(now: Timestamp, shift: &str) -> Timestamp {
    let Some(unit) = shift.chars().last() else { return now };
    let count: i64 = shift.trim_end_matches(unit).parse().expect("a number");
    let seconds = match unit {
        's' => count,
        'm' => count * 60,
        'h' => count * 3_600,
        _ => count * 86_400,
    };
    now.checked_add(seconds.seconds()).expect("a time")
}

/// Head and body, at the first empty line.
fn split(text: &str) -> (&str, &str) {
    match text.strip_prefix('\n') {
        Some(body) => ("", body),
        None => text.split_once("\n\n").unwrap_or((text, "")),
    }
}
