//! One call: what was asked, by whom, and the use cases that answer it. What a handler is given.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
};

use ipnet::IpNet;
use waypost_h1::{Field, Method, Request};
use waypost_link::Timestamp;
use waypost_redirect::{Client, Facts};
use waypost_service::{Principal, Quota, Service};

use super::{Dialect, Fail, Fields, Route, form};
use crate::limits;

/// The header fields that a handler may ask for.
const KEPT: [Field; 10] = [
    Field::Accept,
    Field::Authorization,
    Field::ContentType,
    Field::Host,
    Field::IdempotencyKey,
    Field::IfNoneMatch,
    Field::Referer,
    Field::UserAgent,
    Field::XForwardedProto,
    Field::XRealIp,
];

/// What all calls share.
pub(crate) struct Shared {
    pub(crate) service: Service,
    pub(crate) quota: Option<Quota>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) utc_offset: i32,
}

/// What outlives a request: its parts, copied, since the answer comes from another thread.
#[derive(Debug)]
pub(crate) struct Asked {
    method: Method,
    path: String,
    query: Option<String>,
    host: String,
    fields: Vec<(Field, Vec<u8>)>,
    forwarded: Vec<Vec<u8>>,
    peer: SocketAddr,
    at: Timestamp,
    body: Vec<u8>,
}

impl Asked {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let kept = KEPT.iter().filter_map(|field| Some((*field, request.field(*field)?.to_vec())));
        Self {
            method: request.method(),
            path: request.path().to_owned(),
            query: request.query().map(str::to_owned),
            host: request.host().to_owned(),
            fields: kept.collect(),
            forwarded: forwarded(request),
            peer: request.peer(),
            at: Timestamp(i64::try_from(request.received().unix_micros).unwrap_or(i64::MAX)),
            body: request.body().to_vec(),
        }
    }
}

/// The last `X-Forwarded-For` fields: what is before them is taken as not there.
fn forwarded(request: &Request<'_>) -> Vec<Vec<u8>> {
    let named = |(name, _): &(&str, &[u8])| name.eq_ignore_ascii_case(Field::XForwardedFor.name());
    let all: Vec<_> = request.headers().filter(named).map(|(_, value)| value.to_vec()).collect();
    let skip = all.len().saturating_sub(limits::FORWARDED_FIELDS);
    all.into_iter().skip(skip).collect()
}

/// A call of a route.
pub struct Call {
    shared: Arc<Shared>,
    dialect: &'static Dialect,
    route: &'static Route,
    parameters: Vec<String>,
    asked: Asked,
    fields: OnceLock<Result<Fields, Fail>>,
    principal: Option<Principal>,
}

impl Call {
    pub(crate) fn new(
        shared: Arc<Shared>,
        (dialect, route): (&'static Dialect, &'static Route),
        parameters: Vec<String>,
        asked: Asked,
    ) -> Self {
        let fields = OnceLock::new();
        Self { shared, dialect, route, parameters, asked, fields, principal: None }
    }

    pub(crate) fn admitted(&mut self, principal: Option<Principal>) {
        self.principal = principal;
    }

    /// The use cases.
    pub fn service(&self) -> &Service {
        &self.shared.service
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`Fail::Unauthorized`] on a public route.
    pub fn principal(&self) -> Result<&Principal, Fail> {
        self.principal.as_ref().ok_or(Fail::Unauthorized)
    }

    /// The route.
    pub fn route(&self) -> &'static Route {
        self.route
    }

    /// The dialect.
    pub fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// The method, which may be HEAD on a GET route.
    pub fn method(&self) -> Method {
        self.asked.method
    }

    /// The path, still encoded.
    pub fn path(&self) -> &str {
        &self.asked.path
    }

    /// The authority that was asked for, as sent: never what links are made of.
    pub fn host(&self) -> &str {
        &self.asked.host
    }

    /// When the request had arrived.
    pub fn now(&self) -> Timestamp {
        self.asked.at
    }

    /// How far the clock of dialects without UTC is ahead of it, in seconds.
    pub fn utc_offset(&self) -> i32 {
        self.shared.utc_offset
    }

    /// The body as it came.
    pub fn body(&self) -> &[u8] {
        &self.asked.body
    }

    /// All that the caller said, whether in the query string or in the body. Of a form the fields count,
    /// not the bytes: a client draws a new boundary each time that it sends a multipart one.
    ///
    /// # Errors
    /// As [`Call::fields`].
    pub(crate) fn said(&self) -> Result<Vec<u8>, Fail> {
        if self.route.body == super::Body::Form {
            return Ok(self.fields()?.encoded().into_bytes());
        }
        let query = self.asked.query.as_deref().unwrap_or_default();
        Ok([query.as_bytes(), b"\n", self.body()].concat())
    }

    /// The host of the server's public URL, without a port: what a CNAME may point at.
    pub fn public_host(&self) -> String {
        let url = url::Url::parse(&self.service().policy().public_url).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The value of a header, where it is text.
    pub fn header(&self, field: Field) -> Option<&str> {
        let (_, value) = self.asked.fields.iter().find(|(known, _)| *known == field)?;
        std::str::from_utf8(value).ok()
    }

    /// The parameter of the pattern's `{name}`, decoded; empty where the pattern has none.
    pub fn parameter(&self, name: &str) -> &str {
        let braced = |segment: &&str| segment.starts_with('{');
        let names = self.route.pattern.split('/').filter(braced);
        let at = names.map(|segment| segment.trim_matches(['{', '}'])).position(|n| n == name);
        at.and_then(|at| self.parameters.get(at)).map_or("", String::as_str)
    }

    /// Whoever sent it: behind a trusted proxy, whom that names.
    pub fn client(&self) -> Client {
        let forwarded: Vec<&[u8]> = self.asked.forwarded.iter().map(Vec::as_slice).collect();
        let real_ip = self.header(Field::XRealIp).unwrap_or_default().as_bytes();
        let peer: IpAddr = self.asked.peer.ip();
        let facts = Facts { peer, forwarded_for: &forwarded, real_ip, ..Facts::default() };
        Client::of(&facts, &self.shared.trusted_proxies)
    }

    /// The parameters of the query string, and of the body where it is a form.
    ///
    /// # Errors
    /// [`Fail::Malformed`] where the form can't be read or has too many fields.
    pub fn fields(&self) -> Result<&Fields, Fail> {
        let fields = self.fields.get_or_init(|| {
            let form = form::read(self.header(Field::ContentType), self.body());
            let form = if self.route.body == super::Body::Form { form? } else { Vec::new() };
            Fields::of(self.asked.query.as_deref(), form)
        });
        fields.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn quota(&self) -> Option<&Quota> {
        self.shared.quota.as_ref()
    }
}

impl std::fmt::Debug for Call {
    /// Neither token nor body: a form may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.asked.method.as_str(), self.route.pattern)
    }
}
