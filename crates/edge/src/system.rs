//! The paths that are the server's own, and what they answer: a row each.
//!
//! Where a path is not served on a listener it is an ordinary path to the resolver, which knows no
//! link of that name: these words are reserved.

use waypost_h1::{Outcome, Reply};

use crate::Ready;

/// A path of the server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    /// `/healthz`: the process is alive.
    Health,
    /// `/readyz`: index and store are there.
    Ready,
    /// `/metrics`
    Metrics,
    /// `/robots.txt`
    Robots,
    /// `/favicon.ico`: every browser asks for it, no short link has one.
    Favicon,
    /// `/bookmarklet`: it talks to the API, and so lives where the API does.
    Bookmarklet,
}

/// Every crawler may follow every link: previews in chats and timelines are made by crawlers that
/// ask first, and what a link leads to has rules of its own.
const ROBOTS: &str = "User-agent: *\nDisallow:\n";

/// What `/readyz` says where the store was not reached since the start.
const SNAPSHOT: &str = "the store does not answer; links are those of the local snapshot\n";

/// A day: neither changes while a server runs.
const FOR_A_DAY: &str = "public, max-age=86400";

impl System {
    /// What `path` asks for.
    #[inline]
    pub(crate) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/robots.txt" => Self::Robots,
            "/favicon.ico" => Self::Favicon,
            "/bookmarklet" => Self::Bookmarklet,
            _ => return None,
        })
    }

    /// Whether a listener serves it, by what else it serves.
    #[inline]
    pub(crate) fn is_on(self, redirects: bool, admin: bool) -> bool {
        match self {
            Self::Health | Self::Ready => true,
            Self::Metrics | Self::Bookmarklet => admin,
            Self::Robots | Self::Favicon => redirects,
        }
    }

    /// The answers that depend on nothing.
    pub(crate) fn plain(self, reply: Reply<'_>) -> Outcome {
        match self {
            Self::Robots => {
                let reply = reply.status(200).header("Content-Type", PLAIN);
                reply.header("Cache-Control", FOR_A_DAY).body(ROBOTS.as_bytes())
            }
            Self::Favicon => reply.status(404).header("Cache-Control", FOR_A_DAY).empty(),
            _ => line(200, "ok\n", reply),
        }
    }
}

/// `/readyz`: 200, or 503 with the part that is missing.
pub(crate) fn ready(ready: Ready, reply: Reply<'_>) -> Outcome {
    match ready {
        Ready::Whole => line(200, "ready\n", reply),
        Ready::ReadOnly => line(200, "ready, but the store takes no changes\n", reply),
        Ready::Away => line(503, "the store does not answer\n", reply),
        Ready::OnSnapshot => line(503, SNAPSHOT, reply),
    }
}

/// `/metrics`: this page.
pub(crate) fn metrics(page: &str, reply: Reply<'_>) -> Outcome {
    let reply = reply.status(200).header("Content-Type", PROMETHEUS);
    reply.header("Cache-Control", "no-store").body(page.as_bytes())
}

const PLAIN: &str = "text/plain; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

fn line(status: u16, text: &str, reply: Reply<'_>) -> Outcome {
    let reply = reply.status(status).header("Content-Type", PLAIN);
    reply.header("Cache-Control", "no-store").body(text.as_bytes())
}
