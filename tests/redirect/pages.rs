//! Pages that a visitor meets, with the counts that are on them.

use crate::support::{Data, await_that, exchange};

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

#[test]
fn public_statistics_count_what_was_clicked() {
    let data = Data::new();
    let title = ["--title", "<b>A & B</b>"];
    let switches = ["--set", "plus_tracking=true", "--set", "public_tracking=true"];
    data.ok(
        &[&["link", "add", "shown", "https://example.com/secret"], &title[..], &switches].concat()
    );
    data.ok(&["link", "add", "hidden", "https://example.com/", "--set", "plus_tracking=true"]);
    let server = data.serve();
    for country in ["DE", "DE", "FR"] {
        let request = format!(
            "GET /shown HTTP/1.1\r\nHost: a\r\nCF-IPCountry: {country}\r\nUser-Agent: {IPHONE}\r\n\
             Referer: https://news.example/<script>\r\n\r\n"
        );
        assert_eq!(exchange(server.address, request).expect("an answer").status, 302);
    }
    let counted = || server.get("/shown+").body.contains("<dt>Clicks</dt><dd>3</dd>");
    await_that(counted, "the clicks to be shown");
    let page = server.get("/shown+");
    assert_eq!((page.status, page.field("x-content-type-options")), (200, Some("nosniff")));
    for text in [
        "<h1>&lt;b&gt;A &amp; B&lt;/b&gt;</h1>",
        "<dt>Visitors</dt><dd>1</dd>",
        "The last 30 days",
        "DE<svg",
        "FR<svg",
        "news.example<svg",
        "Safari<svg",
        "Mobile<svg",
    ] {
        assert!(page.body.contains(text), "{text} is not in {}", page.body);
    }
    assert_eq!(page.body.matches("<rect").count(), 30 + 5);
    assert!(!page.body.contains("secret") && !page.body.contains("<script"));
    assert!(page.body.len() < 20 * 1024);
    assert_eq!(server.get("/hidden+").status, 404);
    // Looking is no click.
    assert!(server.stop().success());
    data.await_clicks("shown", 3);
}

#[test]
fn phones_try_the_app() {
    let data = Data::new();
    let product = "https://www.amazon.com/dp/B08N5WRWNW";
    data.ok(&["link", "add", "a", product, "--set", "asin=B08N5WRWNW"]);
    let server = data.serve();
    let ask = |agent: &str| {
        let request = format!("GET /a HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\n\r\n");
        exchange(server.address, request).expect("an answer")
    };
    let web = "https://www.amazon.com/dp/B08N5WRWNW?linkCode=ll1&amp;ascsubtag=link-a-US";
    for (agent, app) in [
        (IPHONE, "com.amazon.mobile.shopping.web://www.amazon.com/dp/B08N5WRWNW?"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8)", "intent://www.amazon.com/dp/B08N5WRWNW?"),
    ] {
        let page = ask(agent);
        assert_eq!(page.status, 200);
        for text in [format!("data-app=\"{app}"), format!("data-web=\"{web}\"")] {
            assert!(page.body.contains(&text), "{text} is not in {}", page.body);
        }
        let policy = page.field("content-security-policy").expect("a policy");
        assert!(policy.contains("script-src 'nonce-"), "{policy}");
    }
    assert_eq!(ask("Mozilla/5.0 (Windows NT 10.0; Win64; x64)").status, 302);
}
