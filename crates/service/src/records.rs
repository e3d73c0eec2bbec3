//! Small objects, whichever kind they are: read, listed, put, deleted.
//!
//! They have no versions, so whoever edits them takes turns, on whichever node
//! ([`Service::in_turn`]): what is read there stays true until it is put back, and what is counted
//! stays below its limit.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use waypost_link::{
    Alert, AmazonTag, Change, Collection, Domain, Key, Noun, Pixel, Record, Revision, Workspace,
    WorkspaceId,
};
use waypost_storage::{Error, Order, RecordQuery};

use crate::{Fault, Result, Service};

/// A kind of small object that belongs to a workspace.
pub(crate) trait Kept: Clone {
    /// Its kind.
    const NOUN: Noun;
    /// What people call it.
    const NAME: &'static str;

    /// The object in a record of its kind.
    fn of(record: Record) -> Option<Self>;

    /// The record that holds it.
    fn record(self) -> Record;
}

macro_rules! kept {
    ($($kind:ident $object:ident $name:literal)*) => {$(
        impl Kept for $object {
            const NOUN: Noun = Noun::$kind;
            const NAME: &'static str = $name;

            fn of(record: Record) -> Option<Self> {
                match record {
                    Record::$kind(object) => Some(object),
                    _ => None,
                }
            }

            fn record(self) -> Record {
                Record::$kind(self)
            }
        }
    )*};
}

kept! {
    Workspace Workspace "workspace"
    Key Key "key"
    Domain Domain "domain"
    Collection Collection "collection"
    Tag AmazonTag "tag"
    Pixel Pixel "pixel"
    Alert Alert "alert"
}

impl Service {
    /// The object of this id, if it is the workspace's own; else [`Fault::NotFound`] or
    /// [`Fault::Foreign`].
    pub(crate) fn own<T: Kept>(&self, workspace: WorkspaceId, id: u64) -> Result<T> {
        let record = self.store.record(T::NOUN, id)?;
        let name = || format!("{} {id}", T::NAME);
        if record.as_ref().is_some_and(|record| record.workspace() != Some(workspace)) {
            return Err(Fault::Foreign(name()));
        }
        record.and_then(T::of).ok_or_else(|| Fault::NotFound(name()))
    }

    /// Every object of this kind, oldest first, of one workspace or all.
    pub(crate) fn all<T: Kept>(&self, workspace: Option<WorkspaceId>) -> Result<Vec<T>> {
        let limit = waypost_storage::limits::PAGE;
        let mut query =
            RecordQuery { noun: T::NOUN, workspace, order: Order::Ascending, after: None, limit };
        let mut all = Vec::new();
        loop {
            let page = self.store.records(&query)?;
            all.extend(page.items.into_iter().filter_map(T::of));
            if page.next.is_none() {
                return Ok(all);
            }
            query.after = page.next;
        }
    }

    /// A workspace's objects of this kind, newest first.
    pub(crate) fn newest<T: Kept>(&self, workspace: WorkspaceId) -> Result<Vec<T>> {
        let mut all = self.all(Some(workspace))?;
        all.reverse();
        Ok(all)
    }

    /// Puts an object, new where its id is unassigned; its id.
    pub(crate) fn put<T: Kept>(&self, object: &T) -> waypost_storage::Result<u64> {
        let done = self.commit(&[Change::PutRecord(object.clone().record())])?;
        Ok(done.ids.first().copied().unwrap_or_default())
    }

    /// Deletes an object of the workspace.
    pub(crate) fn delete<T: Kept>(&self, workspace: WorkspaceId, id: u64) -> Result<T> {
        self.in_turn(|turn| {
            let object = turn.own(workspace, id)?;
            turn.commit(&[Change::DeleteRecord { noun: T::NOUN, id }])?;
            Ok(object)
        })
    }

    /// Runs `edit` with use cases for it, while no other edit of a small object runs, on this node or another. It may
    /// wait for the store, never for anything outside, and not for another turn. The local index is waited for when
    /// the turn is over.
    pub(crate) fn in_turn<R>(&self, edit: impl FnOnce(&Self) -> Result<R>) -> Result<R> {
        let last = Arc::new(AtomicU64::new(0));
        let committed = Arc::clone(&last);
        let turn = self.clone().and_wait(Arc::new(move |revision| {
            committed.fetch_max(revision.0, Relaxed);
        }));
        let (mut edit, mut done) = (Some(edit), None);
        self.store.in_turn(&mut || done = edit.take().map(|edit| edit(&turn)))?;
        if let (Some(wait), 1..) = (&self.applied, last.load(Relaxed)) {
            wait(Revision(last.load(Relaxed)));
        }
        let lost = || Error::Unavailable("the turn was not taken".to_owned());
        done.unwrap_or_else(|| Err(Fault::Store(lost())))
    }

    /// Refuses one more object where a workspace has `most` already.
    pub(crate) fn room_for<T: Kept>(
        &self,
        workspace: WorkspaceId,
        most: usize,
        plural: &'static str,
    ) -> Result<()> {
        let limit = most.min(waypost_storage::limits::PAGE);
        let query = RecordQuery {
            noun: T::NOUN,
            workspace: Some(workspace),
            order: Order::Ascending,
            after: None,
            limit,
        };
        let full = self.store.records(&query)?.items.len() >= most;
        if full { Err(Fault::LimitReached(plural)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewCollection, testing::service};

    #[test]
    fn the_index_is_waited_for_when_the_turn_is_over() {
        let (service, workspace) = service();
        let (store, waited) = (Arc::clone(&service.store), Arc::new(AtomicU64::new(0)));
        let revision = Arc::clone(&waited);
        let service = service.and_wait(Arc::new(move |reached| {
            // Within the turn, nobody could take another one.
            store.in_turn(&mut || revision.store(reached.0, Relaxed)).unwrap();
        }));
        let new = NewCollection { name: "a".to_owned(), ..NewCollection::default() };
        service.create_collection(workspace, new).unwrap();
        assert_eq!(waited.load(Relaxed), service.store.head().unwrap().0);
    }
}
