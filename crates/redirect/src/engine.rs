//! The engine: what it holds, and the short story of a decision.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use ahash::RandomState;
use waypost_clicks::Recorder;
use waypost_index::{Entry, Index};
use waypost_link::{ClickId, LinkId, Slug, Timestamp, WorkspaceId};

use crate::{
    Answer, App, Facts, Interstitial, Method, NotFound, PasswordCheck, PasswordForm, Redirect,
    Scratch, Settings, StatsPage,
    answer::{GET_HEAD, GET_HEAD_POST},
    follow::{has_password, is_open, stats_page},
    resolve::Site,
    target::Target,
    tries::Tries,
};

/// Decides what requests are answered. One serves all threads.
pub struct Engine {
    pub(crate) index: Arc<Index>,
    pub(crate) clicks: Recorder,
    pub(crate) settings: Settings,
    pub(crate) tries: Tries,
    random: RandomState,
    draws: AtomicU64,
    salt: AtomicU32,
}

/// A decision, before it borrows from the scratch what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Redirect(u16),
    Interstitial(LinkId, Option<App>),
    NotFound,
    DomainNotRegistered,
    MethodNotAllowed { posts: bool },
    PasswordForm { wrong: bool, rotated: bool },
    PasswordCheck(LinkId),
    LeaseSpent(LinkId),
    TooManyTries(u32),
    Stats(LinkId, WorkspaceId),
}

impl Engine {
    /// An engine over `index` that records into `clicks`.
    pub fn new(index: Arc<Index>, clicks: Recorder, settings: Settings) -> Self {
        let random = RandomState::new();
        // Where salts begin is of no importance, but nodes should not begin at the same.
        let salt = AtomicU32::new(random.hash_one("salt") as u32);
        Self {
            index,
            clicks,
            settings,
            tries: Tries::new(),
            random,
            draws: AtomicU64::new(0),
            salt,
        }
    }

    /// The answer to a request; its click, if it is one, is recorded.
    ///
    /// Never blocks, and allocates nothing for a plain link at an ASCII code. An [`Answer::PasswordCheck`] asks the
    /// caller to check a hash, elsewhere, and to go on with [`Engine::passed`] or [`Answer::WRONG_PASSWORD`]; an
    /// [`Answer::LeaseSpent`] to have clicks lent, elsewhere, and to decide again.
    #[inline]
    pub fn decide<'s>(&self, facts: &Facts<'_>, scratch: &'s mut Scratch) -> Answer<'s> {
        self.answer(facts, None, scratch)
    }

    /// The answer to a POST whose password fits `hash`, the one that [`Answer::PasswordCheck`] named: 303 to the
    /// destination, or the interstitial.
    ///
    /// The link is looked up again, with `facts` as they were: it may have been changed meanwhile, and where its
    /// password was, the one sent is wrong now.
    pub fn passed<'s>(
        &self,
        facts: &Facts<'_>,
        hash: &str,
        scratch: &'s mut Scratch,
    ) -> Answer<'s> {
        self.answer(facts, Some(hash), scratch)
    }

    /// Has the processor fetch what it will look up for requests of these hosts and paths, as sent.
    pub fn prefetch<'r>(&self, requests: impl Iterator<Item = (&'r [u8], &'r str)>) {
        self.index.prefetch(requests.filter_map(|(host, path)| {
            let code = Slug::decode(Target::parse(path)?.segment()).ok()?;
            Some((self.site(host)?.domain(), code))
        }));
    }

    /// The index that it reads.
    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    fn answer<'s>(
        &self,
        facts: &Facts<'_>,
        proof: Option<&str>,
        scratch: &'s mut Scratch,
    ) -> Answer<'s> {
        scratch.reset();
        let verdict = self.judge(facts, proof, scratch);
        if verdict == Verdict::NotFound {
            note_code(facts, scratch);
        }
        verdict.show(facts, scratch)
    }

    fn judge(&self, facts: &Facts<'_>, proof: Option<&str>, scratch: &mut Scratch) -> Verdict {
        let Some(site) = self.site(facts.host) else { return Verdict::DomainNotRegistered };
        let Some(target) = Target::parse(facts.path) else { return Verdict::NotFound };
        let code = Slug::decode(target.segment());
        if !target.allows(facts.method) {
            let posts = code.is_ok_and(|code| self.takes_posts(site, target, &code, facts.at));
            return Verdict::MethodNotAllowed { posts };
        }
        let Ok(code) = code else { return Verdict::NotFound };
        let found = match target {
            Target::Rotator(_) => self.rotate(site, &code, facts.at, |entry| {
                scratch.code.push_str(entry.code);
                self.follow(entry, facts, proof, true, scratch)
            }),
            Target::Plus(_) => {
                self.resolve(site, &code, |entry| stats_page(&entry, facts.at, scratch))
            }
            Target::Code(_) | Target::Track(_) => {
                self.resolve(site, &code, |entry| self.follow(entry, facts, proof, false, scratch))
            }
        };
        found.unwrap_or(Verdict::NotFound)
    }

    /// Whether a password may be posted there.
    fn takes_posts(&self, site: Site, target: Target<'_>, code: &str, at: Timestamp) -> bool {
        let asks = |entry: Entry<'_>| is_open(&entry, at) && has_password(&entry);
        target.allows(Method::Post) && self.resolve(site, code, asks).unwrap_or(false)
    }

    /// A number that nobody can predict, uniform.
    pub(crate) fn draw(&self) -> u64 {
        self.random.hash_one(self.draws.fetch_add(1, Ordering::Relaxed))
    }

    /// What tells the next click from others of the same link and microsecond.
    #[inline]
    pub(crate) fn next_salt(&self) -> u32 {
        self.salt.fetch_add(1, Ordering::Relaxed) % ClickId::SALTS
    }
}

impl Target<'_> {
    /// Only a code can have a password to post.
    fn allows(self, method: Method) -> bool {
        match method {
            Method::Get | Method::Head => true,
            Method::Post => matches!(self, Self::Code(_) | Self::Track(_)),
            Method::Other => false,
        }
    }
}

/// Keeps the code that was asked for, for a 404 to name.
fn note_code(facts: &Facts<'_>, scratch: &mut Scratch) {
    scratch.code.clear();
    let segment = Target::parse(facts.path).map_or("", Target::segment);
    scratch.code.push_str(&Slug::decode(segment).unwrap_or_default());
}

impl Verdict {
    fn show<'s>(self, facts: &Facts<'_>, scratch: &'s Scratch) -> Answer<'s> {
        let (location, code) = (scratch.location.as_str(), scratch.code.as_str());
        let details = scratch.details.as_deref();
        match self {
            Self::Redirect(status) => Answer::Redirect(Redirect { status, location }),
            Self::Interstitial(link, app) => {
                let scripts = details.map_or(&[][..], |details| &details.scripts);
                Answer::Interstitial(Interstitial {
                    link,
                    location,
                    scripts,
                    pixels: &scratch.pixels,
                    app,
                })
            }
            Self::NotFound => {
                let json = facts.path.starts_with("/track/") || facts.wants_json();
                Answer::NotFound(NotFound { json, code })
            }
            Self::DomainNotRegistered => Answer::DomainNotRegistered { json: facts.wants_json() },
            Self::MethodNotAllowed { posts } => {
                Answer::MethodNotAllowed { allow: if posts { GET_HEAD_POST } else { GET_HEAD } }
            }
            Self::PasswordForm { wrong, rotated } => {
                Answer::PasswordForm(PasswordForm { wrong, code: rotated.then_some(code) })
            }
            Self::PasswordCheck(link) => {
                let hash =
                    details.and_then(|details| details.password.as_deref()).unwrap_or_default();
                Answer::PasswordCheck(PasswordCheck { link, hash })
            }
            Self::LeaseSpent(link) => Answer::LeaseSpent(link),
            Self::TooManyTries(retry_after) => Answer::TooManyTries { retry_after },
            Self::Stats(link, workspace) => Answer::Stats(StatsPage { link, workspace, code }),
        }
    }
}
