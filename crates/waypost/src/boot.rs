//! From what a node starts: its store, or its snapshot where the store is away.

use std::{
    path::Path,
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use waypost_index::Index;
use waypost_link::Timestamp;
use waypost_storage::{Error as StoreError, Snapshot, Stamp, transfer};

use crate::{
    Error, Store,
    identity::Identity,
    load::{self, Still},
};

/// How long a store may take to answer where there is a snapshot: a start from that is no loss,
/// and the follower catches up.
const PROBE: Duration = Duration::from_millis(500);

/// From what a node starts.
pub(crate) struct Origin {
    /// The store's identity, as it says or as the snapshot does.
    pub(crate) identity: Identity,
    /// What the snapshot is, where there is a whole one.
    pub(crate) stamp: Option<Stamp>,
    /// Whether the store answered.
    pub(crate) answered: bool,
}

impl Origin {
    /// Asks the store who it is, and the snapshot whose copy it is.
    ///
    /// # Errors
    /// [`Error::Foreign`] where they disagree, [`Error::NoSnapshot`] and [`Error::Store`] where
    /// there is nothing to start from.
    pub(crate) fn find(
        store: &Store,
        snapshot: Option<&dyn Snapshot>,
        dir: &Path,
        now: fn() -> Timestamp,
    ) -> Result<Self, Error> {
        let stamp = snapshot.map(Snapshot::stamp).transpose()?.flatten();
        let patience = stamp.map(|_| PROBE);
        let (identity, answered) = match (ask(store, patience, now), stamp) {
            (Ok(identity), _) => (identity, true),
            (Err(StoreError::Unavailable(why)), Some(Stamp { store, secret, revision })) => {
                tracing::warn!(why, %revision, "the store does not answer; starting from the snapshot");
                (Identity { store, secret }, false)
            }
            (Err(error @ StoreError::Unavailable(_)), None) if snapshot.is_some() => {
                return Err(Error::NoSnapshot { error, dir: dir.to_owned() });
            }
            (Err(error), _) => return Err(error.into()),
        };
        if stamp.is_some_and(|stamp| stamp.store != identity.store) {
            return Err(Error::Foreign(dir.to_owned()));
        }
        Ok(Self { identity, stamp, answered })
    }

    /// Fills `index` from whichever it is.
    pub(crate) fn load(
        &self,
        index: &Index,
        store: &Store,
        snapshot: Option<&dyn Snapshot>,
    ) -> Result<(), Error> {
        match (self.answered, snapshot, self.stamp) {
            (false, Some(snapshot), Some(stamp)) => {
                load::load(index, &Still(snapshot, stamp.revision))?;
            }
            _ => load::load(index, store)?,
        }
        Ok(())
    }
}

/// The identity of `store`, if it says so within `patience`.
fn ask(
    store: &Store,
    patience: Option<Duration>,
    now: fn() -> Timestamp,
) -> Result<Identity, StoreError> {
    let Some(patience) = patience else { return identify(store, now()) };
    let (sender, answer) = sync_channel(1);
    let store = store.clone();
    // The thread may outlive the question by what the store's own time limits are.
    let asking = thread::Builder::new().name("probe".to_owned());
    let asked = asking.spawn(move || drop(sender.send(identify(&store, now()))));
    asked.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    match answer.recv_timeout(patience) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => {
            Err(StoreError::Unavailable(format!("no answer within {} ms", patience.as_millis())))
        }
        Err(RecvTimeoutError::Disconnected) => {
            Err(StoreError::Unavailable("asking it failed".to_owned()))
        }
    }
}

/// The identity of a store that is whole.
fn identify(store: &Store, now: Timestamp) -> Result<Identity, StoreError> {
    transfer::assert_whole(&*store.transfer)?;
    Identity::of(&*store.links, now)
}
