//! How many requests each dialect answered, by status: `waypost_http_requests_total`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::DIALECTS;

/// The statuses that are counted by name; any other counts as the last.
const STATUSES: [u16; 21] = [
    200, 201, 204, 302, 303, 304, 307, 400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 502,
    503, 500,
];

/// Requests of one dialect that were answered with one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The dialect.
    pub dialect: &'static str,
    /// The status.
    pub code: u16,
    /// How many.
    pub requests: u64,
}

/// The counters.
#[derive(Debug)]
pub(crate) struct Counts(Vec<[AtomicU64; STATUSES.len()]>);

impl Default for Counts {
    fn default() -> Self {
        Self(DIALECTS.iter().map(|_| Default::default()).collect())
    }
}

impl Counts {
    pub(crate) fn add(&self, dialect: &str, status: u16) {
        let row = DIALECTS.iter().position(|known| known.name == dialect);
        let column = STATUSES.iter().position(|known| *known == status);
        let column = column.unwrap_or(STATUSES.len() - 1);
        if let Some(counter) = row.and_then(|row| self.0.get(row)).and_then(|row| row.get(column)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Those that aren't zero.
    pub(crate) fn all(&self) -> Vec<Count> {
        let rows = DIALECTS.iter().zip(&self.0);
        let cells = rows.flat_map(|(dialect, row)| {
            let name = dialect.name;
            row.iter().zip(STATUSES).map(move |(count, code)| (name, code, count.load(Relaxed)))
        });
        let counts = cells.map(|(dialect, code, requests)| Count { dialect, code, requests });
        counts.filter(|count| count.requests > 0).collect()
    }
}
