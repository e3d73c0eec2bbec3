//! The locks of whoever writes clicks: a slot of its own, and all slots for whoever purges.
//!
//! Both are advisory locks that end with the transaction. They are let go after the commit is
//! seen by all, so who takes a slot next sees what its last holder wrote.

use postgres::Transaction;
use waypost_storage::Error;

use super::lane::LANES;
use crate::{ask::Ask, fault::Tried, limits};

/// The locks' first half.
const SLOTS: i32 = 0x7761_7901;
const ALL: i32 = 0x7761_7902;

/// Takes a free slot of a lane's, so that a link's clicks go on in the rows where they began.
pub(super) fn take(txn: &mut Transaction<'_>, lane: i16) -> Tried<i32> {
    enter(txn)?;
    for slot in (i32::from(lane)..limits::SLOTS).step_by(LANES) {
        if lock(txn, slot)? {
            return Ok(slot);
        }
    }
    Err(Error::Unavailable("too many nodes write clicks".into()).into())
}

/// Takes this slot, where it is free.
pub(super) fn take_this(txn: &mut Transaction<'_>, slot: i32) -> Tried<bool> {
    enter(txn)?;
    lock(txn, slot)
}

/// Waits for whoever has taken all slots.
fn enter(txn: &mut Transaction<'_>) -> Tried<()> {
    txn.tell("SELECT pg_advisory_xact_lock_shared($1, 0)", &[&ALL])?;
    Ok(())
}

/// Locks a slot, where nobody else has.
fn lock(txn: &mut Transaction<'_>, slot: i32) -> Tried<bool> {
    let sql = "SELECT pg_try_advisory_xact_lock($1, $2)";
    Ok(txn.ask_one(sql, &[&SLOTS, &slot])?.get(0))
}

/// Waits for everybody who holds a slot, and keeps others from taking one.
pub(super) fn take_all(txn: &mut Transaction<'_>) -> Tried<()> {
    txn.tell("SELECT pg_advisory_xact_lock($1, 0)", &[&ALL])?;
    Ok(())
}
