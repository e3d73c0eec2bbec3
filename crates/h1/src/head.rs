//! A request head: bytes to a checked [`Head`], or the reason for which it is refused.
//!
//! `httparse` finds the tokens; on top come the rules that it leaves to its caller and that two servers must
//! not read differently: line ends, Host, framing, the target's form (RFC 9112 sections 2 to 6).
//! A head is parsed when it can be whole, not at every byte that arrives.

use std::mem::MaybeUninit;
use std::net::SocketAddr;

use httparse::{Error, Header, Status};

use crate::field::{Field, Places};
use crate::limits::METHOD_BYTES;
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

pub(crate) type Storage<'a> = [MaybeUninit<Header<'a>>];

/// Parses the head at the start of `bytes`; `None` while it is not whole.
#[inline]
pub(crate) fn parse<'a>(
    bytes: &'a [u8],
    storage: &'a mut Storage<'a>,
    origin: Origin<'_>,
) -> Result<Option<Parsed<'a>>, Refusal> {
    let allowed = origin.limits.headers.min(storage.len());
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut storage[..allowed]) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return check_partial(bytes, origin.limits),
        Err(Error::Version) => return check_version(bytes, origin.limits),
        Err(Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(_) => return Err(Refusal::Malformed),
    };
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(Refusal::Malformed);
    };
    check_sizes(method, target, length, origin.limits)?;
    check_line_ends(&bytes[..length], request.headers)?;
    let fields = Fields::read(request.headers, minor == 0)?;
    assemble(method, target, minor, request.headers, &fields, length, origin).map(Some)
}

#[inline]
fn assemble<'a>(
    method: &str,
    target: &'a str,
    minor: u8,
    headers: &'a [Header<'a>],
    fields: &Fields<'a>,
    length: usize,
    origin: Origin<'_>,
) -> Result<Parsed<'a>, Refusal> {
    let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
    let host = fields.host(version)?;
    let method = Method::parse(method).ok_or(Refusal::UnknownMethod)?;
    let target_parts = split_target(method, target, host)?;
    let head = Head {
        method,
        version,
        target,
        path: target_parts.path,
        query: target_parts.query,
        host: target_parts.host,
        headers,
        places: fields.places,
        peer: origin.peer,
        received: origin.received,
    };
    Ok(Parsed {
        head,
        length,
        framing: fields.framing()?,
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

/// A well-formed version that is not ours is 505, anything else 400; neither can be told before the line has ended.
fn check_version<T>(bytes: &[u8], limits: &Limits) -> Result<Option<T>, Refusal> {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return check_partial(bytes, limits);
    };
    let line = bytes[..end].strip_suffix(b"\r").ok_or(Refusal::Malformed)?;
    let mut words = line.split(|&b| b == b' ').skip(2);
    match (words.next(), words.next()) {
        (Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]), None)
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Refusal::Version)
        }
        _ => Err(Refusal::Malformed),
    }
}

#[inline]
fn check_sizes(method: &str, target: &str, length: usize, limits: &Limits) -> Result<(), Refusal> {
    if method.len() > METHOD_BYTES {
        Err(Refusal::Malformed)
    } else if target.len() > limits.target_bytes {
        Err(Refusal::TargetTooLong)
    } else if length > limits.head_bytes {
        Err(Refusal::HeadTooLarge)
    } else {
        Ok(())
    }
}

/// Every line of a head ends in CRLF: the byte two before each field's name is that CR. A bare LF is where one server sees
/// two lines and another sees one.
#[inline]
fn check_line_ends(head: &[u8], headers: &[Header<'_>]) -> Result<(), Refusal> {
    let start = head.as_ptr() as usize;
    let ends_in_cr = |header: &Header<'_>| {
        let at = (header.name.as_ptr() as usize).wrapping_sub(start);
        head.get(at.wrapping_sub(2)) == Some(&b'\r')
    };
    let whole = head.ends_with(b"\r\n\r\n") && headers.iter().all(ends_in_cr);
    if whole { Ok(()) } else { Err(Refusal::Malformed) }
}

/// What one pass over the fields finds.
struct Fields<'a> {
    places: Places,
    host: Option<&'a [u8]>,
    length: Option<u64>,
    coding: Option<&'a [u8]>,
    expect: Option<&'a [u8]>,
    close: bool,
    keep_alive: bool,
}

impl<'a> Fields<'a> {
    #[inline]
    fn read(headers: &[Header<'a>], http10: bool) -> Result<Self, Refusal> {
        let mut fields = Self {
            places: Places::new(),
            host: None,
            length: None,
            coding: None,
            expect: None,
            close: false,
            keep_alive: false,
        };
        for (place, header) in headers.iter().enumerate() {
            if let Some(field) = Field::of(header.name.as_bytes()) {
                let first = fields.places.note(field, place);
                fields.take(field, header.value, first)?;
            }
        }
        if fields.coding.is_some() && (fields.length.is_some() || http10) {
            return Err(Refusal::Malformed);
        }
        Ok(fields)
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

    #[inline]
    fn framing(&self) -> Result<Framing, Refusal> {
        match (self.coding, self.length) {
            (Some(coding), _) => check_coding(coding).map(|()| Framing::Chunked),
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

/// Splits at the first `?`. A `#` or a byte over 0x7f has no place in a target, and a backslash in a path is a slash to browsers
/// and none to others.
#[inline]
fn split_query<'a>(rest: &'a str, host: &'a str) -> Result<Target<'a>, Refusal> {
    let mut query_at = None;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'?' if query_at.is_none() => query_at = Some(at),
            b'\\' if query_at.is_none() => return Err(Refusal::Malformed),
            b'#' | 0x80.. => return Err(Refusal::Malformed),
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
