//! The feed: what each commit changed, kept for a day, cut into parts that fit LMDB's pages.
//!
//! Parts keep a large commit out of LMDB's overflow pages, which need free pages in a row. An
//! entry goes as a whole: the mark `trimmed` moves first, parts behind it are no history any more.

use heed::RwTxn;
use waypost_link::{Revision, Timestamp};
use waypost_storage::{Error, Feed, page_limit};

use crate::{
    codec::{self, Entry, Fields, Header},
    fault::{Tried, corrupt},
    keys, limits,
    read::View,
    tables::{LinkTable, Tables},
};

/// Where `meta` keeps the last revision.
pub(crate) const HEAD: &str = "head";
/// Where `meta` keeps the last revision whose entry was trimmed.
pub(crate) const TRIMMED: &str = "trimmed";

/// The rows of an entry.
pub(crate) fn chunks(
    revision: u64,
    at: Timestamp,
    changes: u64,
    steps: &[u8],
) -> impl Iterator<Item = ([u8; 12], Vec<u8>)> {
    let mut bytes = Vec::with_capacity(16 + steps.len());
    codec::header(&mut bytes, Header { at, changes });
    bytes.extend_from_slice(steps);
    let count = bytes.len().div_ceil(limits::FEED_CHUNK);
    (0..count).map(move |part| {
        let from = part * limits::FEED_CHUNK;
        let to = bytes.len().min(from + limits::FEED_CHUNK);
        (keys::feed(revision, part as u32), codec::seal(bytes[from..to].to_vec()))
    })
}

/// The entries after `after`, at most `limit`, fewer where they are large.
pub(crate) fn replay(view: View<'_>, after: Revision, limit: usize) -> Tried<Vec<Feed>> {
    let trimmed = view.meta(TRIMMED)?;
    if after.0 < trimmed {
        return Err(Error::Gone { oldest: trimmed }.into());
    }
    let (mut feeds, mut read) = (Vec::new(), 0);
    let mut entry = (0, Vec::new());
    let start = keys::feed(after.0.saturating_add(1), 0);
    for row in view.table(LinkTable::Feed).from(view.txn(), &start)? {
        let (key, value) = row?;
        let (revision, part) = keys::read_feed(key).ok_or_else(|| corrupt("feed", "a key"))?;
        if part == 0 {
            finish(&mut feeds, &mut entry)?;
            if feeds.len() == page_limit(limit) || read > limits::PAGE_BYTES {
                return Ok(feeds);
            }
            entry.0 = revision;
        }
        let bytes = codec::unseal(value).ok_or_else(|| broken(revision))?;
        read += bytes.len();
        entry.1.extend_from_slice(bytes);
    }
    finish(&mut feeds, &mut entry)?;
    Ok(feeds)
}

/// Adds the entry whose bytes are all there.
fn finish(feeds: &mut Vec<Feed>, (revision, bytes): &mut (u64, Vec<u8>)) -> Tried<()> {
    if !bytes.is_empty() {
        let entry = Entry::read(bytes).ok_or_else(|| broken(*revision))?;
        feeds.push(Feed { revision: Revision(*revision), changes: entry.changes });
        bytes.clear();
    }
    Ok(())
}

fn broken(revision: u64) -> Error {
    corrupt("feed", format_args!("revision {revision}"))
}

/// One step of forgetting, of about `most` rows: how many entries went, and whether there may be
/// more.
pub(crate) fn forget(
    tables: &Tables<LinkTable>,
    txn: &mut RwTxn<'_>,
    (before, now): (Timestamp, Timestamp),
    most: usize,
) -> Tried<(u64, bool)> {
    let mut doomed = Doomed { rows: Vec::new(), entries: 0, most };
    let view = View::new(tables, txn);
    let trimmed = old_entries(view, before, &mut doomed)?;
    let forgotten = doomed.entries;
    expired(view, now, &mut doomed)?;
    if forgotten > 0 {
        let trimmed = codec::number(trimmed);
        tables.at(LinkTable::Meta).put(txn, TRIMMED.as_bytes(), &trimmed, false)?;
    }
    for (table, key) in &doomed.rows {
        tables.at(*table).delete(txn, key)?;
    }
    Ok((doomed.entries, doomed.is_full()))
}

/// What a step of forgetting takes away.
struct Doomed {
    rows: Vec<(LinkTable, Vec<u8>)>,
    entries: u64,
    most: usize,
}

impl Doomed {
    fn is_full(&self) -> bool {
        self.rows.len() >= self.most
    }
}

/// Entries from before `before`; the last revision that goes.
fn old_entries(view: View<'_>, before: Timestamp, doomed: &mut Doomed) -> Tried<u64> {
    let mut trimmed = view.meta(TRIMMED)?;
    for row in view.table(LinkTable::Feed).from(view.txn(), &[])? {
        let (key, value) = row?;
        let (revision, _) = keys::read_feed(key).ok_or_else(|| corrupt("feed", "a key"))?;
        if revision > trimmed {
            let header = codec::unseal(value).and_then(|bytes| Header::read(&mut Fields(bytes)));
            if header.ok_or_else(|| broken(revision))?.at >= before {
                break;
            }
            trimmed = revision;
            doomed.entries += 1;
        }
        doomed.rows.push((LinkTable::Feed, key.to_vec()));
        if doomed.is_full() {
            break;
        }
    }
    Ok(trimmed)
}

/// Remembered answers that have expired at `now`.
fn expired(view: View<'_>, now: Timestamp, doomed: &mut Doomed) -> Tried<()> {
    for row in view.table(LinkTable::Expiry).from(view.txn(), &[])? {
        let (key, _) = row?;
        let (at, scope) = key.split_at_checked(8).ok_or_else(|| corrupt("expiry", "a key"))?;
        if at > &keys::time(now)[..] || doomed.is_full() {
            break;
        }
        doomed.rows.push((LinkTable::Remembered, scope.to_vec()));
        doomed.rows.push((LinkTable::Expiry, key.to_vec()));
        doomed.entries += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    #[test]
    fn forgetting_goes_step_by_step_through_large_entries() {
        let dir = tempfile::tempdir().unwrap();
        let links = Environment::<LinkTable>::open(dir.path(), 64 << 20).unwrap();
        let steps = vec![0; 5 * limits::FEED_CHUNK];
        links
            .write(move |tables, txn| {
                for revision in 1..=3 {
                    let at = Timestamp(revision as i64);
                    for (key, value) in chunks(revision, at, 0, &steps) {
                        tables.at(LinkTable::Feed).put(txn, &key, &value, true)?;
                    }
                }
                Ok(())
            })
            .unwrap();
        let forget =
            || links.write(|tables, txn| forget(tables, txn, (Timestamp(3), Timestamp(0)), 4));
        let state = || {
            let seen = |view: View<'_>| Ok((view.meta(TRIMMED)?, view.len(LinkTable::Feed)?));
            links.read(|tables, txn| seen(View::new(tables, txn))).unwrap()
        };
        // Entries of six parts each: the third is too young to go.
        for (gone, more, trimmed, left) in
            [(1, true, 1, 14), (1, true, 2, 10), (0, true, 2, 6), (0, false, 2, 6)]
        {
            assert_eq!(forget(), Ok((gone, more)));
            assert_eq!(state(), (trimmed, left));
        }
    }
}
