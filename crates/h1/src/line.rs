//! The lines of a head: the request line, and a field each (RFC 9112 sections 3 and 5).
//!
//! A field is kept as four places in the head's bytes, half of what two slices take: a table of them is filled for
//! every request.

#![allow(unsafe_code)]

use crate::limits::METHOD_BYTES;
use crate::{Limits, Refusal, Version, scan};

/// A request line. Its parts are apart and well-formed, and no more is known of them.
pub(crate) struct RequestLine<'a> {
    pub(crate) method: &'a [u8],
    /// Visible ASCII.
    pub(crate) target: &'a str,
    pub(crate) version: Version,
    /// Its bytes, line end included.
    pub(crate) length: usize,
}

impl<'a> RequestLine<'a> {
    /// The line at the start of `bytes`; `None` where it is not whole.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8], limits: &Limits) -> Result<Option<Self>, Refusal> {
        let Some(method) = part(bytes, 0, scan::token_end)? else { return Ok(None) };
        if method.len() > METHOD_BYTES {
            return Err(Refusal::Malformed);
        }
        let start = method.len() + 1;
        let Some(target) = part(bytes, start, scan::visible_end)? else { return Ok(None) };
        if target.len() > limits.target_bytes {
            return Err(Refusal::TargetTooLong);
        }
        // SAFETY: visible ASCII, every byte of it, is UTF-8. A second look would cost as much as the first.
        let text = unsafe { std::str::from_utf8_unchecked(target) };
        let end = start + target.len() + 1;
        let version = match bytes.get(end..).and_then(<[u8]>::first_chunk) {
            Some(b"HTTP/1.1\r\n") => Version::Http11,
            Some(b"HTTP/1.0\r\n") => Version::Http10,
            _ => return other_version(&bytes[end..]),
        };
        let length = end + "HTTP/1.1\r\n".len();
        Ok(Some(Self { method, target: text, version, length }))
    }
}

/// What is from `from` up to the space that ends it; `None` where the bytes end first.
#[inline]
fn part(
    bytes: &[u8],
    from: usize,
    end: impl Fn(&[u8], usize) -> Option<usize>,
) -> Result<Option<&[u8]>, Refusal> {
    let Some(end) = end(bytes, from) else { return Ok(None) };
    if bytes[end] == b' ' && end > from {
        Ok(Some(&bytes[from..end]))
    } else {
        Err(Refusal::Malformed)
    }
}

/// A well-formed version that is not ours is 505, anything else 400; neither can be told before the line has ended.
#[cold]
fn other_version<T>(rest: &[u8]) -> Result<Option<T>, Refusal> {
    let Some(end) = memchr::memchr(b'\n', rest) else { return Ok(None) };
    match &rest[..end] {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b'\r']
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Refusal::Version)
        }
        _ => Err(Refusal::Malformed),
    }
}

/// Where a field stands in a head.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    name: u32,
    colon: u32,
    value: u32,
    end: u32,
}

impl Line {
    /// The field that begins at `at`, and where the next line does; `None` where it is not whole. A line that begins with
    /// white space, as folded ones do, has no name and is refused, and so is one that ends in a bare LF: there one server
    /// sees two lines and another sees one.
    #[inline]
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<Option<(Self, usize)>, Refusal> {
        let Some(colon) = scan::token_end(bytes, at) else { return Ok(None) };
        if bytes[colon] != b':' || colon == at {
            return Err(Refusal::Malformed);
        }
        let mut value = colon + 1;
        while bytes.get(value).is_some_and(is_space) {
            value += 1;
        }
        let Some(cr) = scan::value_end(bytes, value) else { return Ok(None) };
        match (bytes[cr], bytes.get(cr + 1)) {
            (b'\r', Some(b'\n')) => {}
            (b'\r', None) => return Ok(None),
            _ => return Err(Refusal::Malformed),
        }
        let mut end = cr;
        while end > value && is_space(&bytes[end - 1]) {
            end -= 1;
        }
        let [name, colon, value, end] = [at, colon, value, end].map(place);
        Ok(Some((Self { name, colon, value, end }, cr + 2)))
    }

    /// Its name, a token, as it was sent.
    #[inline]
    pub(crate) fn name(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.name as usize..self.colon as usize).unwrap_or_default()
    }

    /// Its value, without the white space around it.
    #[inline]
    pub(crate) fn value(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.value as usize..self.end as usize).unwrap_or_default()
    }
}

#[inline]
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "heads are far shorter: Limits::head_bytes")]
fn place(at: usize) -> u32 {
    at as u32
}
