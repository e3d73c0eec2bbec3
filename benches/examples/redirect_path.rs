//! The redirect path from memory, step by step, for instruction counts:
//! `redirect_path STEP TIMES` does one step so many times, on one thread, and prints nothing.
//!
//! `cargo xtask prove` runs it under callgrind for two counts and takes the difference, so that
//! setting up costs nothing. No socket and no system call is in it.

use std::{hint::black_box, sync::Arc};

use waypost_edge::{Blocking, Edge, Readings, Settings};
use waypost_h1::{Conversation, Handler, Limits, Outcome, Reply, Request};
use waypost_index::Index;
use waypost_link::{
    Change, Click, Destination, DomainId, Link, LinkId, Revision, Schemes, Slug, Timestamp,
    WorkspaceId,
};
use waypost_redirect::{Engine, Facts, Method, Scratch};

/// Links of the index.
const LINKS: u64 = 1_000;
/// Memory for clicks: more than any run records.
const QUEUE: usize = 16 << 20;

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// What a browser sends.
fn browser(code: &str) -> String {
    format!(
        "GET /{code} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"126\"\r\n\
         sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: {AGENT}\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\n\
         Referer: https://news.example/a/page\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: de-DE,de;q=0.9,en;q=0.8\r\n\r\n"
    )
}

fn code(n: u64) -> String {
    format!("c{n:06}")
}

fn index() -> Arc<Index> {
    let index = Index::new();
    let links = (1..=LINKS).map(|n| {
        let slug = Slug::parse(&code(n)).expect("a code");
        let to = format!("https://www.example.com/landing/page/{n:08}?campaign=summer");
        let to = Destination::parse(&to, &Schemes::default()).expect("a destination");
        let mut link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
        (link.id, link.version) = (LinkId(n), 1);
        Change::CreateLink(Box::new(link))
    });
    index.apply(Revision(1), &links.collect::<Vec<_>>());
    Arc::new(index)
}

struct Nobody;

impl Blocking for Nobody {
    fn submit(&self, _: Box<dyn FnOnce() + Send>) -> bool {
        false
    }

    fn verify(&self, _: &str, _: &str) -> bool {
        false
    }

    fn figures(&self, _: LinkId, _: WorkspaceId) -> Option<waypost_edge::Figures> {
        None
    }
}

/// Answers everything the same: what is left is the engine's own work.
struct Fixed;

impl Handler for Fixed {
    fn handle(&self, _: &Request<'_>, reply: Reply<'_>) -> Outcome {
        reply.encoded(&[b"HTTP/1.1 302 Found\r\nLocation: ", b"https://example.com/", b"\r\n"], b"")
    }
}

fn converse(handler: impl Handler, request: impl Fn(&str) -> String, times: u64) {
    let mut conversation = Conversation::new(handler, Limits::default());
    let requests: Vec<_> = (1..=LINKS).map(|n| request(&code(n))).collect();
    for request in requests.iter().cycle().take(times as usize) {
        black_box(conversation.feed(request.as_bytes()));
    }
}

fn edge() -> impl Handler {
    let (recorder, drain) = waypost_clicks::queue(1, QUEUE);
    std::mem::forget(drain);
    let engine = Arc::new(Engine::new(index(), recorder, waypost_redirect::Settings::default()));
    let settings = Settings {
        country_header: Some("CF-IPCountry".to_owned()),
        sandboxed: false,
        blocking: Arc::new(Nobody),
        readings: Box::new(Readings::default),
    };
    Edge::new(engine, settings).mount(true, true)
}

fn decide(method: Method, times: u64) {
    let (recorder, _drain) = waypost_clicks::queue(1, QUEUE);
    let engine = Engine::new(index(), recorder, waypost_redirect::Settings::default());
    let mut scratch = Scratch::default();
    let paths: Vec<_> = (1..=LINKS).map(|n| format!("/{}", code(n))).collect();
    for path in paths.iter().cycle().take(times as usize) {
        let facts = Facts {
            method,
            host: b"localhost",
            path: path.as_bytes(),
            user_agent: AGENT.as_bytes(),
            referrer: b"https://news.example/a/page",
            accept_language: b"de-DE,de;q=0.9,en;q=0.8",
            ..Facts::default()
        };
        black_box(engine.decide(&facts, &mut scratch).outcome());
    }
}

fn lookup(times: u64) {
    let index = index();
    let codes: Vec<_> = (1..=LINKS).map(code).collect();
    for code in codes.iter().cycle().take(times as usize) {
        black_box(index.with(DomainId::DEFAULT, code, |entry| entry.destination.len()));
    }
}

fn push(times: u64) {
    let (recorder, _drain) = waypost_clicks::queue(1, QUEUE);
    for n in 0..times {
        let click = Click {
            link: LinkId(n % LINKS),
            workspace: WorkspaceId(1),
            at: Timestamp(n as i64),
            salt: n as u32,
            ip: [192, 0, 2, 1].into(),
            country: None,
            spent: true,
            user_agent: AGENT.as_bytes(),
            referrer: b"https://news.example/a/page",
            language: b"de-DE,de;q=0.9,en;q=0.8",
            rule: "",
        };
        assert!(recorder.record(0, black_box(&click)), "the queue is too small");
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let step = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    let small = |code: &str| format!("GET /{code} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    match step.as_str() {
        "parse-small" => converse(Fixed, small, times),
        "parse-browser" => converse(Fixed, browser, times),
        "redirect-small" => converse(edge(), small, times),
        "redirect-browser" => converse(edge(), browser, times),
        "decide" => decide(Method::Get, times),
        "decide-uncounted" => decide(Method::Head, times),
        "lookup" => lookup(times),
        "push" => push(times),
        _ => panic!("no such step: {step:?}"),
    }
}
