//! The page between a link and its destination: it runs the owner's tags, fires pixels, tries the
//! app, and leads on.
//!
//! It leaves a second after everything has loaded, and after 1.8 seconds whatever still hasn't: a
//! tracker that hangs may cost its owner a figure, never a visitor. An app is tried at once, or
//! half a second later where tags were promised to run; if the page is still seen after 1.8 seconds
//! nothing took over, and it goes on to the web. Without scripts the refresh alone leads on.

use maud::{Markup, PreEscaped, html};
use waypost_link::{Placement, Script};
use waypost_redirect::Interstitial;

use super::{Page, Policy, page, pixels};

/// Leads on. It stands before everything else that may run, so that nothing can hold it up.
pub(super) const LEAVE: &str = include_str!("leave.js");

/// Milliseconds that tags have before an app takes over.
const BEFORE_APP: u32 = 500;

/// The page; `sandboxed` keeps its tags off this origin.
pub(crate) fn interstitial(asked: &Interstitial<'_>, sandboxed: bool) -> Page {
    let tagged = !(asked.scripts.is_empty() && asked.pixels.is_empty());
    let policy = if tagged { Policy::Tags { sandboxed } } else { Policy::strict() };
    let head = html! {
        (leave(asked, tagged, policy.nonce()))
        (pixels::tags(asked.pixels))
        @for script in at(asked.scripts, Placement::Head) { (tag(script)) }
    };
    let body = html! {
        main.short {
            h1 { "One moment" }
            @if let Some(app) = asked.app {
                p { a.button href=(app.url(asked.location)) rel="noreferrer" { "Open the app" } }
                p { a href=(asked.location) rel="noreferrer" { "Go on in the browser" } }
            } @else {
                p { a.button href=(asked.location) rel="noreferrer" { "Go on" } }
            }
        }
        @for script in at(asked.scripts, Placement::Body) { (tag(script)) }
    };
    page("One moment", &policy, &head, &body)
}

/// What leads on; with an app no refresh, which would take the visitor away from a page that the app covers.
fn leave(asked: &Interstitial<'_>, tagged: bool, nonce: Option<&str>) -> Markup {
    let refresh = html! {
        meta http-equiv="refresh" content=(format!("1;url={}", asked.location));
    };
    let app = asked.app.map(|app| app.url(asked.location));
    let wait = app.as_ref().map(|_| if tagged { BEFORE_APP } else { 0 });
    html! {
        @if app.is_some() { noscript { (refresh) } } @else { (refresh) }
        script nonce=[nonce] data-web=(asked.location) data-app=[app] data-wait=[wait] {
            (PreEscaped(LEAVE))
        }
    }
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

#[cfg(test)]
mod tests {
    use waypost_link::{LinkId, Pixel};
    use waypost_redirect::App;

    use super::*;

    const HOSTILE: &str = "https://example.com/?a=1&b='x'\"><script>alert(1)</script>;</script>";

    fn asked<'a>(scripts: &'a [Script], pixels: &'a [Pixel], app: Option<App>) -> Interstitial<'a> {
        Interstitial { link: LinkId(1), location: HOSTILE, scripts, pixels, app }
    }

    fn script(text: &str) -> Script {
        Script { id: String::new(), placement: Placement::Head, script: text.to_owned() }
    }

    #[test]
    fn no_destination_breaks_out() {
        for app in [None, Some(App::Ios), Some(App::Android)] {
            let page = interstitial(&asked(&[], &[], app), true);
            assert!(!page.html.contains("<script>alert"), "{}", page.html);
            assert_eq!(page.html.matches("<script").count(), 1);
            let escaped = "https://example.com/?a=1&amp;b='x'&quot;&gt;&lt;script&gt;";
            assert!(page.html.contains(&format!("data-web=\"{escaped}")));
            assert!(page.html.contains(&format!("content=\"1;url={escaped}")));
            assert!(page.html.contains(&format!("href=\"{escaped}")));
        }
    }

    #[test]
    fn the_policy_is_loose_only_for_tags() {
        let (tags, pixel) = ([script("x()")], [pixels::tests::pixel("meta", "1")]);
        let loose = "script-src https: 'unsafe-inline'";
        for (scripts, pixels, expected) in [
            (&[][..], &[][..], "script-src 'nonce-"),
            (&tags[..], &[][..], loose),
            (&[][..], &pixel[..], loose),
        ] {
            for sandboxed in [true, false] {
                let page = interstitial(&asked(scripts, pixels, Some(App::Ios)), sandboxed);
                assert!(page.policy.contains(expected), "{}", page.policy);
                let sandbox = "; sandbox allow-scripts allow-top-navigation allow-popups";
                assert_eq!(page.policy.contains(sandbox), sandboxed && expected == loose);
            }
        }
    }

    #[test]
    fn an_app_is_tried_before_the_web() {
        let tags = [script("x()")];
        for (scripts, app, texts) in [
            (&[][..], Some(App::Ios), ["data-wait=\"0\"", "com.amazon.mobile.shopping.web://"]),
            (&tags[..], Some(App::Android), ["data-wait=\"500\"", "data-app=\"intent://"]),
        ] {
            let html = interstitial(&asked(scripts, &[], app), true).html;
            for text in texts.into_iter().chain(["<noscript><meta http-equiv=\"refresh\""]) {
                assert!(html.contains(text), "{text}: {html}");
            }
        }
        let html = interstitial(&asked(&tags, &[], None), true).html;
        assert!(!html.contains("data-app") && !html.contains("<noscript>"));
    }

    #[test]
    fn it_stands_before_what_may_hang() {
        let tags = [script("https://slow.example/x.js")];
        let html = interstitial(&asked(&tags, &[], None), true).html;
        let place = |text: &str| html.find(text).expect(text);
        assert!(place("location.replace") < place("slow.example"));
    }

    #[test]
    fn scripts_in_three_forms() {
        for (text, html) in [
            ("<script>a()</script>", "<script>a()</script>"),
            (
                "https://cdn.example/x.js",
                "<script src=\"https://cdn.example/x.js\" async></script>",
            ),
            ("a('</script>')", "<script>a('<\\/script>')</script>"),
        ] {
            assert_eq!(tag(&script(text)).into_string(), html);
        }
    }
}
