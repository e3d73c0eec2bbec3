//! `/docs`: the document as a page. No script, nothing from elsewhere, readable on a phone and in the dark.
//!
//! It shows what `/openapi.json` says and knows nothing else, so it is as true.

use std::sync::{LazyLock, OnceLock};

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Map, Value};
use waypost_h1::Response;

use crate::kit::{Answer, Fail};

const STYLE: &str = include_str!("style.css");

/// How deep a schema is shown before its name has to do.
const DEPTH: usize = 3;

/// Characters of a nonce.
const NONCE: usize = 24;

/// The page of this document, its style under a nonce of its own (SPEC 3.8).
pub(super) fn page(document: &Value) -> Answer {
    static BODY: OnceLock<String> = OnceLock::new();
    let body = BODY.get_or_init(|| body(document).into_string());
    let nonce = waypost_service::random_text(NONCE).map_err(Fail::from)?;
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { "Waypost APIs" }
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body { (PreEscaped(body)) }
        }
    };
    Ok(Response::new(200)
        .header("Content-Type", "text/html; charset=utf-8")
        .header("Content-Security-Policy", policy)
        .header("X-Content-Type-Options", "nosniff")
        .header("Referrer-Policy", "no-referrer")
        .header("Cache-Control", "no-store")
        .body(page.into_string()))
}

fn body(document: &Value) -> Markup {
    let tags: Vec<_> = list(&document["tags"]).iter().map(|tag| text(&tag["name"])).collect();
    html! {
        main {
            h1 { "Waypost APIs" }
            p { (prose(&document["info"]["summary"])) ". For programs: " a href="/openapi.json" { "/openapi.json" } "." }
            nav { @for tag in &tags { a href={ "#" (anchor(tag)) } { (tag) } } }
            @for tag in &tags {
                h2 id=(anchor(tag)) { (tag) }
                @for (path, method, operation) in operations(document, tag) {
                    (described(document, path, method, operation))
                }
            }
        }
    }
}

/// The operations of a tag, with path and method.
fn operations<'a>(
    document: &'a Value,
    tag: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let of_path = |(path, item): (&'a String, &'a Value)| {
        let operations = fields(item).iter();
        operations.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    };
    let all = fields(&document["paths"]).iter().flat_map(of_path);
    all.filter(move |(.., operation)| list(&operation["tags"]).iter().any(|own| own == tag))
}

fn described(document: &Value, path: &str, method: &str, operation: &Value) -> Markup {
    let parameters = list(&operation["parameters"]);
    let request = operation["requestBody"]["content"].as_object();
    html! {
        details id=(text(&operation["operationId"])) {
            summary {
                b { (method.to_ascii_uppercase()) } code { (path) }
                span.soft { (prose(&operation["summary"])) }
            }
            div {
                @if !parameters.is_empty() {
                    h3 { "Parameters" }
                    table { @for parameter in parameters { (parameter_row(document, parameter)) } }
                }
                @if let Some((kind, content)) = request.and_then(|content| content.iter().next()) {
                    h3 { "Body, " code { (kind) } }
                    (schema(document, &content["schema"], DEPTH))
                }
                h3 { "Answers" }
                table { @for (status, answer) in fields(&operation["responses"]) {
                    (answer_row(document, status, resolved(document, answer)))
                } }
                h3 { "Try it" }
                pre { code { (curl(document, path, method, operation)) } }
            }
        }
    }
}

fn parameter_row(document: &Value, parameter: &Value) -> Markup {
    let required = parameter["required"] == true;
    html! {
        tr {
            th { code { (text(&parameter["name"])) } " " small { (text(&parameter["in"])) @if required { ", required" } } }
            td { (prose(&parameter["description"])) " " (kind(document, &parameter["schema"])) }
        }
    }
}

fn answer_row(document: &Value, status: &str, answer: &Value) -> Markup {
    let contents = answer["content"].as_object();
    html! {
        tr {
            th { code { (status) } }
            td {
                (prose(&answer["description"]))
                @for (kind, content) in contents.into_iter().flatten() {
                    " " small { (kind) }
                    @if let Some(example) = fields(&content["examples"]).values().next() {
                        pre { code { (example_text(&example["value"])) } }
                    } @else {
                        (schema(document, &content["schema"], DEPTH))
                    }
                }
            }
        }
    }
}

/// Text in which `` `names` `` are set off.
fn prose(value: &Value) -> Markup {
    let pieces = text(value).split('`').enumerate();
    html! {
        @for (nth, piece) in pieces { @if nth % 2 == 0 { (piece) } @else { code { (piece) } } }
    }
}

fn example_text(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("{value:#}"), str::to_owned)
}

/// The properties of an object, or what else a schema is.
fn schema(document: &Value, schema: &Value, depth: usize) -> Markup {
    let whole = resolved(document, schema);
    let properties = fields(&whole["properties"]);
    let required = list(&whole["required"]);
    html! {
        @if !properties.is_empty() {
            table {
                @for (name, property) in properties {
                    tr {
                        th { code { (name) } @if required.iter().any(|own| own == name) { " " small { "required" } } }
                        td { (prose(&property["description"])) " " (kind(document, property)) (inner(document, property, depth)) }
                    }
                }
            }
        }
        @if properties.is_empty() { (kind(document, schema)) (inner(document, whole, depth)) }
    }
}

/// What is inside a property that is an object, or a list of objects.
fn inner(document: &Value, property: &Value, depth: usize) -> Markup {
    let whole = resolved(document, property);
    let whole =
        if whole["items"].is_object() { resolved(document, &whole["items"]) } else { whole };
    let alternatives = list(&whole["anyOf"]).iter().map(|one| resolved(document, one));
    let whole = alternatives.into_iter().find(|one| one["properties"].is_object()).unwrap_or(whole);
    html! {
        @if depth > 0 && whole["properties"].is_object() { (schema(document, whole, depth - 1)) }
    }
}

/// A schema's type in a word or two.
fn kind(document: &Value, schema: &Value) -> Markup {
    let whole = resolved(document, schema);
    let mut words = match &whole["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        kind => text(kind).to_owned(),
    };
    for (key, name) in [("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")] {
        let kinds = list(&whole[key]).iter().map(|one| text(&resolved(document, one)["type"]));
        words += &kinds.filter(|kind| !kind.is_empty()).collect::<Vec<_>>().join(name);
    }
    let values: Vec<_> = list(&whole["enum"]).iter().map(example_text).collect();
    html! { small { (words) @if !values.is_empty() { ": " (values.join(", ")) } } }
}

/// A command that calls it.
fn curl(document: &Value, path: &str, method: &str, operation: &Value) -> String {
    let required = list(&operation["parameters"]).iter();
    let required = required.filter(|one| one["in"] == "query" && one["required"] == true);
    let query: Vec<_> = required.map(|one| format!("{0}=…", text(&one["name"]))).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut command = format!("curl -X {} \"$BASE{path}{query}\"", method.to_ascii_uppercase());
    if list(&operation["security"]).iter().any(|scheme| scheme["bearer"].is_array()) {
        command += " \\\n  -H \"Authorization: Bearer $TOKEN\"";
    }
    for (kind, content) in fields(&operation["requestBody"]["content"]).iter().take(1) {
        let whole = resolved(document, &content["schema"]);
        let required = list(&whole["required"]).iter().map(text);
        command += &if kind == "application/json" {
            let fields = required.map(|name| format!("\"{name}\": …"));
            let body = fields.collect::<Vec<_>>().join(", ");
            format!(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{{{body}}}'")
        } else {
            required.map(|name| format!(" \\\n  -d \"{name}=…\"")).collect()
        };
    }
    command
}

/// What a reference stands for.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn anchor(tag: &str) -> String {
    tag.replace(' ', "-")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn fields(value: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}
