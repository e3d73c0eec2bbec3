//! The reasons for which the engine itself turns a request away, and the status that each has on the wire.
//!
//! A refusal is the protocol's own word: 405 and 404 belong to handlers and are not here.

/// Why a request was refused (RFC 9110 section 15.5 and 15.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// Not a request that RFC 9112 allows, or one that two servers could read in two ways.
    Malformed,
    /// The head or the body did not arrive in time.
    Timeout,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The request target is longer than allowed.
    TargetTooLong,
    /// An expectation other than `100-continue`.
    Expectation,
    /// The head is larger, or has more fields, than allowed.
    HeadTooLarge,
    /// A method that no handler can know.
    UnknownMethod,
    /// A transfer coding other than `chunked`.
    UnknownCoding,
    /// More connections than this process can hold.
    Overloaded,
    /// Neither HTTP/1.0 nor HTTP/1.1.
    Version,
}

impl Refusal {
    /// All of them, in the order of [`Refusal::index`].
    pub const ALL: [Self; 10] = [
        Self::Malformed,
        Self::Timeout,
        Self::BodyTooLarge,
        Self::TargetTooLong,
        Self::Expectation,
        Self::HeadTooLarge,
        Self::UnknownMethod,
        Self::UnknownCoding,
        Self::Overloaded,
        Self::Version,
    ];

    /// The status code of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Timeout => 408,
            Self::BodyTooLarge => 413,
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::HeadTooLarge => 431,
            Self::UnknownMethod | Self::UnknownCoding => 501,
            Self::Overloaded => 503,
            Self::Version => 505,
        }
    }

    /// A short name for metrics: `malformed`, `timeout`, …
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Timeout => "timeout",
            Self::BodyTooLarge => "body_too_large",
            Self::TargetTooLong => "target_too_long",
            Self::Expectation => "expectation",
            Self::HeadTooLarge => "head_too_large",
            Self::UnknownMethod => "unknown_method",
            Self::UnknownCoding => "unknown_coding",
            Self::Overloaded => "overloaded",
            Self::Version => "version",
        }
    }

    /// Its place in [`Refusal::ALL`] and in [`Counters::refused`](crate::Counters::refused).
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_in_the_order_of_the_indexes() {
        for (place, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal.index(), place);
        }
    }
}
