//! Status lines: the reason phrases and the rules that hang on a code.

const REASONS: &[(u16, &str)] = &[
    (100, "Continue"),
    (101, "Switching Protocols"),
    (200, "OK"),
    (201, "Created"),
    (202, "Accepted"),
    (204, "No Content"),
    (206, "Partial Content"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (304, "Not Modified"),
    (307, "Temporary Redirect"),
    (308, "Permanent Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (410, "Gone"),
    (411, "Length Required"),
    (412, "Precondition Failed"),
    (413, "Content Too Large"),
    (414, "URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Range Not Satisfiable"),
    (417, "Expectation Failed"),
    (421, "Misdirected Request"),
    (422, "Unprocessable Content"),
    (426, "Upgrade Required"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
    (505, "HTTP Version Not Supported"),
];

/// The reason phrase of RFC 9110 section 15, `Unknown` for other codes.
pub(crate) fn reason(code: u16) -> &'static str {
    let found = REASONS.binary_search_by_key(&code, |&(code, _)| code);
    found.ok().and_then(|at| REASONS.get(at)).map_or("Unknown", |&(_, reason)| reason)
}

/// Appends a status line. A code that is not three digits becomes 500.
pub(crate) fn push_line(out: &mut Vec<u8>, code: u16) {
    let code = if (100..1000).contains(&code) { code } else { 500 };
    let digit = |n: u16| b'0' + u8::try_from(n % 10).unwrap_or(0);
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(&[digit(code / 100), digit(code / 10), digit(code), b' ']);
    out.extend_from_slice(reason(code).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The code of an encoded status line; 200 where it can't be read.
#[inline]
pub(crate) fn of_line(line: &[u8]) -> u16 {
    match line.get(9..12) {
        Some(&[a, b, c]) => u16::from(a & 15) * 100 + u16::from(b & 15) * 10 + u16::from(c & 15),
        _ => 200,
    }
}

/// Whether answers of this code have no body and no Content-Length (RFC 9110 section 8.6).
#[inline]
pub(crate) fn is_bodiless(code: u16) -> bool {
    code == 204 || code == 304 || code < 200
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_codes_agree() {
        for &(code, reason) in REASONS {
            let mut line = Vec::new();
            push_line(&mut line, code);
            assert_eq!(line, format!("HTTP/1.1 {code} {reason}\r\n").into_bytes());
            assert_eq!(of_line(&line), code);
        }
        assert!(REASONS.is_sorted());
    }
}
