//! Query strings, read without decoding them into memory (the form encoding of the WHATWG URL standard, section 5).
//!
//! Names are compared as they decode: `utm%5Fsource` is `utm_source`. What is malformed stands for itself.

use std::fmt::Write;

/// The parts between `&`, empty ones left out.
pub(crate) fn parts(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|&byte| byte == b'&').filter(|part| !part.is_empty())
}

/// Name and value of a part, still encoded; the value is empty without `=`.
pub(crate) fn pair(part: &[u8]) -> (&[u8], &[u8]) {
    match part.iter().position(|&byte| byte == b'=') {
        Some(at) => (&part[..at], &part[at + 1..]),
        None => (part, b""),
    }
}

/// The bytes that `text` stands for.
pub(crate) fn decoded(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (byte, tail) = match rest {
            [] => return None,
            [b'+', tail @ ..] => (b' ', tail),
            [b'%', high, low, tail @ ..] if let Some(byte) = escaped(*high, *low) => (byte, tail),
            [byte, tail @ ..] => (*byte, tail),
        };
        rest = tail;
        Some(byte)
    })
}

/// Whether `text` stands for `plain`.
pub(crate) fn stands_for(text: &[u8], plain: &str) -> bool {
    decoded(text).eq(plain.bytes())
}

/// Whether `text` stands for `plain`, without case.
pub(crate) fn stands_for_any_case(text: &[u8], plain: &str) -> bool {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    decoded(text).map(lower).eq(plain.bytes().map(lower))
}

/// Writes `text` so that it is a name or value wherever a URL may have one: all but unreserved characters
/// (RFC 3986, 2.3) escaped.
pub(crate) fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte as char);
            }
            _ => push_escape(out, byte),
        }
    }
}

/// Writes a piece of a query as it came, escaping only what must not stand in a `Location`.
pub(crate) fn push_raw(out: &mut String, text: &[u8]) {
    for &byte in text {
        match byte {
            b'#' | b'"' | b'<' | b'>' | b'\\' => push_escape(out, byte),
            0x21..=0x7e => out.push(byte as char),
            _ => push_escape(out, byte),
        }
    }
}

fn push_escape(out: &mut String, byte: u8) {
    // Writing into a string can't fail.
    let _ = write!(out, "%{byte:02X}");
}

fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_name_stands_for() {
        for (text, plain, expected) in [
            ("utm_source", "utm_source", true),
            ("utm%5Fsource", "utm_source", true),
            ("utm%5fsource", "utm_source", true),
            ("a+b", "a b", true),
            ("a%2Bb", "a+b", true),
            ("%zz", "%zz", true),
            ("%4", "%4", true),
            ("%", "%", true),
            ("utm_sourc", "utm_source", false),
            ("UTM_source", "utm_source", false),
        ] {
            assert_eq!(stands_for(text.as_bytes(), plain), expected, "{text}");
        }
        assert!(stands_for_any_case(b"UTM%5Fsource", "utm_SOURCE"));
    }

    proptest! {
        #[test]
        fn decoding_agrees_with_the_standard(query in "[a-c%+=&0-9A-F]{0,40}") {
            let decode = |text| String::from_utf8_lossy(&decoded(text).collect::<Vec<_>>()).into_owned();
            let ours: Vec<_> = parts(query.as_bytes())
                .map(|part| { let (name, value) = pair(part); (decode(name), decode(value)) })
                .collect();
            let theirs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn an_encoded_value_comes_back(value in "\\PC{0,40}") {
            let mut out = String::new();
            push_encoded(&mut out, &value);
            prop_assert!(stands_for(out.as_bytes(), &value));
            let mut again = String::new();
            push_raw(&mut again, out.as_bytes());
            prop_assert_eq!(again, out);
        }

        #[test]
        fn nothing_ends_a_header_or_opens_a_fragment(raw in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut out = String::new();
            push_raw(&mut out, &raw);
            prop_assert!(out.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
        }
    }
}
