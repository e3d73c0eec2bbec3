//! `/api/amazon-tags`: which affiliate tag an Amazon link carries, store by store.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waypost_link::{AmazonTag, TagId};
use waypost_service::{NewTag, STORES, Service};

use super::{
    fail::{no_changes, taken},
    wire::Done,
};
use crate::kit::{Answer, Call, Fail, reply, time};

/// What may be said of a tag.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct TagBody {
    /// A key of `stores`. Needed to make one.
    pub(super) store: Option<String>,
    /// Sanitized to `[a-z0-9_-]`, at most 60 characters. Needed to make one.
    pub(super) tag: Option<String>,
    /// Whether it is used.
    pub(super) active: Option<bool>,
    /// Whether visitors are mapped to their country's store.
    pub(super) geo_enabled: Option<bool>,
}

/// A tag.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownTag {
    pub(super) id: u64,
    pub(super) store: String,
    pub(super) tag: String,
    pub(super) active: bool,
    pub(super) geo_enabled: bool,
    pub(super) created_at: String,
}

/// All tags, and the stores that may have one.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TagList {
    pub(super) tags: Vec<ShownTag>,
    pub(super) stores: BTreeMap<&'static str, &'static str>,
}

/// One tag.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OneTag {
    pub(super) tag: ShownTag,
}

/// `GET /api/amazon-tags`
pub(super) fn list(call: &Call) -> Answer {
    let tags = call.service().tags(call.principal()?.workspace)?;
    let tags = tags.iter().map(shown).collect();
    reply::json(200, &TagList { tags, stores: STORES.into_iter().collect() })
}

/// `POST /api/amazon-tags`
pub(super) fn put(call: &Call) -> Answer {
    let TagBody { store, tag, active, geo_enabled } = call.json()?;
    let workspace = call.principal()?.workspace;
    let tag = tag.filter(|tag| !tag.trim().is_empty());
    let tag = tag.ok_or_else(|| Fail::missing("tag"))?;
    let new = NewTag { store: store.unwrap_or_default(), tag, active, geo_enabled };
    let tag = call.once(
        |service: &Service| Ok(service.put_tag(workspace, new.clone())?),
        // A tag that was only changed has made no id: its store finds it.
        |_| Ok(call.service().tag_of(workspace, &new.store)?),
    )?;
    reply::json(200, &OneTag { tag: shown(&tag) })
}

/// `PATCH /api/amazon-tags/{id}`
pub(super) fn edit(call: &Call) -> Answer {
    let body: TagBody = call.json()?;
    let (workspace, id) = (call.principal()?.workspace, TagId(super::id(call)?));
    call.service().tag(workspace, id)?;
    let edit = |tag: &mut AmazonTag| {
        let body = body.clone();
        tag.store = body.store.unwrap_or_else(|| tag.store.clone());
        tag.tag = body.tag.unwrap_or_else(|| tag.tag.clone());
        tag.active = body.active.unwrap_or(tag.active);
        tag.geo_enabled = body.geo_enabled.unwrap_or(tag.geo_enabled);
        Ok(())
    };
    if body.store.is_none()
        && body.tag.is_none()
        && body.active.is_none()
        && body.geo_enabled.is_none()
    {
        return Err(no_changes());
    }
    let tag = call.service().edit_tag(workspace, id, edit).map_err(taken("store_taken"))?;
    reply::json(200, &OneTag { tag: shown(&tag) })
}

/// `DELETE /api/amazon-tags/{id}`
pub(super) fn delete(call: &Call) -> Answer {
    call.service().delete_tag(call.principal()?.workspace, TagId(super::id(call)?))?;
    reply::json(200, &Done { ok: true })
}

fn shown(tag: &AmazonTag) -> ShownTag {
    ShownTag {
        id: tag.id.0,
        store: tag.store.clone(),
        tag: tag.tag.clone(),
        active: tag.active,
        geo_enabled: tag.geo_enabled,
        created_at: time::seconds(tag.created_at),
    }
}
