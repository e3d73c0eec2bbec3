//! Query parameters: their documentation, and how those are read that several calls share.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use waypost_service::Order;

use crate::{
    kit::{Call, Fail, Parameter, page},
    limits,
};

const fn text(name: &'static str, doc: &'static str) -> Parameter {
    Parameter { name, doc, schema: SchemaGenerator::subschema_for::<String>, required: false }
}

const fn required(name: &'static str, doc: &'static str) -> Parameter {
    Parameter { required: true, ..text(name, doc) }
}

const fn number(name: &'static str, doc: &'static str) -> Parameter {
    Parameter { schema: SchemaGenerator::subschema_for::<u64>, ..text(name, doc) }
}

const LOGIN: Parameter = required("login", "A key's login.");
const PASS: Parameter = required("pass", "Its token.");
const FORMAT: Parameter = text("format", "`xml` (default) or `json`.");
const ORDER: Parameter = text("order", "`desc` (default) or `asc`.");
const LIMIT: Parameter = number("limit", "At most so many, 1 to 1000; 100 where absent.");
const SORT: Parameter = text(
    "sort",
    "`l.created_at` (default), `l.external_url`, `l.redirect_hash`, `lc.count_day`, `lc.count_total`, `lc.updated_at`, \
     `d.title` or `g.name`.",
);
const NAMED: Parameter = text("links", "Only these, separated by commas.");
const GROUPS: Parameter = text("groups", "Only those in these groups, separated by commas.");

/// Those of `makeLink`.
#[rustfmt::skip]
pub(super) const MAKE: &[Parameter] = &[
    LOGIN,
    PASS,
    required("external_url", "Where it leads."),
    text("host", "An active domain of the workspace."),
    text("vanity_link", "Its code; drawn where absent."),
    text("title", "A title."),
    text("description", "A description."),
    text("notes", "Private notes."),
    text("group", "The oldest group of that name, else a new one."),
    text("password", "Visitors are asked for it."),
    number("alert_at", "The click at which an email is sent."),
    number("deactivate_at", "How many clicks redirect."),
    text("expires_at", "`2024-12-24 10:35:16`, by the dialect's clock."),
    number("is_active", "1 (default) or 0."),
    number("is_public", "0 (default) or 1."),
    number("has_alert_email", "0 (default) or 1."),
    number("has_plus_tracking", "0 (default) or 1."),
    number("has_public_tracking", "0 (default) or 1."),
    number("has_conversion_tracking", "0 (default) or 1."),
];

/// The schema of a form of `makeLink`, which takes the same parameters.
pub(super) fn make_form(generator: &mut SchemaGenerator) -> Schema {
    let described = |parameter: &Parameter| {
        let mut schema = (parameter.schema)(generator);
        schema.insert("description".to_owned(), parameter.doc.into());
        (parameter.name.to_owned(), schema.into())
    };
    let properties: Map<String, Value> = MAKE.iter().map(described).collect();
    let required = MAKE.iter().filter(|parameter| parameter.required);
    let required: Vec<_> = required.map(|parameter| parameter.name).collect();
    json_schema!({ "type": "object", "properties": properties, "required": required })
}

/// Those of `getLink`.
pub(super) const LINK: &[Parameter] = &[
    LOGIN,
    PASS,
    text("redirect_hash", "The link's code, or `hostname/code`; the list without it."),
    FORMAT,
    SORT,
    ORDER,
    LIMIT,
    NAMED,
    GROUPS,
];

/// Those of `getLinks`.
pub(super) const LINKS: &[Parameter] = &[LOGIN, PASS, FORMAT, SORT, ORDER, LIMIT, NAMED, GROUPS];

/// Those of `getLinkHistory`.
pub(super) const HISTORY: &[Parameter] = &[
    LOGIN,
    PASS,
    required("redirect_hash", "The link's code, or `hostname/code`."),
    FORMAT,
    text("sort", "`h.created_at`, which is the default."),
    ORDER,
    LIMIT,
    text("start_date", "`2024-11-24 10:35:16` or `2024-11-24`; today where absent."),
    text("end_date", "Likewise; what was clicked before it."),
];

/// Those of `/conversion.gif`.
pub(super) const CONVERSION: &[Parameter] = &[
    required("wp_click", "The click, as the destination got it."),
    text("value", "What it was worth, at most 64 bytes."),
];

/// `order`.
pub(super) fn order(call: &Call) -> Result<Order, Fail> {
    match call.query("order")?.unwrap_or_default() {
        "" | "desc" => Ok(Order::Descending),
        "asc" => Ok(Order::Ascending),
        _ => Err(Fail::invalid("order", "expected asc or desc")),
    }
}

/// `limit`.
pub(super) fn limit(call: &Call) -> Result<usize, Fail> {
    let limit = page::number(call, "limit", limits::PAGE as u64)?;
    Ok(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(limits::DEFAULT_PAGE))
}

/// Names separated by commas; `None` where there are none.
pub(super) fn names(call: &Call, name: &'static str) -> Result<Option<Vec<String>>, Fail> {
    let Some(list) = call.query(name)?.filter(|list| !list.is_empty()) else { return Ok(None) };
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<_> = names.map(str::to_owned).collect();
    if names.len() > limits::NAMES {
        return Err(Fail::invalid(name, format!("at most {} at once", limits::NAMES)));
    }
    Ok(Some(names))
}
