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
    /// That of `limit` and `cursor` in the query; a limit is 1 to `most`.
    ///
    /// # Errors
    /// [`Fail::Invalid`] names the parameter.
    pub fn of(call: &Call, most: usize) -> Result<Self, Fail> {
        let limit = call.query_number("limit", 1..=most as u64)?;
        let after = call.query_number("cursor", 1..=u64::MAX)?;
        Ok(Self { limit: limit.and_then(|limit| usize::try_from(limit).ok()), after })
    }
}

/// What a caller hands back as `cursor`.
pub fn cursor(next: Option<u64>) -> Option<String> {
    next.map(|id| id.to_string())
}
