//! `waypost apply`: what is planned is done, once.

use serde_json::{Value, json};

use crate::place::{Place, Ran};

fn apply(place: &Place, text: &str, more: &[&str]) -> Ran {
    place.run_with(&[&["apply", "-", "--format", "csv"], more].concat(), text)
}

fn plan(place: &Place, text: &str, more: &[&str]) -> Value {
    let ran = apply(place, text, &[more, &["--json"]].concat());
    assert_eq!(ran.status, 0, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_second_run_has_nothing_to_do() {
    let place = Place::new();
    place.ok(&["link", "add", "old", "https://old.example/"]);
    place.ok(&["link", "add", "ho", "https://x.example/", "--title", "Ho", "--set", "notes=mine"]);
    let text = "code,destination_url,title,collection\nhi,https://x.example/,Hi,Top\nho,https://y.example/,,Top\n";
    let first = "+ hi https://x.example/\n~ ho\n    destination_url: \"https://x.example/\" -> \"https://y.example/\"\n    title: \"Ho\" -> null\n    collection: null -> \"Top\"\n";
    let kept = "1 links are not in the file: --prune removes them";
    let dry = apply(&place, text, &["--dry-run"]);
    let sum = "create 1, update 1, delete 0, unchanged 0 (dry run: nothing was written)\n";
    assert_eq!(dry.out, format!("{first}{sum}"));
    place.run(&["link", "get", "hi"]).check(1, "", "not found");
    let done = apply(&place, text, &[]);
    done.check(0, "", kept);
    assert_eq!(done.out, format!("{first}create 1, update 1, delete 0, unchanged 0\n"));
    let again = "create 0, update 0, delete 0, unchanged 2\nnothing to do\n";
    assert_eq!(apply(&place, text, &[]).out, again);
    let ho = place.json(&["link", "get", "ho"]);
    assert_eq!(
        (&ho["id"], &ho["notes"], &ho["collection_id"]),
        (&2.into(), &"mine".into(), &1.into())
    );
    let pruned = "- old\ncreate 0, update 0, delete 1, unchanged 2\n";
    assert_eq!(apply(&place, text, &["--prune"]).out, pruned);
    assert_eq!(apply(&place, text, &["--prune"]).out, again);
    place.run(&["link", "get", "old"]).check(1, "", "not found");
    place.ok(&["verify"]);
}

#[test]
fn the_plan_as_json() {
    let place = Place::new();
    place.ok(&["link", "add", "a", "https://x.example/", "--status", "301"]);
    place.ok(&["link", "add", "b", "https://x.example/"]);
    let text = "code,destination_url,status\na,https://x.example/,307\nnew,https://c.example/,\n";
    let found = plan(&place, text, &["--prune", "--dry-run"]);
    let expected = json!({
        "dry_run": true,
        "create": [{"code": "new", "domain": null, "destination_url": "https://c.example/"}],
        "update": [{"code": "a", "domain": null, "changes": {"status": {"from": 301, "to": 307}}}],
        "delete": [{"code": "b", "domain": null}],
        "unchanged": 0,
        "kept": 0,
    });
    assert_eq!(found, expected);
    let kept = plan(&place, text, &[]);
    assert_eq!((&kept["kept"], &kept["delete"]), (&1.into(), &json!([])));
}

#[test]
fn one_wrong_record_and_nothing_changes() {
    let place = Place::new();
    place.ok(&["workspace", "create", "acme"]);
    place.ok(&["link", "add", "theirs", "https://x.example/", "--workspace", "acme"]);
    place.ok(&["link", "add", "late", "https://x.example/", "--set", "valid_from=2030-01-01"]);
    let good = "hi,https://x.example/,\n";
    for (line, said) in [
        ("!,https://x.example/,", "-:3:1: code: '!' can't be part of a code"),
        ("hi,https://y.example/,", "-:3:1: code: hi is there twice"),
        ("theirs,https://y.example/,", "-:3:1: the code theirs is taken"),
        ("late,https://x.example/,2029-01-01", "-:3:1: expires_at: it would expire before"),
    ] {
        let text = format!("code,destination_url,expires_at\n{good}{line}\n");
        let ran = apply(&place, &text, &["--prune"]);
        ran.check(1, "", said);
        ran.check(1, "", "-: 1 records are wrong: nothing was changed");
        assert_eq!(ran.out, "", "{line}");
    }
    place.run(&["link", "get", "hi"]).check(1, "", "not found");
    apply(&place, "title\n", &[]).check(1, "", "-:1:1: the header has no column");
    place.run(&["apply", "none.csv"]).check(1, "", "none.csv: No such file");
    place.run(&["apply", "-"]).check(2, "", "give --format");
}

#[test]
fn a_password_in_clear_is_told_again() {
    let place = Place::new();
    let with = |password: &str| {
        format!("code,destination_url,password\na,https://x.example/,{password}\n")
    };
    apply(&place, &with("letmein"), &[]).check(0, "create 1", "");
    apply(&place, &with("letmein"), &[]).check(0, "nothing to do", "");
    let changed = apply(&place, &with("other"), &[]);
    changed.check(0, "password_hash: \"(secret)\" -> \"(secret)\"", "");
    apply(&place, &with(""), &[]).check(0, "password_hash: \"(secret)\" -> null", "");
    apply(&place, &with(""), &[]).check(0, "nothing to do", "");
}

#[test]
fn every_format_applies_what_it_exports() {
    let place = Place::new();
    place.ok(&["link", "add", "a", "https://x.example/?b=c", "--status", "307", "--title", "A"]);
    place.ok(&["link", "add", "b", "https://y.example/", "--tag", "x", "--set", "forward_query=1"]);
    for format in ["csv", "jsonl", "nginx-map", "netlify", "cloudflare"] {
        place.ok(&["export", "file", "--format", format]);
        let same = place.ok(&["apply", "file", "--format", format, "--prune"]);
        assert!(same.ends_with("unchanged 2\nnothing to do\n"), "{format}: {same}");
    }
    place.ok(&["export", "go.cloudflare.csv"]);
    let text = place.read("go.cloudflare.csv");
    assert_eq!(
        text,
        "127.0.0.1/a,https://x.example/?b=c,307\n127.0.0.1/b,https://y.example/,302,TRUE\n"
    );
    place.write(
        "go.cloudflare.csv",
        "go.example/new,https://z.example/\ngo.example/*,https://z.example/\n",
    );
    place.run(&["import", "go.cloudflare.csv"]).check(
        1,
        "created 1",
        "go.cloudflare.csv:2:1: code",
    );
    assert_eq!(place.json(&["link", "get", "new"])["status"], 301);
}

#[test]
fn more_than_a_commit_holds() {
    let place = Place::new();
    let text: String = (0..10_500).map(|n| format!("/a{n} https://x.example/{n};\n")).collect();
    place.write("go.map", text);
    assert_eq!(place.json(&["apply", "go.map"])["create"].as_array().map(Vec::len), Some(10_500));
    assert_eq!(place.json(&["apply", "go.map"])["unchanged"], 10_500);
    place.write("go.map", "/b https://x.example/;\n");
    assert_eq!(
        place.json(&["apply", "go.map", "--prune"])["delete"].as_array().map(Vec::len),
        Some(10_500)
    );
    assert_eq!(place.json(&["link", "list"])[0]["code"], "b");
    place.ok(&["verify"]);
}

#[test]
fn a_product_goes_with_its_destination() {
    let place = Place::new();
    let page = |asin: &str| format!("https://www.amazon.de/dp/{asin}");
    place.ok(&["link", "add", "p", &page("B08N5WRWNW"), "--set", "asin=B08N5WRWNW"]);
    for (header, line, asin) in [
        ("code,destination_url", format!("p,{}", page("B000000001")), "B000000001"),
        ("code,destination_url,asin", format!("p,{},B000000002", page("B000000003")), "B000000002"),
    ] {
        apply(&place, &format!("{header}\n{line}\n"), &[]).check(0, "update 1", "");
        assert_eq!(place.json(&["link", "get", "p"])["asin"], asin);
    }
}

#[test]
fn a_link_that_stops_says_since_when() {
    let place = Place::new();
    place.ok(&["link", "add", "hi", "https://x.example/"]);
    let since = || place.json(&["link", "get", "hi"])["deactivated_at"].is_string();
    let text = |active| format!("code,destination_url,active\nhi,https://x.example/,{active}\n");
    for active in [false, true] {
        apply(&place, &text(active), &[]).check(0, "update 1", "");
        assert_eq!(since(), !active);
        apply(&place, &text(active), &[]).check(0, "nothing to do", "");
    }
    let replace = ["import", "-", "--format", "csv", "--on-conflict", "replace"];
    for active in [false, true] {
        place.run_with(&replace, &text(active)).check(0, "replaced 1", "");
        assert_eq!(since(), !active);
    }
}
