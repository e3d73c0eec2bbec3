//! What was accepted, shown again: in pages, XML, JSON, exports and imports.

use serde_json::Value;

use super::{
    entry::{Entry, Verdict},
    site::{Site, assert_escaped, assert_harmless, assert_whole},
};
use crate::support::Data;

/// The texts of the links that were made of an entry, wherever they are shown.
pub(super) fn texts(site: &mut Site, entry: &Entry, n: usize) {
    for code in [format!("t{n}"), format!("l{n}")] {
        for path in
            ["/{code}+", "/api/v1_0/getLink?{{auth}}&redirect_hash={code}&format=json", "/m{n}"]
        {
            let path = path.replace("{code}", &code).replace("{n}", &n.to_string());
            assert_harmless(entry, &path, &site.get(&path));
        }
        let xml = site.get(&format!("/api/v1_0/getLink?{{{{auth}}}}&redirect_hash={code}"));
        assert_harmless(entry, "getLink", &xml);
        if entry.verdict == Verdict::Accepted {
            let xml = roxmltree::Document::parse(&xml.body).expect("XML");
            for name in ["title", "description", "notes"] {
                let element = xml.descendants().find(|node| node.has_tag_name(name));
                let text = element.and_then(|node| node.text()).unwrap_or_default();
                assert_eq!(text, entry.text(), "{name} of {entry}");
            }
        }
    }
    let group = site.get(&format!("/api/v1_0/getLink?{{{{auth}}}}&redirect_hash=g{n}"));
    assert_harmless(entry, "a group", &group);
}

/// The clicks of a link, wherever they are shown, have nothing of these entries.
pub(super) fn clicks(site: &mut Site, entries: &[Entry], code: &str) {
    for path in [
        "/{code}+",
        "/api/v1_0/getLinkHistory?{{auth}}&redirect_hash={code}&limit=1000",
        "/api/v1_0/getLinkHistory?{{auth}}&redirect_hash={code}&limit=1000&format=json",
        "/api/v1/stats/{code}",
        "/api/link-tracking/analytics/{code}",
        "/api/stats/link/1",
    ] {
        let answer = site.get(&path.replace("{code}", code));
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_whole(path, &answer);
        entries.iter().for_each(|entry| assert_escaped(entry, path, &answer));
    }
}

/// Deletes the newest link.
pub(super) fn forget_newest(site: &mut Site) {
    let newest = site.get("/api/links?limit=1");
    let newest: Value = serde_json::from_str(&newest.body).expect("JSON");
    let line = format!("DELETE /api/links/{}", newest["links"][0]["id"]);
    assert_eq!(site.send(&line, b"").status, 200);
}

/// Imports these JSONL rows into a store of their own; what is in it then.
pub(super) fn imported(beside: &Data, rows: &[u8]) -> Vec<Value> {
    let (data, file) = (Data::new(), beside.path().join("hostile.jsonl"));
    std::fs::write(&file, rows).expect("write");
    let out = data.run(&["import", file.to_str().expect("UTF-8")]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{said}");
    exported(&data)
}

/// All links, written as CSV and read by another store, are the same.
pub(super) fn exported_and_back(data: &Data) {
    let file = data.path().join("all.csv");
    let file = file.to_str().expect("UTF-8");
    data.ok(&["export", file]);
    let other = Data::new();
    other.ok(&["import", file]);
    let sorted = |data: &Data| {
        let mut rows: Vec<_> = exported(data).iter().map(Value::to_string).collect();
        rows.sort_unstable();
        rows
    };
    let (before, mut after) = (sorted(data).into_iter(), sorted(&other).into_iter());
    for row in before {
        assert_eq!(Some(row), after.next());
    }
    assert_eq!(after.next(), None);
}

fn exported(data: &Data) -> Vec<Value> {
    let rows = data.ok(&["export", "-", "--format", "jsonl"]);
    rows.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect()
}
