//! The handler that is mounted on a listener: redirects, health, and metrics where they belong.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use waypost_h1::{BodyPolicy, Handler, Head, Method, Outcome, Preview, Reply, Request, Response};
use waypost_link::{LinkId, WorkspaceId};
use waypost_redirect::{Answer, Engine, Facts, PasswordCheck, Scratch, StatsPage};

use crate::{
    Figures, answer,
    facts::{self, CountryHeader, Forwarded, Kept},
    limits, media,
    metrics::{Counters, Readings},
    proof,
    system::{self, System},
};

/// What the edge can't do itself, since it never blocks.
pub trait Blocking: Send + Sync {
    /// Runs `job` on a thread that may block; false, and it is dropped, where too many wait.
    fn submit(&self, job: Box<dyn FnOnce() + Send>) -> bool;

    /// Whether `password` is the one of this Argon2id hash. Called from such a job.
    fn verify(&self, password: &str, hash: &str) -> bool;

    /// Runs `job`, which has clicks lent, as [`submit`](Self::submit) does; it keeps no others waiting.
    fn submit_lending(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        self.submit(job)
    }

    /// Has clicks of a limited link lent to this node, at the latest by `until`; whether it is worth deciding again.
    /// Called from such a job. Where a store has one node nothing is ever lent.
    fn lend(&self, _link: LinkId, _until: Instant) -> bool {
        false
    }

    /// What the public page of a link shows; nothing where the store doesn't answer. Called from such a job.
    fn figures(&self, link: LinkId, workspace: WorkspaceId) -> Option<Figures>;

    /// The bytes of the picture of this name, where there is one. Called from such a job.
    fn picture(&self, name: &str) -> Option<Vec<u8>>;
}

/// What the edge goes by.
pub struct Settings {
    /// The header that carries a visitor's country.
    pub country_header: Option<String>,
    /// Whether pages with foreign scripts are kept off the server's origin (SPEC 3.8).
    pub sandboxed: bool,
    /// For passwords, public statistics and pictures.
    pub blocking: Arc<dyn Blocking>,
    /// What `/metrics` shows of others.
    pub readings: Box<dyn Fn() -> Readings + Send + Sync>,
}

/// The edge of one server, whatever listeners it has.
pub struct Edge {
    engine: Arc<Engine>,
    settings: Settings,
    country: CountryHeader,
    counters: Counters,
    /// Public statistics and pictures in the making.
    fetching: AtomicUsize,
}

/// The edge on one listener: an [`Handler`] of `waypost-h1`.
pub struct Mounted {
    edge: Arc<Edge>,
    redirects: bool,
    admin: bool,
}

thread_local! {
    /// Of the worker that answers: borrowed while an answer is made, never across a wait.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Edge {
    /// An edge over `engine`.
    pub fn new(engine: Arc<Engine>, settings: Settings) -> Arc<Self> {
        let country = CountryHeader::new(settings.country_header.as_deref());
        Arc::new(Self {
            engine,
            settings,
            country,
            counters: Counters::new(),
            fetching: AtomicUsize::new(0),
        })
    }

    /// This edge for a listener that serves redirects, metrics (`admin`), or both. Health is served on each: whoever
    /// balances load asks the address that it sends load to.
    pub fn mount(self: &Arc<Self>, redirects: bool, admin: bool) -> Mounted {
        Mounted { edge: Arc::clone(self), redirects, admin }
    }

    fn redirect(self: &Arc<Self>, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        let forwarded = Forwarded::of(request.head());
        let mut facts = facts::facts(request.head(), &self.country, &forwarded);
        let password = (request.method() == Method::Post).then(|| facts::password(request));
        let password = password.flatten();
        facts.password = password.as_deref().map(str::as_bytes);
        SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => self.decide(&facts, request, &mut scratch, reply),
            Err(_) => self.decide(&facts, request, &mut Scratch::default(), reply),
        })
    }

    #[inline]
    fn decide(
        self: &Arc<Self>,
        facts: &Facts<'_>,
        request: &Request<'_>,
        scratch: &mut Scratch,
        reply: Reply<'_>,
    ) -> Outcome {
        let received = request.received().instant;
        let answer = self.engine.decide(facts, scratch);
        let outcome = match &answer {
            Answer::PasswordCheck(check) => return self.check(facts, check, received, reply),
            Answer::LeaseSpent(link) => return self.lend(facts, *link, received, reply),
            Answer::Stats(page) => return self.count(page, received, reply),
            Answer::PasswordForm(form) if form.wrong && !facts::is_form(request) => {
                reply.respond(&answer::not_a_form())
            }
            Answer::NotFound(_) | Answer::DomainNotRegistered { .. } if proof::is_path(facts) => {
                reply.respond(&proof::response(&self.engine, facts))
            }
            // A picture is no redirect, so it is not counted as one.
            Answer::NotFound(_) if media::asked(facts).is_some() => {
                return self.picture(media::asked(facts).unwrap_or_default(), reply);
            }
            answer => answer::send(answer, facts.at.seconds(), self.settings.sandboxed, reply),
        };
        self.counters.count(answer.outcome(), received.elapsed());
        outcome
    }

    /// Has a password checked elsewhere; whoever checked it answers.
    fn check(
        self: &Arc<Self>,
        facts: &Facts<'_>,
        check: &PasswordCheck<'_>,
        received: Instant,
        reply: Reply<'_>,
    ) -> Outcome {
        let password = facts.password.and_then(|password| std::str::from_utf8(password).ok());
        let password = password.unwrap_or_default().to_owned();
        let (kept, hash) = (Kept::of(facts), check.hash.to_owned());
        let edge = Arc::clone(self);
        let (deferred, outcome) = reply.defer();
        let job = move || deferred.complete(edge.checked(&kept, &password, &hash, received));
        if !self.settings.blocking.submit(Box::new(job)) {
            // The job was dropped, and its promise with it: the client is answered 503.
            self.counters.count(Answer::PasswordCheck(*check).outcome(), received.elapsed());
        }
        outcome
    }

    fn checked(&self, kept: &Kept, password: &str, hash: &str, received: Instant) -> Response {
        if self.settings.blocking.verify(password, hash) {
            let until = Instant::now() + Duration::from_millis(limits::LENDING_MS);
            return kept.with(|facts| self.decided(facts, Some(hash), until, received));
        }
        self.counters.count(Answer::WRONG_PASSWORD.outcome(), received.elapsed());
        kept.with(|facts| self.encoded(&Answer::WRONG_PASSWORD, facts))
    }

    /// Has clicks of a limited link lent elsewhere; whoever had them lent answers.
    #[cold]
    fn lend(
        self: &Arc<Self>,
        facts: &Facts<'_>,
        link: LinkId,
        received: Instant,
        reply: Reply<'_>,
    ) -> Outcome {
        let kept = Kept::of(facts);
        let edge = Arc::clone(self);
        let until = received + Duration::from_millis(limits::LENDING_MS);
        let (deferred, outcome) = reply.defer();
        let job = move || {
            deferred.complete(kept.with(|facts| edge.decided(facts, None, until, received)));
        };
        if !self.settings.blocking.submit_lending(Box::new(job)) {
            // The job was dropped, and its promise with it: the client is answered 503.
            self.counters.count(Answer::LeaseSpent(link).outcome(), received.elapsed());
        }
        outcome
    }

    /// The response to what is decided, where there are clicks to spend if it needs any; 503 where none are lent by
    /// `until`. `proof` is the password's hash that the visitor knew.
    fn decided(
        &self,
        facts: &Facts<'_>,
        proof: Option<&str>,
        until: Instant,
        received: Instant,
    ) -> Response {
        let mut scratch = Scratch::default();
        for _ in 0..limits::LENDING_TRIES {
            let answer = match proof {
                Some(hash) => self.engine.passed(facts, hash, &mut scratch),
                None => self.engine.decide(facts, &mut scratch),
            };
            match answer {
                Answer::LeaseSpent(link) if self.settings.blocking.lend(link, until) => {}
                Answer::LeaseSpent(_) => break,
                answer => {
                    self.counters.count(answer.outcome(), received.elapsed());
                    return self.encoded(&answer, facts);
                }
            }
        }
        self.counters.count("unavailable", received.elapsed());
        answer::busy()
    }

    fn encoded(&self, answer: &Answer<'_>, facts: &Facts<'_>) -> Response {
        answer::response(answer, facts.at.seconds(), self.settings.sandboxed)
    }

    /// Has a link's clicks counted elsewhere, for its public page.
    fn count(
        self: &Arc<Self>,
        page: &StatsPage<'_>,
        received: Instant,
        reply: Reply<'_>,
    ) -> Outcome {
        self.counters.count(Answer::Stats(*page).outcome(), received.elapsed());
        let (link, workspace, code) = (page.link, page.workspace, page.code.to_owned());
        self.fetch(reply, move |elsewhere| {
            answer::statistics(&code, elsewhere.figures(link, workspace).as_ref())
        })
    }

    /// Has a picture read elsewhere.
    fn picture(self: &Arc<Self>, name: &str, reply: Reply<'_>) -> Outcome {
        let name = name.to_owned();
        self.fetch(reply, move |elsewhere| media::response(&name, elsewhere.picture(&name)))
    }

    /// Has an answer made elsewhere. Where too many wait for theirs the client is answered 503: nobody keeps
    /// passwords waiting by asking for these.
    fn fetch(
        self: &Arc<Self>,
        reply: Reply<'_>,
        make: impl FnOnce(&dyn Blocking) -> Response + Send + 'static,
    ) -> Outcome {
        if self.fetching.fetch_add(1, Relaxed) >= limits::FETCHED {
            self.fetching.fetch_sub(1, Relaxed);
            return reply.respond(&answer::busy());
        }
        let fetching = Fetching(Arc::clone(self));
        let (deferred, outcome) = reply.defer();
        let job = move || deferred.complete(make(&*fetching.0.settings.blocking));
        // Where it is refused, the job was dropped and the client is answered 503.
        self.settings.blocking.submit(Box::new(job));
        outcome
    }

    fn system(&self, asked: System, method: Method, reply: Reply<'_>) -> Outcome {
        if !matches!(method, Method::Get | Method::Head) {
            return reply.status(405).header("Allow", "GET, HEAD").empty();
        }
        let readings = || (self.settings.readings)();
        match asked {
            System::Metrics => system::metrics(&self.counters.page(&readings()), reply),
            System::Ready => system::ready(readings().ready, reply),
            System::Bookmarklet => reply.respond(&answer::bookmarklet()),
            _ => asked.plain(reply),
        }
    }
}

/// One answer in the making, until it is dropped.
struct Fetching(Arc<Edge>);

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.fetching.fetch_sub(1, Relaxed);
    }
}

impl Handler for Mounted {
    fn body(&self, head: &Head<'_>) -> BodyPolicy {
        match head.method() {
            Method::Post if self.redirects => BodyPolicy::Collect { max: limits::FORM_BYTES },
            _ => BodyPolicy::Ignore,
        }
    }

    #[inline]
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        match System::of(request.path()) {
            Some(asked) if asked.is_on(self.redirects, self.admin) => {
                self.edge.system(asked, request.method(), reply)
            }
            _ if self.redirects => self.edge.redirect(request, reply),
            _ => reply.text(404, "not found\n"),
        }
    }

    fn prefetch(&self, coming: &[Preview<'_>]) {
        if self.redirects {
            self.edge.engine.prefetch(coming.iter().map(|preview| (preview.host, preview.path)));
        }
    }
}
