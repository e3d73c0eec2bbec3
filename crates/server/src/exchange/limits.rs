//! Bounds of what a file may hold.

/// Longest line, and longest CSV record over several lines, in bytes: above what any link that is
/// within the bounds of `waypost_link::limits` takes in any format.
pub(crate) const RECORD_BYTES: usize = 8 << 20;
/// Most columns of a CSV file.
pub(crate) const COLUMNS: usize = 256;
/// Longest text of the file that a message quotes, in characters.
pub(crate) const QUOTED_CHARS: usize = 60;
