//! A bucket's counts as columns: numbers for SQL, sketches and shares in Waypost's own spelling.

use postgres::Row;
use waypost_storage::{
    Counts, Dimension, Error, Share, Sketch,
    codec::{self, Fields, Put},
};

use crate::fault::corrupt;

/// The columns of [`read`], in its order.
pub(super) const COLUMNS: &str = "clicks, bots, conversions, visitors, robots, shares";

/// The shares of all dimensions.
pub(super) fn shares(counts: &Counts) -> Vec<u8> {
    let mut out = Vec::new();
    for shares in &counts.shares {
        out.uint(shares.len() as u64);
        for share in shares {
            out.text(&share.value);
            out.uint(share.clicks);
            out.uint(share.bots);
        }
    }
    codec::seal(out)
}

/// The counts of a row that has [`COLUMNS`] from column `at` on; what is NULL wasn't asked for.
pub(super) fn read(row: &Row, at: usize) -> Result<Counts, Error> {
    let number = |column: usize| row.get::<_, i64>(at + column) as u64;
    let sketch = |column: usize| match row.get::<_, Option<&[u8]>>(at + column) {
        Some(bytes) => Sketch::from_bytes(bytes),
        None => Some(Sketch::default()),
    };
    let counts = || {
        Some(Counts {
            clicks: number(0),
            bots: number(1),
            conversions: number(2),
            visitors: sketch(3)?,
            robots: sketch(4)?,
            shares: match row.get::<_, Option<&[u8]>>(at + 5) {
                Some(bytes) => read_shares(bytes)?,
                None => Default::default(),
            },
        })
    };
    counts().ok_or_else(|| corrupt("buckets", "the counts of a bucket"))
}

fn read_shares(bytes: &[u8]) -> Option<[Vec<Share>; Dimension::ALL.len()]> {
    let mut fields = Fields(codec::unseal(bytes)?);
    let mut all: [Vec<Share>; Dimension::ALL.len()] = Default::default();
    for shares in &mut all {
        *shares = fields
            .list(|f| Some(Share { value: f.text()?, clicks: f.uint()?, bots: f.uint()? }))?;
    }
    fields.end(all)
}
