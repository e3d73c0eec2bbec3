//! Why a use case did not do what was asked: dialects turn each into a status and a shape.

use waypost_link::{DestinationError, RuleError, SlugError};
use waypost_storage::Error;

/// A result of a use case.
pub type Result<T> = std::result::Result<T, Fault>;

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A field is wrong.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, by its golinks name.
        field: &'static str,
        /// A sentence.
        why: String,
    },
    /// Somebody holds it already: a code, a name, a hostname.
    #[error("{0} is taken")]
    Taken(String),
    /// No such object.
    #[error("{0} not found")]
    NotFound(String),
    /// An object of another workspace.
    #[error("{0} not found")]
    Foreign(String),
    /// Not to be had: a hostname that is the server's own.
    #[error("{0} is reserved")]
    Reserved(String),
    /// The key may not do this.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// The workspace's plan has none of these.
    #[error("the plan includes no {0}")]
    UpgradeRequired(&'static str),
    /// As many as the plan or a limit allows are there.
    #[error("there are as many {0} as may be")]
    LimitReached(&'static str),
    /// The provider of hostnames said no, or nothing.
    #[error("the provider of hostnames: {0}")]
    Provider(String),
    /// One of many is wrong, so none was made.
    #[error("row {row}: {fault}")]
    Row {
        /// Which, from 0.
        row: usize,
        /// What is wrong with it.
        fault: Box<Self>,
    },
    /// An `Idempotency-Key` that was used for another request.
    #[error("this idempotency key was used for another request")]
    Reused,
    /// The store said no.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Fault {
    /// A wrong field.
    pub fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }
}

impl From<SlugError> for Fault {
    fn from(error: SlugError) -> Self {
        Self::invalid("code", error.to_string())
    }
}

impl From<DestinationError> for Fault {
    fn from(error: DestinationError) -> Self {
        Self::invalid("destination_url", error.to_string())
    }
}

impl From<RuleError> for Fault {
    fn from(error: RuleError) -> Self {
        Self::invalid("rules", error.to_string())
    }
}
