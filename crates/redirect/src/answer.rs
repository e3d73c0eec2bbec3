//! What the engine decides: values, from which somebody else makes bytes and pages.

use waypost_link::{LinkId, Pixel, Script, WorkspaceId};

use crate::App;

/// `Allow` of a resolver path without a password.
pub(crate) const GET_HEAD: &str = "GET, HEAD";
/// `Allow` where a password may be posted.
pub(crate) const GET_HEAD_POST: &str = "GET, HEAD, POST";

/// The answer to a request, borrowed from the [`Scratch`](crate::Scratch) of its decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer<'a> {
    /// A plain redirect.
    Redirect(Redirect<'a>),
    /// 200 and a page on the way to the destination.
    Interstitial(Interstitial<'a>),
    /// 404: unknown, inactive, not yet valid, expired, or out of clicks. Nobody learns which.
    NotFound(NotFound<'a>),
    /// 404 `Domain not registered`.
    DomainNotRegistered {
        /// Whether the client asked for JSON.
        json: bool,
    },
    /// 405.
    MethodNotAllowed {
        /// The value of `Allow`.
        allow: &'static str,
    },
    /// The page that asks for the link's password.
    PasswordForm(PasswordForm<'a>),
    /// Not an answer yet: check the password against this hash, off the coroutine, then go on with
    /// [`Engine::passed`](crate::Engine::passed) or [`Answer::WRONG_PASSWORD`].
    PasswordCheck(PasswordCheck<'a>),
    /// Not an answer yet: this node has spent what it was lent of the link's click limit. Have more lent, off the
    /// coroutine, then decide again, or answer 503. Only where nodes share a store.
    LeaseSpent(LinkId),
    /// 429: more than five tries a minute at this link's password.
    TooManyTries {
        /// Seconds until the next try: `Retry-After`.
        retry_after: u32,
    },
    /// 200 and the public statistics page of a link.
    Stats(StatsPage<'a>),
}

/// A plain redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirect<'a> {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// `Location`: visible ASCII.
    pub location: &'a str,
}

impl Redirect<'_> {
    /// The value of `Cache-Control`: short for permanent redirects, nothing for the others so that every click is
    /// seen (SPEC 3.4).
    ///
    /// ```
    /// use waypost_redirect::Redirect;
    /// let control = |status| Redirect { status, location: "https://example.com/" }.cache_control();
    /// assert_eq!(control(302), "private, no-store");
    /// assert_eq!(control(308), "private, max-age=300");
    /// ```
    pub const fn cache_control(&self) -> &'static str {
        match self.status {
            301 | 308 => "private, max-age=300",
            _ => "private, no-store",
        }
    }
}

/// A page on the way to the destination, with something to run first. The page is never cached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interstitial<'a> {
    /// The link.
    pub link: LinkId,
    /// Where it goes on to: visible ASCII.
    pub location: &'a str,
    /// The link's retargeting scripts, to be sent verbatim.
    pub scripts: &'a [Script],
    /// The workspace's active pixels.
    pub pixels: &'a [Pixel],
    /// The app to try first.
    pub app: Option<App>,
}

/// What a 404 says, and in which shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFound<'a> {
    /// Whether to answer JSON: under `/track/`, or the client asked for it. A page otherwise.
    pub json: bool,
    /// The code asked for, decoded where it could be (`tracking_id`); empty where the path names none. A stranger
    /// chose it: escape it.
    pub code: &'a str,
}

/// The page that asks for a link's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordForm<'a> {
    /// Whether this answers a wrong password: 401 rather than 200.
    pub wrong: bool,
    /// The code that the form posts to, where that isn't the URL asked for: a rotator's would pick another link.
    pub code: Option<&'a str>,
}

impl PasswordForm<'_> {
    /// 200 or 401.
    pub const fn status(&self) -> u16 {
        if self.wrong { 401 } else { 200 }
    }
}

/// A password to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCheck<'a> {
    /// The link.
    pub link: LinkId,
    /// The Argon2id hash in PHC form that [`Facts::password`](crate::Facts::password) has to fit.
    pub hash: &'a str,
}

/// The public statistics page of a link. It shows clicks, not where the link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatsPage<'a> {
    /// The link.
    pub link: LinkId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// Its code, decoded.
    pub code: &'a str,
}

impl Answer<'_> {
    /// What a password that doesn't fit is answered: 401 and the page again.
    pub const WRONG_PASSWORD: Answer<'static> =
        Answer::PasswordForm(PasswordForm { wrong: true, code: None });

    /// Every value of [`Answer::outcome`].
    pub const OUTCOMES: [&'static str; 8] = [
        "redirect",
        "interstitial",
        "not_found",
        "domain_not_registered",
        "method_not_allowed",
        "password",
        "stats",
        "unavailable",
    ];

    /// The name that metrics count this answer under.
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Redirect(_) => "redirect",
            Self::Interstitial(_) => "interstitial",
            Self::NotFound(_) => "not_found",
            Self::DomainNotRegistered { .. } => "domain_not_registered",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::PasswordForm(_) | Self::PasswordCheck(_) | Self::TooManyTries { .. } => {
                "password"
            }
            Self::Stats(_) => "stats",
            Self::LeaseSpent(_) => "unavailable",
        }
    }

    /// The HTTP status; `None` for [`Answer::PasswordCheck`] and [`Answer::LeaseSpent`], which aren't one yet.
    pub const fn status(&self) -> Option<u16> {
        Some(match self {
            Self::Redirect(redirect) => redirect.status,
            Self::Interstitial(_) | Self::Stats(_) => 200,
            Self::NotFound(_) | Self::DomainNotRegistered { .. } => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::PasswordForm(form) => form.status(),
            Self::TooManyTries { .. } => 429,
            Self::PasswordCheck(_) | Self::LeaseSpent(_) => return None,
        })
    }
}
