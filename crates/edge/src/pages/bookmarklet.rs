//! `/bookmarklet` (SPEC 6): a bookmark that shortens the page one looks at, and the page that it opens.
//!
//! The bookmark opens this page with the address to shorten behind `#`, which no browser sends; the
//! page then asks `makeLink` of its own server and shows the answer. So it works on sites that forbid
//! foreign requests, and neither history nor a log gets a password. Login and password may be built into the
//! bookmark: that happens here, in the page, and nothing is sent for it.

use maud::{PreEscaped, html};

use super::{Page, Policy, page};

/// What the page does.
pub(super) const SCRIPT: &str = include_str!("bookmarklet.js");

/// The page.
pub(crate) fn bookmarklet() -> Page {
    let policy = Policy::with("; connect-src 'self'; form-action 'none'");
    let body = html! {
        main.short {
            h1 { "Shorten this page" }
            form #form {
                label { "API login" input name="login" autocomplete="username" required; }
                label {
                    "API password"
                    input name="pass" type="password" autocomplete="current-password" required;
                }
                label {
                    "Address to shorten"
                    input name="external_url" type="url" maxlength="8192" required
                        placeholder="https://";
                }
                button { "Shorten" }
            }
            p #said role="status" {}
            h2 { "The bookmark" }
            p { a.button #mark href="#" { "Shorten" } }
            p.soft {
                "Drag this button to your bookmarks, or save it as one. On any page it opens this one and "
                "shortens that page's address. Login and password, where they are filled in above, become "
                "part of the bookmark; nothing is sent for that. A page could read them as you press it: use a key "
                "that may only make links, or leave them empty to be asked each time."
            }
            noscript { p role="alert" { "The bookmark needs JavaScript." } }
            script nonce=[policy.nonce()] { (PreEscaped(SCRIPT)) }
        }
    };
    page("Bookmarklet", &policy, &html! {}, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_talks_to_its_own_server_alone() {
        let page = bookmarklet();
        let nonce = page.policy.split("script-src 'nonce-").nth(1).expect("a nonce");
        let nonce = nonce.split('\'').next().unwrap_or_default();
        assert!(page.html.contains(&format!("<script nonce=\"{nonce}\">")));
        for text in ["default-src 'none'", "connect-src 'self'", "form-action 'none'"] {
            assert!(page.policy.contains(text), "{}", page.policy);
        }
        for text in ["/api/v1_0/makeLink", "'javascript:'", "name=\"pass\""] {
            assert!(page.html.contains(text), "{text}");
        }
        assert!(page.html.len() < 20 * 1024);
    }
}
