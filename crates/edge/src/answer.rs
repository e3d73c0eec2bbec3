//! Answer to bytes: a redirect is a handful of copies, everything else a page.

use waypost_h1::{Outcome, Reply, Response};
use waypost_redirect::{Answer, NotFound, Redirect};

use crate::{
    Figures,
    pages::{self, Page},
};

/// The head of a plain redirect up to its destination, made beforehand.
#[inline]
fn head(redirect: &Redirect<'_>) -> &'static [u8] {
    match redirect.status {
        301 => {
            b"HTTP/1.1 301 Moved Permanently\r\nCache-Control: private, max-age=300\r\nLocation: "
        }
        303 => b"HTTP/1.1 303 See Other\r\nCache-Control: private, no-store\r\nLocation: ",
        307 => b"HTTP/1.1 307 Temporary Redirect\r\nCache-Control: private, no-store\r\nLocation: ",
        308 => {
            b"HTTP/1.1 308 Permanent Redirect\r\nCache-Control: private, max-age=300\r\nLocation: "
        }
        _ => b"HTTP/1.1 302 Found\r\nCache-Control: private, no-store\r\nLocation: ",
    }
}

/// Sends an answer at once.
#[inline]
pub(crate) fn send(
    answer: &Answer<'_>,
    seconds: i64,
    sandboxed: bool,
    reply: Reply<'_>,
) -> Outcome {
    match answer {
        Answer::Redirect(redirect) => {
            let location = redirect.location.as_bytes();
            reply.encoded(&[head(redirect), location, b"\r\n"], b"")
        }
        other => reply.respond(&response(other, seconds, sandboxed)),
    }
}

/// The response to an answer, at the Unix time `seconds`; a page that runs foreign scripts is kept
/// off this origin where `sandboxed`.
pub(crate) fn response(answer: &Answer<'_>, seconds: i64, sandboxed: bool) -> Response {
    match answer {
        Answer::Redirect(redirect) => Response::new(redirect.status)
            .header("Cache-Control", redirect.cache_control())
            .header("Location", redirect.location),
        Answer::NotFound(NotFound { json: true, code }) => json_not_found(code, seconds),
        Answer::NotFound(_) => {
            page(404, pages::message("Not found", "This link does not exist, or no longer."))
        }
        Answer::DomainNotRegistered { json: true } => {
            json(404, "{\"error\":\"Domain not registered\"}".to_owned())
        }
        Answer::DomainNotRegistered { json: false } => page(
            404,
            pages::message("Domain not registered", "No links are served under this name."),
        ),
        Answer::MethodNotAllowed { allow } => {
            let body = pages::message("Method not allowed", "Short links answer GET and HEAD.");
            page(405, body).header("Allow", allow)
        }
        Answer::PasswordForm(form) => page(form.status(), pages::password(form)),
        // None of them is an answer yet.
        Answer::PasswordCheck(_) | Answer::LeaseSpent(_) | Answer::Stats(_) => {
            page(500, pages::message("Error", "Something went wrong."))
        }
        Answer::TooManyTries { retry_after } => {
            let body = pages::message("Too many tries", "Wait a minute and try again.");
            page(429, body).header("Retry-After", retry_after.to_string())
        }
        Answer::Interstitial(interstitial) => {
            page(200, pages::interstitial(interstitial, sandboxed))
        }
    }
}

/// 415 to a password that was not sent as a form.
pub(crate) fn not_a_form() -> Response {
    let body = pages::message("Unsupported media type", "A password is sent as an HTML form.");
    page(415, body).header("Accept-Post", "application/x-www-form-urlencoded")
}

/// A link's public page; 503 where nobody could count its clicks.
pub(crate) fn statistics(code: &str, figures: Option<&Figures>) -> Response {
    figures.map_or_else(busy, |figures| page(200, pages::statistics(code, figures)))
}

/// 503 to a visitor: too many others wait, or the store doesn't answer.
pub(crate) fn busy() -> Response {
    let body = pages::message("Busy", "Try again in a moment.");
    page(503, body).header("Retry-After", "1")
}

/// `/bookmarklet`.
pub(crate) fn bookmarklet() -> Response {
    page(200, pages::bookmarklet())
}

fn page(status: u16, page: Page) -> Response {
    Response::new(status)
        .header("Content-Type", "text/html; charset=utf-8")
        .header("Cache-Control", "no-store")
        .header("Content-Security-Policy", page.policy)
        .header("X-Content-Type-Options", "nosniff")
        .header("Referrer-Policy", "no-referrer")
        .body(page.html)
}

fn json(status: u16, body: String) -> Response {
    Response::new(status)
        .header("Content-Type", "application/json")
        .header("Cache-Control", "no-store")
        .body(body)
}

/// SPEC 3.3's body, the code as `tracking_id`, the time in RFC 3339. A code has no quote, no
/// backslash and no control character, so it stands in JSON as it is.
fn json_not_found(code: &str, seconds: i64) -> Response {
    let code = if code.is_empty() { "null".to_owned() } else { format!("\"{code}\"") };
    let body = format!(
        "{{\"error\":\"Link not found or expired\",\"tracking_id\":{code},\"timestamp\":\"{}\"}}",
        rfc3339(seconds)
    );
    json(404, body)
}

/// `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339, 5.6).
fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_in_json() {
        for (code, expected) in [
            (
                "hi",
                r#"{"error":"Link not found or expired","tracking_id":"hi","timestamp":"2025-07-27T21:30:00Z"}"#,
            ),
            (
                "",
                r#"{"error":"Link not found or expired","tracking_id":null,"timestamp":"2025-07-27T21:30:00Z"}"#,
            ),
        ] {
            let answer = Answer::NotFound(NotFound { json: true, code });
            let response = response(&answer, 1_753_651_800, false);
            assert_eq!(std::str::from_utf8(response.bytes()), Ok(expected));
            assert_eq!(response.status(), 404);
        }
    }

    #[test]
    fn a_status_line_for_every_redirect() {
        for status in [301, 302, 303, 307, 308] {
            let redirect = Redirect { status, location: "https://example.com/" };
            let head = std::str::from_utf8(head(&redirect)).unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")));
            assert!(head.contains(&format!("Cache-Control: {}\r\n", redirect.cache_control())));
        }
    }
}
