//! How an answer gets onto the wire: straight into the connection's output buffer.
//!
//! The handler writes a status and fields; the engine adds Content-Length, Date and Connection, leaves
//! the body out for HEAD, and so is the only one who frames messages. There is no map of
//! fields and no intermediate response: a redirect is a handful of copies.

use std::borrow::Cow;

use crate::date;
use crate::deferred::{Deferred, Slot};
use crate::handler::{Answered, Outcome};
use crate::{Refusal, status};

/// What the engine must know of a request to frame its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    /// The request was HEAD.
    pub(crate) head_only: bool,
    /// The connection ends with this answer.
    pub(crate) close: bool,
    /// The request was HTTP/1.0, where staying must be said.
    pub(crate) http10: bool,
    /// For the Date field.
    pub(crate) unix_seconds: u64,
}

/// The way to answer one request.
#[must_use = "a request must be answered"]
#[derive(Debug)]
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    exchange: Exchange,
}

impl<'a> Reply<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, exchange: Exchange) -> Self {
        Self { out, exchange }
    }

    /// An answer to a plain GET on a connection that stays, appended to `out`, at a time in Unix seconds: to see or to
    /// measure what is encoded, without a connection.
    pub fn to_get(out: &'a mut Vec<u8>, unix_seconds: u64) -> Self {
        Self::new(out, Exchange { head_only: false, close: false, http10: false, unix_seconds })
    }

    /// Begins an answer field by field.
    #[inline]
    pub fn status(self, code: u16) -> Answer<'a> {
        let start = self.out.len();
        status::push_line(self.out, code);
        Answer { out: self.out, exchange: self.exchange, start, code }
    }

    /// Answers with a head encoded beforehand: `head` together is a status line and any fields, each line ending in CRLF,
    /// without Content-Length, Transfer-Encoding, Date or Connection. The pieces are copied as they are; the caller vouches
    /// that no piece smuggles a line break in. This is the path of redirects.
    ///
    /// ```
    /// # use waypost_h1::{Outcome, Reply};
    /// fn redirect(reply: Reply<'_>, destination: &str) -> Outcome {
    ///     reply.encoded(&[b"HTTP/1.1 302 Found\r\nLocation: ", destination.as_bytes(), b"\r\n"], b"")
    /// }
    /// ```
    #[inline]
    pub fn encoded(self, head: &[&[u8]], body: &[u8]) -> Outcome {
        let start = self.out.len();
        for piece in head {
            self.out.extend_from_slice(piece);
        }
        debug_assert!(self.out[start..].starts_with(b"HTTP/1.1 ") && self.out.ends_with(b"\r\n"));
        let code = status::of_line(&self.out[start..]);
        finish(self.out, self.exchange, code, body)
    }

    /// Answers with an owned response.
    pub fn respond(self, response: &Response) -> Outcome {
        let exchange = Exchange { close: self.exchange.close || response.close, ..self.exchange };
        status::push_line(self.out, response.status);
        self.out.extend_from_slice(&response.fields);
        finish(self.out, exchange, response.status, &response.body)
    }

    /// Answers with a line of plain text.
    pub fn text(self, code: u16, text: &str) -> Outcome {
        self.status(code).header("Content-Type", b"text/plain; charset=utf-8").body(text.as_bytes())
    }

    /// Answers as the engine does when it refuses: a line of text, and the connection closes.
    pub fn refusal(self, why: Refusal) -> Outcome {
        let code = why.status();
        let line = format!("{code} {}\n", status::reason(code));
        let retry = matches!(why, Refusal::Overloaded);
        let answer = self.status(code).header("Content-Type", b"text/plain; charset=utf-8").close();
        let answer = if retry { answer.header("Retry-After", b"1") } else { answer };
        answer.body(line.as_bytes())
    }

    /// Promises an answer for later. The connection waits for it, and reads no further request before.
    pub fn defer(self) -> (Deferred, Outcome) {
        let slot = Slot::new();
        (Deferred::new(slot.clone()), Outcome(Answered::Later(slot)))
    }
}

/// An answer in the making: the status line is written, fields follow, [`Answer::body`] ends it.
#[must_use = "end it with body() or empty()"]
#[derive(Debug)]
pub struct Answer<'a> {
    out: &'a mut Vec<u8>,
    exchange: Exchange,
    start: usize,
    code: u16,
}

impl Answer<'_> {
    /// Adds a field. Line breaks and NUL in the value become spaces. Content-Length, Date, Connection and
    /// Transfer-Encoding are the engine's own.
    #[inline]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        push_field(self.out, name, value.as_ref());
        self
    }

    /// Closes the connection after this answer.
    pub fn close(mut self) -> Self {
        self.exchange.close = true;
        self
    }

    /// Ends the answer with a body. HEAD gets its length without it.
    #[inline]
    pub fn body(self, body: &[u8]) -> Outcome {
        debug_assert!(self.start < self.out.len());
        finish(self.out, self.exchange, self.code, body)
    }

    /// Ends the answer without a body.
    #[inline]
    pub fn empty(self) -> Outcome {
        self.body(b"")
    }
}

/// An answer that owns what it says, for [`Deferred::complete`].
///
/// ```
/// let response = waypost_h1::Response::new(201).header("Location", "/things/1").body("made\n");
/// assert_eq!(response.status(), 201);
/// ```
#[must_use]
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    fields: Vec<u8>,
    body: Cow<'static, [u8]>,
    close: bool,
}

impl Response {
    /// A response of this status, without fields and body.
    pub fn new(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Cow::Borrowed(b""), close: false }
    }

    /// Adds a field, with the rules of [`Answer::header`].
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        push_field(&mut self.fields, name, value.as_ref());
        self
    }

    /// Sets the body: bytes or text, owned or static.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into().0;
        self
    }

    /// Closes the connection after this response.
    pub fn close(mut self) -> Self {
        self.close = true;
        self
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }
}

/// The body of a [`Response`].
#[derive(Clone, Debug)]
pub struct Body(Cow<'static, [u8]>);

macro_rules! body_from {
    ($($from:ty => $into:expr),+ $(,)?) => {
        $(impl From<$from> for Body {
            fn from(body: $from) -> Self {
                Self($into(body))
            }
        })+
    };
}

body_from! {
    Vec<u8> => Cow::Owned,
    String => |text: String| Cow::Owned(text.into_bytes()),
    &'static [u8] => Cow::Borrowed,
    &'static str => |text: &'static str| Cow::Borrowed(text.as_bytes()),
    Cow<'static, [u8]> => std::convert::identity,
}

fn push_field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    debug_assert!(name.bytes().all(|b| b.is_ascii_graphic() && b != b':'), "{name}");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let start = out.len();
    out.extend_from_slice(value);
    for byte in &mut out[start..] {
        if matches!(*byte, b'\r' | b'\n' | 0) {
            *byte = b' ';
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Frames the answer whose status line and fields are written: length, date, connection, body.
#[inline]
fn finish(out: &mut Vec<u8>, exchange: Exchange, code: u16, body: &[u8]) -> Outcome {
    let bodiless = status::is_bodiless(code);
    let plain = body.is_empty() && !bodiless && !exchange.close && !exchange.http10;
    if plain {
        date::push_ending(out, exchange.unix_seconds);
        return Outcome(Answered::Now { close: false });
    }
    if body.is_empty() && !bodiless {
        out.extend_from_slice(b"Content-Length: 0\r\n");
    } else if !bodiless {
        push_length(out, body.len());
    }
    date::push_field(out, exchange.unix_seconds);
    if exchange.close {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if exchange.http10 {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
    if !exchange.head_only && !bodiless {
        out.extend_from_slice(body);
    }
    Outcome(Answered::Now { close: exchange.close })
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = length;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(b"Content-Length: ");
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Exchange =
        Exchange { head_only: false, close: false, http10: false, unix_seconds: 784_111_777 };
    const DATE: &str = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

    fn check(exchange: Exchange, answer: impl FnOnce(Reply<'_>) -> Outcome, expected: &str) {
        let mut out = Vec::new();
        let outcome = answer(Reply::new(&mut out, exchange));
        assert_eq!(String::from_utf8_lossy(&out), expected.replace("{date}", DATE));
        let close = expected.contains("Connection: close");
        assert!(matches!(outcome.0, Answered::Now { close: c } if c == close));
    }

    #[test]
    fn answers_are_framed_by_the_engine() {
        let head = Exchange { head_only: true, ..PLAIN };
        let old = Exchange { http10: true, ..PLAIN };
        let redirect =
            |r: Reply<'_>| r.encoded(&[b"HTTP/1.1 302 Found\r\nLocation: ", b"/x", b"\r\n"], b"");
        check(
            PLAIN,
            redirect,
            "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n{date}\r\n",
        );
        check(
            PLAIN,
            |r| r.status(200).header("A", "b\r\nc").body(b"0123456789"),
            "HTTP/1.1 200 OK\r\nA: b  c\r\nContent-Length: 10\r\n{date}\r\n0123456789",
        );
        check(
            head,
            |r| r.status(200).body(b"hey"),
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n{date}\r\n",
        );
        check(PLAIN, |r| r.status(204).empty(), "HTTP/1.1 204 No Content\r\n{date}\r\n");
        check(PLAIN, |r| r.status(304).body(b"x"), "HTTP/1.1 304 Not Modified\r\n{date}\r\n");
        check(
            old,
            |r| r.status(200).empty(),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{date}Connection: keep-alive\r\n\r\n",
        );
        check(
            old,
            |r| r.respond(&Response::new(418).header("X", "y").body("tea").close()),
            "HTTP/1.1 418 Unknown\r\nX: y\r\nContent-Length: 3\r\n{date}Connection: close\r\n\r\ntea",
        );
        check(
            PLAIN,
            |r| r.refusal(Refusal::Overloaded),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n\
             Content-Length: 24\r\n{date}Connection: close\r\n\r\n503 Service Unavailable\n",
        );
    }
}
