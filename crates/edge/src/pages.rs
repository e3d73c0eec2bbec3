//! The pages that a visitor may meet: small, without a foreign byte, readable on a phone.
//!
//! Everything that a stranger chose is escaped by the template. Nothing runs but what carries the
//! page's nonce; an interstitial alone sends its owner's scripts verbatim, as SPEC 3.8 says.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use waypost_link::{Placement, Script};
use waypost_redirect::{Interstitial, PasswordForm};

/// A page and the Content-Security-Policy it is to be sent under.
pub(crate) struct Page {
    /// The HTML.
    pub(crate) html: String,
    /// The policy.
    pub(crate) policy: String,
}

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;\
color-scheme:light dark}input,button{font:inherit;padding:.4rem .6rem}";

/// A page that says one thing.
pub(crate) fn message(title: &str, text: &str) -> Page {
    page(title, &html! { h1 { (title) } p { (text) } })
}

/// The form that asks for a link's password; it posts to the URL it stands at.
pub(crate) fn password(form: &PasswordForm<'_>) -> Page {
    let action = form.code.and_then(|code| waypost_link::Slug::parse(code).ok());
    let action = action.map(|slug| format!("/{}", slug.encoded()));
    page(
        "Password",
        &html! {
            h1 { "This link has a password" }
            @if form.wrong { p role="alert" { "That was not it. Try again." } }
            form method="post" action=[action] {
                label { "Password " input type="password" name="password" required autofocus; }
                " " button { "Go on" }
            }
        },
    )
}

/// The page that runs a link's scripts and leads on. `sandboxed` keeps them off this origin.
pub(crate) fn interstitial(page: &Interstitial<'_>, sandboxed: bool) -> Page {
    let location = page.location;
    let leave = format!("1;url={location}");
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="robots" content="noindex";
                meta http-equiv="refresh" content=(leave);
                title { "One moment" }
                style { (PreEscaped(STYLE)) }
                @for script in at(page.scripts, Placement::Head) { (tag(script)) }
            }
            body {
                p { a href=(location) rel="noreferrer" { "Go on" } }
                @for script in at(page.scripts, Placement::Body) { (tag(script)) }
            }
        }
    };
    let sandbox =
        if sandboxed { "; sandbox allow-scripts allow-top-navigation allow-popups" } else { "" };
    let policy = format!(
        "default-src https: data:; script-src https: 'unsafe-inline'; style-src 'unsafe-inline'; \
         frame-ancestors 'none'; base-uri 'none'{sandbox}"
    );
    Page { html: html.into_string(), policy }
}

fn at(scripts: &[Script], place: Placement) -> impl Iterator<Item = &Script> {
    scripts.iter().filter(move |script| script.placement == place)
}

/// A full tag stands as it is, a URL is wrapped, code is put inline.
fn tag(script: &Script) -> Markup {
    let text = script.script.trim();
    let url = text.starts_with("https://") || text.starts_with("http://");
    if text.starts_with('<') {
        PreEscaped(text.to_owned())
    } else if url && !text.contains(char::is_whitespace) {
        html! { script src=(text) async {} }
    } else {
        html! { script { (PreEscaped(text.replace("</", "<\\/"))) } }
    }
}

fn page(title: &str, body: &Markup) -> Page {
    let nonce = nonce();
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    // No form-action: it would also hold for where a right password leads, which may be an app.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'"
    );
    Page { html: html.into_string(), policy }
}

/// 128 bits that nobody can guess; without randomness none, and then the style is not applied.
fn nonce() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => format!("{:032x}", u128::from_ne_bytes(bytes)),
        Err(_) => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_chose_is_escaped() {
        let page = message("<script>", "\"><img onerror=x>");
        assert!(!page.html.contains("<script>") && !page.html.contains("<img"));
        let location = "https://example.com/?a=1&b='x'";
        let leads = interstitial(
            &Interstitial {
                link: waypost_link::LinkId(1),
                location,
                scripts: &[],
                pixels: &[],
                app: None,
            },
            true,
        );
        assert!(leads.html.contains("https://example.com/?a=1&amp;b='x'"));
        assert!(leads.policy.contains("sandbox allow-scripts"));
    }

    #[test]
    fn a_password_is_posted_where_it_was_asked_for() {
        for (wrong, code, expected) in [
            (false, None, "<form method=\"post\"><label>"),
            (true, None, "<p role=\"alert\">"),
            (false, Some("hi"), "action=\"/hi\""),
            (false, Some("café"), "action=\"/caf%C3%A9\""),
            (false, Some("\"><script>"), "<form method=\"post\"><label>"),
        ] {
            let html = password(&PasswordForm { wrong, code }).html;
            assert!(html.contains(expected) && !html.contains("<script"), "{html}");
            assert_eq!(html.contains("role=\"alert\""), wrong);
        }
    }

    #[test]
    fn scripts_in_three_forms() {
        let script = |text: &str| {
            tag(&Script { id: String::new(), placement: Placement::Head, script: text.to_owned() })
                .into_string()
        };
        for (text, html) in [
            ("<script>a()</script>", "<script>a()</script>"),
            (
                "https://cdn.example/x.js",
                "<script src=\"https://cdn.example/x.js\" async></script>",
            ),
            ("a('</script>')", "<script>a('<\\/script>')</script>"),
        ] {
            assert_eq!(script(text), html);
        }
    }

    #[test]
    fn a_nonce_is_used_once() {
        assert_ne!(message("a", "b").policy, message("a", "b").policy);
    }
}
