//! Codes: what a short link is called in its path (SPEC 3.2).
//!
//! ASCII codes are `[A-Za-z0-9_-]`; others are percent-encoded UTF-8, kept decoded and in NFC.
//! White space, control and bidi characters and any other ASCII are never part of one.

use std::{borrow::Borrow, borrow::Cow, fmt};

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::limits;

/// First path segments that belong to the system, never usable as codes (SPEC 2).
pub const RESERVED: [&str; 18] = [
    "api",
    "track",
    "c",
    "console",
    "docs",
    "openapi.json",
    "healthz",
    "readyz",
    "metrics",
    ".well-known",
    "robots.txt",
    "favicon.ico",
    "assets",
    "media",
    "health",
    "internal",
    "bookmarklet",
    "conversion.gif",
];

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Nothing there.
    #[error("a code can't be empty")]
    Empty,
    /// Over 64 characters or 256 bytes.
    #[error("a code has at most 64 characters and 256 bytes")]
    TooLong,
    /// A character that no code has.
    #[error("{0:?} can't be part of a code")]
    Character(char),
    /// Not percent-encoded UTF-8.
    #[error("not percent-encoded UTF-8")]
    Encoding,
    /// A system path.
    #[error("this code is reserved")]
    Reserved,
}

/// A legal code: NFC, case-sensitive, not reserved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(Box<str>);

impl Slug {
    /// The code `text` (decoded, as a person types it), normalised to NFC.
    ///
    /// # Errors
    /// [`SlugError`] says which rule of SPEC 3.2 is broken.
    ///
    /// ```
    /// use waypost_link::{Slug, SlugError};
    /// assert_eq!(Slug::parse("cafe\u{301}").unwrap().as_str(), "café");
    /// assert_eq!(Slug::parse("api"), Err(SlugError::Reserved));
    /// ```
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let text = nfc(text)?;
        if RESERVED.contains(&text.as_ref()) {
            return Err(SlugError::Reserved);
        }
        check(&text)?;
        Ok(Self(text.into()))
    }

    /// The code that a raw path segment asks for: borrowed where nothing had to be decoded.
    ///
    /// This is the redirect path's way in: a reserved word passes, since no link has it.
    ///
    /// # Errors
    /// [`SlugError`]: no link can have this code.
    pub fn decode(segment: &str) -> Result<Cow<'_, str>, SlugError> {
        if is_simple(segment) {
            return Ok(Cow::Borrowed(segment));
        }
        let text = percent_decode(segment.as_bytes())?;
        let text = nfc(&text)?.into_owned();
        check(&text)?;
        Ok(Cow::Owned(text))
    }

    /// The code, decoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code as it stands in a URL's path: percent-encoded where it isn't ASCII.
    pub fn encoded(&self) -> Cow<'_, str> {
        if self.0.is_ascii() {
            return Cow::Borrowed(&self.0);
        }
        let mut out = String::with_capacity(self.0.len() * 3);
        for byte in self.0.bytes() {
            match byte {
                0x80.. => out.extend(['%', hex(byte >> 4), hex(byte & 15)]),
                _ => out.push(byte as char),
            }
        }
        Cow::Owned(out)
    }
}

impl Borrow<str> for Slug {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` keeps every rule as it stands, but that it may be reserved: nearly all codes do.
#[inline]
fn is_simple(text: &str) -> bool {
    text.bytes().all(is_plain) && (1..=limits::SLUG_CHARS).contains(&text.len())
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn nfc(text: &str) -> Result<Cow<'_, str>, SlugError> {
    if text.len() > 4 * limits::SLUG_BYTES {
        return Err(SlugError::TooLong);
    }
    let normal = text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes;
    Ok(if normal { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) })
}

fn check(text: &str) -> Result<(), SlugError> {
    if is_simple(text) {
        return Ok(());
    }
    if text.is_empty() {
        return Err(SlugError::Empty);
    }
    if text.len() > limits::SLUG_BYTES || text.chars().count() > limits::SLUG_CHARS {
        return Err(SlugError::TooLong);
    }
    match text.chars().find(|&c| !is_allowed(c)) {
        Some(c) => Err(SlugError::Character(c)),
        None => Ok(()),
    }
}

fn is_allowed(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => is_plain(byte),
        _ => !c.is_control() && !c.is_whitespace() && !is_bidi(c),
    }
}

/// Bidi controls and marks (UAX #9, 2), which could make one code look like another; and the
/// byte order mark, line and paragraph separators that `is_whitespace` leaves open.
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn percent_decode(segment: &[u8]) -> Result<String, SlugError> {
    if segment.len() > 12 * limits::SLUG_BYTES {
        return Err(SlugError::TooLong);
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((&byte, tail)) = rest.split_first() {
        let (byte, tail) = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => (nibble(*high)? << 4 | nibble(*low)?, tail),
            (b'%', _) => return Err(SlugError::Encoding),
            _ => (byte, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| SlugError::Encoding)
}

fn nibble(digit: u8) -> Result<u8, SlugError> {
    match (digit as char).to_digit(16) {
        Some(value) => Ok(value as u8),
        None => Err(SlugError::Encoding),
    }
}

fn hex(nibble: u8) -> char {
    char::from(b"0123456789ABCDEF"[nibble as usize & 15])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_a_code() {
        let long = "a".repeat(65);
        let wide = "🎉".repeat(65);
        for (text, error) in [
            ("aB3xY7zQ", None),
            ("my_vanity-link", None),
            ("🎉", None),
            ("", Some(SlugError::Empty)),
            (&long, Some(SlugError::TooLong)),
            (&wide, Some(SlugError::TooLong)),
            ("a b", Some(SlugError::Character(' '))),
            ("a.b", Some(SlugError::Character('.'))),
            ("a\u{202e}b", Some(SlugError::Character('\u{202e}'))),
            ("a\u{a0}b", Some(SlugError::Character('\u{a0}'))),
            ("robots.txt", Some(SlugError::Reserved)),
            ("c", Some(SlugError::Reserved)),
            ("C", None),
        ] {
            assert_eq!(Slug::parse(text).err(), error, "{text:?}");
        }
    }

    #[test]
    fn what_a_path_segment_asks_for() {
        for (segment, code) in [
            ("hi", Ok("hi")),
            ("caf%C3%A9", Ok("café")),
            ("cafe%CC%81", Ok("café")),
            ("h%69", Ok("hi")),
            ("caf%C3", Err(SlugError::Encoding)),
            ("%zz", Err(SlugError::Encoding)),
            ("%4", Err(SlugError::Encoding)),
            ("a%20b", Err(SlugError::Character(' '))),
            ("a%2Fb", Err(SlugError::Character('/'))),
            ("a%00", Err(SlugError::Character('\0'))),
            ("", Err(SlugError::Empty)),
        ] {
            assert_eq!(Slug::decode(segment).as_deref(), code.as_deref(), "{segment}");
        }
    }

    proptest! {
        #[test]
        fn a_code_survives_its_url(text in "\\PC{0,70}") {
            if let Ok(slug) = Slug::parse(&text) {
                let encoded = slug.encoded();
                prop_assert_eq!(Slug::decode(&encoded).unwrap(), slug.as_str());
                prop_assert_eq!(Slug::parse(slug.as_str()).unwrap(), slug);
            }
        }

        #[test]
        fn no_segment_panics(segment in "\\PC{0,300}|(%[0-9a-fA-F]{0,2}|.){0,100}") {
            let _ = Slug::decode(&segment);
        }
    }
}
