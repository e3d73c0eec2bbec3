//! Bounds on everything that a stranger can make larger here, each with its reason.

/// `X-Forwarded-For` entries that are looked at, from the right. Each is a proxy that the operator trusts, so
/// there are never more in earnest.
pub const FORWARDED_ENTRIES: usize = 32;
/// Longest password that is worth hashing, in bytes.
pub const PASSWORD_BYTES: usize = 1024;
/// Password tries a minute per link and client (SPEC 3.3).
pub const PASSWORD_TRIES: usize = 5;
/// The minute of [`PASSWORD_TRIES`], in microseconds.
pub const PASSWORD_WINDOW: i64 = 60_000_000;
/// Sets of the table of password tries…
pub const PASSWORD_SETS: usize = 4096;
/// …and pairs of link and client that each holds; a further one replaces the one that tried least recently.
pub const PASSWORD_WAYS: usize = 8;
/// Languages of an `Accept-Language` that are looked at.
pub const LANGUAGES: usize = 32;
/// Members of a rotator that are picked at random in the hope of one that is open…
pub const ROTATOR_PICKS: usize = 16;
/// …and members that are then tried in turn.
pub const ROTATOR_SCAN: usize = 1024;
/// Most bytes that a buffer of a [`Scratch`](crate::Scratch) keeps from one decision to the next.
pub const SCRATCH_BYTES: usize = 16 * 1024;
