//! A field of an edit: what is absent stays, `null` clears, a value is set.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One field of an edit. Mark it `#[serde(default)]`; in answers also
/// `skip_serializing_if = "Edit::is_absent"`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Edit<T> {
    /// Not spoken of.
    #[default]
    Absent,
    /// `null`.
    Clear,
    /// A value.
    Set(T),
}

impl<T> Edit<T> {
    /// Whether it isn't spoken of.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// What it becomes: `None` where it stays, `Some(None)` where it is cleared.
    pub fn change(&self) -> Option<Option<&T>> {
        match self {
            Self::Absent => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }

    /// A value to show where this was spoken of.
    pub fn echo<U>(&self, value: Option<U>) -> Edit<U> {
        match (self, value) {
            (Self::Absent, _) => Edit::Absent,
            (_, Some(value)) => Edit::Set(value),
            (_, None) => Edit::Clear,
        }
    }
}

impl Edit<String> {
    /// As [`Edit::change`], where an empty text clears too.
    pub fn text(&self) -> Option<Option<&str>> {
        let change = self.change()?;
        Some(change.map(String::as_str).filter(|text| !text.is_empty()))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            Some(value) => Self::Set(value),
            None => Self::Clear,
        })
    }
}

impl<T: Serialize> Serialize for Edit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => value.serialize(serializer),
            Self::Absent | Self::Clear => serializer.serialize_none(),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Edit<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Thing {
        #[serde(default, skip_serializing_if = "Edit::is_absent")]
        name: Edit<String>,
    }

    #[test]
    fn absent_null_and_a_value_are_three_things() {
        for (json, name, text) in [
            ("{}", Edit::Absent, None),
            (r#"{"name":null}"#, Edit::Clear, Some(None)),
            (r#"{"name":""}"#, Edit::Set(String::new()), Some(None)),
            (r#"{"name":"a"}"#, Edit::Set("a".to_owned()), Some(Some("a"))),
        ] {
            let thing: Thing = serde_json::from_str(json).unwrap();
            assert_eq!((&thing.name, thing.name.text()), (&name, text), "{json}");
            assert_eq!(serde_json::to_string(&thing).unwrap(), json);
        }
        assert!(serde_json::from_str::<Thing>(r#"{"name":7}"#).is_err());
    }
}
