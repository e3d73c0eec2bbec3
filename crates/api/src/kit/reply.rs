//! Answers: JSON, XML, text, nothing. None is cached, none is sniffed.

use serde::Serialize;
use waypost_h1::Response;

use super::{Answer, Fail};
use crate::limits;

/// JSON.
///
/// # Errors
/// [`Fail::Internal`] where the value has no JSON form.
pub fn json(status: u16, value: &impl Serialize) -> Answer {
    // Most answers fit, and a longer one moves less often than if it grew from nothing.
    let mut body = Vec::with_capacity(limits::ANSWER);
    serde_json::to_writer(&mut body, value).map_err(|error| Fail::internal(&error))?;
    Ok(typed(status, "application/json; charset=utf-8", body))
}

/// JSON of a value that can't fail: error bodies.
pub fn error(status: u16, value: &serde_json::Value) -> Response {
    typed(status, "application/json; charset=utf-8", value.to_string().into_bytes())
}

/// A line or a page of plain text.
pub fn text(status: u16, text: impl Into<String>) -> Response {
    typed(status, "text/plain; charset=utf-8", text.into().into_bytes())
}

/// An XML document.
pub fn xml(status: u16, document: String) -> Response {
    typed(status, "application/xml; charset=utf-8", document.into_bytes())
}

/// 204.
pub fn nothing() -> Response {
    Response::new(204).header("Cache-Control", "no-store")
}

/// A body of any type.
pub fn typed(status: u16, kind: &str, body: Vec<u8>) -> Response {
    Response::new(status)
        .header("Content-Type", kind)
        .header("Cache-Control", "no-store")
        .header("X-Content-Type-Options", "nosniff")
        .body(body)
}
