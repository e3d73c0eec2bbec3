//! The options that are more than one value: rules, scripts and attributes, as JSON.
//!
//! Rules and scripts have linkpack's shape (`traffic_routing`, `retargeting_scripts`).

use serde_json::{Map, Value, json};
use waypost_link::{Attributes, Placement, Rule, Script, limits};
use waypost_service::Fault;

use super::Book;

/// Rules as JSON.
pub(crate) fn print_rules(rules: &[Rule]) -> Value {
    let print = |rule: &Rule| {
        let mut object = Map::new();
        object.insert("id".to_owned(), rule.id.clone().into());
        object.insert("condition".to_owned(), rule.name().into());
        object.insert("value".to_owned(), rule.value().into());
        if let Some(percentage) = rule.percentage() {
            object.insert("percentage".to_owned(), json!(percentage));
        }
        object.insert("destination".to_owned(), rule.destination.as_str().into());
        Value::Object(object)
    };
    unless_empty(rules.iter().map(print).collect())
}

/// Rules from JSON.
///
/// # Errors
/// Which rule is wrong, and why.
pub(crate) fn parse_rules(value: &Value, book: &Book) -> Result<Vec<Rule>, String> {
    let rule = |(at, value): (usize, &Value)| {
        let number = |why: String| format!("rule {}: {why}", at + 1);
        parse_rule(value, book).map_err(number)
    };
    items(value, "rules")?.iter().enumerate().map(rule).collect()
}

/// Scripts as JSON.
pub(crate) fn print_scripts(scripts: &[Script]) -> Value {
    let print = |script: &Script| {
        let placement = match script.placement {
            Placement::Head => "head",
            Placement::Body => "body",
        };
        json!({ "id": script.id, "placement": placement, "script": script.script })
    };
    unless_empty(scripts.iter().map(print).collect())
}

/// Scripts from JSON.
///
/// # Errors
/// Which script is wrong, and why.
pub(crate) fn parse_scripts(value: &Value, _: &Book) -> Result<Vec<Script>, String> {
    let script = |(at, value): (usize, &Value)| {
        let number = |why: String| format!("script {}: {why}", at + 1);
        parse_script(value).map_err(number)
    };
    items(value, "scripts")?.iter().enumerate().map(script).collect()
}

/// Attributes as JSON.
pub(crate) fn print_attributes(attributes: &Attributes) -> Value {
    if attributes.is_empty() {
        return Value::Null;
    }
    attributes.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

/// Attributes from JSON.
///
/// # Errors
/// Which is wrong, and why.
pub(crate) fn parse_attributes(value: &Value, _: &Book) -> Result<Attributes, String> {
    let mut attributes = Attributes::default();
    let object = match value {
        Value::Null => return Ok(attributes),
        Value::Object(object) => object,
        _ => return Err("expected an object of texts".to_owned()),
    };
    for (name, value) in object {
        let value = value.as_str().ok_or_else(|| format!("{name:?}: expected a text"))?;
        if !attributes.set(name, Some(value)) {
            let most = (limits::ATTRIBUTE_BYTES, limits::ATTRIBUTES);
            return Err(format!("{name:?}: at most {} bytes each, and {} in all", most.0, most.1));
        }
    }
    Ok(attributes)
}

/// A fault's sentence without the field, which the caller names.
pub(crate) fn why(fault: Fault) -> String {
    match fault {
        Fault::Invalid { why, .. } => why,
        other => other.to_string(),
    }
}

fn parse_rule(value: &Value, book: &Book) -> Result<Rule, String> {
    known_keys(value, &["id", "condition", "value", "percentage", "destination"])?;
    let destination = book.destination(text(value, "destination")?);
    let destination = destination.map_err(why)?;
    let percentage = value.get("percentage").and_then(Value::as_f64);
    let (id, condition, typed) =
        (text(value, "id")?, text(value, "condition")?, text(value, "value")?);
    Rule::parse(id, condition, typed, percentage, destination).map_err(|error| error.to_string())
}

fn parse_script(value: &Value) -> Result<Script, String> {
    known_keys(value, &["id", "placement", "script"])?;
    let placement = match text(value, "placement")? {
        "head" => Placement::Head,
        "body" => Placement::Body,
        _ => return Err("placement: expected head or body".to_owned()),
    };
    let id = text(value, "id")?.to_owned();
    if id.len() > limits::RULE_ID_BYTES {
        return Err(format!("id: at most {} bytes", limits::RULE_ID_BYTES));
    }
    Ok(Script { id, placement, script: text(value, "script")?.to_owned() })
}

fn unless_empty(list: Vec<Value>) -> Value {
    if list.is_empty() { Value::Null } else { Value::Array(list) }
}

fn items<'v>(value: &'v Value, what: &str) -> Result<&'v [Value], String> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        _ => Err(format!("expected an array of {what}")),
    }
}

fn known_keys(value: &Value, known: &[&str]) -> Result<(), String> {
    let object = value.as_object().ok_or("expected an object")?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown key {key:?}, expected {}", known.join(", "))),
        None => Ok(()),
    }
}

/// The text of `key`; empty where it is absent.
fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str, String> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("{key}: expected a text")),
    }
}
