//! The form that asks for a link's password (SPEC 3.3).

use maud::html;
use waypost_link::Slug;
use waypost_redirect::PasswordForm;

use super::{Page, Policy, page};

/// The form; it posts to the URL it stands at, or to the link that a rotator picked.
pub(crate) fn password(form: &PasswordForm<'_>) -> Page {
    let action = form.code.and_then(|code| Slug::parse(code).ok());
    let action = action.map(|slug| format!("/{}", slug.encoded()));
    let body = html! {
        main.short {
            h1 { "This link has a password" }
            @if form.wrong { p role="alert" { "That was not it. Try again." } }
            form method="post" action=[action] {
                label { "Password" input type="password" name="password" autocomplete="off" required autofocus; }
                button { "Go on" }
            }
        }
    };
    page("Password", &Policy::strict(), &html! {}, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
