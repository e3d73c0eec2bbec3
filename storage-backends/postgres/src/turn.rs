//! Whose turn it is to edit small objects: a lock between this node's threads, so that one of them
//! at most holds a connection for it, and an advisory lock between nodes, which goes with its
//! transaction however that ends.

use parking_lot::Mutex;
use waypost_storage::{Error, Result};

use crate::{ask::Ask, database::Database, limits};

/// The advisory lock.
const TURN: i64 = 0x7761_7903;

/// The turns of one node.
#[derive(Debug, Default)]
pub(crate) struct Turn(Mutex<()>);

impl Turn {
    /// Runs `edit` once it is its turn; it works on connections of its own.
    pub(crate) fn take(&self, database: &Database, edit: &mut dyn FnMut()) -> Result<()> {
        let late = || Error::Unavailable("others take too long to edit".to_owned());
        let _turn = self.0.try_lock_for(limits::TURN).ok_or_else(late)?;
        database.with(|client| {
            let mut txn = client.transaction()?;
            txn.batch_execute(&format!("SET LOCAL lock_timeout = {}", limits::TURN.as_millis()))?;
            txn.tell("SELECT pg_advisory_xact_lock($1)", &[&TURN])?;
            edit();
            // The lock goes with the connection where this fails; the edit is done.
            let _ = txn.rollback();
            Ok(())
        })
    }
}
