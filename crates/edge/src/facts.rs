//! Request to facts: which bytes of a head the engine is told about. Nothing is copied.

use waypost_h1::{Field, Head, Method as Verb, Request};
use waypost_link::Timestamp;
use waypost_redirect::{Facts, Method};

use crate::limits;

/// The `X-Forwarded-For` fields of a request, the last [`limits::FORWARDED_FIELDS`] of them.
#[derive(Default)]
pub(crate) struct Forwarded<'a> {
    fields: [&'a [u8]; limits::FORWARDED_FIELDS],
    count: usize,
}

impl<'a> Forwarded<'a> {
    /// Those of `head`.
    #[inline]
    pub(crate) fn of(head: &Head<'a>) -> Self {
        let mut forwarded = Self::default();
        if head.field(Field::XForwardedFor).is_some() {
            forwarded.collect(head);
        }
        forwarded
    }

    /// In the order of the request.
    pub(crate) fn as_slice(&self) -> &[&'a [u8]] {
        self.fields.get(..self.count).unwrap_or_default()
    }

    fn collect(&mut self, head: &Head<'a>) {
        for value in head.values("x-forwarded-for") {
            if self.count == limits::FORWARDED_FIELDS {
                self.fields.rotate_left(1);
                self.count -= 1;
            }
            self.fields[self.count] = value;
            self.count += 1;
        }
    }
}

/// The facts of a request.
#[inline]
pub(crate) fn facts<'a>(
    head: &Head<'a>,
    country: &CountryHeader,
    forwarded: &'a Forwarded<'a>,
) -> Facts<'a> {
    let field = |field| head.field(field).unwrap_or_default();
    Facts {
        method: method(head.method()),
        host: head.host().as_bytes(),
        path: head.path(),
        query: head.query().map(str::as_bytes),
        user_agent: field(Field::UserAgent),
        referrer: field(Field::Referer),
        accept: field(Field::Accept),
        accept_language: field(Field::AcceptLanguage),
        sec_purpose: field(Field::SecPurpose),
        purpose: field(Field::Purpose),
        x_moz: field(Field::XMoz),
        country: country.of(head),
        forwarded_for: forwarded.as_slice(),
        real_ip: field(Field::XRealIp),
        peer: head.peer().ip(),
        at: Timestamp(i64::try_from(head.received().unix_micros).unwrap_or(i64::MAX)),
        password: None,
    }
}

/// The header that carries a visitor's country, found out once.
pub(crate) enum CountryHeader {
    /// None does.
    Absent,
    /// One that a head has at hand.
    Known(Field),
    /// Another one.
    Named(String),
}

impl CountryHeader {
    /// The header of this name.
    pub(crate) fn new(name: Option<&str>) -> Self {
        let Some(name) = name else { return Self::Absent };
        Field::of(name.as_bytes()).map_or_else(|| Self::Named(name.to_owned()), Self::Known)
    }

    /// Its value; empty where there is none.
    #[inline]
    fn of<'a>(&self, head: &Head<'a>) -> &'a [u8] {
        match self {
            Self::Absent => None,
            Self::Known(field) => head.field(*field),
            Self::Named(name) => head.header(name),
        }
        .unwrap_or_default()
    }
}

fn method(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::Get,
        Verb::Head => Method::Head,
        Verb::Post => Method::Post,
        _ => Method::Other,
    }
}

/// The field `password` of a posted form.
pub(crate) fn password(request: &Request<'_>) -> Option<String> {
    if is_form(request) { field(request.body(), "password") } else { None }
}

/// Whether a body is what an HTML form sends unless told otherwise; without a type it is taken for one.
pub(crate) fn is_form(head: &Head<'_>) -> bool {
    head.field(Field::ContentType).is_none_or(is_form_type)
}

fn is_form_type(value: &[u8]) -> bool {
    let kind = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// The first field of this name (`application/x-www-form-urlencoded`, WHATWG URL, 5.1).
fn field(form: &[u8], name: &str) -> Option<String> {
    let mut fields = url::form_urlencoded::parse(form);
    fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The facts that outlive their request: what a password check in another thread goes on with.
pub(crate) struct Kept {
    path: String,
    texts: Vec<Vec<u8>>,
    forwarded: Vec<Vec<u8>>,
    query: Option<Vec<u8>>,
    peer: std::net::IpAddr,
    at: Timestamp,
    method: Method,
}

impl Kept {
    /// A copy of `facts`.
    pub(crate) fn of(facts: &Facts<'_>) -> Self {
        let texts = [
            facts.host,
            facts.user_agent,
            facts.referrer,
            facts.accept,
            facts.accept_language,
            facts.country,
            facts.real_ip,
            facts.sec_purpose,
            facts.purpose,
            facts.x_moz,
        ];
        Self {
            path: facts.path.to_owned(),
            texts: texts.into_iter().map(<[u8]>::to_vec).collect(),
            forwarded: facts.forwarded_for.iter().map(|field| field.to_vec()).collect(),
            query: facts.query.map(<[u8]>::to_vec),
            peer: facts.peer,
            at: facts.at,
            method: facts.method,
        }
    }

    /// Calls `with` with the facts as they were.
    pub(crate) fn with<R>(&self, with: impl FnOnce(&Facts<'_>) -> R) -> R {
        let forwarded: Vec<&[u8]> = self.forwarded.iter().map(Vec::as_slice).collect();
        let text = |at: usize| self.texts.get(at).map(Vec::as_slice).unwrap_or_default();
        with(&Facts {
            method: self.method,
            host: text(0),
            path: &self.path,
            user_agent: text(1),
            referrer: text(2),
            accept: text(3),
            accept_language: text(4),
            country: text(5),
            real_ip: text(6),
            sec_purpose: text(7),
            purpose: text(8),
            x_moz: text(9),
            query: self.query.as_deref(),
            forwarded_for: &forwarded,
            peer: self.peer,
            at: self.at,
            // Checked by now.
            password: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_one_password() {
        for (form, found) in [
            ("password=letmein", Some("letmein")),
            ("a=b&password=let+me%20in%21", Some("let me in!")),
            ("passwords=x", None),
            ("", None),
        ] {
            assert_eq!(field(form.as_bytes(), "password").as_deref(), found, "{form}");
        }
    }

    #[test]
    fn what_forms_are_sent_as() {
        for (value, expected) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-URLencoded ; charset=UTF-8", true),
            ("application/json", false),
            ("multipart/form-data; boundary=application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            assert_eq!(is_form_type(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn kept_facts_are_the_same() {
        let facts = Facts {
            method: Method::Post,
            host: b"a",
            path: "/b",
            query: Some(b"c"),
            user_agent: b"d",
            referrer: b"e",
            accept: b"f",
            accept_language: b"g",
            country: b"h",
            forwarded_for: &[b"i", b"j"],
            real_ip: b"k",
            sec_purpose: b"l",
            purpose: b"m",
            x_moz: b"n",
            peer: [192, 0, 2, 1].into(),
            at: Timestamp(7),
            password: None,
        };
        Kept::of(&facts).with(|kept| assert_eq!(format!("{kept:?}"), format!("{facts:?}")));
    }
}
