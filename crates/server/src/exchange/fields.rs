//! The fields of a link, once: what each is called, how it is spelled, where it lives.
//!
//! The names are the golinks API's. Columns of a CSV file, keys of a JSONL line, `link set`'s
//! `field=value` and the JSON of `link get` are all read off [`FIELDS`].

use serde_json::Value;
use waypost_link::{CollectionId, DomainId, Flags, Link, Slug, Status, Timestamp};
use waypost_service::Fault;

use super::{
    Book,
    options::{
        parse_attributes, parse_rules, parse_scripts, print_attributes, print_rules, print_scripts,
        why,
    },
    values::{Kind, parse_time, print_time},
};

type Get = fn(&Link, &Book) -> Result<Value, Fault>;
type Set = fn(&mut Link, &Value, &Book) -> Result<(), String>;

/// One field of a link.
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: &'static str,
    /// How its value is spelled.
    pub(crate) kind: Kind,
    get: Get,
    set: Set,
}

/// Names that JSON answers carry beside [`FIELDS`]: a file may have them, and they are passed over.
pub(crate) const READ_ONLY: [&str; 4] = ["id", "short_url", "collection_id", "clicks"];

/// The field that is read and never written: a password in clear.
const PASSWORD: &str = "password";

macro_rules! field {
    ($name:literal, $kind:ident, $get:expr, $set:expr) => {
        Field { name: $name, kind: Kind::$kind, get: $get, set: $set }
    };
}
macro_rules! text {
    ($name:ident) => {
        Field {
            name: stringify!($name),
            kind: Kind::Text,
            get: |link, _| Ok(text_or_null(link.$name.as_deref().unwrap_or_default())),
            set: |link, value, _| {
                link.$name = string(value);
                Ok(())
            },
        }
    };
}
macro_rules! utm {
    ($name:literal, $part:ident) => {
        Field {
            name: $name,
            kind: Kind::Text,
            get: |link, _| Ok(text_or_null(&link.utm.$part)),
            set: |link, value, _| {
                link.utm.$part = string(value).unwrap_or_default();
                Ok(())
            },
        }
    };
}
macro_rules! time {
    ($name:ident) => {
        Field {
            name: stringify!($name),
            kind: Kind::Time,
            get: |link, _| Ok(link.$name.map(print_time).into()),
            set: |link, value, _| {
                link.$name = instant(value)?;
                Ok(())
            },
        }
    };
}
macro_rules! number {
    ($name:ident) => {
        Field {
            name: stringify!($name),
            kind: Kind::Number,
            get: |link, _| Ok(link.$name.into()),
            set: |link, value, _| {
                link.$name = value.as_u64();
                Ok(())
            },
        }
    };
}
macro_rules! switch {
    ($name:literal, $flag:ident) => {
        Field {
            name: $name,
            kind: Kind::Switch,
            get: |link, _| Ok(link.flags.has(Flags::$flag).into()),
            set: |link, value, _| {
                let on = value.as_bool().unwrap_or(Flags::default().has(Flags::$flag));
                link.flags = link.flags.with(Flags::$flag, on);
                Ok(())
            },
        }
    };
}
macro_rules! option {
    ($name:ident, $kind:ident, $print:expr, $parse:expr) => {
        Field {
            name: stringify!($name),
            kind: Kind::$kind,
            get: |link, _| Ok($print(&link.$name)),
            set: |link, value, book| {
                link.$name = $parse(value, book)?;
                Ok(())
            },
        }
    };
}

/// Every field, in the order of a CSV file's columns.
#[rustfmt::skip]
pub(crate) const FIELDS: &[Field] = &[
    field!("code", Text, |link, _| Ok(link.slug.as_str().into()), set_code),
    field!("domain", Text, |link, book| Ok(book.hostname(link.domain)?.into()), set_domain),
    field!("destination_url", Text, |link, _| Ok(link.destination.as_str().into()), set_destination),
    text!(title),
    text!(source_label),
    option!(tags, List, list, strings),
    field!("status", Number, |link, _| Ok(link.status.code().into()), set_status),
    switch!("active", ACTIVE),
    time!(archived_at),
    time!(valid_from),
    time!(expires_at),
    number!(max_clicks),
    number!(alert_at),
    switch!("alert_email", ALERT_EMAIL),
    field!("password", Text, |_, _| Ok(Value::Null), set_password),
    field!("password_hash", Text, |link, _| Ok(link.password.clone().into()), set_password_hash),
    switch!("forward_query", FORWARD_QUERY),
    switch!("public", PUBLIC),
    switch!("public_tracking", PUBLIC_TRACKING),
    switch!("plus_tracking", PLUS_TRACKING),
    switch!("conversion_tracking", CONVERSION_TRACKING),
    switch!("pixels", PIXELS),
    utm!("utm_source", source),
    utm!("utm_medium", medium),
    utm!("utm_campaign", campaign),
    utm!("utm_term", term),
    utm!("utm_content", content),
    field!("collection", Text, collection, set_collection),
    text!(asin),
    text!(product_image_url),
    text!(description),
    text!(notes),
    option!(rules, Json, print_rules, parse_rules),
    option!(scripts, Json, print_scripts, parse_scripts),
    option!(attributes, Json, print_attributes, parse_attributes),
    time!(deactivated_at),
    field!("created_at", Time, |link, _| Ok(print_time(link.created_at).into()), |link, value, _| moment(&mut link.created_at, value)),
    field!("updated_at", Time, |link, _| Ok(print_time(link.updated_at).into()), |link, value, _| moment(&mut link.updated_at, value)),
];

impl Field {
    /// The field of this name.
    ///
    /// # Errors
    /// There is none, with the nearest there is.
    pub(crate) fn named(name: &str) -> Result<&'static Self, String> {
        if let Some(field) = FIELDS.iter().find(|field| field.name == name) {
            return Ok(field);
        }
        let unknown = super::lines::quoted(name);
        match crate::config::nearest(name, FIELDS.iter().map(|field| field.name)) {
            Some(near) => Err(format!("unknown field {unknown}; did you mean {near:?}?")),
            None => Err(format!("unknown field {unknown}")),
        }
    }

    /// The fields that an export carries.
    pub(crate) fn exported() -> impl Iterator<Item = &'static Self> {
        FIELDS.iter().filter(|field| field.name != PASSWORD)
    }

    /// What a link has here; `null` where it has nothing.
    ///
    /// # Errors
    /// [`Fault::Store`]: a name can't be looked up.
    pub(crate) fn get(&self, link: &Link, book: &Book) -> Result<Value, Fault> {
        (self.get)(link, book)
    }

    /// Sets it to a value as text spells it; empty clears it.
    ///
    /// # Errors
    /// [`Fault::Invalid`] with this field's name.
    pub(crate) fn set_text(&self, link: &mut Link, text: &str, book: &Book) -> Result<(), Fault> {
        let value = self.kind.parse(text);
        self.set(link, value, book)
    }

    /// Sets it to a JSON value; `null` clears it.
    ///
    /// # Errors
    /// [`Fault::Invalid`] with this field's name.
    pub(crate) fn set_json(&self, link: &mut Link, json: Value, book: &Book) -> Result<(), Fault> {
        let value = self.kind.check(json);
        self.set(link, value, book)
    }

    fn set(&self, link: &mut Link, value: Result<Value, String>, book: &Book) -> Result<(), Fault> {
        let done = value.and_then(|value| (self.set)(link, &value, book));
        done.map_err(|why| Fault::invalid(self.name, why))
    }
}

/// Sets the field that `assignment` (`field=value`) names.
///
/// # Errors
/// [`Fault::Invalid`].
pub(crate) fn assign(link: &mut Link, assignment: &str, book: &Book) -> Result<(), Fault> {
    let Some((name, text)) = assignment.split_once('=') else {
        return Err(Fault::invalid("field", format!("expected field=value, not {assignment:?}")));
    };
    let field = Field::named(name.trim()).map_err(|why| Fault::invalid("field", why))?;
    field.set_text(link, text, book)
}

/// Every exported field of a link with its value, in the table's order.
///
/// # Errors
/// [`Fault::Store`]: a name can't be looked up.
pub(crate) fn to_pairs(link: &Link, book: &Book) -> Result<Vec<(&'static str, Value)>, Fault> {
    Field::exported().map(|field| Ok((field.name, field.get(link, book)?))).collect()
}

fn text_or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn list(texts: &[String]) -> Value {
    if texts.is_empty() { Value::Null } else { texts.iter().map(String::as_str).collect() }
}

fn strings(value: &Value, _: &Book) -> Result<Vec<String>, String> {
    Ok(value.as_array().into_iter().flatten().filter_map(string).collect())
}

fn instant(value: &Value) -> Result<Option<Timestamp>, String> {
    value.as_str().map(parse_time).transpose()
}

fn moment(time: &mut Timestamp, value: &Value) -> Result<(), String> {
    if let Some(set) = instant(value)? {
        *time = set;
    }
    Ok(())
}

fn set_code(link: &mut Link, value: &Value, _: &Book) -> Result<(), String> {
    let code = value.as_str().unwrap_or_default();
    link.slug = Slug::parse(code.trim()).map_err(|error| error.to_string())?;
    Ok(())
}

fn set_domain(link: &mut Link, value: &Value, book: &Book) -> Result<(), String> {
    link.domain = match value.as_str() {
        Some(host) => book.domain(host.trim()).map_err(why)?,
        None => DomainId::DEFAULT,
    };
    Ok(())
}

fn set_destination(link: &mut Link, value: &Value, book: &Book) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default();
    link.destination = book.destination(text.trim()).map_err(why)?;
    Ok(())
}

fn set_status(link: &mut Link, value: &Value, _: &Book) -> Result<(), String> {
    let known = |code: u64| u16::try_from(code).ok().and_then(Status::from_code);
    link.status = match value.as_u64() {
        None => Status::default(),
        Some(code) => {
            known(code).ok_or_else(|| format!("expected 301, 302, 307 or 308, not {code}"))?
        }
    };
    Ok(())
}

fn set_password(link: &mut Link, value: &Value, book: &Book) -> Result<(), String> {
    link.password = value.as_str().map(|password| book.hash(password)).transpose().map_err(why)?;
    Ok(())
}

/// A PHC string of Argon2id: `$argon2id$v=…$m=…,t=…,p=…$salt$hash`.
fn set_password_hash(link: &mut Link, value: &Value, _: &Book) -> Result<(), String> {
    let hash = string(value);
    let printable = |hash: &str| hash.len() <= 256 && hash.bytes().all(|b| b.is_ascii_graphic());
    let legal = |hash: &str| hash.starts_with("$argon2id$") && hash.split('$').count() == 6;
    if hash.as_deref().is_some_and(|hash| !legal(hash) || !printable(hash)) {
        return Err("expected an Argon2id hash in PHC form; a password goes by password".to_owned());
    }
    link.password = hash;
    Ok(())
}

fn collection(link: &Link, book: &Book) -> Result<Value, Fault> {
    let name = |id: CollectionId| book.collection_name(id);
    Ok(link.collection.map(name).transpose()?.flatten().into())
}

fn set_collection(link: &mut Link, value: &Value, book: &Book) -> Result<(), String> {
    link.collection = match value.as_str() {
        Some(name) => Some(book.collection(name).map_err(why)?),
        None => None,
    };
    Ok(())
}
