//! The shapes of the linkpack dialect, field by field as its document has them.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::kit::{Edit, Object, WireRule, WireScript};

/// A link to be made or changed: what is absent stays as it is, `null` and `""` clear.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct LinkEdit {
    /// Where it leads.
    #[serde(default, rename = "longUrl", alias = "long_url")]
    pub(super) long_url: Edit<String>,
    /// The code; drawn where a new link has none.
    #[serde(default, rename = "shortCode", alias = "short_code")]
    pub(super) short_code: Edit<String>,
    /// A hostname of the workspace; `null` is the server's own.
    #[serde(default)]
    pub(super) domain: Edit<String>,
    /// When it stops to redirect, RFC 3339.
    #[serde(default, rename = "expiresAt", alias = "expires_at")]
    pub(super) expires_at: Edit<String>,
    /// A title for people.
    #[serde(default)]
    pub(super) title: Edit<String>,
    /// Free labels.
    #[serde(default)]
    pub(super) tags: Edit<Vec<String>>,
    /// Traffic source.
    #[serde(default, alias = "utmSource")]
    pub(super) utm_source: Edit<String>,
    /// Marketing medium.
    #[serde(default, alias = "utmMedium")]
    pub(super) utm_medium: Edit<String>,
    /// Campaign name.
    #[serde(default, alias = "utmCampaign")]
    pub(super) utm_campaign: Edit<String>,
    /// Search term.
    #[serde(default, alias = "utmTerm")]
    pub(super) utm_term: Edit<String>,
    /// Content identifier.
    #[serde(default, alias = "utmContent")]
    pub(super) utm_content: Edit<String>,
    /// Routing rules, the first match wins.
    #[serde(default, alias = "trafficRouting")]
    pub(super) traffic_routing: Edit<Vec<Object<WireRule>>>,
    /// Scripts that run on a page before the redirect.
    #[serde(default, alias = "retargetingScripts")]
    pub(super) retargeting_scripts: Edit<Vec<Object<WireScript>>>,
}

/// The schema of a link to be made: only its destination must be there, in either spelling.
pub(super) fn new_link(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = LinkEdit::json_schema(generator);
    let spelled = ["longUrl", "long_url"].map(|name| json!({ "required": [name] }));
    schema.insert("anyOf".to_owned(), json!(spelled));
    schema
}

/// A link, and those of its options that the request spoke of.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Edited {
    /// A UUID.
    pub(super) id: String,
    pub(super) short_code: String,
    pub(super) short_url: String,
    pub(super) long_url: String,
    pub(super) domain: Option<String>,
    pub(super) expires_at: Option<String>,
    pub(super) title: Option<String>,
    pub(super) tags: Vec<String>,
    #[serde(rename = "utm_source", skip_serializing_if = "Edit::is_absent")]
    pub(super) utm_source: Edit<String>,
    #[serde(rename = "utm_medium", skip_serializing_if = "Edit::is_absent")]
    pub(super) utm_medium: Edit<String>,
    #[serde(rename = "utm_campaign", skip_serializing_if = "Edit::is_absent")]
    pub(super) utm_campaign: Edit<String>,
    #[serde(rename = "utm_term", skip_serializing_if = "Edit::is_absent")]
    pub(super) utm_term: Edit<String>,
    #[serde(rename = "utm_content", skip_serializing_if = "Edit::is_absent")]
    pub(super) utm_content: Edit<String>,
    #[serde(rename = "traffic_routing", skip_serializing_if = "Edit::is_absent")]
    pub(super) traffic_routing: Edit<Vec<WireRule>>,
    #[serde(rename = "retargeting_scripts", skip_serializing_if = "Edit::is_absent")]
    pub(super) retargeting_scripts: Edit<Vec<WireScript>>,
}

/// A link is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Deleted {
    pub(super) success: bool,
}

/// What a link's clicks come to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stats {
    pub(super) link: StatsLink,
    pub(super) total_clicks: u64,
    pub(super) date_range: DateRange,
    pub(super) daily: Vec<Day>,
    pub(super) countries: Vec<Country>,
    pub(super) devices: Vec<Device>,
    pub(super) referers: Vec<Referer>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatsLink {
    pub(super) id: String,
    pub(super) long_url: String,
    pub(super) short_code: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DateRange {
    pub(super) start_date: String,
    pub(super) end_date: String,
    /// Whether the request named a day.
    pub(super) filtered: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Day {
    pub(super) date: String,
    pub(super) clicks: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Country {
    pub(super) country: String,
    pub(super) clicks: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Device {
    pub(super) device: String,
    pub(super) clicks: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Referer {
    pub(super) referer: String,
    pub(super) clicks: u64,
}
