//! The shapes of the linktrack dialect. Rows are written as XML and as JSON, in this order.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use waypost_link::{Flags, Link};
use waypost_service::{StoredClick, Total};

use crate::kit::time;

/// A link.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LinkRow {
    redirect_hash: String,
    link: String,
    external_url: String,
    title: Option<String>,
    description: Option<String>,
    notes: Option<String>,
    group: Option<String>,
    host: String,
    is_active: u8,
    is_public: u8,
    has_public_tracking: u8,
    has_plus_tracking: u8,
    has_conversion_tracking: u8,
    has_alert_email: u8,
    alert_at: Option<u64>,
    deactivate_at: Option<u64>,
    expires_at: Option<String>,
    created_at: String,
    /// The last click.
    updated_at: Option<String>,
    /// Clicks of the last 24 hours.
    count_day: u64,
    count_total: u64,
    conversions: u64,
}

/// The schema of what `getLink` answers: a link, or without `redirect_hash` the list.
pub(super) fn link_or_links(generator: &mut SchemaGenerator) -> Schema {
    let either = [generator.subschema_for::<LinkRow>(), generator.subschema_for::<Links>()];
    json_schema!({ "anyOf": either })
}

/// A list of links.
#[derive(Serialize, JsonSchema)]
pub(super) struct Links {
    links: Vec<LinkRow>,
}

/// A click.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ClickRow {
    created_at: String,
    ip: Option<String>,
    country: Option<String>,
    /// Its host.
    referrer: Option<String>,
    user_agent: Option<String>,
    browser: Option<String>,
    device: Option<String>,
}

/// A list of clicks.
#[derive(Serialize, JsonSchema)]
pub(super) struct History {
    history: Vec<ClickRow>,
}

/// What a link's row says that the link itself doesn't.
pub(super) struct Around {
    /// Its short URL.
    pub(super) url: String,
    /// Its host.
    pub(super) host: String,
    /// The name of its collection.
    pub(super) group: Option<String>,
    /// How far the dialect's clock is ahead of UTC, in seconds.
    pub(super) offset: i32,
}

impl LinkRow {
    pub(super) fn of(link: &Link, total: &Total, count_day: u64, around: Around) -> Self {
        let flag = |flag| u8::from(link.flags.has(flag));
        let wall = |at| time::wall(at, around.offset);
        Self {
            redirect_hash: link.slug.as_str().to_owned(),
            link: around.url,
            external_url: link.destination.as_str().to_owned(),
            title: link.title.clone(),
            description: link.description.clone(),
            notes: link.notes.clone(),
            group: around.group,
            host: around.host,
            is_active: flag(Flags::ACTIVE),
            is_public: flag(Flags::PUBLIC),
            has_public_tracking: flag(Flags::PUBLIC_TRACKING),
            has_plus_tracking: flag(Flags::PLUS_TRACKING),
            has_conversion_tracking: flag(Flags::CONVERSION_TRACKING),
            has_alert_email: flag(Flags::ALERT_EMAIL),
            alert_at: link.alert_at,
            deactivate_at: link.max_clicks,
            expires_at: link.expires_at.map(wall),
            created_at: wall(link.created_at),
            updated_at: total.last.map(wall),
            count_day,
            count_total: total.clicks,
            conversions: total.conversions,
        }
    }
}

impl ClickRow {
    pub(super) fn of(click: &StoredClick, offset: i32) -> Self {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let country = click.country.map(|code| String::from_utf8_lossy(&code).into_owned());
        Self {
            created_at: time::wall(click.clicked_at, offset),
            ip: click.ip.clone(),
            country,
            referrer: said(&click.referrer),
            user_agent: said(&click.user_agent),
            browser: said(click.browser),
            device: said(click.device),
        }
    }
}
