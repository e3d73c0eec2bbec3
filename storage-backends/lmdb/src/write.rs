//! The writing half of the links: commits, touches, forgetting.

use std::sync::Arc;

use heed::RwTxn;
use waypost_link::{Change, KeyId, Timestamp};
use waypost_storage::{Committed, Error, Result, limits::CHANGES};

use crate::{
    codec,
    environment::Environment,
    fault::Tried,
    feed, keys, limits, plan,
    read::View,
    steps::Step,
    tables::{LinkTable, Tables},
};

/// Does all of `changes` or none, durably.
pub(crate) fn commit(
    links: &Environment<LinkTable>,
    changes: &[Change],
    now: Timestamp,
) -> Result<Committed> {
    if changes.len() > CHANGES {
        return Err(Error::Full(format!("a commit has at most {CHANGES} changes")));
    }
    let steps: Arc<[Step]> = changes.iter().map(Step::of).collect();
    links.write(move |tables, txn| plan::commit(tables, txn, &steps, now))
}

/// Notes when keys were last used.
pub(crate) fn touch(links: &Environment<LinkTable>, keys: &[(KeyId, Timestamp)]) -> Result<()> {
    let keys = keys.to_vec();
    links.write(move |tables, txn| {
        for (key, at) in later(tables, txn, &keys)? {
            let (key, value) = (keys::with_id(&[], key.0), codec::number(at.0 as u64));
            tables.at(LinkTable::Touched).put(txn, &key, &value, false)?;
        }
        Ok(())
    })
}

/// Those of `touches` that are news of a key that exists.
fn later(
    tables: &Tables<LinkTable>,
    txn: &RwTxn<'_>,
    touches: &[(KeyId, Timestamp)],
) -> Tried<Vec<(KeyId, Timestamp)>> {
    let view = View::new(tables, txn);
    let mut later = Vec::new();
    for &(key, at) in touches {
        let record = keys::record(waypost_link::Noun::Key, key.0);
        let known = view.value(LinkTable::Records, &record)?.is_some();
        if known && view.last_touch(key)? < Some(at) {
            later.push((key, at));
        }
    }
    // Of several touches of one key the last one written stays.
    later.sort_by_key(|(_, at)| *at);
    Ok(later)
}

/// Forgets feed entries from before `before` and answers that have expired, a bounded number a
/// commit; how many went.
pub(crate) fn forget(
    links: &Environment<LinkTable>,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64> {
    let mut all = 0;
    loop {
        let (gone, more) = links
            .write(move |tables, txn| feed::forget(tables, txn, (before, now), limits::FORGET))?;
        all += gone;
        if !more {
            return Ok(all);
        }
    }
}
