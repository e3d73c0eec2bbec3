//! Bytes from a network: requests, and bodies in chunks. The whole protocol runs, without a socket.

use waypost_h1::{BodyPolicy, Conversation, Handler, Head, Limits, Outcome, Reply, Request};

/// Says back what it understood, so that two readings of the same bytes show.
struct Echo;

impl Handler for Echo {
    fn body(&self, head: &Head<'_>) -> BodyPolicy {
        match head.path() {
            "/ignore" => BodyPolicy::Ignore,
            "/refuse" => BodyPolicy::Refuse,
            _ => BodyPolicy::Collect { max: 4_096 },
        }
    }

    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        let said = (request.method(), request.target(), request.host(), request.headers().count());
        let said = [format!("{said:?}\n").as_bytes(), request.body()].concat();
        reply.status(200).header("X-Path", request.path()).body(&said)
    }
}

/// Answers to the pieces, one after the other, and then to the end of what the client sends.
fn converse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let limits = Limits { body_bytes: 4_096, head_bytes: 4_096, ..Limits::default() };
    let mut conversation = Conversation::new(Echo, limits);
    let mut out = Vec::new();
    for piece in pieces {
        out.extend(conversation.feed(piece));
    }
    out.extend(conversation.finish());
    out
}

/// Whatever is sent, the answers are well-formed, and the same however the bytes were cut on their way.
pub fn request(data: &[u8]) {
    let whole = answers(&converse([data]));
    // Where it is cut follows from the bytes, so that the fuzzer can look for places.
    let seed = data.iter().fold(7_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(*byte));
    for size in [1, 2 + seed % 61] {
        assert_eq!(answers(&converse(data.chunks(size))), whole, "cut every {size} bytes");
    }
    let cut = seed.checked_rem(data.len()).unwrap_or(0);
    assert_eq!(answers(&converse([&data[..cut], &data[cut..]])), whole, "cut at {cut}");
}

/// The data as the body of a chunked POST, with a request behind it.
pub fn chunked(data: &[u8]) {
    let head = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    request(&[head, data, b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"].concat());
}

/// Status and body of each answer. The bytes must be answers and nothing else.
///
/// The handler refuses nothing, so what is over 400 is the engine's, and the last. Of several things that are wrong
/// with a head the one that was seen first counts, which depends on the cuts: that it is refused does not.
fn answers(mut out: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut answers = Vec::new();
    while !out.is_empty() {
        let (status, length, heads_only) = head(&mut out);
        let body = if heads_only { &[][..] } else { &out[..length] };
        out = &out[body.len()..];
        match status {
            // Whether a client is told to go on depends on whether it already has: on the cuts.
            100 => {}
            400.. => {
                assert!(out.is_empty(), "an answer after {status}");
                answers.push((400, Vec::new()));
            }
            _ => answers.push((status, body.to_vec())),
        }
    }
    answers
}

/// Takes a head off the front: its status, its Content-Length, and whether no body follows.
fn head(out: &mut &[u8]) -> (u16, usize, bool) {
    let end = out.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a whole head") + 4;
    let (head, rest) = out.split_at(end);
    let head = std::str::from_utf8(head).expect("ASCII");
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).expect("a status line");
    let status: u16 = status.get(..3).and_then(|digits| digits.parse().ok()).expect("a status");
    let fields: Vec<(&str, &str)> =
        lines.map(|line| line.split_once(": ").expect("a field")).collect();
    let value = |name: &str| {
        let mut found = fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let first = found.next().map(|(_, value)| *value);
        assert!(found.next().is_none(), "{name} twice in {head}");
        first
    };
    *out = rest;
    if status == 100 || status == 204 {
        return (status, 0, true);
    }
    assert!(value("Date").is_some() && (200..=505).contains(&status), "{head}");
    let length = value("Content-Length").and_then(|length| length.parse().ok()).expect("a length");
    // A HEAD's body is left out: what follows is the next status line or the end.
    (status, length, rest.is_empty() || rest.starts_with(b"HTTP/1.1 "))
}
