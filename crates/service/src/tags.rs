//! Amazon affiliate tags: at most one a workspace and store.

use waypost_link::{AmazonTag, Claim, TagId, WorkspaceId};
pub use waypost_redirect::STORES;
use waypost_storage::Error;

use crate::{Fault, Result, Service, limits};

/// A tag to be put; what is absent stays as it is, or is true for a new one.
#[derive(Clone, Debug, Default)]
pub struct NewTag {
    /// A key of [`STORES`].
    pub store: String,
    /// The affiliate tag, as typed.
    pub tag: String,
    /// Whether it is used.
    pub active: Option<bool>,
    /// Whether visitors are mapped to their country's store.
    pub geo_enabled: Option<bool>,
}

impl Service {
    /// A workspace's tags, newest first.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn tags(&self, workspace: WorkspaceId) -> Result<Vec<AmazonTag>> {
        self.newest(workspace)
    }

    /// A tag of the workspace.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn tag(&self, workspace: WorkspaceId, id: TagId) -> Result<AmazonTag> {
        self.own(workspace, id.0)
    }

    /// The workspace's tag of this store.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn tag_of(&self, workspace: WorkspaceId, store: &str) -> Result<AmazonTag> {
        let lost = || Fault::NotFound(format!("a tag of the store {store:?}"));
        let id = self.store.holder(&Claim::AmazonStore(workspace, store.to_owned()))?;
        self.own(workspace, id.ok_or_else(lost)?)
    }

    /// Makes the tag of a store, or changes the one that is there.
    ///
    /// # Errors
    /// [`Fault::Invalid`] (`store`, `tag`), [`Fault::Store`].
    pub fn put_tag(&self, workspace: WorkspaceId, new: NewTag) -> Result<AmazonTag> {
        self.in_turn(|turn| {
            let mut tag = match turn.tag_of(workspace, &new.store) {
                Err(Fault::NotFound(_)) => AmazonTag {
                    workspace,
                    active: true,
                    geo_enabled: true,
                    created_at: (turn.now)(),
                    ..AmazonTag::default()
                },
                known => known?,
            };
            (tag.store, tag.tag) = (new.store, new.tag);
            tag.active = new.active.unwrap_or(tag.active);
            tag.geo_enabled = new.geo_enabled.unwrap_or(tag.geo_enabled);
            settle(&mut tag)?;
            tag.id = TagId(turn.put(&tag)?);
            Ok(tag)
        })
    }

    /// Changes a tag.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Invalid`] (`store`, `tag`), [`Fault::Taken`] (the store), what
    /// `edit` says, [`Fault::Store`].
    pub fn edit_tag(
        &self,
        workspace: WorkspaceId,
        id: TagId,
        edit: impl FnOnce(&mut AmazonTag) -> Result<()>,
    ) -> Result<AmazonTag> {
        self.in_turn(|turn| {
            let mut tag: AmazonTag = turn.own(workspace, id.0)?;
            edit(&mut tag)?;
            settle(&mut tag)?;
            turn.put(&tag).map_err(|error| match error {
                Error::Taken { .. } => Fault::Taken(format!("the store {}", tag.store)),
                other => Fault::Store(other),
            })?;
            Ok(tag)
        })
    }

    /// Deletes a tag.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn delete_tag(&self, workspace: WorkspaceId, id: TagId) -> Result<AmazonTag> {
        self.delete(workspace, id.0)
    }
}

fn settle(tag: &mut AmazonTag) -> Result<()> {
    if !STORES.iter().any(|(key, _)| *key == tag.store) {
        return Err(Fault::invalid("store", format!("{:?} is no Amazon store", tag.store)));
    }
    tag.tag = crate::sanitized(&tag.tag, limits::AFFILIATE_TAG);
    if tag.tag.is_empty() {
        return Err(Fault::invalid("tag", "a tag has letters, digits, - or _"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::service;

    fn new(store: &str, tag: &str) -> NewTag {
        NewTag { store: store.to_owned(), tag: tag.to_owned(), ..NewTag::default() }
    }

    #[test]
    fn one_a_store() {
        let (service, workspace) = service();
        let first = service.put_tag(workspace, new("US", "My Brand-20!")).unwrap();
        assert_eq!(
            (first.tag.as_str(), first.active, first.geo_enabled),
            ("mybrand-20", true, true)
        );
        let off = NewTag { active: Some(false), ..new("US", "other-20") };
        let second = service.put_tag(workspace, off).unwrap();
        assert_eq!((second.id, second.active, second.geo_enabled), (first.id, false, true));
        assert_eq!(service.tags(workspace).unwrap(), std::slice::from_ref(&second));
        let uk = service.put_tag(workspace, new("UK", "a-21")).unwrap();
        let moved = service.edit_tag(workspace, uk.id, |tag| {
            tag.store = "US".to_owned();
            Ok(())
        });
        assert_eq!(moved, Err(Fault::Taken("the store US".to_owned())));
        let other = service.create_workspace("other").unwrap().id;
        assert_ne!(service.put_tag(other, new("US", "b-20")).unwrap().id, first.id);
        assert!(service.delete_tag(other, uk.id).is_err());
        service.delete_tag(workspace, uk.id).unwrap();
    }

    #[test]
    fn wrong_fields_are_named() {
        let (service, workspace) = service();
        for (store, tag, field) in
            [("us", "a", "store"), ("XX", "a", "store"), ("US", "", "tag"), ("US", "é!", "tag")]
        {
            match service.put_tag(workspace, new(store, tag)) {
                Err(Fault::Invalid { field: wrong, .. }) => assert_eq!(wrong, field),
                other => panic!("{store} {tag}: {other:?}"),
            }
        }
    }
}
