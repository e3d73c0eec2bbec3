//! Sorting records by place.

use waypost_storage::Positions;

use super::generation::{Group, Pending, Place, Record, Segment};

/// Memory that sorting needs, kept from one time to the next.
#[derive(Default)]
pub(super) struct Scratch {
    order: Positions,
    groups: Vec<Group>,
    /// Segments that are needed no more, for their memory: what the system gives anew costs more
    /// to touch than all that is done with it.
    segments: Vec<Segment>,
}

/// Records by which the room of a segment is rounded up, so that another of about as many fits.
const ROOM: usize = 1 << 14;

impl Scratch {
    /// The segment of these records.
    pub(super) fn sorted(&mut self, pending: &[Pending]) -> Segment {
        self.sort(pending);
        let room = (pending.len() / ROOM + 1) * ROOM;
        let spare = self.segments.pop().filter(|spare| spare.records.capacity() <= 2 * room);
        let Segment { mut groups, mut records, .. } = spare.unwrap_or_default();
        records.clear();
        records.reserve_exact(room);
        self.groups.clear();
        for at in self.order.iter() {
            let pending = &pending[at];
            let place = pending.place();
            if self.groups.last().is_none_or(|group| group.place != place) {
                self.groups.push(Group { place, start: records.len() as u32 });
            }
            records.push(pending.record);
        }
        groups.clear();
        groups.reserve_exact((self.groups.len() / ROOM + 1) * ROOM);
        groups.append(&mut self.groups);
        Segment::new(groups, records)
    }

    /// Takes over the memory of segments that are needed no more, in the place of any it had.
    pub(super) fn recycle(&mut self, segments: Vec<Segment>) {
        self.segments = segments;
    }

    /// Orders `pending` by place, then position.
    fn sort(&mut self, pending: &[Pending]) {
        let (least, most) = bounds(pending);
        let hour = bits((most.hour as u64).wrapping_sub(least.hour as u64));
        let workspace = bits(most.workspace - least.workspace);
        let link = bits(most.link - least.link);
        if hour + workspace + link > u32::BITS {
            self.order.by_comparing(pending.len(), |at| pending[at].place());
            return;
        }
        self.order.by_key(pending.iter().map(|pending| {
            let place = pending.place();
            let hour = (place.hour as u64).wrapping_sub(least.hour as u64);
            let key = (hour << workspace) | (place.workspace - least.workspace);
            ((key << link) | (place.link - least.link)) as u32
        }));
    }
}

/// The least and the greatest hour, workspace and link, each for itself.
fn bounds(pending: &[Pending]) -> (Place, Place) {
    let first = pending.first().map(Pending::place).unwrap_or_default();
    pending.iter().map(Pending::place).fold((first, first), |(least, most), place| {
        let least = Place {
            hour: least.hour.min(place.hour),
            workspace: least.workspace.min(place.workspace),
            link: least.link.min(place.link),
        };
        let most = Place {
            hour: most.hour.max(place.hour),
            workspace: most.workspace.max(place.workspace),
            link: most.link.max(place.link),
        };
        (least, most)
    })
}

fn bits(range: u64) -> u32 {
    u64::BITS - range.leading_zeros()
}

/// Sorts the records of one place by time and salt, keeping the order of those that are equal.
pub(super) fn by_time(records: &mut [Record]) {
    let key = |record: &Record| (record.at, record.salt());
    if !records.is_sorted_by_key(key) {
        records.sort_by_key(key);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(places: &[(i64, u64, u64)]) {
        let pending: Vec<_> = places
            .iter()
            .enumerate()
            .map(|(n, &(hour, workspace, link))| {
                let at = hour.saturating_mul(3_600_000_000);
                let record = Record { at, agent: n as u32, ..Record::default() };
                Pending { link, workspace, record }
            })
            .collect();
        let segment = Scratch::default().sorted(&pending);
        let found: Vec<_> = (0..segment.groups.len())
            .flat_map(|at| {
                let place = segment.groups[at].place;
                segment.of(at).iter().map(move |record| (place, record.agent))
            })
            .collect();
        let mut expected: Vec<_> =
            pending.iter().map(|one| (one.place(), one.record.agent)).collect();
        expected.sort();
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn near_and_far(wide in any::<bool>(), seed in proptest::collection::vec(any::<(i64, u64, u64)>(), 0..3_000)) {
            let narrow = |(hour, workspace, link): (i64, u64, u64)| {
                if wide { (hour / 3_600_000_000, workspace, link) } else { (hour % 2, workspace % 5, link % 3_000) }
            };
            check(&seed.into_iter().map(narrow).collect::<Vec<_>>());
        }
    }
}
