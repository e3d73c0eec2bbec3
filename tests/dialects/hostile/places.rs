//! Where an entry can be put: requests with `{{json}}` or `{{form}}` in them, and `{{n}}` for its number.

use super::{entry::Entry, site::Site};
use crate::support::Answer;

pub(super) struct Place {
    /// The request line.
    pub(super) line: &'static str,
    body: &'static str,
    /// Whether it has rules of its own beside those of the corpus: what is accepted elsewhere may be refused here.
    pub(super) strict: bool,
}

impl Place {
    pub(super) fn feed(&self, site: &mut Site, entry: &Entry, n: usize) -> Answer {
        let filled = |text: &str| entry.filled(&site.named(text).replace("{{n}}", &n.to_string()));
        let (line, body) = (filled(self.line), filled(self.body));
        site.send(&String::from_utf8(line).expect("UTF-8"), &body)
    }
}

const fn at(line: &'static str, body: &'static str) -> Place {
    Place { line, body, strict: false }
}

const fn strict(line: &'static str, body: &'static str) -> Place {
    Place { line, body, strict: true }
}

/// Every field that takes a destination.
pub(super) const URLS: &[Place] = &[
    at("POST /api/links", r#"{"destination_url":"{{json}}","code":"u{{n}}"}"#),
    at("PATCH /api/links/1", r#"{"destination_url":"{{json}}"}"#),
    at("POST /api/links/bulk", r#"{"links":[{"destination_url":"{{json}}"}]}"#),
    at(
        "PATCH /api/links/1",
        r#"{"rules":[{"id":"r","condition":"geo","value":"DE","destination":"{{json}}"}]}"#,
    ),
    at("POST /api/v1/shorten", r#"{"longUrl":"{{json}}"}"#),
    at(
        "POST /api/v1/shorten",
        r#"{"longUrl":"https://ok.example/","traffic_routing":[{"id":"r","condition":"device","value":"Mobile","destination":"{{json}}"}]}"#,
    ),
    at("POST /api/v1_0/makeLink", "{{auth}}&external_url={{form}}"),
    strict("GET /api/v1_0/makeLink?{{auth}}&external_url={{form}}", ""),
    at(
        "POST /api/link-tracking/create",
        r#"{"original_url":"{{json}}","link_function":"Hostile"}"#,
    ),
    at(
        "POST /api/link-tracking/application/create-links",
        r#"{"job_id":"550e8400-e29b-41d4-a716-446655440000","application_id":"550e8400-e29b-41d4-a716-446655440001","job_data":{"apply_url":"{{json}}"}}"#,
    ),
    strict(
        "POST /api/v1/workspace/{{workspace}}/tracking-links",
        r#"{"type":"vcard","name":"n","destinationSlug":"s","baseUrl":"{{json}}"}"#,
    ),
    strict("GET /api/v1/workspace/{{workspace}}/tracking-links?baseUrl={{form}}", ""),
];

/// Those that name the link's code as well.
pub(super) const LOOPS: &[Place] = &[
    at("POST /api/links", r#"{"destination_url":"{{json}}","code":"u{{n}}"}"#),
    at("POST /api/links/bulk", r#"{"links":[{"destination_url":"{{json}}","code":"u{{n}}"}]}"#),
    at("POST /api/v1/shorten", r#"{"longUrl":"{{json}}","shortCode":"u{{n}}"}"#),
    at("POST /api/v1_0/makeLink", "{{auth}}&external_url={{form}}&vanity_link=u{{n}}"),
    at(
        "POST /api/links",
        r#"{"destination_url":"https://ok.example/","code":"u{{n}}","rules":[{"id":"r","condition":"geo","value":"DE","destination":"{{json}}"}]}"#,
    ),
];

/// Every field that takes a code.
pub(super) const CODES: &[Place] = &[
    at("POST /api/links", r#"{"destination_url":"https://ok.example/","code":"{{json}}"}"#),
    at(
        "POST /api/links/bulk",
        r#"{"links":[{"destination_url":"https://ok.example/","code":"{{json}}"}]}"#,
    ),
    at("POST /api/v1/shorten", r#"{"longUrl":"https://ok.example/","shortCode":"{{json}}"}"#),
    at("GET /api/v1_0/makeLink?{{auth}}&external_url=https://ok.example/&vanity_link={{form}}", ""),
    at("POST /api/v1_0/makeLink", "{{auth}}&external_url=https://ok.example/&vanity_link={{form}}"),
];

/// Every path and parameter that names something.
pub(super) const PATHS: &[&str] = &[
    "/track/{{form}}",
    "/{{form}}+",
    "/c/{{form}}",
    "/api/{{form}}",
    "/api/v1/{{form}}",
    "/api/links/{{form}}",
    "/api/links?q={{form}}",
    "/api/links?cursor={{form}}",
    "/api/links?limit={{form}}&sort={{form}}",
    "/api/collections/{{form}}",
    "/api/stats/link/{{form}}?days={{form}}",
    "/api/v1/stats/{{form}}?startDate={{form}}",
    "/api/link-tracking/analytics/{{form}}",
    "/api/link-tracking/job/{{form}}/links",
    "/api/link-tracking/application/{{form}}/links",
    "/api/link-tracking/report?days={{form}}",
    "/api/v1/workspace/{{form}}/tracking-links",
    "/api/v1/workspace/{{workspace}}/tracking-links?type={{form}}",
    "/api/v1_0/getLink?{{auth}}&redirect_hash={{form}}",
    "/api/v1_0/getLink?{{auth}}&format={{form}}",
    "/api/v1_0/getLinks?{{auth}}&links={{form}}&groups={{form}}",
    "/api/v1_0/getLinks?{{auth}}&sort={{form}}&order={{form}}",
    "/api/v1_0/getLinkHistory?{{auth}}&redirect_hash={{form}}&start_date={{form}}",
    "/api/v1_0/getLinks?login={{form}}&pass={{form}}",
    "/conversion.gif?wp_click={{form}}&value={{form}}",
];

/// The texts of a link, as `shown.rs` looks for them again.
pub(super) const LINK_TEXTS: &[Place] = &[
    at(
        "POST /api/links",
        r#"{"destination_url":"https://t.example/","code":"t{{n}}","title":"{{json}}","description":"{{json}}","notes":"{{json}}","tags":["{{json}}"],"source_label":"{{json}}","plus_tracking":true,"public_tracking":true}"#,
    ),
    at(
        "POST /api/v1_0/makeLink",
        "{{auth}}&external_url=https://t.example/&vanity_link=l{{n}}&title={{form}}&description={{form}}&notes={{form}}&has_plus_tracking=1&has_public_tracking=1",
    ),
    strict(
        "POST /api/v1_0/makeLink",
        "{{auth}}&external_url=https://t.example/&vanity_link=g{{n}}&group={{form}}",
    ),
];

/// Every other field that takes a text.
pub(super) const TEXTS: &[Place] = &[
    strict(
        "POST /api/links",
        r#"{"destination_url":"https://t.example/?a=b","code":"m{{n}}","utm":{"source":"{{json}}","campaign":"{{json}}"}}"#,
    ),
    strict("PATCH /api/links/1", r#"{"attributes":{"link_function":"{{json}}","{{json}}":"x"}}"#),
    strict(
        "PATCH /api/links/1",
        r#"{"scripts":[{"id":"{{json}}","placement":"head","script":"x()"}],"rules":[{"id":"{{json}}","condition":"query","value":"a={{json}}","destination":"https://r.example/"}]}"#,
    ),
    strict(
        "POST /api/links",
        r#"{"destination_url":"https://t.example/","domain":"{{json}}","status":"{{json}}"}"#,
    ),
    strict("POST /api/collections", r#"{"name":"{{json}}","description":"{{json}}"}"#),
    strict(
        "POST /api/collections",
        r#"{"name":"x","color":"{{json}}","rotator_alias":"{{json}}"}"#,
    ),
    strict("POST /api/amazon-tags", r#"{"store":"US","tag":"{{json}}"}"#),
    strict(
        "POST /api/tracking-pixels",
        r#"{"platform":"meta","pixel_id":"12{{n}}","label":"{{json}}"}"#,
    ),
    strict("POST /api/api-keys", r#"{"label":"{{json}}","role":"staff","permissions":[]}"#),
    strict("POST /api/api-keys", r#"{"label":"x","role":"staff","permissions":["{{json}}"]}"#),
    strict(
        "POST /api/v1/shorten",
        r#"{"longUrl":"https://t.example/","title":"{{json}}","tags":["{{json}}"],"utm_source":"{{json}}"}"#,
    ),
    strict(
        "POST /api/link-tracking/create",
        r#"{"original_url":"https://t.example/","link_function":"{{json}}","link_type":"{{json}}","description":"{{json}}"}"#,
    ),
    strict(
        "POST /api/link-tracking/record-click",
        r#"{"tracking_id":"clicked","clicked_at":"2026-01-01T00:00:00Z","session_id":"{{json}}","click_source":"{{json}}","user_agent":"{{json}}","metadata":{"{{json}}":"{{json}}"}}"#,
    ),
    strict(
        "POST /api/link-tracking/record-click",
        r#"{"tracking_id":"clicked","clicked_at":"2026-01-01T00:00:00Z","referrer_url":"{{json}}"}"#,
    ),
    strict(
        "POST /api/link-tracking/record-click",
        r#"{"tracking_id":"{{json}}","clicked_at":"{{json}}"}"#,
    ),
    strict(
        "POST /api/v1/workspace/{{workspace}}/tracking-links",
        r#"{"type":"vcard","name":"{{json}}","utmName":"{{json}}","destinationSlug":"s","baseUrl":"https://t.example"}"#,
    ),
    strict(
        "POST /api/v1/workspace/{{workspace}}/tracking-links",
        r#"{"type":"vcard","name":"n","destinationSlug":"{{json}}","baseUrl":"https://t.example"}"#,
    ),
    strict("GET /api/links/1/explain?user_agent={{form}}&referer={{form}}&query={{form}}", ""),
];

/// Every route that takes JSON: its path, a first field that it needs, and others.
pub(super) const JSON: &[(&str, &str, &str)] = &[
    ("/api/links", r#""destination_url":"https://j.example/""#, r#""title":"x""#),
    ("/api/collections", r#""name":"x{{n}}""#, r##""color":"#112233""##),
    ("/api/amazon-tags", r#""tag":"mybrand-20""#, r#""store":"US""#),
    ("/api/tracking-pixels", r#""pixel_id":"1{{n}}""#, r#""platform":"meta""#),
    ("/api/domains", r#""hostname":"j{{n}}.example""#, r#""provider":"self""#),
    ("/api/v1/shorten", r#""longUrl":"https://j.example/""#, r#""title":"x""#),
    (
        "/api/link-tracking/create",
        r#""original_url":"https://j.example/""#,
        r#""link_function":"x""#,
    ),
    (
        "/api/link-tracking/record-click",
        r#""tracking_id":"clicked""#,
        r#""clicked_at":"2026-01-01T00:00:00Z""#,
    ),
    (
        "/api/link-tracking/application/create-links",
        r#""job_id":"550e8400-e29b-41d4-a716-446655440000""#,
        r#""application_id":"550e8400-e29b-41d4-a716-446655440001""#,
    ),
    (
        "/api/v1/workspace/{{workspace}}/tracking-links",
        r#""name":"x""#,
        r#""type":"vcard","destinationSlug":"s","baseUrl":"https://j.example""#,
    ),
];
