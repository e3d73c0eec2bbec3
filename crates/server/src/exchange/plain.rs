//! What the formats of bare redirects have in common: a path, a destination, and little else.

use std::borrow::Cow;

use waypost_link::{Flags, Link, Slug};
use waypost_service::Fault;

use super::{Book, Carried, fields::FIELDS};

/// When a link was made and changed is never missed in a list of redirects.
const UNMISSED: [&str; 2] = ["created_at", "updated_at"];

/// How much of a link is carried by a format that knows only the fields `known`.
///
/// A link that doesn't redirect everybody now is left out: as a bare redirect it would.
///
/// # Errors
/// [`Fault::Store`]: a name can't be looked up.
pub(crate) fn carried(link: &Link, book: &Book, known: &[&str]) -> Result<Carried, Fault> {
    let now = book.plain().created_at;
    let closed = !link.flags.has(Flags::ACTIVE)
        || link.password.is_some()
        || link.valid_from.is_some_and(|from| now < from)
        || link.expires_at.is_some_and(|until| until <= now);
    if closed {
        return Ok(Carried::LeftOut);
    }
    let missed = |name| !known.contains(&name) && !UNMISSED.contains(&name);
    for field in FIELDS.iter().filter(|field| missed(field.name)) {
        if field.get(link, book)? != field.get(book.plain(), book)? {
            return Ok(Carried::Partly);
        }
    }
    Ok(Carried::Whole)
}

/// The code that a path segment, percent-encoded or not, stands for.
///
/// # Errors
/// Why no link can have it.
pub(crate) fn code(segment: &str) -> Result<Cow<'_, str>, Fault> {
    if segment.contains('%') { Ok(Slug::decode(segment)?) } else { Ok(segment.into()) }
}
