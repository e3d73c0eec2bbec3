//! Every command but apply and domain: output, messages, exit status.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    process::Command,
};

use serde_json::Value;

use crate::place::Place;

#[test]
fn exit_status_and_sentences() {
    let place = Place::new();
    place.write("file", "");
    for (arguments, status, out, err) in [
        (&["--help"][..], 0, "Usage: waypost", ""),
        (&["--version"], 0, "waypost 0", ""),
        (&["frobnicate"], 2, "", "unrecognized subcommand"),
        (&["link", "add", "hi"], 2, "", "required arguments"),
        (&["import", "-"], 2, "", "-: the name tells no format: give --format"),
        (&["export", "links.xml"], 2, "", "links.xml: the name tells no format"),
        (&["link", "list", "--store", "mysql"], 2, "", "waypost: --store: store: expected lmdb"),
        (&["serve", "--listen", "8080"], 2, "", "waypost: --listen: listen: expected an address"),
        (&["import", "none.csv"], 1, "", "waypost: none.csv: No such file"),
        (&["import", ".", "--format", "csv"], 1, "", "waypost: .: is a directory"),
        (&["export", "none/x.csv"], 1, "", "waypost: none/x.csv: No such file"),
        (&["link", "get", "none"], 1, "", "waypost: link \"none\" not found"),
        (&["link", "list", "--workspace", "none"], 1, "", "waypost: workspace \"none\" not found"),
        (
            &["link", "add", "api", "https://x.example/"],
            1,
            "",
            "waypost: code: this code is reserved",
        ),
        (&["link", "add", "x", "javascript:1"], 1, "", "waypost: destination_url: the scheme"),
        (
            &["link", "add", "x", "https://x.example/", "--status", "303"],
            1,
            "",
            "waypost: status: expected 301",
        ),
        (
            &["link", "add", "x", "https://x.example/", "--set", "titel=x"],
            1,
            "",
            "did you mean \"title\"?",
        ),
        (&["stats", "none"], 1, "", "waypost: link \"none\" not found"),
        (&["stats", "none", "--days", "0"], 1, "", "waypost: --days: expected 1 to"),
        (&["key", "revoke", "none"], 1, "", "waypost: key \"none\" not found"),
        (
            &["key", "create", "--permission", "links.read"],
            1,
            "",
            "--permission is for --role staff",
        ),
        (
            &["key", "create", "--role", "staff", "--permission", "x"],
            1,
            "",
            "unknown permission \"x\"",
        ),
        (&["workspace", "create", "default"], 1, "", "waypost: the workspace \"default\" is taken"),
        (&["workspace", "set", "default", "colour", "red"], 1, "", "\"colour\" is no setting"),
        (&["link", "list", "--data", "file"], 1, "", "file is not a directory"),
        (&["link", "list", "--data", "/proc/none"], 1, "", "waypost: /proc/none can't be made"),
        (&["verify"], 0, "0 links, 0 clicks, 0 purges pending\nok\n", ""),
        (&["completions", "bash"], 0, "waypost", ""),
    ] {
        let ran = place.run(arguments);
        let said = ran.out.contains(out) && ran.err.contains(err);
        assert!(ran.status == status && said, "{arguments:?}: {ran:?}");
        assert!(status != 1 || ran.err.lines().count() == 1, "{arguments:?}: {ran:?}");
    }
}

#[test]
fn output_that_nobody_reads_is_no_failure() {
    let place = Place::new();
    place.ok(&["link", "add", "hi", "https://x.example/"]);
    for arguments in [&["stats", "hi"][..], &["link", "list"], &["export", "-", "--format", "csv"]]
    {
        let ran = place.run_unread(arguments);
        assert!(ran.status == 0 && ran.err.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn a_server_whose_first_words_nobody_reads_serves() {
    let place = Place::new();
    let mut server = place.start_unread(&["serve", "--listen", "127.0.0.1:0"]);
    let mut said = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    let warned = said.find(|line| line.contains("can't be printed"));
    let warned = warned.expect("it goes on");
    assert!(warned.contains("Broken pipe") && warned.contains("waypost key create"), "{warned}");
    let stop = Command::new("kill").arg(server.id().to_string()).status().unwrap();
    assert!(stop.success() && server.wait().unwrap().success());
}

#[test]
fn configuration_is_checked() {
    let place = Place::new();
    for (text, status, out, err) in [
        ("workers = 2\n", 0, "waypost.toml: ok\n", ""),
        (
            "data = \"x\"\nlisten_adr = \"y\"\n",
            1,
            "",
            "waypost: waypost.toml:2: unknown setting \"listen_adr\"; did you mean \"listen\"?\n",
        ),
        ("listen = \"8080\"", 1, "", "waypost: waypost.toml:1: listen: expected an address"),
    ] {
        place.write("waypost.toml", text);
        place.run(&["check-config", "waypost.toml"]).check(status, out, err);
    }
    place.run(&["check-config", "none.toml"]).check(1, "", "none.toml: can't be read");
}

#[test]
fn a_link_from_its_making_to_its_end() {
    let place = Place::new();
    let url =
        place.ok(&["link", "add", "hi", "https://example.com/", "--title", "Hello", "--tag", "a"]);
    assert_eq!(url, "http://127.0.0.1:8080/hi\n");
    place.run(&["link", "add", "hi", "https://x.example/"]).check(1, "", "the code hi is taken");
    let link = place.json(&["link", "get", "hi"]);
    let expected = serde_json::json!({
        "id": 1, "code": "hi", "destination_url": "https://example.com/", "title": "Hello",
        "short_url": "http://127.0.0.1:8080/hi", "tags": ["a"], "status": 302, "active": true,
        "archived_at": null, "expires_at": null, "collection_id": null, "clicks": 0,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&link[name], value, "{name}");
    }
    let set = ["link", "set", "hi", "title=", "code=ho", "collection=Top", "max_clicks=3"];
    let link = place.json(&set);
    assert_eq!(
        (&link["title"], &link["code"], &link["max_clicks"]),
        (&Value::Null, &"ho".into(), &3.into())
    );
    assert_eq!((&link["collection"], &link["collection_id"]), (&"Top".into(), &1.into()));
    place.run(&["link", "get", "hi"]).check(1, "", "not found");
    place.ok(&["link", "add", "café", "https://x.example/", "--set", "archived_at=now"]);
    let codes = |more: &[&str]| {
        let list = place.json(&[&["link", "list"], more].concat());
        let codes = list.as_array().unwrap().iter().map(|link| link["code"].clone());
        codes.collect::<Vec<_>>()
    };
    assert_eq!(codes(&[]), ["ho"]);
    assert_eq!(codes(&["--archived"]), ["café", "ho"]);
    assert_eq!(codes(&["--archived", "--limit", "1"]), ["café"]);
    assert_eq!(codes(&["--limit", "0"]), [""; 0]);
    assert_eq!(codes(&["--search", "example.COM"]), ["ho"]);
    place.run(&["link", "list", "--archived", "--limit", "1"]).check(0, "café", "more than 1");
    place.run(&["link", "rm", "café", "none", "ho"]).check(1, "removed ho", "1 of 3 links");
    assert_eq!(codes(&["--archived"]), [""; 0]);
    place.ok(&["link", "add", "hi", "https://example.com/"]);
    assert_eq!(place.json(&["link", "rm", "hi"]), serde_json::json!({ "removed": ["hi"] }));
}

#[test]
fn keys_and_workspaces() {
    let place = Place::new();
    let made = place.json(&["workspace", "create", "acme"]);
    let key =
        place.json(&["key", "create", "--workspace", "acme", "--label", "ci", "--prefix", "bgl_"]);
    let id = key["workspace_id"].as_str().unwrap();
    assert_eq!((&key["workspace"], &key["workspace_id"]), (&"acme".into(), &made["workspace_id"]));
    assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(u64::from_str_radix(&id[8..], 16), Ok(2));
    let token = key["token"].as_str().unwrap().strip_prefix("bgl_").unwrap();
    assert!(token.len() >= 24 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let staff = [
        "key",
        "create",
        "--role",
        "staff",
        "--permission",
        "links.read",
        "--permission",
        "stats.read",
    ];
    let staff = place.json(&staff);
    let keys = place.json(&["key", "list"]);
    assert_eq!(keys[1]["permissions"], serde_json::json!(["links.read", "stats.read"]));
    assert!(!keys.to_string().contains(token), "a token is shown once");
    place.ok(&["key", "revoke", staff["login"].as_str().unwrap()]);
    assert_eq!(place.json(&["key", "revoke", "1"])["workspace"], "acme");
    let keys = place.json(&["key", "list"]);
    assert!(keys.as_array().unwrap().iter().all(|key| key["revoked_at"].is_string()), "{keys}");
    assert_eq!(place.json(&["key", "list", "--workspace", "acme"]).as_array().unwrap().len(), 1);
    place.ok(&["workspace", "set", "acme", "profile.LinkedIn", "https://x.example/me"]);
    let all = place.json(&["workspace", "list"]);
    assert_eq!(all[0]["workspace"], "default");
    assert_eq!(all[1]["settings"], serde_json::json!({"profile.LinkedIn": "https://x.example/me"}));
    place.ok(&["link", "add", "hi", "https://x.example/", "--workspace", "acme"]);
    place.run(&["link", "get", "hi"]).check(1, "", "not found");
}

#[test]
fn statistics_of_a_link_without_clicks() {
    let place = Place::new();
    place.ok(&["link", "add", "hi", "https://x.example/"]);
    let stats = place.json(&["stats", "hi", "--days", "3"]);
    assert_eq!((&stats["clicks"], &stats["by_day"].as_array().unwrap().len()), (&0.into(), &3));
    place.run(&["stats", "hi"]).check(0, "unique visitors", "");
    let chart = place.ok(&["stats", "hi", "--days", "2"]);
    let rows: Vec<_> = chart.lines().rev().take(2).collect();
    assert!(rows.iter().all(|row| row.starts_with("20") && row.ends_with("  0")), "{chart}");
}

#[test]
fn a_hundred_thousand_links_there_and_back() {
    let (here, there) = (Place::new(), Place::new());
    let mut text = "code,destination_url,title,tags\n".to_owned();
    for n in 0..100_000u32 {
        let code = n.wrapping_mul(2_654_435_761);
        writeln!(text, "{code:08x},https://x.example/{n}?a=b,\"Title, {n}\",\"a,b\"").unwrap();
    }
    here.write("links.csv", text);
    here.run(&["import", "links.csv"]).check(
        0,
        "created 100000, replaced 0, skipped 0, failed 0",
        "",
    );
    here.run(&["export", "out.csv"]).check(0, "", "exported 100000 links");
    fs::copy(here.path("out.csv"), there.path("in.csv")).unwrap();
    assert_eq!(there.json(&["import", "in.csv"])["created"], 100_000);
    there.ok(&["export", "out.csv"]);
    assert!(here.read("out.csv") == there.read("out.csv"), "the exports differ");
    there.ok(&["export", "out.jsonl"]);
    let again = there.run(&["import", "out.jsonl", "--on-conflict", "replace", "--dry-run"]);
    again.check(0, "created 0, replaced 100000, skipped 0, failed 0 (dry run", "");
    there.ok(&["verify"]);
}

#[test]
fn wrong_lines_are_reported_and_the_rest_goes_in() {
    let place = Place::new();
    place.write("bad.csv", b"code,destination_url\na,https://x.example/\n!,https://x.example/\nb,nowhere\n\xFF,\nc,https://x.example/,1\nd,https://x.example/\na,https://y.example/\n");
    let ran = place.run(&["import", "bad.csv", "--json"]);
    let wrong: Vec<_> = ran.err.lines().collect();
    assert_eq!(
        wrong,
        [
            "bad.csv:3:1: code: '!' can't be part of a code",
            "bad.csv:4:3: destination_url: not an absolute URL: relative URL without a base",
            "bad.csv:5:1: this is not UTF-8",
            "bad.csv:6:22: expected 2 columns as in the header, found 3",
            "bad.csv:8:1: the code a is taken",
            "waypost: bad.csv: 5 records did not go in",
        ]
    );
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.status, &summary["created"], &summary["failed"]), (1, &2.into(), &5.into()));
    place.write("no.csv", "title\nx\n");
    place.run(&["import", "no.csv"]).check(
        1,
        "",
        "no.csv:1:1: the header has no column \"code\"\n",
    );
    place.write("no.csv", "");
    place.run(&["import", "no.csv"]).check(1, "", "no.csv:1:1: the file is empty");
    place.write("many.jsonl", "x\n".repeat(1_500));
    let ran = place.run(&["import", "many.jsonl"]);
    ran.check(1, "failed 1500", "many.jsonl: … and 500 more");
    assert_eq!(ran.err.lines().count(), 1_002);
}

#[test]
fn conflicts() {
    let place = Place::new();
    let import = |text: &str, more: &[&str]| {
        place.run_with(&[&["import", "-", "--format", "csv"], more].concat(), text)
    };
    let lead =
        |code: &str, to: &str| format!("code,destination_url\n{code},https://{to}.example/\n");
    let leads = || place.json(&["link", "get", "a"])["destination_url"].clone();
    import(&lead("a", "one"), &["--dry-run"]).check(0, "created 1", "");
    place.run(&["link", "get", "a"]).check(1, "", "not found");
    import(&lead("a", "one"), &[]).check(0, "created 1", "");
    import(&lead("a", "two"), &[]).check(1, "failed 1", "-:2:1: the code a is taken");
    import(&lead("a", "two"), &["--on-conflict", "skip"]).check(0, "skipped 1", "");
    assert_eq!(leads(), "https://one.example/");
    import(&lead("a", "two"), &["--on-conflict", "replace"]).check(0, "replaced 1", "");
    assert_eq!(
        (leads(), place.json(&["link", "get", "a"])["id"].clone()),
        ("https://two.example/".into(), 1.into())
    );
    import(&lead("a", "x"), &["--on-conflict", "perhaps"]).check(2, "", "invalid value");
}

#[test]
fn bare_redirects() {
    let place = Place::new();
    place.write("_redirects", "# mine\n/a https://x.example/ 307\n/* https://x.example/\n");
    place.run(&["import", "_redirects"]).check(
        1,
        "created 1",
        "_redirects:3:1: a short link has no splat",
    );
    place.write("go.map", "/b \"https://y.example/;\";\n");
    place.run(&["import", "go.map"]).check(0, "created 1", "");
    place.ok(&["link", "add", "locked", "https://z.example/", "--set", "password=letmein"]);
    let netlify = place.run(&["export", "-", "--format", "netlify"]);
    netlify.check(0, "", "1 links were left out");
    assert_eq!(netlify.out, "/a https://x.example/ 307\n/b https://y.example/; 302\n");
    let map = place.run(&["export", "-", "--format", "nginx-map"]);
    map.check(0, "/a https://x.example/;\n/b \"https://y.example/;\";\n", "1 links have options");
}

#[test]
fn a_copy_is_a_store() {
    let place = Place::new();
    place.ok(&["link", "add", "hi", "https://example.com/"]);
    let copy = |to: &str| place.run(&["copy", "--from", "lmdb:store", "--to", to]);
    for (to, status, err) in [
        ("copy", 2, "--to: a store is lmdb:DIR or postgres://"),
        ("lmdb:", 2, "--to: a store is lmdb:DIR or postgres://"),
        ("postgres://x/y?sslmode=never", 2, "--to: sslmode is"),
        ("lmdb:store", 1, "another server"),
    ] {
        copy(to).check(status, "", err);
    }
    let segment = "0000000000000001-00000000000000000000000000000001-00000001.journal";
    fs::create_dir(place.path("store/journal")).unwrap();
    place.write(&format!("store/journal/{segment}"), [0; 45]);
    copy("lmdb:copy").check(1, "", "the journal has clicks that are not stored yet");
    fs::remove_dir_all(place.path("store/journal")).unwrap();
    copy("lmdb:copy").check(0, "both sides are the same", "");
    copy("lmdb:copy").check(1, "", "the target holds something already");
    let listed = |store: &str| place.ok(&["link", "list", "--json", "--data", store]);
    assert_eq!(listed("copy"), listed("store"));
}

#[test]
fn a_backup_is_a_store() {
    let place = Place::new();
    place.ok(&["link", "add", "hi", "https://x.example/"]);
    place.ok(&["backup", "copy"]);
    assert_eq!(place.json(&["link", "get", "hi", "--data", "copy"])["code"], "hi");
    place.run(&["backup", "copy"]).check(1, "", "copy");
}

#[test]
fn a_store_of_another_version_or_cut_off_is_refused() {
    let place = Place::new();
    place.ok(&["link", "add", "hi", "https://x.example/"]);
    let file = place.path("store/links/data.mdb");
    let whole = fs::read(&file).unwrap();
    let mut newer = whole.clone();
    for meta in [0, 4_096] {
        newer[meta + 20] = 2;
    }
    fs::write(&file, &newer).unwrap();
    place.run(&["link", "list"]).check(1, "", "was written by another LMDB");
    assert!(fs::read(&file).unwrap() == newer, "a refused store was written to");
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    place.run(&["link", "list"]).check(1, "", "corrupt");
    fs::write(&file, &whole).unwrap();
    place.run(&["link", "list"]).check(0, "hi", "");
}
