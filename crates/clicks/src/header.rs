//! What is kept of a header: the referrer's host, the first of the languages.
//!
//! Both are worked out by the writer thread, on values that were cut to [`limits`] and may be
//! anything at all: what makes no sense is kept as nothing.

use crate::limits;

/// A scratch of the length of the longest result.
pub(crate) type Scratch = [u8; limits::USER_AGENT];

/// A user agent and a rule are kept whole.
pub(crate) fn whole<'s>(value: &'s [u8], _: &'s mut Scratch) -> &'s [u8] {
    value
}

/// The host of a `Referer` (RFC 9110, 10.1.3; RFC 3986, 3.2), in lower case, without port or
/// trailing dot; empty where there is none.
pub(crate) fn referrer_host<'s>(referrer: &'s [u8], scratch: &'s mut Scratch) -> &'s [u8] {
    let host = host(referrer).unwrap_or_default();
    let Some(out) = scratch.get_mut(..host.len()) else { return &[] };
    out.copy_from_slice(host);
    out.make_ascii_lowercase();
    out
}

/// The host of a referrer, as it is kept of a redirect's.
///
/// ```
/// assert_eq!(waypost_clicks::host_of_referrer("https://News.example:8443/today"), "news.example");
/// ```
pub fn host_of_referrer(referrer: &str) -> String {
    let mut scratch = [0; limits::USER_AGENT];
    let referrer = referrer.as_bytes().get(..limits::REFERRER).unwrap_or(referrer.as_bytes());
    String::from_utf8_lossy(referrer_host(referrer, &mut scratch)).into_owned()
}

fn host(referrer: &[u8]) -> Option<&[u8]> {
    let scheme = referrer.iter().position(|&byte| byte == b':')?;
    let rest = referrer.get(scheme..)?.strip_prefix(b"://")?;
    let authority = rest.split(|byte| b"/?#\\".contains(byte)).next()?;
    let host = authority.rsplit(|&byte| byte == b'@').next()?;
    let host = match host.strip_prefix(b"[").and_then(|v6| v6.iter().position(|&b| b == b']')) {
        Some(end) => host.get(..end + 2)?,
        None => host.split(|&byte| byte == b':').next()?,
    };
    let host = host.strip_suffix(b".").unwrap_or(host);
    host.iter().all(|&byte| byte > b' ' && byte != 0x7f).then_some(host)
}

/// The language that an `Accept-Language` (RFC 9110, 12.5.4) prefers, the first of equals, written
/// as RFC 5646, 2.1.1 has it (`de-AT`, `zh-Hant-TW`); empty where there is none.
pub(crate) fn first_language<'s>(languages: &'s [u8], scratch: &'s mut Scratch) -> &'s [u8] {
    let (mut best, mut weight) = (&[][..], 0);
    for choice in languages.split(|&byte| byte == b',') {
        let mut parts = choice.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let tag = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix(b"q=")).map_or(1_000, quality);
        if quality > weight && is_tag(tag) {
            (best, weight) = (tag, quality);
        }
    }
    let Some(out) = scratch.get_mut(..best.len()) else { return &[] };
    out.copy_from_slice(best);
    spell(out);
    out
}

fn is_tag(tag: &[u8]) -> bool {
    tag.first().is_some_and(u8::is_ascii_alphabetic)
        && tag.len() <= waypost_storage::limits::LANGUAGE
        && tag.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// A quality in thousandths; what is not one counts as 0.
fn quality(text: &[u8]) -> u32 {
    let digit = |at: usize| match text.get(at) {
        None => 0,
        Some(digit) => u32::from(digit.wrapping_sub(b'0').min(9)),
    };
    match text {
        [b'1', ..] => 1_000,
        [b'0', b'.', ..] => 100 * digit(2) + 10 * digit(3) + digit(4),
        _ => 0,
    }
}

fn spell(tag: &mut [u8]) {
    tag.make_ascii_lowercase();
    for part in tag.split_mut(|&byte| byte == b'-').skip(1) {
        match part {
            [_, _] => part.make_ascii_uppercase(),
            [first, _, _, _] => first.make_ascii_uppercase(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn hosts_of_referrers() {
        for (referrer, host) in [
            ("https://www.Example.com/a?b#c", "www.example.com"),
            ("https://example.com:8443", "example.com"),
            ("http://user:pass@Example.com./", "example.com"),
            ("https://[2001:DB8::1]:80/x", "[2001:db8::1]"),
            ("android-app://com.google.android.gm/", "com.google.android.gm"),
            ("https://example.com?x=http://other.example/", "example.com"),
            ("https://bücher.example/", "bücher.example"),
            ("https://ex ample.com/", ""),
            ("/relative", ""),
            ("about:blank", ""),
            ("https://", ""),
            ("", ""),
        ] {
            let mut scratch = [0; limits::USER_AGENT];
            let found = referrer_host(referrer.as_bytes(), &mut scratch);
            assert_eq!(String::from_utf8_lossy(found), host, "{referrer}");
        }
    }

    #[test]
    fn first_languages() {
        for (languages, first) in [
            ("de-DE,de;q=0.9,en;q=0.8", "de-DE"),
            ("EN-us", "en-US"),
            ("zh-hant-tw;q=1.0", "zh-Hant-TW"),
            ("fr;q=0.5, en;q=0.75", "en"),
            ("fr;q=0.5,*;q=0.1", "fr"),
            ("en;q=0, de;q=0.001", "de"),
            ("*", ""),
            ("d\u{e9}", ""),
            ("", ""),
            (";;;,,,", ""),
        ] {
            let mut scratch = [0; limits::USER_AGENT];
            let found = first_language(languages.as_bytes(), &mut scratch);
            assert_eq!(String::from_utf8_lossy(found), first, "{languages}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in vec(any::<u8>(), 0..limits::REFERRER), url: bool) {
            let mut scratch = [0; limits::USER_AGENT];
            let bytes = if url { [b"a://", &bytes[..]].concat() } else { bytes };
            referrer_host(&bytes, &mut scratch);
            first_language(&bytes, &mut scratch);
        }
    }
}
