//! The document against the tables it is made of.

use std::collections::BTreeSet;

use super::*;

fn each(value: &Value, look: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            look(fields);
            fields.values().for_each(|value| each(value, look));
        }
        Value::Array(items) => items.iter().for_each(|item| each(item, look)),
        _ => {}
    }
}

#[test]
fn every_route_is_described_under_a_name_of_its_own() {
    let document = described(DIALECTS);
    let mut ids = BTreeSet::new();
    for dialect in DIALECTS {
        for route in dialect.routes {
            let method = route.method.as_str().to_ascii_lowercase();
            let operation = &document["paths"][route.pattern][method];
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            assert_eq!(id, format!("{}_{}", dialect.name, route.id), "{route:?}");
            assert!(!route.id.is_empty() && !route.summary.is_empty(), "{route:?}");
            assert!(ids.insert(id), "twice: {route:?}");
            assert!(operation["responses"][route.status.to_string()].is_object(), "{route:?}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = described(DIALECTS);
    let mut dangling = BTreeSet::new();
    each(&document, &mut |fields| {
        if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            if target.is_none() {
                dangling.insert(reference.to_owned());
            }
        }
    });
    assert!(dangling.is_empty(), "{dangling:?}");
}

#[test]
fn the_page_names_every_operation() {
    let document = described(DIALECTS);
    let page = page::page(&document).expect("a page");
    let page = String::from_utf8_lossy(page.bytes()).into_owned();
    each(&document["paths"], &mut |fields| {
        if let Some(id) = fields.get("operationId").and_then(Value::as_str) {
            assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        }
    });
    for foreign in ["<script", "<link", "<img", " src=", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}
