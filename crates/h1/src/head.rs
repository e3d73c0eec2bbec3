//! A request head: bytes to a checked [`Head`], or the reason for which it is refused.
//!
//! One pass, which [`scan`](crate::scan) makes cheap, and strict: line ends, Host, framing, the target's form (RFC 9112 sections 2 to
//! 6), all that two servers must not read differently. A head is parsed when it can be whole, not at every byte that arrives.

use std::net::SocketAddr;

use crate::field::{Field, Places};
use crate::limits::METHOD_BYTES;
use crate::line::{Line, RequestLine};
use crate::{Head, Limits, Method, Moment, Refusal, Version, authority};

/// How the end of a request's body is known (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    Length(u64),
    Chunked,
}

/// A whole head and what the connection must know about it.
#[derive(Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) head: Head<'a>,
    /// Bytes of the head, the empty line included.
    pub(crate) length: usize,
    pub(crate) framing: Framing,
    pub(crate) keep_alive: bool,
    /// `Expect: 100-continue`.
    pub(crate) expects_continue: bool,
}

/// What a head is measured against and where it came from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) peer: SocketAddr,
    pub(crate) received: Moment,
}

/// Parses the head at the start of `bytes`; `None` while it is not whole. Of `lines`, which decides how many fields it may
/// have, those that it needs are filled.
#[inline]
pub(crate) fn parse<'a>(
    bytes: &'a [u8],
    lines: &'a mut [Line],
    origin: Origin<'_>,
) -> Result<Option<Parsed<'a>>, Refusal> {
    let allowed = origin.limits.headers.min(lines.len());
    let Some(first) = RequestLine::read(bytes, origin.limits)? else {
        return check_partial(bytes, origin.limits);
    };
    let mut fields = Fields::new();
    let Some(length) = fields.read(bytes, first.length, &mut lines[..allowed])? else {
        return check_partial(bytes, origin.limits);
    };
    if length > origin.limits.head_bytes {
        return Err(Refusal::HeadTooLarge);
    }
    assemble(&bytes[..length], &first, &lines[..fields.count], &fields, origin).map(Some)
}

#[inline]
fn assemble<'a>(
    bytes: &'a [u8],
    first: &RequestLine<'a>,
    lines: &'a [Line],
    fields: &Fields<'a>,
    origin: Origin<'_>,
) -> Result<Parsed<'a>, Refusal> {
    let version = first.version;
    let framing = fields.framing(version)?;
    let host = fields.host(version)?;
    let method = Method::parse(first.method).ok_or(Refusal::UnknownMethod)?;
    let target_parts = split_target(method, first.target, host)?;
    let head = Head {
        method,
        version,
        target: first.target,
        path: target_parts.path,
        query: target_parts.query,
        host: target_parts.host,
        bytes,
        lines,
        places: fields.places,
        peer: origin.peer,
        received: origin.received,
    };
    Ok(Parsed {
        head,
        length: bytes.len(),
        framing,
        keep_alive: !fields.close && (version == Version::Http11 || fields.keep_alive),
        expects_continue: fields.expects_continue(version)?,
    })
}

/// Whether a head ends after the first `scanned` bytes, which are known not to hold its end: a line end and an empty line,
/// be they CRLF or, so that it can be refused, LF.
pub(crate) fn ends_after(input: &[u8], scanned: usize) -> bool {
    let from = scanned.saturating_sub(3);
    let new = input.get(from..).unwrap_or_default();
    memchr::memchr_iter(b'\n', new)
        .any(|at| matches!(new.get(at + 1..), Some([b'\n', ..] | [b'\r', b'\n', ..])))
}

/// What arrived is the beginning of a head: it must still be able to become one within the limits.
pub(crate) fn check_partial<T>(bytes: &[u8], limits: &Limits) -> Result<Option<T>, Refusal> {
    if bytes.len() <= METHOD_BYTES {
        return Ok(None);
    }
    let line_open = memchr::memchr(b'\n', bytes).is_none();
    let Some(method_end) = memchr::memchr(b' ', &bytes[..=METHOD_BYTES]) else {
        return Err(Refusal::Malformed);
    };
    if line_open && bytes.len() > method_end + limits.target_bytes + " HTTP/1.1\r\n".len() {
        return Err(Refusal::TargetTooLong);
    }
    if bytes.len() > limits.head_bytes { Err(Refusal::HeadTooLarge) } else { Ok(None) }
}

/// What one pass over the fields finds.
struct Fields<'a> {
    count: usize,
    places: Places,
    host: Option<&'a [u8]>,
    length: Option<u64>,
    coding: Option<&'a [u8]>,
    expect: Option<&'a [u8]>,
    close: bool,
    keep_alive: bool,
}

impl<'a> Fields<'a> {
    fn new() -> Self {
        Self {
            count: 0,
            places: Places::new(),
            host: None,
            length: None,
            coding: None,
            expect: None,
            close: false,
            keep_alive: false,
        }
    }

    /// Reads all fields, the first of which begins at `at`, and the empty line after them. Returns where the head ends;
    /// `None` where it is not whole.
    #[inline]
    fn read(
        &mut self,
        bytes: &'a [u8],
        mut at: usize,
        lines: &mut [Line],
    ) -> Result<Option<usize>, Refusal> {
        loop {
            match bytes.get(at..) {
                Some([b'\r', b'\n', ..]) => return Ok(Some(at + 2)),
                None | Some([] | [b'\r']) => return Ok(None),
                Some(_) => {}
            }
            let Some((line, next)) = Line::read(bytes, at)? else { return Ok(None) };
            *lines.get_mut(self.count).ok_or(Refusal::HeadTooLarge)? = line;
            if let Some(field) = Field::of(line.name(bytes)) {
                let first = self.places.note(field, self.count);
                self.take(field, line.value(bytes), first)?;
            }
            self.count += 1;
            at = next;
        }
    }

    /// Takes note of a field that frames or routes. None of these may come twice, not even with equal values.
    #[inline]
    fn take(&mut self, field: Field, value: &'a [u8], first: bool) -> Result<(), Refusal> {
        match field {
            Field::Host | Field::ContentLength | Field::TransferEncoding | Field::Expect
                if !first =>
            {
                return Err(Refusal::Malformed);
            }
            Field::Host => self.host = Some(value),
            Field::ContentLength => self.length = Some(parse_length(value)?),
            Field::TransferEncoding => self.coding = Some(value),
            Field::Expect => self.expect = Some(value),
            Field::Connection => self.take_options(value),
            _ => {}
        }
        Ok(())
    }

    /// Reads the connection options that matter here (RFC 9110 section 7.6.1).
    fn take_options(&mut self, value: &[u8]) {
        if value == b"keep-alive" {
            self.keep_alive = true;
            return;
        }
        for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    #[inline]
    fn host(&self, version: Version) -> Result<&'a str, Refusal> {
        match self.host {
            None | Some(b"") if version == Version::Http10 => Ok(""),
            Some(host) => authority::checked(host).ok_or(Refusal::Malformed),
            None => Err(Refusal::Malformed),
        }
    }

    /// Two framings are none, and HTTP/1.0 knows but one (RFC 9112 section 6.1).
    #[inline]
    fn framing(&self, version: Version) -> Result<Framing, Refusal> {
        match (self.coding, self.length) {
            (Some(_), Some(_)) => Err(Refusal::Malformed),
            (Some(_), None) if version == Version::Http10 => Err(Refusal::Malformed),
            (Some(coding), None) => check_coding(coding).map(|()| Framing::Chunked),
            (None, Some(length)) if length > 0 => Ok(Framing::Length(length)),
            _ => Ok(Framing::None),
        }
    }

    /// An HTTP/1.0 client can't expect anything (RFC 9110 section 10.1.1).
    #[inline]
    fn expects_continue(&self, version: Version) -> Result<bool, Refusal> {
        match self.expect {
            Some(_) if version == Version::Http10 => Ok(false),
            Some(value) if value.eq_ignore_ascii_case(b"100-continue") => Ok(true),
            Some(_) => Err(Refusal::Expectation),
            None => Ok(false),
        }
    }
}

/// Digits only: no sign, no list, no leading zero that another parser may take for octal. What is a number but not one
/// that we could count is no length either.
fn parse_length(value: &[u8]) -> Result<u64, Refusal> {
    let canonical = value == b"0" || value.first().is_some_and(|b| matches!(b, b'1'..=b'9'));
    if !canonical || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::Malformed);
    }
    Ok(value.iter().fold(0, |n, b| n * 10 + u64::from(b - b'0')))
}

/// `chunked` and nothing else. A list in which `chunked` is not the last and only once is a framing error; other
/// codings are ones that we don't know (RFC 9112 section 6.1).
fn check_coding(value: &[u8]) -> Result<(), Refusal> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let mut codings = value.rsplit(|&b| b == b',').map(<[u8]>::trim_ascii);
    let last = codings.next().unwrap_or_default();
    let chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let empty = last.is_empty() || codings.clone().any(<[u8]>::is_empty);
    if empty || codings.any(chunked) {
        Err(Refusal::Malformed)
    } else {
        Err(Refusal::UnknownCoding)
    }
}

struct Target<'a> {
    path: &'a str,
    query: Option<&'a str>,
    host: &'a str,
}

/// The four forms of a target (RFC 9112 section 3.2). `*` goes with OPTIONS alone, an authority with CONNECT alone, which
/// was refused before.
#[inline]
fn split_target<'a>(method: Method, target: &'a str, host: &'a str) -> Result<Target<'a>, Refusal> {
    if target.starts_with('/') {
        return split_query(target, host);
    }
    if target == "*" && method == Method::Options {
        return Ok(Target { path: target, query: None, host });
    }
    let rest = strip_scheme(target).ok_or(Refusal::Malformed)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if !authority::is_valid(authority.as_bytes()) {
        return Err(Refusal::Malformed);
    }
    split_query(rest, authority)
}

#[inline]
fn strip_scheme(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    known.then_some(rest)
}

/// Splits at the first `?`. A `#` has no place in a target, and a backslash in a path is a slash to browsers and none to others.
#[inline]
fn split_query<'a>(rest: &'a str, host: &'a str) -> Result<Target<'a>, Refusal> {
    let mut query_at = None;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'?' if query_at.is_none() => query_at = Some(at),
            b'\\' if query_at.is_none() => return Err(Refusal::Malformed),
            b'#' => return Err(Refusal::Malformed),
            _ => {}
        }
    }
    let (path, query) = match query_at {
        Some(at) => (&rest[..at], rest.get(at + 1..)),
        None => (rest, None),
    };
    Ok(Target { path: if path.is_empty() { "/" } else { path }, query, host })
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
