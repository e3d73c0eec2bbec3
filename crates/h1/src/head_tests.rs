//! Heads as a table: what is accepted and how it is understood, what is refused and why.

use super::*;
use crate::limits::HEADERS_MAX;
use proptest::prelude::*;
use std::time::Instant;

fn origin(limits: &Limits) -> Origin<'_> {
    Origin {
        limits,
        peer: SocketAddr::from(([127, 0, 0, 1], 1)),
        received: Moment { instant: Instant::now(), unix_micros: 0 },
    }
}

/// Parses and describes: `METHOD path ?query host framing flags`, or the refusal.
fn describe(bytes: &[u8]) -> Result<Option<String>, Refusal> {
    let limits = Limits::default();
    let mut lines = [Line::default(); HEADERS_MAX];
    let parsed = parse(bytes, &mut lines, origin(&limits))?;
    Ok(parsed.map(|parsed| {
        let head = &parsed.head;
        let query = head.query().map_or(String::new(), |q| format!("?{q}"));
        let framing = match parsed.framing {
            Framing::None => String::new(),
            Framing::Length(n) => format!(" {n}"),
            Framing::Chunked => " chunked".into(),
        };
        let keep = if parsed.keep_alive { " keep" } else { " close" };
        let expects = if parsed.expects_continue { " expects" } else { "" };
        let (method, path, host) = (head.method().as_str(), head.path(), head.host());
        format!("{method} {path}{query} {host}{framing}{keep}{expects}")
    }))
}

fn check_accepted(rows: &[(&str, &str)]) {
    for (head, expected) in rows {
        assert_eq!(describe(head.as_bytes()), Ok(Some((*expected).to_owned())), "{head:?}");
        for cut in 0..head.len() {
            assert_eq!(describe(&head.as_bytes()[..cut]), Ok(None), "{head:?} cut at {cut}");
        }
    }
}

#[test]
fn heads_that_are_understood() {
    check_accepted(&[
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / a keep"),
        ("GET / HTTP/1.0\r\n\r\n", "GET /  close"),
        ("GET / HTTP/1.0\r\nHost:\r\n\r\n", "GET /  close"),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET /  keep"),
        ("GET / HTTP/1.1\r\nhoSt:\texample.com\r\nempty:\r\n\r\n", "GET / example.com keep"),
        ("HEAD /a?b?c HTTP/1.1\r\nHost: a:80\r\n\r\n", "HEAD /a?b?c a:80 keep"),
        ("GET /a?q=\\{|}^` HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?q=\\{|}^` a keep"),
        ("GET http://b/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x?y b keep"),
        ("GET HTTPS://b?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?y b keep"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * a keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", "GET / a close"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n",
            "GET / a close",
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "POST / a keep"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:  5 \r\n\r\n", "POST / a 5 keep"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
            "POST / a chunked keep",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n",
            "POST / a 1 keep expects",
        ),
        ("GET / HTTP/1.0\r\nExpect: x\r\n\r\n", "GET /  close"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: caf\u{e9}\r\n\r\n", "GET / a keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 9\r\n\r\n", "GET / a keep"),
    ]);
}

fn check_refused(why: Refusal, heads: &[&str]) {
    for head in heads {
        assert_eq!(describe(head.as_bytes()), Err(why), "{head:?}");
    }
}

#[test]
fn heads_that_are_malformed() {
    check_refused(
        Refusal::Malformed,
        &[
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: bad host\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\rHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nNoColon\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nBad[]: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nB\u{e9}: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \x07\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            "GET / \r\n\r\n",
            "GET /\r\n\r\n",
            "GET HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /caf\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1\r\nHost: a\r\n\r\n",
            "GET / HTTP/01.01\r\nHost: a\r\n\r\n",
            "GET / HTTP/ 1.1\r\nHost: a\r\n\r\n",
            "GET / http/1.1\r\nHost: a\r\n\r\n",
            "Extra lineGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "   \r\n\r\n",
            "\x16\x03\x01\x02",
            "THIS-METHOD-IS-LONGER-THAN-ANY-METHOD / HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    );
}

#[test]
fn framing_that_two_servers_could_read_in_two_ways() {
    let with = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
    let rows = [
        (Refusal::Malformed, "Content-Length:"),
        (Refusal::Malformed, "Content-Length: abc"),
        (Refusal::Malformed, "Content-Length: +5"),
        (Refusal::Malformed, "Content-Length: -1"),
        (Refusal::Malformed, "Content-Length: 005"),
        (Refusal::Malformed, "Content-Length: 0x5"),
        (Refusal::Malformed, "Content-Length: 0o5"),
        (Refusal::Malformed, "Content-Length: 1 0"),
        (Refusal::Malformed, "Content-Length: 5, 5"),
        (Refusal::Malformed, "Content-Length: 99999999999999999999"),
        (Refusal::Malformed, "Content-Length: 5\r\nContent-Length: 5"),
        (Refusal::Malformed, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        (Refusal::Malformed, "Transfer-Encoding: chunked\r\ncontent-length: 5"),
        (Refusal::Malformed, "Transfer-Encoding: xchunked\r\nContent-Length: 5"),
        (Refusal::Malformed, "Transfer-Encoding:"),
        (Refusal::Malformed, "Transfer-Encoding: , chunked"),
        (Refusal::Malformed, "Transfer-Encoding: chunked,"),
        (Refusal::Malformed, "Transfer-Encoding: chunked, chunked"),
        (Refusal::Malformed, "Transfer-Encoding: chunked, gzip"),
        (Refusal::Malformed, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        (Refusal::UnknownCoding, "Transfer-Encoding: gzip"),
        (Refusal::UnknownCoding, "Transfer-Encoding: gzip, chunked"),
        (Refusal::UnknownCoding, "Transfer-Encoding: xchunked"),
        (Refusal::UnknownCoding, "Transfer-Encoding: \"chunked\""),
        (Refusal::Expectation, "Expect: 200-ok"),
    ];
    for (why, fields) in rows {
        check_refused(why, &[&with(fields)]);
    }
    check_refused(
        Refusal::Malformed,
        &["POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"],
    );
}

#[test]
fn versions_and_methods_that_are_not_ours() {
    check_refused(
        Refusal::Version,
        &[
            "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
    );
    check_refused(
        Refusal::UnknownMethod,
        &[
            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
            "FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    );
    assert_eq!(describe(b"GET / HTTP/9"), Ok(None));
}

#[test]
fn heads_that_are_too_large_whole_or_not() {
    let target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(8192));
    let value = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(32 * 1024));
    let fields = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(100));
    let rows = [
        (Refusal::TargetTooLong, &target, 8300),
        (Refusal::HeadTooLarge, &value, 32 * 1024 + 20),
        (Refusal::HeadTooLarge, &fields, fields.len() - 1),
    ];
    for (why, head, cut) in rows {
        assert_eq!(describe(head.as_bytes()), Err(why));
        let cut = cut.min(head.len());
        assert_eq!(describe(&head.as_bytes()[..cut]), Err(why), "cut at {cut}");
    }
    let fits = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(8191));
    assert!(matches!(describe(fits.as_bytes()), Ok(Some(_))));
}

#[test]
fn fields_are_found_by_index_and_by_name() {
    let limits = Limits::default();
    let bytes =
        b"GET / HTTP/1.1\r\nHost: a\r\nuser-AGENT: x\r\nUser-Agent: y\r\nOther:  z \r\n\r\n";
    let mut lines = [Line::default(); HEADERS_MAX];
    let head = parse(bytes, &mut lines, origin(&limits)).unwrap().unwrap().head;
    assert_eq!(head.field(Field::UserAgent), Some(&b"x"[..]));
    assert_eq!(head.header("OTHER"), Some(&b"z"[..]));
    assert_eq!(head.field(Field::Referer), None);
    assert_eq!(head.headers().count(), 4);
}

/// What another parser, looser than this one, makes of a head: its fields.
fn others_fields(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(bytes).ok().filter(httparse::Status::is_complete)?;
    Some(request.headers.iter().map(|h| (h.name.to_owned(), h.value.to_vec())).collect())
}

fn fields(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut lines = [Line::default(); HEADERS_MAX];
    let limits = Limits::default();
    let head = parse(bytes, &mut lines, origin(&limits)).ok()??.head;
    Some(head.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect())
}

proptest! {
    /// Whatever is understood here, another parser understands alike.
    #[test]
    fn what_is_accepted_is_read_as_others_read_it(
        lines in prop::collection::vec("[A-Za-z!#_~(-]{0,20}:?[ \t]{0,2}[ -~\t]{0,40}[ \t\r\n\x7f\x00é]?", 0..6),
        end in prop::sample::select(vec!["\r\n", "\n", "\r\n", "\r"]),
    ) {
        let head = format!("GET /a HTTP/1.1\r\nHost: a{end}{}{end}", lines.iter().map(|line| format!("{line}{end}")).collect::<String>());
        if let Some(fields) = fields(head.as_bytes()) {
            prop_assert_eq!(Some(fields), others_fields(head.as_bytes()), "{:?}", head);
            return Ok(());
        }
        // And what is refused though others take it has a bare line end, or a field with a meaning.
        let bare = head.replace("\r\n", "").contains(['\r', '\n']);
        let plain = |(name, _): &(String, Vec<u8>)| Field::of(name.as_bytes()).is_none();
        let others = others_fields(head.as_bytes());
        prop_assert!(bare || others.is_none_or(|all| !all.iter().skip(1).all(plain)), "{:?}", head);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = describe(&bytes);
    }

    /// One byte changed somewhere: never a panic, and what is accepted has still one Host and one framing.
    #[test]
    fn a_damaged_head_is_refused_or_understood(at in 0usize..80, byte in any::<u8>()) {
        let mut head = b"POST /abc?d HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\nX-Y: zzzzzzzzz\r\n\r\n".to_vec();
        let at = at % head.len();
        head[at] = byte;
        if let Ok(Some(text)) = describe(&head) {
            prop_assert!(text.split(' ').count() >= 4, "{}", text);
        }
    }
}
