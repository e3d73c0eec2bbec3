//! `waypost domain`: registered, taken for proven, listed, given up.

use serde_json::json;

use crate::place::Place;

#[test]
fn from_registration_to_the_end() {
    let place = Place::new();
    let pending = place.ok(&["domain", "add", "Go.Acme.com"]);
    let proof = "go.acme.com pending\nproven by http://go.acme.com/.well-known/waypost/";
    assert!(pending.starts_with(proof), "{pending}");
    place.run(&["domain", "add", "go.acme.com"]).check(1, "", "go.acme.com is taken");
    let active = place.json(&["domain", "add", "go.acme.com", "--active"]);
    assert_eq!((&active["id"], &active["status"]), (&json!(1), &json!("active")));
    place.ok(&["link", "add", "sale", "https://acme.example/", "--domain", "go.acme.com"]);
    let named = place.ok(&["link", "get", "go.acme.com/sale"]);
    assert!(named.contains("go.acme.com/sale"), "{named}");
    place.ok(&["domain", "add", "b.acme.com", "--active"]);
    let list = place.json(&["domain", "list"]);
    let hosts = [&list[0]["hostname"], &list[1]["hostname"]];
    assert_eq!(hosts, [&json!("b.acme.com"), &json!("go.acme.com")]);
    assert_eq!(place.ok(&["domain", "rm", "go.acme.com"]), "go.acme.com\n");
    assert_eq!(place.json(&["domain", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn what_is_refused() {
    let place = Place::new();
    place.ok(&["domain", "add", "a.localhost"]);
    place.ok(&["workspace", "create", "other"]);
    place.ok(&["workspace", "set", "other", "plan", "free"]);
    for (arguments, status, out, err) in [
        (&["domain"][..], 2, "", "Usage: waypost"),
        (&["domain", "add", "1.2.3.4"], 1, "", "hostname: a name such as"),
        (&["domain", "add", "localhost"], 1, "", "localhost is reserved"),
        (&["domain", "verify", "none.example"], 1, "", "domain \"none.example\" not found"),
        (&["domain", "rm", "none.example"], 1, "", "domain \"none.example\" not found"),
        (&["domain", "verify", "a.localhost"], 1, "a.localhost pending", "a.localhost is pending"),
        (
            &["domain", "add", "x.example", "--provider", "cloudflare"],
            1,
            "",
            "cloudflare_zone and cloudflare_token are not set",
        ),
        (&["domain", "add", "x.example", "--workspace", "none"], 1, "", "\"none\" not found"),
        (
            &["domain", "add", "x.example", "--workspace", "other"],
            1,
            "",
            "the plan includes no custom domains",
        ),
        (
            &["domain", "add", "a.localhost", "--active", "--workspace", "other"],
            1,
            "",
            "the plan includes no custom domains",
        ),
    ] {
        place.run(arguments).check(status, out, err);
    }
}
