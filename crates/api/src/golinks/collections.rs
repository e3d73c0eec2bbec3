//! `/api/collections`: folders of links, and the rotators over them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waypost_link::{Collection, CollectionId, Link, LinkId};
use waypost_service::NewCollection;

use super::{
    fail::{no_changes, taken},
    show::Renderer,
    stats_routes::together,
    stats_shapes::StatsPage,
    wire::{Done, Shown},
};
use crate::kit::{Answer, Call, Fail, reply, time};

/// What may be said of a collection.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct CollectionBody {
    /// Needed to make one.
    pub(super) name: Option<String>,
    /// At most 280 characters.
    pub(super) description: Option<String>,
    /// `#rrggbb`; one that the palette lacks becomes `#ef4444`.
    pub(super) color: Option<String>,
    /// Marked by its owner.
    pub(super) starred: Option<bool>,
    /// Whether `/c/{rotator_alias}` picks a member.
    pub(super) rotator_enabled: Option<bool>,
    /// 8 to 24 of `[A-Za-z0-9_-]`; drawn where absent.
    pub(super) rotator_alias: Option<String>,
}

/// A collection.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownCollection {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) color: String,
    pub(super) starred: bool,
    pub(super) rotator_enabled: bool,
    pub(super) rotator_alias: Option<String>,
    pub(super) rotator_url: Option<String>,
    /// Archived links aren't counted.
    pub(super) link_count: u64,
    pub(super) clicks: u64,
    pub(super) created_at: String,
}

/// All collections.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CollectionList {
    pub(super) collections: Vec<ShownCollection>,
}

/// One collection.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OneCollection {
    pub(super) collection: ShownCollection,
}

/// A collection, its links, and what they were clicked.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CollectionDetail {
    pub(super) collection: ShownCollection,
    pub(super) links: Vec<Shown>,
    pub(super) stats: StatsPage,
}

/// `GET /api/collections`
pub(super) fn list(call: &Call) -> Answer {
    let all = call.service().collections(call.principal()?.workspace)?;
    let collections =
        all.iter().map(|collection| shown(call, collection, &members(call, collection)?));
    reply::json(200, &CollectionList { collections: collections.collect::<Result<_, _>>()? })
}

/// `POST /api/collections`
pub(super) fn create(call: &Call) -> Answer {
    let body: CollectionBody = call.json()?;
    let workspace = call.principal()?.workspace;
    let new = body.new_collection()?;
    let make = |service: &waypost_service::Service| {
        service.create_collection(workspace, new.clone()).map_err(taken("alias_taken"))
    };
    let again = |ids: &[u64]| {
        let id = ids.first().copied().unwrap_or_default();
        Ok(call.service().collection(workspace, CollectionId(id))?)
    };
    answer(call, &call.once(make, again)?)
}

/// `GET /api/collections/{id}`
pub(super) fn show(call: &Call) -> Answer {
    let workspace = call.principal()?.workspace;
    let collection = call.service().collection(workspace, CollectionId(super::id(call)?))?;
    let links = members(call, &collection)?;
    let ids: Vec<LinkId> = links.iter().map(|link| link.id).collect();
    let stats = together(call, &ids)?;
    let collection = shown(call, &collection, &links)?;
    reply::json(
        200,
        &CollectionDetail { collection, links: Renderer::of(call)?.links(&links)?, stats },
    )
}

/// `PATCH /api/collections/{id}`
pub(super) fn edit(call: &Call) -> Answer {
    let body: CollectionBody = call.json()?;
    let (workspace, id) = (call.principal()?.workspace, CollectionId(super::id(call)?));
    call.service().collection(workspace, id)?;
    if body.is_empty() {
        return Err(no_changes());
    }
    let edit = |collection: &mut Collection| {
        body.set(collection);
        Ok(())
    };
    let edited = call.service().edit_collection(workspace, id, edit);
    answer(call, &edited.map_err(taken("alias_taken"))?)
}

/// `DELETE /api/collections/{id}`
pub(super) fn delete(call: &Call) -> Answer {
    let id = CollectionId(super::id(call)?);
    call.service().delete_collection(call.principal()?.workspace, id)?;
    reply::json(200, &Done { ok: true })
}

impl CollectionBody {
    fn new_collection(&self) -> Result<NewCollection, Fail> {
        let body = self.clone();
        let name = body.name.filter(|name| !name.trim().is_empty());
        Ok(NewCollection {
            name: name.ok_or_else(|| Fail::missing("name"))?,
            description: body.description,
            color: body.color.unwrap_or_default(),
            starred: body.starred.unwrap_or(false),
            rotator_enabled: body.rotator_enabled.unwrap_or(false),
            alias: body.rotator_alias.filter(|alias| !alias.is_empty()),
        })
    }

    fn is_empty(&self) -> bool {
        let Self { name, description, color, starred, rotator_enabled, rotator_alias } = self;
        let texts = [name, description, color, rotator_alias];
        texts.iter().all(|text| text.is_none()) && starred.is_none() && rotator_enabled.is_none()
    }

    fn set(&self, collection: &mut Collection) {
        let body = self.clone();
        collection.name = body.name.unwrap_or_else(|| collection.name.clone());
        collection.description = body.description.or_else(|| collection.description.take());
        collection.color = body.color.unwrap_or_else(|| collection.color.clone());
        collection.starred = body.starred.unwrap_or(collection.starred);
        collection.rotator_enabled = body.rotator_enabled.unwrap_or(collection.rotator_enabled);
        collection.alias = match body.rotator_alias {
            Some(alias) => Some(alias).filter(|alias| !alias.is_empty()),
            None => collection.alias.take(),
        };
    }
}

fn answer(call: &Call, collection: &Collection) -> Answer {
    let collection = shown(call, collection, &members(call, collection)?)?;
    reply::json(200, &OneCollection { collection })
}

fn members(call: &Call, collection: &Collection) -> Result<Vec<Link>, Fail> {
    Ok(call.service().members(collection.workspace, collection.id)?)
}

fn shown(call: &Call, collection: &Collection, members: &[Link]) -> Result<ShownCollection, Fail> {
    let (workspace, service) = (collection.workspace, call.service());
    let ids: Vec<LinkId> = members.iter().map(|link| link.id).collect();
    let totals = service.stats(workspace)?.totals(&ids)?;
    let base = &service.policy().public_url;
    let open = collection.alias.as_ref().filter(|_| collection.rotator_enabled);
    Ok(ShownCollection {
        id: collection.id.0,
        name: collection.name.clone(),
        description: collection.description.clone(),
        color: collection.color.clone(),
        starred: collection.starred,
        rotator_enabled: collection.rotator_enabled,
        rotator_alias: collection.alias.clone(),
        rotator_url: open.map(|alias| format!("{base}/c/{alias}")),
        link_count: ids.len() as u64,
        clicks: totals.iter().map(|total| total.clicks).sum(),
        created_at: time::seconds(collection.created_at),
    })
}
