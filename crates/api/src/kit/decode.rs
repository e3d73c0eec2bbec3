//! JSON bodies into wire types. What doesn't fit names the field, by its path.
//!
//! Depth is bounded by serde_json (128), size by the route. Unknown fields are ignored, as SPEC 4 says;
//! a field that is there twice is an error.

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use waypost_h1::Field;

use super::{Body, Call, Fail, Object, form};
use crate::limits;

impl Call {
    /// The body as `T`.
    ///
    /// # Errors
    /// [`Fail::Malformed`] where it is no JSON, [`Fail::Missing`] and [`Fail::Invalid`] with the field.
    pub fn json<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, Fail> {
        decode(self.body())
    }

    /// Whether the body is of a type that the route takes: one without a type is, and so is none.
    pub(crate) fn check_type(&self) -> Result<(), Fail> {
        let fits = match self.route().body {
            Body::Nothing => true,
            Body::Form => form::is_form(self),
            Body::Json(_) => self.header(Field::ContentType).is_none_or(is_json),
        };
        if self.body().is_empty() || fits { Ok(()) } else { Err(Fail::UnsupportedMediaType) }
    }
}

/// `application/json` or a type that ends in `+json` (RFC 6839, 3.1), in UTF-8.
fn is_json(kind: &str) -> bool {
    let mut parts = kind.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let utf8 = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    let json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    json && parts.all(utf8)
}

fn decode<T: DeserializeOwned + JsonSchema>(body: &[u8]) -> Result<T, Fail> {
    // Also where serde wouldn't look: in the values of unknown fields.
    let text = std::str::from_utf8(body)
        .map_err(|error| Fail::Malformed(format!("The body is not UTF-8: {error}")))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let Object(value) = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        refused::<T>(&path, error.inner())
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn refused<T: JsonSchema>(path: &str, error: &serde_json::Error) -> Fail {
    if !error.is_data() {
        return not_json(error);
    }
    let text = error.to_string();
    let path = if path == "." { "" } else { path };
    match text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        Some((field, _)) if path.is_empty() => {
            Fail::Missing { field: field.to_owned(), required: required::<T>() }
        }
        Some((field, _)) => Fail::missing(format!("{path}.{field}")),
        None if path.is_empty() => Fail::invalid("body", what(&text)),
        None => Fail::invalid(path.to_owned(), what(&text)),
    }
}

/// All fields that `T` must have, by its schema: only asked when one of them is missing.
fn required<T: JsonSchema>() -> Vec<String> {
    let schema = SchemaGenerator::default().into_root_schema_for::<T>();
    let required = schema.get("required").and_then(|required| required.as_array());
    let names = required.into_iter().flatten().filter_map(|name| name.as_str());
    names.map(str::to_owned).collect()
}

fn not_json(error: &serde_json::Error) -> Fail {
    Fail::Malformed(format!("The body is not JSON: {}", what(&error.to_string())))
}

/// What is wrong, in a length fit to be repeated.
fn what(text: &str) -> String {
    text.chars().take(limits::QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Thing {
        name: String,
        size: u32,
        note: Option<String>,
        parts: Option<Vec<Object<Part>>>,
        whole: Option<Object<Part>>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Part {
        of: String,
    }

    #[test]
    fn what_does_not_fit_names_its_field() {
        let deep = format!("{{\"name\":\"a\",\"size\":1,\"x\":{}", "[".repeat(200));
        for (body, expected) in [
            (r#"{"name":"a","size":1,"more":{"x":[1]}}"#, ""),
            (r#"{"name":"a","size":1,"note":null}"#, ""),
            (r#"{"size":1}"#, "Missing required field: name"),
            (
                r#"{"name":"a","size":1,"parts":[{"of":"x"},{}]}"#,
                "Missing required field: parts[1].of",
            ),
            (r#"{"name":1,"size":1}"#, "Invalid name: "),
            (r#"{"name":"a","size":-1}"#, "Invalid size: "),
            (r#"{"name":"a","size":1,"parts":[{"of":2}]}"#, "Invalid parts[0].of: "),
            (r#"{"name":"a","name":"b","size":1}"#, "Invalid "),
            (r#"{"name":"a","size":1,"parts":[{"of":"x"},["x"]]}"#, "Invalid parts[1]: "),
            (r#"{"name":"a","size":1,"whole":["x"]}"#, "Invalid whole: "),
            (r#"{"name":"a","size":1,"whole":{}}"#, "Missing required field: whole.of"),
            (r#"["a",1,null,null,null]"#, "Invalid body: "),
            ("[]", "Invalid body: "),
            ("[", "Invalid body: "),
            ("", "The body is not JSON: "),
            ("{", "The body is not JSON: "),
            (r#"{"name":"a","size":1} x"#, "The body is not JSON: "),
            ("{\"name\":\"\u{1}\"}", "The body is not JSON: "),
            (deep.as_str(), "The body is not JSON: "),
        ] {
            match decode::<Thing>(body.as_bytes()) {
                Ok(_) => assert_eq!(expected, "", "{body}"),
                Err(fail) => {
                    let said = fail.to_string();
                    assert!(!expected.is_empty() && said.starts_with(expected), "{body}: {said}");
                    assert_eq!(fail.status(), 400);
                }
            }
        }
    }

    #[test]
    fn a_missing_field_brings_the_list() {
        let Err(Fail::Missing { required, .. }) = decode::<Thing>(b"{}") else { panic!() };
        assert_eq!(required, ["name", "size"]);
    }

    #[test]
    fn which_types_are_json() {
        for (kind, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/problem+json", true),
            ("application/json; charset=latin1", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            assert_eq!(is_json(kind), expected, "{kind}");
        }
    }
}
