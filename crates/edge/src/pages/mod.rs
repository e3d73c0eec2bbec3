//! The pages that a visitor may meet: small, without a foreign byte, readable on a phone.
//!
//! Everything that a stranger chose is escaped by the template, and stands in text and attributes
//! only: the scripts are constants that read what they need from attributes, so nothing is ever
//! spelled into code. What runs carries the page's nonce; an interstitial alone sends its owner's
//! tags verbatim, as SPEC 3.8 says.

mod bookmarklet;
mod chart;
mod interstitial;
mod password;
mod pixels;
mod statistics;

pub(crate) use bookmarklet::bookmarklet;
pub(crate) use interstitial::interstitial;
use maud::{DOCTYPE, Markup, PreEscaped, html};
pub(crate) use password::password;
pub(crate) use statistics::statistics;

/// A page and the Content-Security-Policy it is to be sent under.
pub(crate) struct Page {
    /// The HTML.
    pub(crate) html: String,
    /// The policy.
    pub(crate) policy: String,
}

const STYLE: &str = include_str!("style.css");

/// A page that says one thing.
pub(crate) fn message(title: &str, text: &str) -> Page {
    let policy = Policy::strict();
    let body = html! { main.short { h1 { (title) } p { (text) } } };
    page(title, &policy, &html! {}, &body)
}

/// What a page may load and run.
enum Policy {
    /// Nothing but its own style and scripts, which carry this nonce, and what `beside` adds.
    Strict { nonce: String, beside: &'static str },
    /// Its owner's tags as they are (SPEC 3.8), off this origin where `sandboxed`.
    Tags { sandboxed: bool },
}

impl Policy {
    fn strict() -> Self {
        Self::with("")
    }

    /// Strict, but for further directives, each after `; `.
    fn with(beside: &'static str) -> Self {
        Self::Strict { nonce: nonce(), beside }
    }

    fn nonce(&self) -> Option<&str> {
        match self {
            Self::Strict { nonce, .. } => Some(nonce),
            Self::Tags { .. } => None,
        }
    }

    /// The header's value. No form-action unless a page adds it: it would also hold for where a right password
    /// leads, which may be an app.
    fn header(&self) -> String {
        const COMMON: &str = "frame-ancestors 'none'; base-uri 'none'";
        match self {
            Self::Strict { nonce, beside } => format!(
                "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
                 {COMMON}{beside}"
            ),
            Self::Tags { sandboxed } => {
                let sandbox = "; sandbox allow-scripts allow-top-navigation allow-popups";
                let sandbox = if *sandboxed { sandbox } else { "" };
                format!(
                    "default-src https: data:; script-src https: 'unsafe-inline'; \
                     style-src https: 'unsafe-inline'; {COMMON}{sandbox}"
                )
            }
        }
    }
}

/// The frame that all pages share; `head` comes after the style.
fn page(title: &str, policy: &Policy, head: &Markup, body: &Markup) -> Page {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style nonce=[policy.nonce()] { (PreEscaped(STYLE)) }
                (head)
            }
            body { (body) }
        }
    };
    Page { html: html.into_string(), policy: policy.header() }
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
    }

    #[test]
    fn a_nonce_is_used_once_and_only_where_it_holds() {
        let (one, other) = (message("a", "b"), message("a", "b"));
        assert_ne!(one.policy, other.policy);
        let nonce = one.policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next());
        let style = format!("<style nonce=\"{}\">", nonce.expect("a nonce"));
        assert!(one.html.contains(&style));
        // Beside a nonce, browsers ignore 'unsafe-inline'.
        assert!(!Policy::Tags { sandboxed: true }.header().contains("nonce"));
    }

    #[test]
    fn constants_end_no_element() {
        for text in [STYLE, interstitial::LEAVE, bookmarklet::SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
    }
}
