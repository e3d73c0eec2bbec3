//! Whether an answer is the right one, cheaply.
//!
//! Every answer is checked whole: status, destination, length. The first is parsed; the answers of one server to
//! requests of one shape are laid out alike, so those after it are compared at the places where the first had its
//! parts, and parsed only where that fails.

/// The status that a redirect has.
const STATUS: u16 = 302;
const START: &[u8] = b"HTTP/1.1 302";
const BLANK_LINE: &[u8] = b"\r\n\r\n";
/// The most header fields that an answer may have.
const MAX_HEADERS: usize = 64;

/// What the front of the bytes received is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The answer that was asked for, of this many bytes.
    Right(usize),
    /// An answer of this many bytes, not the one that was asked for.
    Wrong(usize),
    /// The beginning of an answer.
    Part,
    /// No answer: where the next one begins can't be told.
    Garbage,
}

/// Where the answers of a server have their parts.
#[derive(Default)]
pub(super) struct Checker {
    layout: Option<Layout>,
}

struct Layout {
    destination: usize,
    head: usize,
    whole: usize,
}

impl Checker {
    /// Looks at the front of `bytes` for a redirect to `destination`.
    pub(super) fn check(&mut self, bytes: &[u8], destination: &[u8]) -> Seen {
        match &self.layout {
            Some(layout) if layout.fits(bytes, destination) => Seen::Right(layout.whole),
            _ => self.parse(bytes, destination),
        }
    }

    fn parse(&mut self, bytes: &[u8], destination: &[u8]) -> Seen {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        let head = match answer.parse(bytes) {
            Ok(httparse::Status::Complete(head)) => head,
            Ok(httparse::Status::Partial) => return Seen::Part,
            Err(_) => return Seen::Garbage,
        };
        let field = |name: &str| {
            let header =
                answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            header.map(|header| header.value)
        };
        let Some(length) = field("content-length").and_then(number) else {
            return Seen::Garbage; // redirects say how long they are, everywhere
        };
        let Some(whole) = head.checked_add(length) else {
            return Seen::Garbage;
        };
        if bytes.len() < whole {
            return Seen::Part;
        }
        let location = field("location").unwrap_or_default();
        if answer.code != Some(STATUS) || location != destination {
            return Seen::Wrong(whole);
        }
        let place = bytes[..head].windows(location.len()).position(|part| part == location);
        self.layout = place.map(|destination| Layout { destination, head, whole });
        Seen::Right(whole)
    }
}

impl Layout {
    fn fits(&self, bytes: &[u8], destination: &[u8]) -> bool {
        bytes.len() >= self.whole
            && bytes.starts_with(START)
            && bytes[..self.head].ends_with(BLANK_LINE)
            && bytes[self.destination..self.head].starts_with(destination)
            && bytes[self.destination + destination.len()..].starts_with(b"\r\n")
    }
}

fn number(value: &[u8]) -> Option<usize> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Checker, Seen};

    #[test]
    fn answers_are_told_apart() {
        let right =
            "HTTP/1.1 302 Found\r\nLocation: https://a.example/1\r\nContent-Length: 0\r\n\r\n";
        let body =
            "HTTP/1.1 302 Found\r\ncontent-length: 2\r\nlocation: https://a.example/1\r\n\r\nab";
        let check = |first: &str, bytes: &str, expected: Seen| {
            let mut checker = Checker::default();
            checker.check(first.as_bytes(), b"https://a.example/1");
            let seen = checker.check(bytes.as_bytes(), b"https://a.example/1");
            assert_eq!(seen, expected, "{bytes:?} after {first:?}");
        };
        for first in ["", right, body] {
            check(first, right, Seen::Right(right.len()));
            check(first, body, Seen::Right(body.len()));
            check(first, &right.repeat(2), Seen::Right(right.len()));
            check(first, &right.replace("302", "301"), Seen::Wrong(right.len()));
            check(first, &right.replace("/1\r", "/2\r"), Seen::Wrong(right.len()));
            check(first, &right.replace("/1\r", "/12\r"), Seen::Wrong(right.len() + 1));
            check(first, &right.replace("Location", "Elsewhere"), Seen::Wrong(right.len() + 1));
            check(first, &right[..right.len() - 1], Seen::Part);
            check(first, &body[..body.len() - 1], Seen::Part);
            check(first, &right.replace("Length: 0", "Length: +0"), Seen::Garbage);
            check(first, &right.replace("Content-Length", "Other"), Seen::Garbage);
            check(first, "SSH-2.0-server\r\n", Seen::Garbage);
        }
    }
}
