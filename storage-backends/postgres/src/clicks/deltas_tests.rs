//! What is counted in arrays, and added to bytes, is what [`Counts`] would have counted.

use std::time::Instant;

use waypost_link::{ClickId, WorkspaceId};
use waypost_storage::{
    Address, Batch, BatchBuilder, Epoch, Hit, Mark, Row, Text,
    limits::{LANGUAGE, REFERRER, USER_AGENT},
};

use super::*;
use crate::clicks::{
    Taken, counts,
    flush::agent,
    gather::{Gathered, Memory},
    lane,
};

/// A batch of these clicks: link, hour, and a number that the rest comes from.
fn batch(clicks: impl Iterator<Item = (u64, i64, u64)>) -> Batch {
    let mut builder = BatchBuilder::default();
    for (link, hour, n) in clicks {
        let mut text = |text: String, limit| {
            let index = builder.text(text.as_bytes(), limit);
            Text { index, text: "" }
        };
        let agent = if n.is_multiple_of(5) { "curl/8" } else { "Mozilla/5.0 Chrome/9" };
        let row = Row {
            id: ClickId {
                received: Timestamp(hour * Timestamp::HOUR),
                link: LinkId(link),
                salt: 0,
            },
            workspace: WorkspaceId(1 + link % 2),
            visitor: n << 32,
            address: Address::Nothing,
            country: n.is_multiple_of(2).then_some(*b"DE"),
            user_agent: text(agent.to_owned(), USER_AGENT),
            referrer: text(format!("{n}.example"), REFERRER),
            language: text("de".to_owned(), LANGUAGE),
            rule: text(String::new(), LANGUAGE),
            spent: n.is_multiple_of(3),
        };
        assert!(builder.push(&row));
    }
    let mut bytes = Vec::new();
    builder.finish(&mut bytes);
    Batch::decode(bytes).unwrap()
}

/// The counts of a link's bucket, or of a workspace's where no link is named.
fn counted(
    batches: &[Batch],
    grain: Grain,
    start: i64,
    whose: Result<LinkId, WorkspaceId>,
) -> Counts {
    let mut counts = Counts::default();
    for row in batches.iter().flat_map(Batch::rows).map(Result::unwrap) {
        let own = whose.map_or_else(|of| row.workspace == of, |link| row.id.link == link);
        if own && grain.bucket(row.id.received) == start {
            counts.add(&Hit::of_row(&row, agent(row.user_agent.text)), whose.is_err());
        }
    }
    counts
}

fn deltas(batches: &[Batch], test: impl FnOnce(Deltas<'_>)) {
    let mark = Mark { epoch: Epoch(1), sequence: 1 };
    let taken = |batch: &Batch| Taken { mark, batch: batch.clone(), at: Instant::now() };
    let taken: Vec<_> = batches.iter().map(taken).collect();
    let mut memory = Memory::default();
    let gathered = Gathered::of(taken.iter(), &lane::all(), &mut memory).unwrap();
    test(Deltas::of(&gathered.sorted()));
}

/// Clicks of three links in four hours around midnight.
fn some() -> [Batch; 4] {
    [22, 23, 24, 25].map(|hour| batch((0..30).map(|n| (1 + n % 3, hour, n + hour as u64 * 4))))
}

fn grain(number: i16) -> Grain {
    crate::clicks::fold::grain(number).unwrap()
}

#[test]
fn every_hour_of_links_and_bucket_of_workspaces() {
    let batches = some();
    deltas(&batches, |deltas| {
        let places: Vec<_> = deltas.links.iter().map(Delta::place).collect();
        assert!(places.is_sorted() && places.len() == 3 * 4, "{places:?}");
        for delta in &deltas.links {
            let expected = counted(&batches, Grain::Hour, delta.start, Ok(delta.link));
            assert_eq!(deltas.counts(delta), expected, "{:?}", delta.place());
        }
        for (&(id, number, start), counts) in &deltas.workspaces {
            let of = Err(WorkspaceId(id as u64));
            assert_eq!(
                counts,
                &counted(&batches, grain(number), start, of),
                "{id} {number} {start}"
            );
        }
    });
}

#[test]
fn what_is_added_to_bytes() {
    let before = batch((0..40).map(|n| (1, 7, n * 3)));
    let stored = counted(&[before], Grain::Hour, 7, Ok(LinkId(1)));
    let bytes = (counts::shares(&stored), stored.visitors.to_bytes(), stored.robots.to_bytes());
    let more = batch((0..40).map(|n| (1, 7, n * 2)));
    deltas(&[more], |deltas| {
        let delta = &deltas.links[0];
        let (mut shares, mut people, mut robots) = (Vec::new(), Vec::new(), Vec::new());
        assert_eq!(deltas.write_shares(delta, Some(&bytes.0), &mut shares), Ok(true));
        let out = [&mut people, &mut robots];
        deltas.write_crowds(delta, Some([&bytes.1, &bytes.2]), out).unwrap();
        let mut expected = stored.clone();
        expected.merge(&deltas.counts(delta));
        assert_eq!(codec::seal(shares), counts::shares(&expected));
        assert_eq!((people, robots), (expected.visitors.to_bytes(), expected.robots.to_bytes()));
    });
}

#[test]
fn too_many_values_and_broken_bytes_are_said() {
    for (values, fits) in [(VALUES, true), (VALUES + 1, false)] {
        let many = batch((0..values as u64).map(|n| (1, 7, n)));
        deltas(&[many], |deltas| {
            let written = deltas.write_shares(&deltas.links[0], None, &mut Vec::new());
            assert_eq!(written, Ok(fits));
            let shares = &deltas.workspaces[&(2, 0, 7)].shares;
            assert_eq!(shares[Dimension::Referrer as usize].len(), values);
            for broken in [&b""[..], &[1, 2, 3, 4, 5], &codec::seal(vec![9])] {
                let written = deltas.write_shares(&deltas.links[0], Some(broken), &mut Vec::new());
                assert!(matches!(written, Err(Error::Corrupt(_))), "{written:?}");
            }
        });
    }
}

#[test]
fn the_most_clicked_links_stay() {
    let links: Vec<_> = (1..=VALUES as u64 + 5).map(|n| (LinkId(n), n, 0)).collect();
    let shares = most(links);
    let other = shares.iter().find(|share| share.value == Share::OTHER).map(|share| share.clicks);
    assert_eq!((shares.len(), other), (VALUES + 1, Some(1 + 2 + 3 + 4 + 5)));
    assert!(shares.is_sorted_by(|a, b| a.value < b.value));
}
