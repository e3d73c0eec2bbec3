//! Pages of lists: `limit` and an opaque `cursor`, which is the last id seen.

use super::{Call, Fail};

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Most items, where the caller said.
    pub limit: Option<usize>,
    /// The id after which it begins.
    pub after: Option<u64>,
}

impl Paging {
    /// That of `limit` and `cursor` in the query; a limit is 1 to `most`, and an empty parameter is none.
    ///
    /// # Errors
    /// [`Fail::Invalid`] names the parameter.
    pub fn of(call: &Call, most: usize) -> Result<Self, Fail> {
        let limit = number(call, "limit", most as u64)?;
        let after = number(call, "cursor", u64::MAX)?;
        Ok(Self { limit: limit.and_then(|limit| usize::try_from(limit).ok()), after })
    }
}

/// A parameter that is a whole number from 1 to `most`; an empty one is none.
///
/// # Errors
/// [`Fail::Invalid`] names the parameter.
pub fn number(call: &Call, name: &'static str, most: u64) -> Result<Option<u64>, Fail> {
    match call.query(name)? {
        Some("") => Ok(None),
        _ => call.query_number(name, 1..=most),
    }
}

/// What a caller hands back as `cursor`.
pub fn cursor(next: Option<u64>) -> Option<String> {
    next.map(|id| id.to_string())
}
