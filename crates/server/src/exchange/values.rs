//! How a field's value is spelled: in a CSV cell or on the command line, and in JSON.

use std::borrow::Cow;

use serde_json::Value;
use waypost_link::Timestamp;

/// What a field's value looks like. Absent is an empty text, or `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// An instant, in RFC 3339.
    Time,
    /// Texts, separated by commas or as a JSON array.
    List,
    /// Any JSON.
    Json,
}

impl Kind {
    /// The value that `text` spells.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn parse(self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        match self {
            _ if text.is_empty() => Ok(Value::Null),
            Self::Text => no_nul(text).map(|text| Value::String(text.to_owned())),
            _ if trimmed.is_empty() => Ok(Value::Null),
            Self::Number => trimmed.parse::<u64>().map(Value::from).map_err(|_| self.not(text)),
            Self::Switch => switch(trimmed).map(Value::Bool).ok_or_else(|| self.not(text)),
            Self::Time => Ok(Value::String(trimmed.to_owned())),
            Self::List if trimmed.starts_with('[') => self.check(json(trimmed)?),
            Self::List => {
                let items = trimmed.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(items.map(Value::from).collect())
            }
            Self::Json => json(trimmed),
        }
    }

    /// A JSON value of this kind: a text may stand for any of them.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn check(self, value: Value) -> Result<Value, String> {
        match (&value, self) {
            (Value::Null, _) => Ok(value),
            (Value::String(text), _) => self.parse(text),
            (Value::Number(number), Self::Number) if number.is_u64() => Ok(value),
            (Value::Bool(_), Self::Switch) | (Value::Array(_) | Value::Object(_), Self::Json) => {
                Ok(value)
            }
            (Value::Array(items), Self::List) => {
                let text = |item: &Value| item.as_str().is_some_and(|item| no_nul(item).is_ok());
                if items.iter().all(text) { Ok(value) } else { Err(self.not(&value.to_string())) }
            }
            _ => Err(self.not(&value.to_string())),
        }
    }

    /// A value of this kind as text, such that [`Kind::parse`] gives it back.
    pub(crate) fn print(self, value: &Value) -> Cow<'_, str> {
        match value {
            Value::Null => Cow::Borrowed(""),
            Value::String(text) => Cow::Borrowed(text),
            Value::Array(items) if self == Self::List && items.iter().all(is_plain) => {
                let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
                Cow::Owned(items.join(","))
            }
            other => Cow::Owned(other.to_string()),
        }
    }

    fn not(self, text: &str) -> String {
        let expected = match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::Switch => "true or false",
            Self::Time => "a time such as 2026-05-27T18:00:00Z",
            Self::List => "texts separated by commas, or a JSON array of texts",
            Self::Json => "a JSON array or object",
        };
        format!("expected {expected}, not {}", super::lines::quoted(text))
    }
}

/// The instant that `text` spells: RFC 3339; a day or a time of day without offset is UTC; `now`.
///
/// # Errors
/// What was expected.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    if text == "now" {
        return Ok(crate::context::now());
    }
    let utc = |civil: jiff::civil::DateTime| civil.to_zoned(jiff::tz::TimeZone::UTC);
    text.parse::<jiff::Timestamp>()
        .or_else(|_| Ok(utc(text.parse()?)?.timestamp()))
        .map(|time| Timestamp(time.as_microsecond()))
        .map_err(|_: jiff::Error| Kind::Time.not(text))
}

/// An instant in RFC 3339, UTC, with as much of a fraction as it has.
pub(crate) fn print_time(time: Timestamp) -> String {
    let end = if time.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(time.0).unwrap_or(end).to_string()
}

fn no_nul(text: &str) -> Result<&str, String> {
    if text.contains('\0') { Err("a NUL character".to_owned()) } else { Ok(text) }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Whether an item of a list can stand between commas.
fn is_plain(item: &Value) -> bool {
    item.as_str().is_some_and(|item| {
        !item.is_empty() && !item.contains(',') && !item.starts_with('[') && item.trim() == item
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_spells_values() {
        for (kind, text, value) in [
            (Kind::Text, "", json!(null)),
            (Kind::Text, " a,b ", json!(" a,b ")),
            (Kind::Number, " 12 ", json!(12)),
            (Kind::Number, " ", json!(null)),
            (Kind::Switch, "Yes", json!(true)),
            (Kind::Switch, "0", json!(false)),
            (Kind::List, "a, b,,c", json!(["a", "b", "c"])),
            (Kind::List, "[\"a,b\", \"\"]", json!(["a,b", ""])),
            (Kind::Json, "{\"a\": [1]}", json!({"a": [1]})),
        ] {
            assert_eq!(kind.parse(text), Ok(value), "{kind:?} {text:?}");
        }
    }

    #[test]
    fn wrong_values_say_what_was_expected() {
        for (kind, value, said) in [
            (Kind::Text, json!(1), "expected a text, not \"1\""),
            (Kind::Text, json!("a\u{0}"), "a NUL character"),
            (Kind::Number, json!("-1"), "expected a whole number, not \"-1\""),
            (Kind::Number, json!(1.5), "expected a whole number, not \"1.5\""),
            (Kind::Switch, json!("perhaps"), "expected true or false, not \"perhaps\""),
            (Kind::List, json!(["a", 1]), "expected texts separated by commas"),
            (Kind::List, json!("[1"), "EOF while parsing"),
            (Kind::Json, json!("{"), "EOF while parsing an object at line 1 column 1"),
        ] {
            let error = kind.check(value.clone()).unwrap_err();
            assert!(error.contains(said), "{value} said {error:?}");
        }
    }

    #[test]
    fn lists_survive_their_text() {
        for list in [json!([]), json!(["a", "b"]), json!(["a,b"]), json!([" a"]), json!(["[x", ""])]
        {
            let text = Kind::List.print(&list);
            let expected = if list == json!([]) { json!(null) } else { list.clone() };
            assert_eq!(Kind::List.parse(&text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn times_are_utc() {
        for (text, seconds) in [
            ("1970-01-01T00:00:01Z", 1),
            ("1970-01-01T01:00:01+01:00", 1),
            ("1970-01-02", 86_400),
            ("1970-01-01 00:01", 60),
        ] {
            assert_eq!(parse_time(text), Ok(Timestamp::from_seconds(seconds)), "{text}");
        }
        assert!(parse_time("27.05.2026").is_err() && parse_time("1970-01-01T25:00Z").is_err());
        let fraction = Timestamp(1_800_000_000_000_123);
        assert_eq!(parse_time(&print_time(fraction)), Ok(fraction));
        assert_eq!(print_time(Timestamp::from_seconds(0)), "1970-01-01T00:00:00Z");
    }
}
