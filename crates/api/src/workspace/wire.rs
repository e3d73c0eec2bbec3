//! The shapes of the workspace dialect, field by field as its document has them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a tracking link leads to.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Type {
    /// A vCard.
    Vcard,
    /// A storefront.
    Storefront,
}

/// A tracking link to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewLink {
    /// What it leads to.
    #[serde(rename = "type")]
    pub(super) kind: Type,
    /// A name for people.
    pub(super) name: String,
    /// The slug of the vCard or storefront.
    pub(super) destination_slug: String,
    /// Its `utm_source`; where absent, made of the name.
    pub(super) utm_name: Option<String>,
    /// What its destination begins with; where absent, the workspace's `base_url`.
    pub(super) base_url: Option<String>,
}

/// A tracking link to be changed: what is absent or `null` stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkEdit {
    /// A name for people.
    pub(super) name: Option<String>,
    /// Its `utm_source`.
    pub(super) utm_name: Option<String>,
    /// The slug of the vCard or storefront.
    pub(super) destination_slug: Option<String>,
    /// Whether it redirects.
    pub(super) is_active: Option<bool>,
}

/// A tracking link.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrackingLink {
    pub(super) id: String,
    pub(super) workspace_id: String,
    #[serde(rename = "type")]
    pub(super) kind: Type,
    pub(super) name: String,
    pub(super) utm_name: String,
    pub(super) destination_slug: String,
    pub(super) is_active: bool,
    /// `null` in lists without `baseUrl`.
    pub(super) full_url: Option<String>,
    /// What visitors type; it redirects to the destination, and clicks are counted.
    pub(super) short_url: String,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

/// Tracking links.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub(super) links: Vec<TrackingLink>,
    /// The `cursor` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}
