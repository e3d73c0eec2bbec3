//! From what a node starts: its store, or its snapshot where the store is away.
//!
//! While the store is asked who it is, the snapshot is loaded already: where the store does not
//! answer, the time in which it might have is not lost, and where it does, loading stops.

use std::{
    cell::OnceCell,
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use waypost_index::{Index, Loader};
use waypost_link::{Link, Record, Timestamp};
use waypost_storage::{Error as StoreError, Feed, Snapshot, Stamp, transfer};

use crate::{
    Error, Store,
    identity::Identity,
    load::{self, Still, Target},
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
    /// Whether the store answered. Where it did not, the index holds the snapshot.
    pub(crate) answered: bool,
}

impl Origin {
    /// Asks the store who it is, and the snapshot whose copy it is; where the store does not
    /// answer, fills `index` from the snapshot.
    ///
    /// # Errors
    /// [`Error::Foreign`] where they disagree, [`Error::NoSnapshot`] and [`Error::Store`] where
    /// there is nothing to start from.
    pub(crate) fn find(
        store: &Store,
        snapshot: Option<&dyn Snapshot>,
        dir: &Path,
        now: fn() -> Timestamp,
        index: &Index,
    ) -> Result<Self, Error> {
        let stamp = snapshot.map(Snapshot::stamp).transpose()?.flatten();
        let answer = match (snapshot, stamp) {
            (Some(snapshot), Some(stamp)) => {
                load_meanwhile(index, &Still(snapshot, stamp.revision), &Asked::of(store, now)?)?
            }
            _ => identify(store, now()),
        };
        let (identity, answered) = match (answer, stamp) {
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
}

/// What the store answers; where it is away, `index` holds `snapshot` by then.
fn load_meanwhile(
    index: &Index,
    snapshot: &Still<'_>,
    asked: &Asked,
) -> Result<Result<Identity, StoreError>, StoreError> {
    let loader = index.loader();
    let loaded = load::copy(snapshot, &Meanwhile { loader: &loader, asked });
    let answer = asked.answer();
    if matches!(answer, Err(StoreError::Unavailable(_))) {
        loader.publish(loaded?);
    }
    Ok(answer)
}

/// Takes what is loaded until the store has answered.
struct Meanwhile<'l> {
    loader: &'l Loader<'l>,
    asked: &'l Asked,
}

impl Meanwhile<'_> {
    fn go_on(&self) -> Result<(), StoreError> {
        match self.asked.look() {
            None | Some(Err(StoreError::Unavailable(_))) => Ok(()),
            Some(Ok(_) | Err(_)) => Err(StoreError::Unavailable("it is not needed".to_owned())),
        }
    }
}

impl Target for Meanwhile<'_> {
    fn records(&self, records: Vec<Record>) -> Result<(), StoreError> {
        self.go_on()?;
        Target::records(self.loader, records)
    }

    fn links(&self, links: &[Link], spent: &[u64]) -> Result<(), StoreError> {
        self.go_on()?;
        Target::links(self.loader, links, spent)
    }

    fn apply(&self, feeds: &[Feed]) -> Result<(), StoreError> {
        Target::apply(self.loader, feeds)
    }
}

/// A store that was asked who it is, and may answer until [`PROBE`] is over.
struct Asked {
    until: Instant,
    /// What it answered, and when.
    answers: Receiver<(Instant, Result<Identity, StoreError>)>,
    answer: OnceCell<Result<Identity, StoreError>>,
}

impl Asked {
    fn of(store: &Store, now: fn() -> Timestamp) -> Result<Self, StoreError> {
        let (sender, answers) = sync_channel(1);
        let store = store.clone();
        // The thread may outlive the question by what the store's own time limits are.
        let asking = thread::Builder::new().name("probe".to_owned());
        let ask = move || {
            let answer = identify(&store, now());
            drop(sender.send((Instant::now(), answer)));
        };
        asking.spawn(ask).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { until: Instant::now() + PROBE, answers, answer: OnceCell::new() })
    }

    /// What it answered, where it has by now.
    fn look(&self) -> Option<&Result<Identity, StoreError>> {
        if let (None, Ok(answer)) = (self.answer.get(), self.answers.try_recv()) {
            return Some(self.answer.get_or_init(|| self.in_time(answer)));
        }
        self.answer.get()
    }

    /// What it answers in time.
    fn answer(&self) -> Result<Identity, StoreError> {
        if let Some(answer) = self.look() {
            return answer.clone();
        }
        match self.answers.recv_timeout(self.until.saturating_duration_since(Instant::now())) {
            Ok(answer) => self.in_time(answer),
            Err(RecvTimeoutError::Timeout) => Err(late()),
            Err(RecvTimeoutError::Disconnected) => {
                Err(StoreError::Unavailable("asking it failed".to_owned()))
            }
        }
    }

    fn in_time(
        &self,
        (at, answer): (Instant, Result<Identity, StoreError>),
    ) -> Result<Identity, StoreError> {
        if at <= self.until { answer } else { Err(late()) }
    }
}

fn late() -> StoreError {
    StoreError::Unavailable(format!("no answer within {} ms", PROBE.as_millis()))
}

/// The identity of a store that is whole.
fn identify(store: &Store, now: Timestamp) -> Result<Identity, StoreError> {
    transfer::assert_whole(&*store.transfer)?;
    Identity::of(&*store.links, now)
}
