//! Rows of buckets on their way, a column after the other, as statements take them.

use postgres::Row;
use waypost_link::WorkspaceId;
use waypost_storage::{Counts, codec};

use super::{
    counts,
    deltas::{Delta, Deltas},
    rollups::Place,
};
use crate::fault::Tried;

/// Rows of one statement.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) owners: Vec<i64>,
    pub(super) grains: Vec<i16>,
    pub(super) starts: Vec<i64>,
    pub(super) workspaces: Vec<i64>,
    /// Clicks, bots, conversions.
    pub(super) sums: [Vec<i64>; 3],
    pub(super) visitors: Values,
    pub(super) robots: Values,
    pub(super) shares: Values,
    spare: Vec<u8>,
}

/// Values of one column, end to end.
#[derive(Default)]
pub(super) struct Values {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Values {
    /// All of them.
    pub(super) fn all(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end]).collect()
    }

    /// The value of this place, from 0.
    pub(super) fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[at]]
    }

    /// Adds a value, which is written to the end of the others.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.end();
    }

    /// What was written since is one.
    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

impl Columns {
    /// Begins a row.
    pub(super) fn place(&mut self, (owner, grain, start): Place, workspace: Option<WorkspaceId>) {
        self.owners.push(owner);
        self.grains.push(grain);
        self.starts.push(start);
        self.workspaces.push(workspace.unwrap_or_default().0 as i64);
    }

    /// Ends it with these counts.
    pub(super) fn counts(&mut self, counts: &Counts) {
        self.sums([counts.clicks, counts.bots, counts.conversions]);
        counts.visitors.write(&mut self.visitors.bytes);
        counts.robots.write(&mut self.robots.bytes);
        self.shares.bytes.extend(counts::shares(counts));
        self.end();
    }

    /// Ends it with what the row `stored` has, raised by `delta`.
    pub(super) fn raised(
        &mut self,
        deltas: &Deltas<'_>,
        delta: &Delta,
        stored: Option<&Row>,
    ) -> Tried<()> {
        let mut shares = std::mem::take(&mut self.spare);
        shares.clear();
        let before = stored.map(|row| row.get(6));
        if !deltas.write_shares(delta, before, &mut shares)? {
            let mut counts = deltas.counts(delta);
            if let Some(row) = stored {
                counts.merge(&counts::read(row, 1)?);
            }
            counts.limit();
            self.counts(&counts);
            return Ok(());
        }
        let number = |column| stored.map_or(0, |row| row.get::<_, i64>(column) as u64);
        self.sums([number(1) + delta.clicks, number(2) + delta.bots, number(3)]);
        let crowds = [&mut self.visitors.bytes, &mut self.robots.bytes];
        deltas.write_crowds(delta, stored.map(|row| [row.get(4), row.get(5)]), crowds)?;
        self.spare = codec::seal(shares);
        self.shares.bytes.extend_from_slice(&self.spare);
        self.end();
        Ok(())
    }

    fn sums(&mut self, sums: [u64; 3]) {
        self.sums.iter_mut().zip(sums).for_each(|(column, sum)| column.push(sum as i64));
    }

    fn end(&mut self) {
        [&mut self.visitors, &mut self.robots, &mut self.shares].into_iter().for_each(Values::end);
    }
}
