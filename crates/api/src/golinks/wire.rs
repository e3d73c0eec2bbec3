//! A link as golinks shows and takes it: the document's fields, and every option besides.
//!
//! One shape is taken by creations, edits and bulk rows. A field that is absent is left as it is;
//! `null` clears it.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IgnoredAny, SeqAccess, Visitor},
};
use waypost_service::limits;

use crate::kit::{Edit, Object, WireRule, WireScript};

macro_rules! options {
    ($(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
        pub(super) struct $name {$(
            $(#[$doc])*
            #[serde(default)]
            pub(super) $field: Edit<$kind>,
        )*}
    };
}

options! {
    /// What may be said of a link.
    LinkBody {
        /// Where it leads: an absolute URL. Needed to make one.
        destination_url: String,
        /// Its code; drawn where absent.
        code: String,
        /// One of the workspace's hostnames; the default domain where absent.
        domain: String,
        /// At most 200 characters.
        title: String,
        /// Sanitized to `[a-z0-9_-]`, at most 60 characters.
        source_label: String,
        /// Off the lists, still redirecting.
        archived: bool,
        /// The folder it is in.
        collection_id: u64,
        /// Free labels.
        tags: Vec<String>,
        /// 301, 302, 307 or 308.
        status: u16,
        /// Whether it redirects.
        active: bool,
        /// RFC 3339; it answers 404 before.
        valid_from: String,
        /// RFC 3339; it answers 404 from then on.
        expires_at: String,
        /// How many clicks it redirects in all.
        max_clicks: u64,
        /// The click whose counting sends an email, with `alert_email`.
        alert_at: u64,
        /// Whether that email is sent.
        alert_email: bool,
        /// Asked for before it leads on. Never shown.
        password: String,
        /// Whether the visitor's own query string is passed on.
        forward_query: bool,
        /// Listed publicly.
        public: bool,
        /// Its statistics may be seen without a key.
        public_tracking: bool,
        /// `/{code}+` exists.
        plus_tracking: bool,
        /// The destination gets `wp_click`, and conversions are counted.
        conversion_tracking: bool,
        /// The workspace's pixels fire on a page between.
        pixels: bool,
        /// UTM parameters that are set on the destination.
        utm: Object<Utm>,
        /// Routing rules, first match wins.
        rules: Vec<Object<WireRule>>,
        /// Retargeting scripts.
        scripts: Vec<Object<WireScript>>,
        /// A human's description.
        description: String,
        /// A human's private notes.
        notes: String,
        /// Named texts that other APIs show as fields of their own.
        attributes: BTreeMap<String, String>,
    }
}

/// The five UTM parameters, with or without `utm_` before their names.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub(super) struct Utm {
    /// `utm_source`
    #[serde(alias = "utm_source", skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    /// `utm_medium`
    #[serde(alias = "utm_medium", skip_serializing_if = "Option::is_none")]
    pub(super) medium: Option<String>,
    /// `utm_campaign`
    #[serde(alias = "utm_campaign", skip_serializing_if = "Option::is_none")]
    pub(super) campaign: Option<String>,
    /// `utm_term`
    #[serde(alias = "utm_term", skip_serializing_if = "Option::is_none")]
    pub(super) term: Option<String>,
    /// `utm_content`
    #[serde(alias = "utm_content", skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<String>,
}

/// A link.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Shown {
    pub(super) id: u64,
    pub(super) code: String,
    /// `null` on the default domain.
    pub(super) domain: Option<String>,
    pub(super) short_url: String,
    pub(super) destination_url: String,
    pub(super) asin: Option<String>,
    pub(super) title: Option<String>,
    pub(super) source_label: Option<String>,
    pub(super) product_image_url: Option<String>,
    pub(super) collection_id: Option<u64>,
    pub(super) created_at: String,
    pub(super) updated_at: String,
    pub(super) archived_at: Option<String>,
    pub(super) deactivated_at: Option<String>,
    pub(super) clicks: u64,
    pub(super) tags: Vec<String>,
    pub(super) status: u16,
    pub(super) active: bool,
    pub(super) valid_from: Option<String>,
    pub(super) expires_at: Option<String>,
    pub(super) max_clicks: Option<u64>,
    pub(super) alert_at: Option<u64>,
    pub(super) alert_email: bool,
    pub(super) has_password: bool,
    pub(super) forward_query: bool,
    pub(super) public: bool,
    pub(super) public_tracking: bool,
    pub(super) plus_tracking: bool,
    pub(super) conversion_tracking: bool,
    pub(super) pixels: bool,
    pub(super) utm: Utm,
    pub(super) rules: Vec<WireRule>,
    pub(super) scripts: Vec<WireScript>,
    pub(super) description: Option<String>,
    pub(super) notes: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
}

/// A link by itself, as creations and edits answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OneLink {
    pub(super) link: Shown,
    pub(super) short_url: String,
    pub(super) short_domain: String,
}

/// A page of links.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LinkList {
    pub(super) links: Vec<Shown>,
    pub(super) short_domain: String,
    pub(super) usage: Usage,
    /// `null` at the end.
    pub(super) next_cursor: Option<String>,
}

/// What the plan counts.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Usage {
    pub(super) plan: String,
    pub(super) links: Used,
    pub(super) clicks_30d: Used,
}

/// How much of something there is, and may be.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Used {
    pub(super) used: u64,
    /// `null` where there is none.
    pub(super) limit: Option<u64>,
}

/// Many links to be made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(super) struct Bulk {
    /// 1 to 10,000 of them.
    #[serde(deserialize_with = "rows")]
    pub(super) links: Vec<LinkBody>,
}

/// As many rows as can be made at once. More are refused when they are met: two bytes that are sent would
/// take hundreds here.
fn rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LinkBody>, D::Error> {
    deserializer.deserialize_seq(Rows)
}

struct Rows;

impl<'de> Visitor<'de> for Rows {
    type Value = Vec<LinkBody>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of links")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Vec<LinkBody>, A::Error> {
        let mut rows = Vec::new();
        while rows.len() < limits::BATCH {
            let Some(Object(row)) = all.next_element()? else { return Ok(rows) };
            rows.push(row);
        }
        match all.next_element::<IgnoredAny>()? {
            Some(_) => Err(A::Error::custom(format!("at most {} links", limits::BATCH))),
            None => Ok(rows),
        }
    }
}

/// The links that were made, in the order of the rows.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Made {
    pub(super) links: Vec<Shown>,
    pub(super) short_domain: String,
}

/// Into which collection.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("required" = ["collection_id"]))]
pub(super) struct Assignment {
    /// `null` takes it out. It must be said.
    #[serde(default)]
    pub(super) collection_id: Edit<u64>,
}

/// Done.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    pub(super) ok: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those past the most aren't even looked at.
    #[test]
    fn rows_are_counted_while_they_are_read() {
        let rows = |count: usize, last: &str| {
            let rows = vec!["{}"; count].join(",");
            serde_json::from_str::<Bulk>(&format!("{{\"links\":[{rows}{last}]}}"))
        };
        assert_eq!(rows(0, "").unwrap().links.len(), 0);
        assert_eq!(rows(limits::BATCH, "").unwrap().links.len(), limits::BATCH);
        for last in [",{}", ",7"] {
            let refused = rows(limits::BATCH, last).unwrap_err().to_string();
            assert!(refused.starts_with("at most 10000 links"), "{refused}");
        }
    }
}
