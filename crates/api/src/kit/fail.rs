//! Every refusal that a dialect must be able to spell, with its status.

use std::borrow::Cow;

use waypost_h1::{Refusal, Response};
use waypost_link::Timestamp;
use waypost_service::{Fault, Standing, StoreError};

use super::Dialect;

/// What a handler gives back.
pub type Answer = Result<Response, Fail>;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Fail {
    /// 400: it can't be read, such as a body that is no JSON.
    Malformed(String),
    /// 400: a field must be there.
    Missing {
        /// Which.
        field: String,
        /// All that must be there.
        required: Vec<String>,
    },
    /// 400: a field is wrong.
    Invalid {
        /// Which, by the dialect's name.
        field: Cow<'static, str>,
        /// A sentence.
        why: String,
    },
    /// 401: no key that lives.
    Unauthorized,
    /// 403: the key may not do this.
    Forbidden,
    /// 404: no such object; what was asked for, where it has a name.
    NotFound(Option<String>),
    /// Another workspace's object: each dialect says whether it tells that from none.
    Foreign,
    /// 404: no such path.
    NoRoute,
    /// 405.
    MethodNotAllowed {
        /// The methods that would do.
        allow: String,
    },
    /// 409: somebody holds it already.
    Taken(String),
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body is of another type.
    UnsupportedMediaType,
    /// 422: the idempotency key was used for another request.
    Reused,
    /// 429: the limit is reached.
    TooMany(Standing),
    /// 500; the log has the reason under the same number.
    Internal {
        /// `req_…`
        request_id: String,
    },
    /// 503: try again.
    Unavailable,
    /// One of many is wrong, so none was made; its status is that of what is wrong.
    Row {
        /// Which, from 0.
        row: usize,
        /// What is wrong with it.
        fail: Box<Self>,
    },
    /// What only one dialect knows, such as a 402.
    Other {
        /// The status.
        status: u16,
        /// Its name in errors that have names.
        code: &'static str,
        /// A sentence.
        message: String,
    },
}

/// A refusal and when it happened: what a dialect makes an error body of.
#[derive(Debug)]
pub struct Failure<'a> {
    /// The refusal.
    pub fail: &'a Fail,
    /// When.
    pub at: Timestamp,
}

impl Fail {
    /// The one field that isn't there and must be.
    pub fn missing(field: impl Into<String>) -> Self {
        let field = field.into();
        Self::Missing { required: vec![field.clone()], field }
    }

    /// A wrong field.
    pub fn invalid(field: impl Into<Cow<'static, str>>, why: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), why: why.into() }
    }

    /// A 500: `why` goes to the log alone.
    pub fn internal(why: &dyn std::fmt::Display) -> Self {
        let drawn = waypost_service::random_text(REQUEST_ID).unwrap_or_default();
        let request_id = format!("req_{drawn}");
        tracing::error!(request_id, error = %why, "a request failed");
        Self::Internal { request_id }
    }

    /// The status of its answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::Missing { .. } | Self::Invalid { .. } => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound(_) | Self::Foreign | Self::NoRoute => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::Taken(_) => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Reused => 422,
            Self::TooMany(_) => 429,
            Self::Internal { .. } => 500,
            Self::Unavailable => 503,
            Self::Row { fail, .. } => fail.status(),
            Self::Other { status, .. } => *status,
        }
    }

    /// The same as `dialect` says it: its field by its own name, somebody else's object by its own status.
    #[must_use]
    pub(crate) fn told(self, dialect: &Dialect) -> Self {
        match self {
            Self::Foreign => dialect.foreign.clone(),
            Self::Invalid { field, why } => {
                let own = dialect.names.iter().find(|(ours, _)| *ours == field);
                Self::Invalid { field: own.map_or(field, |(_, own)| Cow::Borrowed(*own)), why }
            }
            Self::Row { row, fail } => Self::Row { row, fail: Box::new(fail.told(dialect)) },
            other => other,
        }
    }

    fn other(status: u16, code: &'static str, fault: &Fault) -> Self {
        Self::Other { status, code, message: fault.to_string() }
    }
}

/// Random characters of a request's number.
const REQUEST_ID: usize = 16;

/// A sentence for people.
impl std::fmt::Display for Fail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Malformed(why) => why,
            Self::Missing { field, .. } => return write!(f, "Missing required field: {field}"),
            Self::Invalid { field, why } => return write!(f, "Invalid {field}: {why}"),
            Self::Unauthorized => "Invalid API key",
            Self::Forbidden => "This API key is not allowed to do this",
            Self::NotFound(_) | Self::Foreign => "Not found",
            Self::NoRoute => "No such endpoint",
            Self::MethodNotAllowed { .. } => "Method not allowed",
            Self::Taken(what) => return write!(f, "{what} is taken"),
            Self::TooLarge => "The body is too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::Reused => "This Idempotency-Key was used for another request",
            Self::TooMany(_) => "Rate limit exceeded",
            Self::Internal { .. } => "Internal server error",
            Self::Unavailable => "Service unavailable",
            Self::Row { row, fail } => return write!(f, "Row {row}: {fail}"),
            Self::Other { message, .. } => message,
        })
    }
}

impl From<Fault> for Fail {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Invalid { field, why } => Self::invalid(field, why),
            Fault::Taken(what) => Self::Taken(what),
            Fault::NotFound(_) => Self::NotFound(None),
            Fault::Foreign(_) => Self::Foreign,
            Fault::Forbidden(_) => Self::Forbidden,
            Fault::Reserved(_) => Self::other(400, "reserved_hostname", &fault),
            Fault::UpgradeRequired(_) => Self::other(402, "upgrade_required", &fault),
            Fault::LimitReached(_) => Self::other(402, "plan_limit_reached", &fault),
            Fault::Provider(_) => Self::other(502, "cloudflare_error", &fault),
            Fault::Row { row, fault } => Self::Row { row, fail: Box::new((*fault).into()) },
            Fault::Reused => Self::Reused,
            Fault::Store(error @ (StoreError::Full(_) | StoreError::Unavailable(_))) => {
                tracing::warn!(%error, "a request was answered 503");
                Self::Unavailable
            }
            Fault::Store(error) => Self::internal(&error),
        }
    }
}

impl From<Refusal> for Fail {
    /// What the engine turned away before a handler saw it.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BodyTooLarge => Self::TooLarge,
            _ => Self::Malformed("The body can't be read".to_owned()),
        }
    }
}
