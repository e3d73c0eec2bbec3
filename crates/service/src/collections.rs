//! Collections: named groups of links, and the rotators over them.

use waypost_link::{
    Change, Collection, CollectionId, Link, Name, Noun, WorkspaceId, limits::TITLE_BYTES,
};
use waypost_storage::{Error, LinkQuery, Order};

use crate::{Fault, Result, Service, limits, random};

/// The colours that a collection may have; any other becomes the first.
pub const PALETTE: [&str; 18] = [
    "#ef4444", "#f97316", "#f59e0b", "#eab308", "#84cc16", "#22c55e", "#10b981", "#14b8a6",
    "#06b6d4", "#0ea5e9", "#3b82f6", "#6366f1", "#8b5cf6", "#a855f7", "#d946ef", "#ec4899",
    "#f43f5e", "#64748b",
];

/// A collection to be made.
#[derive(Clone, Debug, Default)]
pub struct NewCollection {
    /// Not unique.
    pub name: String,
    /// A human's description.
    pub description: Option<String>,
    /// `#rrggbb`, one of [`PALETTE`].
    pub color: String,
    /// Marked by its owner.
    pub starred: bool,
    /// Whether `/c/{alias}` picks a member.
    pub rotator_enabled: bool,
    /// Drawn where absent.
    pub alias: Option<String>,
}

impl Service {
    /// A workspace's collections, newest first.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn collections(&self, workspace: WorkspaceId) -> Result<Vec<Collection>> {
        self.newest(workspace)
    }

    /// A collection of the workspace.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn collection(&self, workspace: WorkspaceId, id: CollectionId) -> Result<Collection> {
        self.own(workspace, id.0)
    }

    /// The oldest collection of this name, else a new one: linktrack's `group`.
    ///
    /// # Errors
    /// As [`Service::create_collection`].
    pub fn collection_named(&self, workspace: WorkspaceId, name: &str) -> Result<Collection> {
        if let Some(known) = self.find_collection(workspace, name)? {
            return Ok(known);
        }
        self.in_turn(|turn| match turn.find_collection(workspace, name)? {
            Some(known) => Ok(known),
            None => {
                let new = NewCollection { name: name.to_owned(), ..NewCollection::default() };
                turn.add_collection(workspace, new)
            }
        })
    }

    fn find_collection(&self, workspace: WorkspaceId, name: &str) -> Result<Option<Collection>> {
        let all: Vec<Collection> = self.all(Some(workspace))?;
        Ok(all.into_iter().find(|collection| collection.name == name))
    }

    /// Makes a collection.
    ///
    /// # Errors
    /// [`Fault::Invalid`] (`name`, `description`, `alias`), [`Fault::Taken`] (the alias),
    /// [`Fault::LimitReached`], [`Fault::Store`].
    pub fn create_collection(
        &self,
        workspace: WorkspaceId,
        new: NewCollection,
    ) -> Result<Collection> {
        self.in_turn(|turn| turn.add_collection(workspace, new))
    }

    fn add_collection(&self, workspace: WorkspaceId, new: NewCollection) -> Result<Collection> {
        let drawn = new.alias.is_none();
        let mut collection = Collection {
            id: CollectionId::UNASSIGNED,
            workspace,
            name: new.name,
            description: new.description,
            color: new.color,
            starred: new.starred,
            rotator_enabled: new.rotator_enabled,
            alias: new.alias,
            created_at: (self.now)(),
        };
        self.room_for::<Collection>(workspace, limits::COLLECTIONS, "collections")?;
        for _ in 0..limits::DRAWS {
            if drawn {
                collection.alias = Some(random::text(random::BASE62, limits::DRAWN_ALIAS)?);
            }
            settle(&mut collection)?;
            match self.put(&collection) {
                Err(Error::Taken { .. }) if drawn => {}
                Err(error) => return Err(taken(error, &collection)),
                Ok(id) => {
                    collection.id = CollectionId(id);
                    return Ok(collection);
                }
            }
        }
        Err(Fault::Taken("every alias that was drawn".to_owned()))
    }

    /// Changes a collection. One whose alias is taken away gets a drawn one.
    ///
    /// # Errors
    /// [`Fault::NotFound`], what `edit` says, and as [`Service::create_collection`].
    pub fn edit_collection(
        &self,
        workspace: WorkspaceId,
        id: CollectionId,
        edit: impl FnOnce(&mut Collection) -> Result<()>,
    ) -> Result<Collection> {
        self.in_turn(|turn| {
            let mut collection: Collection = turn.own(workspace, id.0)?;
            edit(&mut collection)?;
            if collection.alias.is_none() {
                collection.alias = Some(random::text(random::BASE62, limits::DRAWN_ALIAS)?);
            }
            settle(&mut collection)?;
            turn.put(&collection).map_err(|error| taken(error, &collection))?;
            Ok(collection)
        })
    }

    /// Deletes a collection; its links stay, in none.
    ///
    /// Links go in pages, the last of them in the commit that deletes the collection; one that is
    /// put into it at that very moment is looked for once more.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`]: call again, what is done stays done.
    pub fn delete_collection(
        &self,
        workspace: WorkspaceId,
        id: CollectionId,
    ) -> Result<Collection> {
        let collection: Collection = self.own(workspace, id.0)?;
        let gone = Change::DeleteRecord { noun: Noun::Collection, id: id.0 };
        self.detach(workspace, id, Some(gone))?;
        self.detach(workspace, id, None)?;
        Ok(collection)
    }

    /// Whether a link may be put into this collection.
    ///
    /// # Errors
    /// [`Fault::Invalid`] (`collection`) where the workspace has none of this id, [`Fault::Store`].
    pub fn check_collection(&self, workspace: WorkspaceId, id: CollectionId) -> Result<()> {
        match self.own::<Collection>(workspace, id.0) {
            Ok(_) => Ok(()),
            Err(Fault::NotFound(_) | Fault::Foreign(_)) => {
                Err(Fault::invalid("collection", format!("there is no collection {id}")))
            }
            Err(other) => Err(other),
        }
    }

    /// The links of a collection that lists show: archived ones are left out. Newest first.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn members(&self, workspace: WorkspaceId, id: CollectionId) -> Result<Vec<Link>> {
        let mut query = LinkQuery { archived: Some(false), ..of(workspace, id) };
        query.order = Order::Descending;
        let mut members = Vec::new();
        loop {
            let page = self.store.links(&query)?;
            members.extend(page.items);
            if page.next.is_none() {
                return Ok(members);
            }
            query.after = page.next;
        }
    }

    /// Takes every link out of a collection; `last` goes with the last page.
    fn detach(
        &self,
        workspace: WorkspaceId,
        id: CollectionId,
        mut last: Option<Change>,
    ) -> Result<()> {
        for _ in 0..limits::DETACH_PAGES {
            let page = self.store.links(&of(workspace, id))?;
            let more = page.next.is_some();
            let mut changes: Vec<Change> =
                page.items.into_iter().map(|link| self.without(link)).collect();
            if !more {
                changes.extend(last.take());
            }
            match (changes.is_empty(), more) {
                (true, true) => continue,
                (true, false) => return Ok(()),
                _ => {}
            }
            match self.commit(&changes) {
                Ok(_) if !more => return Ok(()),
                Ok(_) => {}
                // A link was changed or deleted meanwhile, or the collection was: look again.
                Err(Error::Stale { .. }) => last = last.or_else(|| deletion(&changes)),
                Err(Error::Missing { .. }) => last = last.or_else(|| self.still_there(&changes)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Fault::Store(Error::Unavailable("its links are changed all the time".to_owned())))
    }

    fn without(&self, mut link: Link) -> Change {
        let was: Name = link.name();
        link.collection = None;
        link.updated_at = (self.now)();
        Change::UpdateLink { link: Box::new(link), was }
    }

    /// The deletion among `changes`, unless it was done meanwhile.
    fn still_there(&self, changes: &[Change]) -> Option<Change> {
        deletion(changes).filter(|change| match change {
            Change::DeleteRecord { noun, id } => {
                self.store.record(*noun, *id).is_ok_and(|record| record.is_some())
            }
            _ => false,
        })
    }
}

fn of(workspace: WorkspaceId, id: CollectionId) -> LinkQuery {
    LinkQuery {
        workspace: Some(workspace),
        collection: Some(id),
        order: Order::Ascending,
        limit: limits::BATCH,
        ..LinkQuery::default()
    }
}

fn deletion(changes: &[Change]) -> Option<Change> {
    changes.last().filter(|change| matches!(change, Change::DeleteRecord { .. })).cloned()
}

/// Brings what was typed into its form, or says why it has none.
fn settle(collection: &mut Collection) -> Result<()> {
    let name = collection.name.trim();
    if name.is_empty() || name.len() > TITLE_BYTES || name.chars().any(char::is_control) {
        return Err(Fault::invalid("name", "a name has 1 to 1024 printable bytes"));
    }
    collection.name = name.to_owned();
    collection.description = collection.description.take().filter(|text| !text.is_empty());
    let long = |text: &String| text.chars().count() > limits::DESCRIPTION;
    if collection.description.as_ref().is_some_and(long) {
        return Err(Fault::invalid("description", "a description has at most 280 characters"));
    }
    let color = collection.color.to_ascii_lowercase();
    let known = PALETTE.into_iter().find(|known| *known == color);
    collection.color = known.unwrap_or(PALETTE[0]).to_owned();
    match &collection.alias {
        Some(alias) if !is_alias(alias) => {
            Err(Fault::invalid("alias", "an alias has 8 to 24 letters, digits, - and _"))
        }
        _ => Ok(()),
    }
}

fn is_alias(alias: &str) -> bool {
    limits::ALIAS.contains(&alias.len())
        && alias.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn taken(error: Error, collection: &Collection) -> Fault {
    match (error, &collection.alias) {
        (Error::Taken { .. }, Some(alias)) => Fault::Taken(format!("the alias {alias}")),
        // Deleted since it was read: that takes no turn, since it may need a thousand commits.
        (Error::Missing { .. }, _) => Fault::NotFound(format!("collection {}", collection.id)),
        (error, _) => Fault::Store(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{link, link_with, service};

    fn new(name: &str) -> NewCollection {
        NewCollection { name: name.to_owned(), ..NewCollection::default() }
    }

    #[test]
    fn what_is_typed_gets_its_form() {
        let (service, workspace) = service();
        let (long, alias25) = ("x".repeat(281), "a".repeat(25));
        for (collection, wrong) in [
            (new(" Top picks "), None),
            (new(""), Some("name")),
            (new("a\nb"), Some("name")),
            (NewCollection { description: Some(long), ..new("x") }, Some("description")),
            (NewCollection { alias: Some("topPicks2026".to_owned()), ..new("x") }, None),
            (NewCollection { alias: Some("short12".to_owned()), ..new("x") }, Some("alias")),
            (NewCollection { alias: Some(alias25), ..new("x") }, Some("alias")),
            (NewCollection { alias: Some("has space".to_owned()), ..new("x") }, Some("alias")),
        ] {
            match (service.create_collection(workspace, collection.clone()), wrong) {
                (Ok(made), None) => {
                    assert_eq!(made.name, collection.name.trim());
                    assert_eq!(made.color, PALETTE[0]);
                    assert!(is_alias(made.alias.as_deref().unwrap()));
                }
                (Err(Fault::Invalid { field, .. }), Some(wrong)) => assert_eq!(field, wrong),
                other => panic!("{collection:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn colours_are_of_the_palette() {
        let (service, workspace) = service();
        for (typed, kept) in [("#3B82F6", "#3b82f6"), ("red", "#ef4444"), ("#000000", "#ef4444")] {
            let collection = NewCollection { color: typed.to_owned(), ..new("x") };
            assert_eq!(service.create_collection(workspace, collection).unwrap().color, kept);
        }
    }

    #[test]
    fn an_alias_is_had_once() {
        let (service, workspace) = service();
        let alias = || NewCollection { alias: Some("topPicks2026".to_owned()), ..new("x") };
        service.create_collection(workspace, alias()).unwrap();
        let other = service.create_workspace("other").unwrap().id;
        let taken = Fault::Taken("the alias topPicks2026".to_owned());
        assert_eq!(service.create_collection(other, alias()), Err(taken.clone()));
        let second = service.create_collection(other, new("y")).unwrap();
        let edited = service.edit_collection(other, second.id, |collection| {
            collection.alias = alias().alias;
            Ok(())
        });
        assert_eq!(edited, Err(taken));
        let lost = service.edit_collection(workspace, second.id, |_| Ok(()));
        assert!(matches!(lost, Err(Fault::Foreign(_))), "{lost:?}");
    }

    #[test]
    fn the_oldest_of_a_name() {
        let (service, workspace) = service();
        let first = service.collection_named(workspace, "News").unwrap();
        service.create_collection(workspace, new("News")).unwrap();
        assert_eq!(service.collection_named(workspace, "News").unwrap().id, first.id);
        let other = service.create_workspace("other").unwrap().id;
        assert_ne!(service.collection_named(other, "News").unwrap().id, first.id);
        let all: Vec<_> = service.collections(workspace).unwrap();
        assert_eq!(all.iter().map(|collection| collection.id.0).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn deleting_one_leaves_its_links() {
        let (service, workspace) = service();
        let (one, two) = (
            service.collection_named(workspace, "one").unwrap().id,
            service.collection_named(workspace, "two").unwrap().id,
        );
        let into = |code, collection| {
            link_with(&service, workspace, code, |link| {
                link.collection = collection;
                Ok(())
            })
        };
        let (a, b) = (into("a", Some(one)), into("b", Some(two)));
        let archived = service.edit_link(workspace, into("c1", Some(one)).id, |link| {
            link.archived_at = Some(service.now());
            Ok(())
        });
        link(&service, workspace, "d");
        assert_eq!(service.members(workspace, one).unwrap(), std::slice::from_ref(&a));
        service.delete_collection(workspace, one).unwrap();
        for (id, collection) in [(a.id, None), (archived.unwrap().id, None), (b.id, Some(two))] {
            assert_eq!(service.store.link(id).unwrap().unwrap().collection, collection);
        }
        let again = service.delete_collection(workspace, one);
        assert!(matches!(again, Err(Fault::NotFound(_))), "{again:?}");
        let gone = service.check_collection(workspace, one);
        assert!(matches!(gone, Err(Fault::Invalid { field: "collection", .. })), "{gone:?}");
    }
}
