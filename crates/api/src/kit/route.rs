//! Routes as data: one table a dialect, read by the router, the quota, the body's reader and OpenAPI.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator};
use waypost_h1::{Method, Response};
use waypost_link::Permissions;
use waypost_service::{Principal, Rate};

use super::{Answer, Call, Fail, Failure};
use crate::limits;

/// One published API.
#[derive(Debug)]
pub struct Dialect {
    /// Its name in metrics and documentation.
    pub name: &'static str,
    /// Paths that are its own: below them its shape is spoken, also where nothing is found. The
    /// longest wins.
    pub bases: &'static [&'static str],
    /// What it answers.
    pub routes: &'static [Route],
    /// How a caller proves who it is: [`bearer`](super::bearer), unless the document says otherwise.
    pub authenticate: fn(&Call) -> Result<Principal, Fail>,
    /// What it calls the fields that use cases name: (ours, its own).
    pub names: &'static [(&'static str, &'static str)],
    /// What another workspace's object is answered with: that it is forbidden, or nowhere to be found.
    pub foreign: Fail,
    /// A refusal in its shape: status, type and body. The kit adds `Allow`, `Retry-After` and the like.
    pub fail: fn(&Failure<'_>) -> Response,
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Keys that may do this.
    Key(Permissions),
}

/// What becomes of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// It is not read.
    Nothing,
    /// JSON of at most so many bytes: [`Call::json`].
    Json(u64),
    /// `application/x-www-form-urlencoded` or `multipart/form-data`: [`Call::fields`].
    Form,
}

/// Which listener a route is on, where there are two (`--admin-listen`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// That of the APIs.
    Api,
    /// That of redirects: visitors meet it.
    Redirects,
}

/// A schema of a wire type: [`SchemaGenerator::subschema_for::<T>`].
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A query parameter, for OpenAPI.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// What it may be.
    pub schema: SchemaOf,
    /// Whether it must be there.
    pub required: bool,
}

/// One operation. Made by [`Route::get`] and its kin, refined by the methods that follow.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method; a GET route answers HEAD too, unless [`Route::without_head`].
    pub method: Method,
    /// The path: a segment in braces is a parameter, and gives way to a literal one.
    pub pattern: &'static str,
    /// Decode, one use case, encode.
    pub handler: fn(&Call) -> Answer,
    /// Who may call it.
    pub access: Access,
    /// The limit that a call counts against.
    pub rate: Option<Rate>,
    /// What becomes of its body.
    pub body: Body,
    /// Where it is served.
    pub place: Place,
    /// Whether HEAD is answered like GET.
    pub head: bool,
    /// Whether it heeds an `Idempotency-Key`.
    pub once: bool,
    /// Whether it makes what a workspace may have only so many of.
    pub counted: bool,
    /// Whether what a parameter of the query names may not be there.
    pub finds: bool,
    /// Its operation id: unique in its dialect.
    pub id: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Its query parameters.
    pub query: &'static [Parameter],
    /// The body that it takes.
    pub request: Option<SchemaOf>,
    /// The status of a success.
    pub status: u16,
    /// The JSON that a success answers; `None` for what isn't JSON.
    pub response: Option<SchemaOf>,
}

impl Route {
    /// A GET route for keys of any kind.
    pub const fn get(pattern: &'static str, handler: fn(&Call) -> Answer) -> Self {
        Self::new(Method::Get, pattern, handler)
    }

    /// A POST route for keys of any kind.
    pub const fn post(pattern: &'static str, handler: fn(&Call) -> Answer) -> Self {
        Self::new(Method::Post, pattern, handler)
    }

    /// A PATCH route for keys of any kind.
    pub const fn patch(pattern: &'static str, handler: fn(&Call) -> Answer) -> Self {
        Self::new(Method::Patch, pattern, handler)
    }

    /// A DELETE route for keys of any kind.
    pub const fn delete(pattern: &'static str, handler: fn(&Call) -> Answer) -> Self {
        Self::new(Method::Delete, pattern, handler)
    }

    const fn new(method: Method, pattern: &'static str, handler: fn(&Call) -> Answer) -> Self {
        Self {
            method,
            pattern,
            handler,
            access: Access::Key(Permissions(0)),
            rate: None,
            body: Body::Nothing,
            place: Place::Api,
            head: matches!(method, Method::Get),
            once: false,
            counted: false,
            finds: false,
            id: "",
            summary: "",
            query: &[],
            request: None,
            status: 200,
            response: None,
        }
    }

    /// Names the operation, and says in a line what it does.
    #[must_use]
    pub const fn named(self, id: &'static str, summary: &'static str) -> Self {
        Self { id, summary, ..self }
    }

    /// Only for keys that may do this.
    #[must_use]
    pub const fn needs(self, permissions: Permissions) -> Self {
        Self { access: Access::Key(permissions), ..self }
    }

    /// For everybody.
    #[must_use]
    pub const fn public(self) -> Self {
        Self { access: Access::Public, ..self }
    }

    /// Counts against this limit.
    #[must_use]
    pub const fn limited(self, rate: Rate) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// Takes JSON of this shape, of at most [`limits::BODY`] bytes.
    #[must_use]
    pub const fn takes(self, request: SchemaOf) -> Self {
        Self { body: Body::Json(limits::BODY), request: Some(request), ..self }
    }

    /// Takes a form of this shape, urlencoded or multipart.
    #[must_use]
    pub const fn takes_form(self, request: SchemaOf) -> Self {
        Self { body: Body::Form, request: Some(request), ..self }
    }

    /// Its body may have so many bytes.
    #[must_use]
    pub const fn up_to(self, bytes: u64) -> Self {
        Self { body: Body::Json(bytes), ..self }
    }

    /// A success answers JSON of this shape.
    #[must_use]
    pub const fn gives(self, status: u16, response: SchemaOf) -> Self {
        Self { status, response: Some(response), ..self }
    }

    /// A success answers this status, and no JSON.
    #[must_use]
    pub const fn gives_plain(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Understands these query parameters.
    #[must_use]
    pub const fn with_query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    /// Is met by visitors: served where redirects are.
    #[must_use]
    pub const fn beside_redirects(self) -> Self {
        Self { place: Place::Redirects, ..self }
    }

    /// Heeds an `Idempotency-Key`: its handler makes what it makes in [`Call::once`], or takes
    /// [`Call::idempotency`] to its use case.
    #[must_use]
    pub const fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// Makes what a workspace may have only so many of: it may be refused with 402.
    #[must_use]
    pub const fn counted(self) -> Self {
        Self { counted: true, ..self }
    }

    /// Looks up what a query parameter names: it may be refused with 404. A route with a parameter in its
    /// path may be anyway.
    #[must_use]
    pub const fn finds(self) -> Self {
        Self { finds: true, ..self }
    }

    /// HEAD is not allowed: what GET does here is not safe.
    #[must_use]
    pub const fn without_head(self) -> Self {
        Self { head: false, ..self }
    }

    /// Whether it answers `method`.
    fn answers(&self, method: Method) -> bool {
        self.method == method || (self.head && method == Method::Head)
    }
}

impl Body {
    /// The most bytes that are read.
    pub(crate) const fn most(self) -> Option<u64> {
        match self {
            Self::Nothing => None,
            Self::Json(most) => Some(most),
            Self::Form => Some(limits::BODY),
        }
    }
}

/// What was found for a method and a path.
#[derive(Debug)]
pub(crate) enum Found {
    /// A route, and its parameters in the pattern's order, decoded.
    Route(&'static Dialect, &'static Route, Vec<String>),
    /// Nothing by this method; what `Allow` says.
    OtherMethods(&'static Dialect, String),
    /// Nothing here.
    Nothing(&'static Dialect),
}

/// The routes of one listener, by path.
pub(crate) struct Routes {
    dialects: &'static [&'static Dialect],
    /// All routes of a pattern; a literal segment wins over a parameter.
    by_path: matchit::Router<Vec<(&'static Dialect, &'static Route)>>,
}

impl Routes {
    /// The routes of `dialects` that are on `places`.
    pub(crate) fn of(dialects: &'static [&'static Dialect], places: &[Place]) -> Self {
        let mut patterns = BTreeMap::<_, Vec<_>>::new();
        for dialect in dialects {
            for route in dialect.routes.iter().filter(|route| places.contains(&route.place)) {
                patterns.entry(route.pattern).or_default().push((*dialect, route));
            }
        }
        let mut by_path = matchit::Router::new();
        for (pattern, routes) in patterns {
            by_path.insert(pattern, routes).expect("dialects name a parameter alike");
        }
        Self { dialects, by_path }
    }

    /// Looks up `path`, still encoded; `None` where no dialect has anything to do with it.
    pub(crate) fn find(&self, method: Method, path: &str) -> Option<Found> {
        let Ok(matchit::Match { value: routes, params }) = self.by_path.at(path) else {
            return owner(self.dialects, path).map(Found::Nothing);
        };
        if let Some((dialect, route)) = routes.iter().find(|(_, route)| route.answers(method)) {
            let parameters = params.iter().map(|(_, value)| decode(value)).collect();
            return Some(match parameters {
                Some(parameters) => Found::Route(dialect, route, parameters),
                None => Found::Nothing(dialect),
            });
        }
        let (dialect, _) = routes.first()?;
        Some(Found::OtherMethods(dialect, allow(routes.iter().map(|(_, route)| *route))))
    }
}

/// The dialect in whose shape an unknown path is refused.
fn owner(dialects: &'static [&'static Dialect], path: &str) -> Option<&'static Dialect> {
    let bases =
        dialects.iter().flat_map(|dialect| dialect.bases.iter().map(move |b| (*dialect, b)));
    let own = bases.filter(|(_, base)| path.starts_with(**base));
    own.max_by_key(|(_, base)| base.len()).map(|(dialect, _)| dialect)
}

/// A segment without its percent-encoding; `None` where it isn't UTF-8 in that.
fn decode(segment: &str) -> Option<String> {
    let mut out = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit =
                    |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
                out.push(digit(*high)? << 4 | digit(*low)?);
                rest = tail;
            }
            (b'%', _) => return None,
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

fn allow<'a>(routes: impl Iterator<Item = &'a Route>) -> String {
    let mut methods = Vec::new();
    for route in routes {
        methods.push(route.method.as_str());
        if route.head {
            methods.push(Method::Head.as_str());
        }
    }
    methods.push(Method::Options.as_str());
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &Call) -> Answer {
        Ok(Response::new(204))
    }

    const A: Dialect = Dialect {
        name: "a",
        bases: &["/api/"],
        routes: &[
            Route::get("/api/links", nothing),
            Route::post("/api/links", nothing),
            Route::post("/api/links/bulk", nothing),
            Route::patch("/api/links/{id}", nothing),
            Route::delete("/api/links/{id}", nothing),
            Route::get("/api/make", nothing).without_head(),
            Route::get("/api/{noun}/all/{id}", nothing),
            Route::get("/gif", nothing).beside_redirects(),
        ],
        authenticate: super::super::bearer,
        names: &[],
        foreign: Fail::NotFound(None),
        fail: |failure| Response::new(failure.fail.status()),
    };
    const B: Dialect = Dialect { name: "b", bases: &["/api/b/"], routes: &[], ..A };
    static DIALECTS: [&Dialect; 2] = [&A, &B];

    #[test]
    fn what_is_found() {
        let routes = Routes::of(&DIALECTS, &[Place::Api]);
        for (method, path, expected) in [
            (Method::Get, "/api/links", "a /api/links []"),
            (Method::Head, "/api/links", "a /api/links []"),
            (Method::Post, "/api/links", "a /api/links []"),
            (Method::Put, "/api/links", "a allows GET, HEAD, POST, OPTIONS"),
            (Method::Post, "/api/links/bulk", "a /api/links/bulk []"),
            (Method::Patch, "/api/links/bulk", "a allows POST, OPTIONS"),
            (Method::Patch, "/api/links/7", r#"a /api/links/{id} ["7"]"#),
            (Method::Patch, "/api/links/go%2Fcaf%C3%A9", r#"a /api/links/{id} ["go/café"]"#),
            (Method::Patch, "/api/links/%ff", "a has nothing"),
            (Method::Patch, "/api/links/%4", "a has nothing"),
            (Method::Patch, "/api/links/", "a has nothing"),
            (Method::Head, "/api/make", "a allows GET, OPTIONS"),
            (Method::Get, "/api/x/all/y", r#"a /api/{noun}/all/{id} ["x", "y"]"#),
            (Method::Get, "/api/links/", "a has nothing"),
            (Method::Get, "/api/b/x", "b has nothing"),
            (Method::Get, "/gif", "nobody"),
            (Method::Get, "/x", "nobody"),
        ] {
            let found = match routes.find(method, path) {
                None => "nobody".to_owned(),
                Some(Found::Nothing(dialect)) => format!("{} has nothing", dialect.name),
                Some(Found::OtherMethods(dialect, allow)) => {
                    format!("{} allows {allow}", dialect.name)
                }
                Some(Found::Route(dialect, route, parameters)) => {
                    format!("{} {} {parameters:?}", dialect.name, route.pattern)
                }
            };
            assert_eq!(found, expected, "{method:?} {path}");
        }
    }
}
