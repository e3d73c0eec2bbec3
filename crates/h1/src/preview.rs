//! What a request seems to ask for, seen before it is parsed: a hint for prefetching, nothing to answer by.

use memchr::{memchr, memchr_iter, memchr2};

/// The first words of a request, as they came and unchecked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preview<'a> {
    /// The target up to its query.
    pub path: &'a str,
    /// The value of `Host` where that is the first field, as RFC 9112 section 3.2 asks of clients; else empty.
    pub host: &'a [u8],
}

impl<'a> Preview<'a> {
    /// What `bytes` begin with; `None` where that is no GET.
    #[inline]
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let line = bytes.strip_prefix(b"GET ")?;
        let path = &line[..memchr2(b' ', b'?', line)?];
        let fields = &line[path.len() + memchr(b'\n', &line[path.len()..])? + 1..];
        Some(Self { path: std::str::from_utf8(path).ok()?, host: host(fields).unwrap_or_default() })
    }
}

/// Fills `coming` with what a pipeline begins with, up to what is no GET (a body, say); how many those are.
pub(crate) fn pipeline<'a>(bytes: &'a [u8], coming: &mut [Preview<'a>]) -> usize {
    let (mut rest, mut count) = (bytes, 0);
    for place in coming {
        let Some(preview) = Preview::of(rest) else { break };
        *place = preview;
        rest = after_head(rest);
        count += 1;
    }
    count
}

/// What follows the first empty line.
fn after_head(bytes: &[u8]) -> &[u8] {
    let end = memchr_iter(b'\n', bytes).find(|&end| bytes[..end].ends_with(b"\r\n\r"));
    end.map_or(b"", |end| &bytes[end + 1..])
}

/// The value of the first of `fields` if it is `Host`.
#[inline]
fn host(fields: &[u8]) -> Option<&[u8]> {
    let (name, value) = fields.split_at_checked(b"Host:".len())?;
    let end = memchr(b'\n', value)?;
    name.eq_ignore_ascii_case(b"Host:").then(|| value[..end].trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words() {
        for (bytes, seen) in [
            (
                "GET /hi HTTP/1.1\r\nHost: a.example:80\r\nAccept: */*\r\n\r\n",
                Some(("/hi", "a.example:80")),
            ),
            ("GET /hi?a=/b HTTP/1.1\r\nhost:a.example\r\n\r\n", Some(("/hi", "a.example"))),
            ("GET /hi HTTP/1.1\r\nAccept: */*\r\nHost: a.example\r\n\r\n", Some(("/hi", ""))),
            ("GET /hi HTTP/1.1\r\nHost: a.exam", Some(("/hi", ""))),
            ("GET /hi HTTP/1.1\r\n", Some(("/hi", ""))),
            ("GET  HTTP/1.1\r\n\r\n", Some(("", ""))),
            ("GET /hi HTTP/1.1", None),
            ("GET /hi", None),
            ("POST /hi HTTP/1.1\r\nHost: a.example\r\n\r\n", None),
            ("", None),
        ] {
            let seen = seen.map(|(path, host)| Preview { path, host: host.as_bytes() });
            assert_eq!(Preview::of(bytes.as_bytes()), seen, "{bytes:?}");
        }
        assert_eq!(Preview::of(b"GET /\xff HTTP/1.1\r\n\r\n"), None);
    }

    #[test]
    fn pipelines() {
        let check = |bytes: &str, paths: &[&str]| {
            let mut coming = [Preview::default(); 3];
            let count = pipeline(bytes.as_bytes(), &mut coming);
            let seen: Vec<_> = coming[..count].iter().map(|preview| preview.path).collect();
            assert_eq!(seen, paths, "{bytes:?}");
        };
        let (a, b) = ("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /b HTTP/1.1\r\n\r\n");
        check("", &[]);
        check(a, &["/a"]);
        check(&[a, b, a, b].concat(), &["/a", "/b", "/a"]);
        check(&[b, &a[..20]].concat(), &["/b", "/a"]);
        check(&[b, &a[..10]].concat(), &["/b"]);
        check(&[a, "POST /c HTTP/1.1\r\n\r\n", b].concat(), &["/a"]);
        check(&["GET /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n..", b].concat(), &["/a"]);
    }
}
