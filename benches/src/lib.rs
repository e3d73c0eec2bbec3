//! What is measured with: the links, requests and clicks that benches and instruction counts share.
//!
//! The figures of one are only comparable with the other's because both do the same. Nothing here
//! opens a socket.
#![forbid(unsafe_code)]

pub mod clicks;

use std::sync::Arc;

use waypost_clicks::Recorder;
use waypost_edge::{Blocking, Edge, Readings, Settings};
use waypost_h1::{Handler, Outcome, Reply, Request};
use waypost_index::Index;
use waypost_link::{
    Change, Click, Destination, DomainId, Link, LinkId, Revision, Rule, Schemes, Slug, Timestamp,
    WorkspaceId,
};
use waypost_redirect::{Engine, Facts, Method};

/// Links of [`index`].
pub const LINKS: u64 = 1_000;

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// The code of link `n`.
pub fn code(n: u64) -> String {
    format!("c{n:06}")
}

/// A request with nothing but what it must have.
pub fn small(code: &str) -> String {
    format!("GET /{code} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// What a browser sends.
pub fn browser(code: &str) -> String {
    format!(
        "GET /{code} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"126\"\r\n\
         sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: {AGENT}\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\n\
         Referer: https://news.example/a/page\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: de-DE,de;q=0.9,en;q=0.8\r\n\r\n"
    )
}

/// The same as the engine is told it.
pub fn facts(method: Method, path: &str) -> Facts<'_> {
    Facts {
        method,
        host: b"localhost",
        path,
        user_agent: AGENT.as_bytes(),
        referrer: b"https://news.example/a/page",
        accept_language: b"de-DE,de;q=0.9,en;q=0.8",
        ..Facts::default()
    }
}

/// The click of such a request.
pub fn click(n: u64) -> Click<'static> {
    Click {
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
    }
}

/// Links without options.
pub fn index() -> Arc<Index> {
    index_with(&[])
}

/// Links each with four rules, of which such a request matches the last.
pub fn index_with_rules() -> Arc<Index> {
    let rule = |id: &str, condition: &str, value: &str| {
        let to = destination(&format!("https://www.example.com/rule/{id}"));
        Rule::parse(id, condition, value, None, to).expect("a rule")
    };
    index_with(&[
        rule("1", "geo", "US,CA"),
        rule("2", "device", "Mobile"),
        rule("3", "referer", "example.com"),
        rule("4", "language", "de"),
    ])
}

fn index_with(rules: &[Rule]) -> Arc<Index> {
    let index = Index::new();
    let links = (1..=LINKS).map(|n| {
        let slug = Slug::parse(&code(n)).expect("a code");
        let to = format!("https://www.example.com/landing/page/{n:08}?campaign=summer");
        let to = destination(&to);
        let mut link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
        (link.id, link.version, link.rules) = (LinkId(n), 1, rules.to_vec());
        Change::CreateLink(Box::new(link))
    });
    index.apply(Revision(1), &links.collect::<Vec<_>>());
    Arc::new(index)
}

fn destination(url: &str) -> Destination {
    Destination::parse(url, &Schemes::default()).expect("a destination")
}

/// An engine over `index` that records clicks in `recorder`.
pub fn engine(index: Arc<Index>, recorder: Recorder) -> Engine {
    Engine::new(index, recorder, waypost_redirect::Settings::default())
}

/// Everything from a request to its answer, over [`index`].
pub fn edge(recorder: Recorder) -> impl Handler {
    let settings = Settings {
        country_header: Some("CF-IPCountry".to_owned()),
        sandboxed: false,
        blocking: Arc::new(Nobody),
        readings: Box::new(Readings::default),
    };
    Edge::new(Arc::new(engine(index(), recorder)), settings).mount(true, true)
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

    fn picture(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

/// Answers everything the same: what is left is the engine's own work.
#[derive(Debug)]
pub struct Fixed;

impl Handler for Fixed {
    fn handle(&self, _: &Request<'_>, reply: Reply<'_>) -> Outcome {
        reply.encoded(&[b"HTTP/1.1 302 Found\r\nLocation: ", b"https://example.com/", b"\r\n"], b"")
    }
}

/// A redirect as the edge encodes it.
pub fn redirect(reply: Reply<'_>) -> Outcome {
    const HEAD: &[u8] = b"HTTP/1.1 302 Found\r\nCache-Control: private, no-store\r\nLocation: ";
    const TO: &[u8] = b"https://www.example.com/landing/page/00000001?campaign=summer";
    reply.encoded(&[HEAD, TO, b"\r\n"], b"")
}
