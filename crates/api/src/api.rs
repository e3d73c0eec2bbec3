//! The APIs on a listener: a request finds its route, goes to the lane, and is answered from there.
//!
//! Nothing here blocks: what can be refused without asking anybody (no such path, wrong method) is
//! answered at once; everything else is a job of the lane. A full lane is 503 with `Retry-After`,
//! in the dialect's shape, and a handler that panics is a 500 in it.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use ipnet::IpNet;
use waypost_h1::{
    BodyPolicy, Deferred, Field, Handler, Head, Method, Outcome, Refusal, Reply, Request, Response,
};
use waypost_link::Timestamp;
use waypost_service::{Lane, Quota, Service};

use crate::{
    Count, DIALECTS,
    bulk::Places,
    counts::Counts,
    kit::{self, Asked, Body, Call, Dialect, Fail, Failure, Found, Place, Route, Routes, Shared},
    limits,
};

/// What the APIs go by.
pub struct Settings {
    /// The use cases.
    pub service: Service,
    /// The rate limits; `None` switches them off.
    pub quota: Option<Quota>,
    /// Networks whose `X-Forwarded-For` and `X-Real-IP` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How far linktrack's clock is ahead of UTC, in seconds.
    pub utc_offset: i32,
    /// Where handlers run.
    pub lane: Lane,
}

/// The APIs of one server, whatever listeners it has.
pub struct Api {
    shared: Arc<Shared>,
    lane: Lane,
    counts: Counts,
    places: Places,
}

/// The APIs on one listener: a [`Handler`] for the paths that it [claims](Mounted::claims).
#[derive(Clone)]
pub struct Mounted {
    api: Arc<Api>,
    routes: Arc<Routes>,
    /// What a path that is ours begins with.
    prefixes: Arc<[&'static str]>,
    /// The characters after the slash of those, a bit each: all that most redirects are looked at for.
    initials: u128,
}

impl Api {
    /// The APIs by these settings.
    pub fn new(settings: Settings) -> Arc<Self> {
        let Settings { service, quota, trusted_proxies, utc_offset, lane } = settings;
        let shared = Arc::new(Shared { service, quota, trusted_proxies, utc_offset });
        Arc::new(Self { shared, lane, counts: Counts::default(), places: Places::default() })
    }

    /// The APIs for a listener that serves redirects, management (`admin`), or both.
    pub fn mount(self: &Arc<Self>, redirects: bool, admin: bool) -> Mounted {
        let places = [(Place::Redirects, redirects), (Place::Api, admin)];
        let places: Vec<_> =
            places.into_iter().filter(|(_, on)| *on).map(|(place, _)| place).collect();
        let routes = DIALECTS.iter().flat_map(|dialect| dialect.routes);
        let own = routes.filter(|route| places.contains(&route.place));
        let mut prefixes: BTreeSet<_> = own.map(|route| fixed_part(route.pattern)).collect();
        if admin {
            prefixes.extend(DIALECTS.iter().flat_map(|dialect| dialect.bases));
        }
        let initials = prefixes.iter().fold(0, |bits, prefix| bits | initial(prefix));
        let prefixes = prefixes.into_iter().collect();
        let routes = Arc::new(Routes::of(DIALECTS, &places));
        Mounted { api: Arc::clone(self), routes, prefixes, initials }
    }

    /// What was answered so far, by dialect and status.
    pub fn counts(&self) -> Vec<Count> {
        self.counts.all()
    }

    fn answered(&self, dialect: &Dialect, response: Response) -> Response {
        self.counts.add(dialect.name, response.status());
        response
    }

    /// Does everything that may block, and answers.
    fn run(&self, call: &mut Call) -> Response {
        let response = catch_unwind(AssertUnwindSafe(|| respond(call))).unwrap_or_else(|_| {
            failed(call.dialect(), Fail::internal(&format!("{call:?} panicked")), call.now())
        });
        self.answered(call.dialect(), response)
    }
}

/// The answer of a call.
fn respond(call: &mut Call) -> Response {
    let (dialect, now) = (call.dialect(), call.now());
    let standing = kit::admit(call).and_then(|principal| {
        call.admitted(principal);
        kit::spend(call)
    });
    let standing = match standing {
        Ok(standing) => standing,
        Err(fail) => return failed(dialect, fail, now),
    };
    let answer = call.check_type().and_then(|()| (call.route().handler)(call));
    let response = answer.unwrap_or_else(|fail| failed(dialect, fail, now));
    match standing {
        Some(standing) => kit::headers(response, &standing),
        None => response,
    }
}

/// A refusal in the shape of `dialect`, with the headers that its status asks for.
fn failed(dialect: &Dialect, fail: Fail, at: Timestamp) -> Response {
    let fail = fail.told(dialect);
    let response = (dialect.fail)(&Failure { fail: &fail, at });
    match &fail {
        Fail::MethodNotAllowed { allow } => response.header("Allow", allow),
        Fail::Unauthorized => response.header("WWW-Authenticate", "Bearer"),
        Fail::Unavailable => response.header("Retry-After", "1"),
        Fail::TooMany(standing) => {
            kit::headers(response, standing).header("Retry-After", standing.retry_after.to_string())
        }
        _ => response,
    }
}

/// A promise to a client; dropped before it is kept, it says 503 in the dialect's shape.
struct Promise {
    api: Arc<Api>,
    dialect: &'static Dialect,
    deferred: Option<Deferred>,
    at: Timestamp,
}

impl Promise {
    fn keep(mut self, response: Response) {
        if let Some(deferred) = self.deferred.take() {
            deferred.complete(response);
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(deferred) = self.deferred.take() {
            let response = failed(self.dialect, Fail::Unavailable, self.at);
            deferred.complete(self.api.answered(self.dialect, response));
        }
    }
}

impl Mounted {
    /// Whether `path` is the APIs' business; everything else is the redirects'.
    #[inline]
    pub fn claims(&self, path: &str) -> bool {
        let fits = |prefix: &&str| match path.strip_prefix(prefix) {
            Some(rest) => rest.is_empty() || prefix.ends_with('/'),
            None => false,
        };
        self.initials & initial(path) != 0 && self.prefixes.iter().any(fits)
    }

    fn find(&self, method: Method, path: &str) -> Found {
        // Claimed paths always belong to somebody.
        self.routes.find(method, path).unwrap_or(Found::Nothing(DIALECTS[0]))
    }

    fn defer(&self, call: Call, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        let (deferred, outcome) = reply.defer();
        let (api, peer) = (Arc::clone(&self.api), request.peer());
        let mut call = call;
        let promise = Promise {
            api: Arc::clone(&api),
            dialect: call.dialect(),
            deferred: Some(deferred),
            at: call.now(),
        };
        let job = move || {
            let response = api.run(&mut call);
            api.places.free(peer);
            promise.keep(response);
        };
        // A job that is refused is dropped, and its promise with it.
        let _ = self.api.lane.submit(job);
        outcome
    }

    fn refused(&self, dialect: &Dialect, fail: Fail, head: &Head<'_>) -> Response {
        self.api.answered(dialect, failed(dialect, fail, at(head)))
    }
}

impl Handler for Mounted {
    fn body(&self, head: &Head<'_>) -> BodyPolicy {
        let Found::Route(_, route, _) = self.find(head.method(), head.path()) else {
            return BodyPolicy::Ignore;
        };
        match route.body.most() {
            None => BodyPolicy::Ignore,
            Some(max) if is_large(route, head) => {
                let place = self.api.places.take(head.peer(), head.received().instant);
                if place { BodyPolicy::Collect { max } } else { BodyPolicy::Refuse }
            }
            Some(max) => BodyPolicy::Collect { max },
        }
    }

    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        let method = request.method();
        let (dialect, fail) = match self.find(method, request.path()) {
            Found::Route(dialect, route, _)
                if is_large(route, request) && !self.api.places.has(request.peer()) =>
            {
                (dialect, Fail::Unavailable)
            }
            Found::Route(dialect, route, parameters) => {
                let shared = Arc::clone(&self.api.shared);
                let call = Call::new(shared, (dialect, route), parameters, Asked::of(request));
                return self.defer(call, request, reply);
            }
            Found::OtherMethods(_, allow) if method == Method::Options => {
                return reply.status(204).header("Allow", allow).empty();
            }
            Found::OtherMethods(dialect, allow) => (dialect, Fail::MethodNotAllowed { allow }),
            Found::Nothing(dialect) => (dialect, Fail::NoRoute),
        };
        reply.respond(&self.refused(dialect, fail, request))
    }

    fn refuse(&self, head: &Head<'_>, why: Refusal, reply: Reply<'_>) -> Outcome {
        let dialect = match self.find(head.method(), head.path()) {
            Found::Route(dialect, ..)
            | Found::OtherMethods(dialect, _)
            | Found::Nothing(dialect) => dialect,
        };
        self.api.places.free(head.peer());
        reply.respond(&self.refused(dialect, why.into(), head).close())
    }
}

/// Whether the body of a request needs one of the few places: its route takes large ones, and it
/// doesn't say that it is small.
fn is_large(route: &Route, head: &Head<'_>) -> bool {
    let length =
        head.field(Field::ContentLength).and_then(|length| std::str::from_utf8(length).ok());
    let length = length.and_then(|length| length.parse::<u64>().ok());
    let says_large = match length {
        Some(length) => length > limits::BODY,
        None => head.field(Field::TransferEncoding).is_some(),
    };
    says_large && matches!(route.body, Body::Json(most) if most > limits::BODY)
}

fn at(head: &Head<'_>) -> Timestamp {
    Timestamp(i64::try_from(head.received().unix_micros).unwrap_or(i64::MAX))
}

/// The bit of the character after a path's slash.
#[inline]
fn initial(path: &str) -> u128 {
    path.as_bytes().get(1).map_or(0, |byte| 1_u128.checked_shl(u32::from(*byte)).unwrap_or(0))
}

/// A pattern up to its first parameter.
fn fixed_part(pattern: &'static str) -> &'static str {
    pattern.split_once('{').map_or(pattern, |(fixed, _)| fixed)
}
