//! What a handler is given: a request whose every part was checked before it got here.
//!
//! Everything borrows from the connection's read buffer; nothing is copied or allocated.

use std::net::SocketAddr;
use std::ops::Deref;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::field::{Field, Places};
use crate::line::Line;

/// A request method (RFC 9110 section 9 and RFC 5789). Others are refused with 501 before a handler sees them, and so
/// is CONNECT: this is an origin server, not a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// HEAD: answered like GET; the engine leaves the body out.
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
    /// OPTIONS
    Options,
    /// TRACE
    Trace,
}

impl Method {
    /// The method as it is spelled on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
        }
    }

    #[inline]
    pub(crate) fn parse(token: &[u8]) -> Option<Self> {
        Some(match token {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            _ => return None,
        })
    }
}

/// The protocol version of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// When a batch of requests was read: one clock reading serves all that arrived together.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For durations.
    pub instant: Instant,
    /// Wall-clock time in microseconds since 1970.
    pub unix_micros: u64,
}

impl Moment {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_micros = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        Self { instant: Instant::now(), unix_micros }
    }
}

/// A request head: all of a request but its body.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) target: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) host: &'a str,
    /// All of it, as it came, and where the fields stand in it.
    pub(crate) bytes: &'a [u8],
    pub(crate) lines: &'a [Line],
    pub(crate) places: Places,
    pub(crate) peer: SocketAddr,
    pub(crate) received: Moment,
}

impl<'a> Head<'a> {
    /// The method.
    #[inline]
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// HTTP/1.0 or HTTP/1.1.
    #[inline]
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The target as it was sent: visible ASCII without `#`.
    #[inline]
    #[must_use]
    pub fn target(&self) -> &'a str {
        self.target
    }

    /// The path, still percent-encoded. It begins with `/`.
    #[inline]
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// What follows the first `?`, still encoded; `None` without one.
    #[inline]
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// The authority that was asked for, `host[:port]` as it was sent: that of an absolute-form target, else the Host
    /// field. It is well-formed (no user information, no path); empty only in HTTP/1.0.
    #[inline]
    #[must_use]
    pub fn host(&self) -> &'a str {
        self.host
    }

    /// The value of a well-known field (the first of that name), without surrounding white space.
    #[inline]
    #[must_use]
    pub fn field(&self, field: Field) -> Option<&'a [u8]> {
        self.lines.get(self.places.get(field)?).map(|line| line.value(self.bytes))
    }

    /// The value of the first field of this name, in any case. For names in [`Field`], [`Head::field`] is faster.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// The values of all fields of this name, in any case, in the order in which they came.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let bytes = self.bytes;
        let is_it = move |line: &&Line| line.name(bytes).eq_ignore_ascii_case(name.as_bytes());
        self.lines.iter().filter(is_it).map(move |line| line.value(bytes))
    }

    /// All fields in the order in which they came. Values may hold bytes over 0x7f, but no control character.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let bytes = self.bytes;
        let name = |line: &Line| std::str::from_utf8(line.name(bytes)).unwrap_or_default();
        self.lines.iter().map(move |line| (name(line), line.value(bytes)))
    }

    /// The other end of the connection, or what a PROXY header said of it.
    #[inline]
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// When the request's last byte was read.
    #[inline]
    #[must_use]
    pub fn received(&self) -> Moment {
        self.received
    }
}

/// A request: its [`Head`] (to which it dereferences) and the body that the handler asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub(crate) head: &'a Head<'a>,
    pub(crate) body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The head.
    #[inline]
    #[must_use]
    pub fn head(&self) -> &'a Head<'a> {
        self.head
    }

    /// The body, decoded; empty where there was none or the handler chose [`BodyPolicy::Ignore`](crate::BodyPolicy).
    #[inline]
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl<'a> Deref for Request<'a> {
    type Target = Head<'a>;

    #[inline]
    fn deref(&self) -> &Head<'a> {
        self.head
    }
}
