//! What visitors get, byte by byte, without a socket: the edge over a small index, its protocol in memory.
#![forbid(unsafe_code)]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use waypost_clicks::Drain;
use waypost_edge::{Blocking, Count, Edge, Figures, Mounted, Readings, Ready, Settings};
use waypost_h1::{Conversation, Limits};
use waypost_index::Index;
use waypost_link::*;
use waypost_redirect::Engine;

/// Runs jobs in threads, unless it is full; a password fits the hash that is spelled like it; it counts clicks
/// unless the store is away.
#[derive(Default)]
struct Threads {
    full: AtomicBool,
    away: AtomicBool,
    /// Clicks of limited links that may be lent, one at a time.
    lending: Mutex<(u64, Option<Arc<Index>>)>,
}

impl Blocking for Threads {
    fn submit(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        let takes = !self.full.load(Relaxed);
        if takes {
            std::thread::spawn(job);
        }
        takes
    }

    fn verify(&self, password: &str, hash: &str) -> bool {
        password == hash
    }

    fn figures(&self, link: LinkId, _: WorkspaceId) -> Option<Figures> {
        if self.away.load(Relaxed) {
            return None;
        }
        let days = vec![Count { name: "2026-01-01".to_owned(), clicks: 3 }];
        let title = format!("<b>{link:?}</b>");
        Some(Figures { title, clicks: 1_234, visitors: 99, days, ..Figures::default() })
    }

    fn lend(&self, link: LinkId, until: std::time::Instant) -> bool {
        assert!(until.elapsed().is_zero(), "it is not too late yet");
        let (left, index) = &mut *self.lending.lock().unwrap();
        let counter = index.as_ref().and_then(|index| index.counter(link)).unwrap();
        match left.checked_sub(1) {
            Some(fewer) => {
                *left = fewer;
                counter.lent().unwrap().add(1);
            }
            None => counter.lent().unwrap().set_out(true),
        }
        !self.away.load(Relaxed)
    }

    fn picture(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

struct World {
    edge: Arc<Edge>,
    threads: Arc<Threads>,
    ready: Arc<Mutex<Ready>>,
    drain: Drain,
}

fn links() -> Vec<Link> {
    let link = |id: u64, code: &str, edit: &dyn Fn(&mut Link)| {
        let to = Destination::parse("https://example.com/?a=%22", &Schemes::default()).unwrap();
        let slug = Slug::parse(code).unwrap();
        let mut link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
        (link.id, link.version) = (LinkId(id), 1);
        edit(&mut link);
        link
    };
    let tag = || Script {
        id: "s".to_owned(),
        placement: Placement::Head,
        script: "<script>track()</script>".to_owned(),
    };
    vec![
        link(7, "few", &|link| link.max_clicks = Some(9)),
        link(8, "locked-few", &|link| {
            (link.max_clicks, link.password) = (Some(9), Some("let me in".to_owned()));
        }),
        link(1, "hi", &|_| {}),
        link(2, "locked", &|link| link.password = Some("let me in".to_owned())),
        link(3, "tagged", &|link| link.scripts = vec![tag()]),
        link(4, "gone", &|link| link.expires_at = Some(Timestamp(1))),
        link(5, "moved", &|link| link.status = Status::Moved),
        link(6, "shown", &|link| {
            link.flags =
                link.flags.with(Flags::PLUS_TRACKING.with(Flags::PUBLIC_TRACKING, true), true);
        }),
    ]
}

/// A hostname that is registered, and not yet proven.
fn pending() -> Domain {
    Domain {
        id: DomainId(7),
        workspace: WorkspaceId(1),
        hostname: Hostname::parse("go.acme.com").unwrap(),
        status: DomainStatus::Pending,
        provider: Provider::Own,
        token: "t0ken".to_owned(),
        provider_id: None,
        ssl_status: None,
        verification_errors: None,
        created_at: Timestamp(0),
        synced_at: None,
    }
}

impl World {
    fn new() -> Self {
        Self::over(Arc::new(Index::new()))
    }

    fn over(index: Arc<Index>) -> Self {
        for (revision, link) in (1..).zip(links()) {
            index.apply(Revision(revision), &[Change::CreateLink(Box::new(link))]);
        }
        index.apply(Revision(100), &[Change::PutRecord(Record::Domain(pending()))]);
        let (recorder, drain) = waypost_clicks::queue(1, 4 << 20);
        let engine = Engine::new(index, recorder, waypost_redirect::Settings::default());
        let threads = Arc::new(Threads::default());
        let ready = Arc::new(Mutex::new(Ready::Whole));
        let shown = Arc::clone(&ready);
        let settings = Settings {
            country_header: None,
            sandboxed: true,
            blocking: threads.clone(),
            readings: Box::new(move || Readings {
                ready: *shown.lock().unwrap(),
                ..Readings::default()
            }),
        };
        Self { edge: Edge::new(Arc::new(engine), settings), threads, ready, drain }
    }

    fn both(&self) -> Mounted {
        self.edge.mount(true, true)
    }

    /// All that is answered to these bytes.
    fn ask(&self, mounted: Mounted, request: &str) -> String {
        let mut conversation = Conversation::new(mounted, Limits::default());
        String::from_utf8(conversation.feed(request.as_bytes())).unwrap()
    }

    fn get(&self, path: &str) -> String {
        self.ask(self.both(), &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
    }

    /// The answer has this status and each of these texts; a text after `!` it must not have.
    fn check(&self, request: &str, status: u16, texts: &[&str]) {
        let answer = self.ask(self.both(), request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
        for text in texts {
            let (text, wanted) = text.strip_prefix('!').map_or((*text, true), |text| (text, false));
            assert_eq!(answer.contains(text), wanted, "{text:?}\n{request}\n{answer}");
        }
    }
}

fn post(path: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{kind}Content-Length: {length}\r\n\r\n{body}")
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const NO_STORE: &str = "\r\nCache-Control: no-store\r\n";
const POLICY: &str = "\r\nContent-Security-Policy: default-src 'none'; style-src 'nonce-";

#[test]
fn a_hostname_proves_itself_by_its_token_only() {
    let world = World::new();
    for (host, path, status, texts) in [
        ("go.acme.com", "/.well-known/waypost/t0ken", 200, &["\r\n\r\nwaypost domain 7\n"][..]),
        ("GO.acme.com.:80", "/.well-known/waypost/t0ken", 200, &[NO_STORE, "nosniff"]),
        ("go.acme.com", "/.well-known/waypost/t0ken2", 404, &["!domain 7"]),
        ("go.acme.com", "/.well-known/waypost/", 404, &["!domain 7"]),
        ("go.acme.com", "/hi", 404, &["Domain not registered"]),
        ("other.acme.com", "/.well-known/waypost/t0ken", 404, &["!domain 7"]),
        ("localhost", "/.well-known/waypost/t0ken", 404, &["!domain 7"]),
    ] {
        world.check(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"), status, texts);
    }
}

#[test]
fn gets() {
    let world = World::new();
    let to = "\r\nLocation: https://example.com/?a=%22\r\nContent-Length: 0\r\n";
    for (path, status, texts) in [
        ("/hi", 302, &["\r\nCache-Control: private, no-store\r\n", to][..]),
        ("/track/hi", 302, &[to]),
        ("/moved", 301, &["\r\nCache-Control: private, max-age=300\r\n", to]),
        ("/gone", 404, &[NO_STORE, POLICY, "text/html", "<h1>Not found</h1>"]),
        ("/", 404, &[NO_STORE, POLICY, "text/html"]),
        ("/%22%3E%3Cscript%3E", 404, &["!<script>"]),
        ("/hi/", 404, &["text/html"]),
        ("/hi+", 404, &["text/html"]),
        (
            "/shown+",
            200,
            &[NO_STORE, POLICY, "nosniff", "&lt;b&gt;LinkId(6)&lt;/b&gt;", "1,234", "<svg", "!<b>"],
        ),
        ("/bookmarklet", 200, &[NO_STORE, POLICY, "nosniff", "connect-src 'self'", "makeLink"]),
        ("/track/gone", 404, &[NO_STORE, "application/json", "\"tracking_id\":\"gone\""]),
        ("/track/%22%7D", 404, &["\"tracking_id\":null"]),
        ("/track/caf%C3%A9", 404, &["\"tracking_id\":\"café\""]),
        ("/locked", 200, &[NO_STORE, POLICY, "<form method=\"post\">", "!Location"]),
        (
            "/tagged",
            200,
            &[
                NO_STORE,
                "<script>track()</script>",
                "script-src https: 'unsafe-inline'",
                "sandbox allow-scripts",
                "!Location",
            ],
        ),
        ("/healthz", 200, &[NO_STORE, "\r\n\r\nok\n"]),
        ("/readyz", 200, &[NO_STORE, "\r\n\r\nready\n"]),
        ("/metrics", 200, &[NO_STORE, "version=0.0.4", "waypost_redirects_total{outcome="]),
        ("/robots.txt", 200, &["max-age=86400", "User-agent: *\nDisallow:\n"]),
        ("/favicon.ico", 404, &["max-age=86400", "Content-Length: 0"]),
    ] {
        world.check(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"), status, texts);
    }
}

#[test]
fn reserved_words_are_no_links() {
    let world = World::new();
    for word in RESERVED {
        let answer = world.get(&format!("/{word}"));
        assert!(!answer.contains("Location") && !answer.starts_with("HTTP/1.1 3"), "{answer}");
        let track = world.get(&format!("/track/{word}"));
        assert!(track.starts_with("HTTP/1.1 404 "), "{track}");
    }
}

#[test]
fn json_where_it_is_asked_for() {
    let world = World::new();
    for path in ["/nothing", "/c/nothing", "/gone+"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
        let body = "\r\n\r\n{\"error\":\"Link not found or expired\"";
        world.check(&request, 404, &["\r\nContent-Type: application/json\r\n", NO_STORE, body]);
    }
}

#[test]
fn heads_have_no_body() {
    let world = World::new();
    for (path, status) in [
        ("/hi", 302),
        ("/gone", 404),
        ("/track/gone", 404),
        ("/locked", 200),
        ("/tagged", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/robots.txt", 200),
        ("/favicon.ico", 404),
        ("/shown+", 200),
        ("/bookmarklet", 200),
    ] {
        let request = format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = world.ask(world.both(), &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.ends_with("\r\n\r\n") && answer.contains("Content-Length: "), "{answer}");
    }
}

#[test]
fn methods_that_are_not_allowed() {
    let world = World::new();
    for (method, path, allow) in [
        ("POST", "/hi", "GET, HEAD"),
        ("DELETE", "/hi", "GET, HEAD"),
        ("PUT", "/locked", "GET, HEAD, POST"),
        ("OPTIONS", "/track/locked", "GET, HEAD, POST"),
        ("PATCH", "/c/some", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/metrics", "GET, HEAD"),
        ("POST", "/robots.txt", "GET, HEAD"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        world.check(&request, 405, &[&format!("\r\nAllow: {allow}\r\n")]);
    }
}

#[test]
fn passwords() {
    let mut world = World::new();
    let long = format!("password={}", "a".repeat(2_000));
    let huge = format!("password={}", "a".repeat(9_000));
    for (request, status, texts) in [
        (
            post("/locked", FORM, "password=let+me+in"),
            303,
            &["\r\nLocation: https://", "no-store"][..],
        ),
        (post("/locked", "", "a=b&password=let%20me%20in"), 303, &["\r\nLocation: https://", "!<"]),
        (post("/locked", FORM, "password=wrong"), 401, &["role=\"alert\"", NO_STORE]),
        (post("/locked", FORM, &long), 401, &["role=\"alert\"", POLICY]),
        (
            post("/locked", "Content-Type: application/json\r\n", "{\"password\":\"let me in\"}"),
            415,
            &["\r\nAccept-Post: application/x-www-form-urlencoded\r\n", NO_STORE],
        ),
        (post("/locked", FORM, "password=let+me+in"), 429, &["\r\nRetry-After: ", NO_STORE]),
        (post("/locked", FORM, &huge), 413, &["\r\nConnection: close\r\n", "!Location"]),
        (post("/hi", "Content-Type: application/json\r\n", "{}"), 405, &["Allow: GET, HEAD\r\n"]),
    ] {
        world.check(&request, status, texts);
    }
    assert_eq!(world.drain.take(|click| assert_eq!(click.link, LinkId(2))), 2);
    let page = world.get("/metrics");
    for line in ["{outcome=\"redirect\"} 2\n", "{outcome=\"password\"} 4\n"] {
        assert!(page.contains(&format!("waypost_redirects_total{line}")), "{page}");
    }
}

#[test]
fn a_full_lane_sheds_passwords_and_nothing_else() {
    let world = World::new();
    world.threads.full.store(true, Relaxed);
    world.check(&post("/locked", FORM, "password=let+me+in"), 503, &["\r\nRetry-After: ", "!303"]);
    world.check("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n", 302, &[]);
    world.threads.full.store(false, Relaxed);
    world.check(&post("/locked", FORM, "password=let+me+in"), 303, &[]);
}

#[test]
fn clicks_of_limited_links_are_lent() {
    let index = Arc::new(Index::lending());
    let mut world = World::over(Arc::clone(&index));
    *world.threads.lending.lock().unwrap() = (2, Some(index));
    let get = "GET /few HTTP/1.1\r\nHost: a\r\n\r\n";
    let to = "\r\nLocation: https://example.com/?a=%22\r\n";
    world.threads.away.store(true, Relaxed);
    world.check(get, 503, &["\r\nRetry-After: 1\r\n", NO_STORE, "!Location"]);
    world.threads.away.store(false, Relaxed);
    world.check(get, 302, &[to, "private, no-store"]);
    world.check(&post("/locked-few", FORM, "password=let+me+in"), 303, &[to]);
    world.check(get, 404, &["<h1>Not found</h1>"]);
    world.threads.full.store(true, Relaxed);
    world.check(get, 404, &[]);
    assert_eq!(world.drain.take(|_| ()), 2);
    let page = world.get("/metrics");
    for line in ["{outcome=\"redirect\"} 2\n", "{outcome=\"unavailable\"} 1\n"] {
        assert!(page.contains(&format!("waypost_redirects_total{line}")), "{page}");
    }
}

#[test]
fn statistics_are_shed_alone() {
    let world = World::new();
    let shown = "GET /shown+ HTTP/1.1\r\nHost: a\r\n\r\n";
    world.threads.away.store(true, Relaxed);
    world.check(shown, 503, &["\r\nRetry-After: ", NO_STORE, POLICY]);
    world.threads.away.store(false, Relaxed);
    world.threads.full.store(true, Relaxed);
    // Each refused job gives its place back.
    for _ in 0..=waypost_edge::limits::FETCHED {
        world.check(shown, 503, &["\r\nRetry-After: "]);
    }
    world.threads.full.store(false, Relaxed);
    world.check(shown, 200, &[]);
    world.check("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n", 302, &[]);
}

#[test]
fn readiness() {
    let world = World::new();
    for (ready, status, text) in [
        (Ready::Whole, 200, "ready\n"),
        (Ready::ReadOnly, 200, "takes no changes\n"),
        (Ready::Away, 503, "the store does not answer\n"),
        (Ready::OnSnapshot, 503, "local snapshot\n"),
    ] {
        *world.ready.lock().unwrap() = ready;
        world.check("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", status, &[NO_STORE, text]);
        world.check("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200, &[]);
        world.check("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n", 302, &[]);
    }
}

#[test]
fn each_listener_serves_its_own() {
    let world = World::new();
    for (redirects, admin, path, status) in [
        (true, false, "/hi", 302),
        (true, false, "/metrics", 404),
        (true, false, "/healthz", 200),
        (true, false, "/robots.txt", 200),
        (true, false, "/bookmarklet", 404),
        (false, true, "/hi", 404),
        (false, true, "/metrics", 200),
        (false, true, "/healthz", 200),
        (false, true, "/robots.txt", 404),
        (false, true, "/bookmarklet", 200),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = world.ask(world.edge.mount(redirects, admin), &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}
