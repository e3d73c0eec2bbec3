//! Lanes: the clicks of a flush by link, so that several connections write them at a time.
//!
//! A connection is one process of the database's, which takes what one core can. A lane has its own
//! transactions, its own marks, which say what of an epoch it has written, and a slot of its own: no
//! lane waits for another, and where one fails only that one writes again. Of few clicks one
//! transaction writes all lanes.

use std::ops::Range;

use waypost_link::LinkId;

/// How many there are. With another number the marks of epochs under way would say something else.
pub(super) const LANES: usize = 2;

/// Some that one transaction writes.
pub(super) type Lanes = Range<i16>;

/// All of them.
pub(super) fn all() -> Lanes {
    0..LANES as i16
}

/// The lane of a link's clicks.
pub(super) fn of(link: LinkId) -> i16 {
    (link.0 % LANES as u64) as i16
}
