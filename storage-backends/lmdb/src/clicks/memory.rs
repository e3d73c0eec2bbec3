//! What readers want of the clicks in memory: counts by bucket, and sums by link.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use waypost_storage::{Counts, Grain};

use super::{
    bucket::{self, Bucket},
    fold::Fold,
    generation::{Asked, Generation, Record},
    rollup::day,
    stored::Row,
};
use crate::fault::Tried;

/// The number of the bucket of this grain that an hour is in.
pub(super) const fn start(grain: Grain, hour: i64) -> i64 {
    match grain {
        Grain::Hour => hour,
        Grain::Day => day(hour),
        Grain::All => 0,
    }
}

/// Clicks and bots by bucket of what is asked for.
pub(super) fn sums(
    generations: &[&Generation],
    grain: Grain,
    asked: &Asked<'_>,
) -> BTreeMap<i64, Counts> {
    let mut tallied = BTreeMap::<i64, Counts>::new();
    for generation in generations {
        generation.sums(asked, |sum| {
            let counts = tallied.entry(start(grain, sum.place.hour)).or_default();
            counts.clicks += sum.clicks;
            counts.bots += sum.bots;
        });
    }
    tallied
}

/// Counts by bucket of what is asked for; by link too where no links are named.
pub(super) fn tally(
    generations: &[&Generation],
    grain: Grain,
    asked: &Asked<'_>,
) -> Tried<BTreeMap<i64, Counts>> {
    let mut tallied = BTreeMap::<i64, Counts>::new();
    let mut fold = Fold::default();
    for generation in generations {
        let mut starts = HashMap::<i64, Vec<(u64, &[Record])>>::new();
        generation.visit(asked, |place, records| {
            starts.entry(start(grain, place.hour)).or_default().push((place.link, records));
        });
        for (start, groups) in starts {
            let counts = count(generation, &groups, asked.links.is_none(), &mut fold)?;
            tallied.entry(start).or_default().merge(&counts);
        }
    }
    Ok(tallied)
}

fn count(
    generation: &Generation,
    groups: &[(u64, &[Record])],
    by_link: bool,
    fold: &mut Fold,
) -> Tried<Counts> {
    let mut links = HashMap::<u64, [u32; 2]>::new();
    for (link, records) in groups {
        let bots = fold.bots;
        fold.count(records);
        if by_link {
            let cell = links.entry(*link).or_default();
            *cell = [cell[0] + records.len() as u32, cell[1] + (fold.bots - bots) as u32];
        }
    }
    fold.close();
    let mut links: Vec<_> = links.into_iter().collect();
    links.sort_unstable();
    fold.by_link(&links);
    let mut value = Vec::new();
    bucket::raise(None, fold, &generation.dictionary, None, &mut value)?;
    fold.reset();
    Ok(Bucket::decode(&value)?.counts)
}

/// Totals by link of what is asked for.
pub(super) fn totals(generations: &[&Generation], asked: &Asked<'_>) -> HashMap<u64, Row> {
    let mut rows = HashMap::<u64, Row>::new();
    for generation in generations {
        generation.visit(asked, |place, records| {
            let row = rows.entry(place.link).or_insert(Row::new(place.workspace));
            row.clicks += records.len() as u64;
            for record in records {
                row.bots += u64::from(record.class.is_bot());
                row.spent += u64::from(record.spent());
                row.first = row.first.min(record.at);
                row.last = row.last.max(record.at);
            }
        });
    }
    rows
}
