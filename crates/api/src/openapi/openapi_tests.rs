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

/// Which calls heed an `Idempotency-Key`, may find a plan used up, or find nothing by a parameter of the query.
#[test]
fn what_only_some_calls_do() {
    let document = described(DIALECTS);
    let having = |holds: &dyn Fn(&Value) -> bool| {
        let mut ids = BTreeSet::new();
        each(&document["paths"], &mut |fields| {
            let id = fields.get("operationId").and_then(Value::as_str);
            if let Some(id) = id.filter(|_| holds(&Value::Object(fields.clone()))) {
                ids.insert(id.to_owned());
            }
        });
        ids
    };
    let once = [
        "golinks_createCollection",
        "golinks_createDomain",
        "golinks_createLink",
        "golinks_createLinks",
        "golinks_createPixel",
        "golinks_putAmazonTag",
        "linkpack_shorten",
        "linktrack_makeLink",
        "linktrack_makeLinkByQuery",
        "tracking_createApplicationLinks",
        "tracking_createLink",
        "tracking_recordClick",
        "workspace_createTrackingLink",
    ];
    let header = |operation: &Value| {
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.any(|parameter| parameter["name"] == "Idempotency-Key")
    };
    let once: BTreeSet<_> = once.map(str::to_owned).into();
    assert_eq!(having(&header), once);
    assert_eq!(having(&|operation| operation["responses"]["422"].is_object()), once);
    assert!(having(&|operation| operation["responses"]["409"].is_object()).is_superset(&once));
    let counted = [
        "golinks_createCollection",
        "golinks_createDomain",
        "golinks_createKey",
        "golinks_createPixel",
        "linktrack_makeLink",
        "linktrack_makeLinkByQuery",
    ];
    let answers_402 = having(&|operation| operation["responses"]["402"].is_object());
    assert_eq!(answers_402, counted.map(str::to_owned).into());
    let finds = ["linktrack_convert", "linktrack_getLink", "linktrack_getLinkHistory"];
    let answers_404 = having(&|operation| operation["responses"]["404"].is_object());
    assert!(answers_404.is_superset(&finds.map(str::to_owned).into()));
}
