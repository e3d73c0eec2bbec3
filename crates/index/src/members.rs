//! Which link is in which collection's rotation: the writer's book, O(1) a change.

use std::{collections::HashMap, sync::Arc};

use ahash::RandomState;
use waypost_link::{CollectionId, Flags, Link, LinkId};

use crate::Rotation;

/// All rotations, and where each member stands in its own.
#[derive(Default)]
pub(crate) struct Members {
    rotations: HashMap<CollectionId, Roll, RandomState>,
    places: HashMap<LinkId, (CollectionId, usize), RandomState>,
}

/// A rotation, and whose each of its places is.
#[derive(Default)]
struct Roll {
    rotation: Arc<Rotation>,
    ids: Vec<LinkId>,
}

impl Members {
    /// The rotation of `collection`: the same one for as long as the index lives.
    pub(crate) fn rotation(&mut self, collection: CollectionId) -> Arc<Rotation> {
        Arc::clone(&self.rotations.entry(collection).or_default().rotation)
    }

    /// Puts `link` where it belongs now.
    pub(crate) fn put(&mut self, link: &Link) {
        let wanted = link.flags.has(Flags::ACTIVE) && link.archived_at.is_none();
        let collection = link.collection.filter(|_| wanted);
        let now = self.places.get(&link.id).copied();
        if let Some((old, place)) = now
            && collection == Some(old)
            && let Some(members) = self.rotations.get(&old)
        {
            return members.rotation.replace(place, Arc::new(link.name()));
        }
        self.remove(link.id);
        if let Some(collection) = collection {
            let members = self.rotations.entry(collection).or_default();
            let place = members.rotation.push(Arc::new(link.name()));
            members.ids.push(link.id);
            self.places.insert(link.id, (collection, place));
        }
    }

    /// Takes the link out of its rotation, if it is in one.
    pub(crate) fn remove(&mut self, id: LinkId) {
        let Some((collection, place)) = self.places.remove(&id) else { return };
        let Some(members) = self.rotations.get_mut(&collection) else { return };
        members.rotation.swap_remove(place);
        members.ids.swap_remove(place);
        if let Some(&moved) = members.ids.get(place) {
            self.places.insert(moved, (collection, place));
        }
    }
}
