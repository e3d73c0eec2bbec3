//! Whole conversations in memory, cut at every byte.

use super::*;
use crate::{Deferred, Limits, Moment, Preview};
use proptest::prelude::*;
use std::sync::Mutex;
use std::time::Instant;

/// Echoes what it understood, and notes what it is told of; `/later` promises, `/panic` panics.
#[derive(Default)]
struct Echo {
    promised: Mutex<Vec<Deferred>>,
    told: Mutex<Vec<Vec<String>>>,
}

impl Handler for Echo {
    fn body(&self, head: &Head<'_>) -> BodyPolicy {
        match head.path() {
            "/ignore" => BodyPolicy::Ignore,
            "/refuse" => BodyPolicy::Refuse,
            _ => BodyPolicy::Collect { max: 16 },
        }
    }

    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        match request.path() {
            "/later" => {
                let (deferred, outcome) = reply.defer();
                self.promised.lock().unwrap().push(deferred);
                outcome
            }
            "/panic" => {
                let _half = reply.status(200).header("X", "half");
                std::panic::resume_unwind(Box::new("on purpose"))
            }
            "/bye" => reply.status(200).close().empty(),
            path => {
                let body = [request.method().as_str().as_bytes(), path.as_bytes(), request.body()];
                reply.status(200).body(&body.join(&b' '))
            }
        }
    }

    fn prefetch(&self, coming: &[Preview<'_>]) {
        self.told.lock().unwrap().push(coming.iter().map(|one| one.path.to_owned()).collect());
    }
}

fn service() -> Service<Echo> {
    let limits = Limits { body_bytes: 16, ..Limits::default() };
    Service { handler: Echo::default(), limits, counters: Counters::default() }
}

fn batch(draining: bool) -> Batch {
    Batch { moment: Moment { instant: Instant::now(), unix_micros: 0 }, draining }
}

/// What came out: the statuses and bodies in order, `+` if the connection stays, `.` if it ends, `?` if it waits.
fn converse(input: &[u8], piece: usize) -> String {
    converse_until(input, piece, false)
}

/// The same; with `hang_up`, the peer then ends its side.
fn converse_until(input: &[u8], piece: usize, hang_up: bool) -> String {
    let service = service();
    let mut connection = Connection::new(SocketAddr::from(([127, 0, 0, 1], 1)), false);
    let mut out = Vec::new();
    let mut buffer = Vec::new();
    let mut end = "+";
    for piece in input.chunks(piece) {
        buffer.extend_from_slice(piece);
        let next = run(&mut connection, &service, &mut buffer, &mut out);
        match next {
            Next::Read | Next::Again => {}
            Next::Deferred(_) => {
                end = "?";
                break;
            }
            Next::Close { .. } => {
                end = ".";
                break;
            }
        }
    }
    if hang_up && end == "+" {
        connection.end_of_input(&service, batch(false), &mut out);
    }
    summarize(&out) + end
}

fn run(
    connection: &mut Connection,
    service: &Service<Echo>,
    buffer: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Next {
    loop {
        let mut batch_out = Vec::new();
        let (used, next) = connection.advance(service, batch(false), buffer, &mut batch_out);
        buffer.drain(..used);
        out.extend_from_slice(&batch_out);
        if !matches!(next, Next::Again) {
            return next;
        }
    }
}

/// `200 body|` for each answer; also checks that each carries what every answer must.
fn summarize(mut out: &[u8]) -> String {
    let mut text = String::new();
    while !out.is_empty() {
        let end = out.windows(4).position(|w| w == b"\r\n\r\n").expect("an end of head") + 4;
        let (head, rest) = out.split_at(end);
        let head = std::str::from_utf8(head).unwrap();
        let status = &head[9..12];
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |n| n.parse().unwrap());
        if status != "100" {
            assert!(head.contains("\r\nDate: "), "{head}");
        }
        let body = std::str::from_utf8(&rest[..length]).unwrap();
        let body = if status == "200" { body } else { "" };
        text.push_str(&format!("{status} {body}|"));
        out = &rest[length..];
    }
    text
}

fn check(input: &str, expected: &str) {
    for piece in 1..=input.len() {
        assert_eq!(converse(input.as_bytes(), piece), expected, "{input:?} by {piece}");
    }
}

const GET: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn conversations_at_every_cut() {
    let post = |path: &str, rest: &str| format!("POST {path} HTTP/1.1\r\nHost: a\r\n{rest}");
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    let rows: Vec<(String, &str)> = vec![
        (GET.into(), "200 GET /a |+"),
        (GET.repeat(3), "200 GET /a |200 GET /a |200 GET /a |+"),
        (format!("\r\n\r\n{GET}"), "200 GET /a |+"),
        (format!("\n{GET}"), "400 |."),
        ("GET /bye HTTP/1.1\r\nHost: a\r\n\r\nGET".into(), "200 |."),
        ("GET /a HTTP/1.0\r\n\r\n".into(), "200 GET /a |."),
        (format!("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n{GET}"), "204 |200 GET /a |+"),
        (
            post("/b", &format!("Content-Length: 5\r\n\r\nhello{GET}")),
            "200 POST /b hello|200 GET /a |+",
        ),
        (
            post("/b", &format!("{chunked}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n{GET}")),
            "200 POST /b hello|200 GET /a |+",
        ),
        (
            post("/ignore", &format!("Content-Length: 5\r\n\r\nhello{GET}")),
            "200 POST /ignore |200 GET /a |+",
        ),
        (
            post("/ignore", &format!("{chunked}5\r\nhello\r\n0\r\n\r\n{GET}")),
            "200 POST /ignore |200 GET /a |+",
        ),
        (post("/b", "Content-Length: 17\r\n\r\n"), "413 |."),
        (post("/b", &format!("{chunked}11\r\n01234567890123456\r\n0\r\n\r\n{GET}")), "413 |."),
        (post("/b", &format!("{chunked}5 \r\nhello\r\n0\r\n\r\n{GET}")), "400 |."),
        (post("/ignore", &format!("{chunked}5\r\nhello0\r\n\r\n{GET}")), "400 |."),
        (post("/b", "Transfer-Encoding: gzip\r\n\r\n"), "501 |."),
        (post("/refuse", "Content-Length: 5\r\n\r\nhello"), "200 POST /refuse |."),
        (format!("BREW / HTTP/1.1\r\nHost: a\r\n\r\n{GET}"), "501 |."),
        ("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n".into(), "500 |."),
        (format!("GET /later HTTP/1.1\r\nHost: a\r\n\r\n{GET}"), "?"),
        (format!("{GET}GET / HTTP/1.1\r\n\r\n"), "200 GET /a |400 |."),
        (GET.replace("Host", &format!("{}Host", "X: y\r\n".repeat(99))), "200 GET /a |+"),
        (GET.replace("Host", &format!("{}Host", "X: y\r\n".repeat(100))), "431 |."),
    ];
    for (input, expected) in rows {
        check(&input, expected);
    }
}

#[test]
fn head_has_the_length_but_not_the_body() {
    let (service, mut out) = (service(), Vec::new());
    let mut connection = Connection::new(SocketAddr::from(([127, 0, 0, 1], 1)), false);
    let input = b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let (used, _) = connection.advance(&service, batch(false), input, &mut out);
    assert_eq!(used, input.len());
    assert!(out.ends_with(b"\r\n\r\n"));
    assert!(memchr::memmem::find(&out, b"Content-Length: 8\r\n").is_some());
}

#[test]
fn continue_is_said_only_to_those_who_wait() {
    let head = "POST /b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(converse(head.as_bytes(), head.len()), "100 |+");
    let all = format!("{head}hello");
    assert_eq!(converse(all.as_bytes(), all.len()), "200 POST /b hello|+");
    assert_eq!(converse(all.as_bytes(), head.len()), "100 |200 POST /b hello|+");
    let large = head.replace("5", "17");
    assert_eq!(converse(large.as_bytes(), large.len()), "413 |.");
}

#[test]
fn a_promised_answer_holds_up_the_next_request() {
    let (service, mut out) = (service(), Vec::new());
    let mut connection = Connection::new(SocketAddr::from(([127, 0, 0, 1], 1)), false);
    let input = format!("GET /later HTTP/1.1\r\nHost: a\r\n\r\n{GET}");
    let (used, next) = connection.advance(&service, batch(false), input.as_bytes(), &mut out);
    let Next::Deferred(slot) = next else { panic!("{next:?}") };
    assert!(out.is_empty() && slot.take().is_none());
    let deferred = service.handler.promised.lock().unwrap().pop().unwrap();
    deferred.complete(Response::new(200).body("later"));
    let response = slot.take().unwrap();
    assert!(matches!(connection.complete(&response, false, &mut out), Next::Again));
    let (_, next) = connection.advance(&service, batch(false), &input.as_bytes()[used..], &mut out);
    assert!(matches!(next, Next::Read));
    assert_eq!(summarize(&out), "200 later|200 GET /a |");
}

#[test]
fn a_stopping_server_closes_after_the_last_whole_request() {
    let (service, mut out) = (service(), Vec::new());
    let mut connection = Connection::new(SocketAddr::from(([127, 0, 0, 1], 1)), false);
    let (_, next) = connection.advance(&service, batch(true), GET.repeat(2).as_bytes(), &mut out);
    assert!(matches!(next, Next::Close { linger: true }));
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("200 OK").count(), 2);
    assert_eq!(text.matches("Connection: close").count(), 1);
}

#[test]
fn late_and_cut_requests_are_told_so() {
    let body = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe";
    let rows =
        [("", "", ""), ("GET / H", "408 |", "400 |"), (body, "408 |", "400 |"), (GET, "", "")];
    for (input, late, cut) in rows {
        for (expected, is_late) in [(late, true), (cut, false)] {
            let (service, mut out) = (service(), Vec::new());
            let mut connection = Connection::new(SocketAddr::from(([127, 0, 0, 1], 1)), false);
            connection.advance(&service, batch(false), input.as_bytes(), &mut out);
            out.clear();
            if is_late {
                connection.time_out(&service, batch(false), &mut out);
            } else {
                connection.end_of_input(&service, batch(false), &mut out);
            }
            assert_eq!(summarize(&out), expected, "{input:?}");
        }
    }
}

#[test]
fn a_long_pipeline_comes_in_batches() {
    let (service, mut out) = (service(), Vec::new());
    let mut connection = Connection::new(SocketAddr::from(([127, 0, 0, 1], 1)), false);
    let input = GET.repeat(BATCH_REQUESTS as usize + 1);
    let (used, next) = connection.advance(&service, batch(false), input.as_bytes(), &mut out);
    assert!(matches!(next, Next::Again));
    assert_eq!(used, GET.len() * BATCH_REQUESTS as usize);
}

#[test]
fn a_proxy_header_names_the_client() {
    let (service, mut out) = (service(), Vec::new());
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    let input = format!("PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\r\n{GET}");
    let mut connection = Connection::new(peer, true);
    connection.advance(&service, batch(false), input.as_bytes(), &mut out);
    assert_eq!(connection.peer.to_string(), "192.0.2.1:12345");
    assert_eq!(summarize(&out), "200 GET /a |");
    let mut connection = Connection::new(peer, true);
    let (_, next) = connection.advance(&service, batch(false), GET.as_bytes(), &mut Vec::new());
    assert!(matches!(next, Next::Close { linger: false }));
}

proptest! {
    /// Whatever the bytes and the cuts, the conversation is the same.
    #[test]
    fn cuts_change_nothing(words in prop::collection::vec(prop::sample::select(WORDS), 0..14), piece in 1usize..40) {
        let input = words.concat();
        let talk = |piece| {
            let text = converse_until(input.as_bytes(), piece, true);
            text.trim_end_matches(['+', '.']).to_owned()
        };
        prop_assert_eq!(talk(piece), talk(input.len().max(1)), "{:?}", input);
    }
}

const WORDS: &[&str] = &[
    GET,
    "GET / HTTP/1.1\r\n",
    "POST /b HTTP/1.1\r\n",
    "Host: a\r\n",
    "Content-Length: 5\r\n",
    "hello",
    "\r\n",
    "\n",
    " ",
    "Transfer-Encoding: chunked\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "Connection: close\r\n",
    "x",
    "GET /bye HTTP/1.1\r\n",
];

#[test]
fn a_handler_is_told_of_what_follows_in_a_pipeline() {
    let check = |requests: u64, told: &str| {
        let service = service();
        let mut connection = Connection::new(SocketAddr::from(([127, 0, 0, 1], 1)), false);
        let request = |n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
        let mut input = (1..=requests).flat_map(request).collect();
        run(&mut connection, &service, &mut input, &mut Vec::new());
        assert_eq!(connection.heads(), requests);
        let paths = |all: &Vec<String>| format!("{}..={}", all[0], all[all.len() - 1]);
        let all: Vec<_> = service.handler.told.lock().unwrap().iter().map(paths).collect();
        assert_eq!(all.join(" "), told, "{requests} requests");
    };
    check(1, "");
    check(2, "");
    check(3, "/2..=/3");
    check(40, "/2..=/33 /34..=/40");
    // A batch later.
    check(67, "/2..=/33 /34..=/65 /66..=/67");
}
