//! Segments, merged place by place: the clicks of a link's hour, from wherever they were sorted.
//!
//! There are dozens of segments and a place is in many of them, so what comes next is found by one
//! look along a short array: the next link of each segment that stands in the hour and workspace
//! at hand.

use super::generation::{Place, Record, Segment};

/// What stands in for the link of a segment that has none in the hour and workspace at hand.
const NONE: u64 = u64::MAX;

/// How far each segment is through.
pub(super) struct Merge<'s> {
    segments: &'s [Segment],
    /// The next group of each.
    heads: Vec<usize>,
    /// The link of that group, in this hour and workspace.
    links: Vec<u64>,
    hour: i64,
    workspace: u64,
}

impl<'s> Merge<'s> {
    pub(super) fn new(segments: &'s [Segment]) -> Self {
        let heads = vec![0; segments.len()];
        Self { segments, heads, links: vec![NONE; segments.len()], hour: 0, workspace: 0 }
    }

    /// The next place, whose records are put into `records` in the order they came.
    pub(super) fn next(&mut self, records: &mut Vec<Record>) -> Option<Place> {
        records.clear();
        let mut link = self.least();
        if link == NONE {
            self.enter()?;
            link = self.least();
        }
        let place = Place { hour: self.hour, workspace: self.workspace, link };
        for (at, segment) in self.segments.iter().enumerate() {
            if self.links[at] == link && front(segment, self.heads[at]) == Some(place) {
                records.extend_from_slice(segment.of(self.heads[at]));
                self.heads[at] += 1;
                self.links[at] = self.link(at);
            }
        }
        Some(place)
    }

    fn least(&self) -> u64 {
        self.links.iter().copied().fold(NONE, u64::min)
    }

    /// Goes to the least hour and workspace that is left.
    fn enter(&mut self) -> Option<()> {
        let fronts = self.segments.iter().zip(&self.heads);
        let least = fronts.filter_map(|(segment, &head)| front(segment, head)).min()?;
        (self.hour, self.workspace) = (least.hour, least.workspace);
        for at in 0..self.segments.len() {
            self.links[at] = self.link(at);
        }
        Some(())
    }

    /// The next link of a segment in the hour and workspace at hand.
    fn link(&self, at: usize) -> u64 {
        match front(&self.segments[at], self.heads[at]) {
            Some(place) if (place.hour, place.workspace) == (self.hour, self.workspace) => {
                place.link
            }
            _ => NONE,
        }
    }
}

fn front(segment: &Segment, head: usize) -> Option<Place> {
    segment.groups.get(head).map(|group| group.place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clicks::{generation::Pending, sort::Scratch};

    #[test]
    fn places_come_in_order_and_whole() {
        let places: Vec<_> = (0..500u64)
            .map(|n| (n * 7 % 3, n * 5 % 4, if n % 50 == 0 { NONE } else { n * 3 % 11 }))
            .collect();
        let pending = |(n, &(hour, workspace, link)): (usize, &(u64, u64, u64))| {
            let at = hour as i64 * 3_600_000_000;
            Pending { link, workspace, record: Record { at, agent: n as u32, ..Record::default() } }
        };
        let all: Vec<_> = places.iter().enumerate().map(pending).collect();
        let segments: Vec<_> = all.chunks(37).map(|part| Scratch::default().sorted(part)).collect();
        let mut merge = Merge::new(&segments);
        let (mut found, mut records) = (Vec::new(), Vec::new());
        while let Some(place) = merge.next(&mut records) {
            found.extend(records.iter().map(|record| (place, record.agent)));
        }
        let mut expected: Vec<_> = all.iter().map(|one| (one.place(), one.record.agent)).collect();
        expected.sort();
        assert_eq!(found, expected);
    }
}
