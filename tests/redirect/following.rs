//! A running server follows what other processes change, within a second.

use crate::support::{Data, await_that};

#[test]
fn add_change_rename_remove() {
    let data = Data::new();
    let server = data.serve();
    assert_eq!(server.get("/hi").status, 404);
    let printed = data.ok(&["link", "add", "hi", "https://example.com/"]);
    assert!(printed.contains("/hi"), "{printed}");
    server.await_link("hi");
    assert_eq!(server.get("/hi").field("location"), Some("https://example.com/"));
    data.ok(&["link", "set", "hi", "destination_url=https://example.org/"]);
    let leads = |to: &str| server.get("/hi").field("location") == Some(to);
    await_that(|| leads("https://example.org/"), "the new destination");
    data.ok(&["link", "set", "hi", "code=ho"]);
    server.await_link("ho");
    assert_eq!(server.get("/hi").status, 404);
    data.ok(&["link", "rm", "ho"]);
    await_that(|| server.get("/ho").status == 404, "the link to be gone");
}

#[test]
fn a_code_may_be_any_script() {
    let data = Data::new();
    data.ok(&["link", "add", "café", "https://example.com/coffee"]);
    data.ok(&["link", "add", "🎉", "https://example.com/party"]);
    let server = data.serve();
    for path in ["/caf%C3%A9", "/cafe%CC%81", "/%F0%9F%8E%89"] {
        assert_eq!(server.get(path).status, 302, "{path}");
    }
    assert_eq!(server.get("/CAF%C3%A9").status, 404);
}
