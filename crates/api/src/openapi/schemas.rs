//! The shapes of a dialect's wire types, by names that no other dialect has.
//!
//! What is sent and what is answered are described apart, since one type may differ: a field with a default
//! may be left out of a request and is always in an answer.

use schemars::{
    SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde_json::{Map, Value};

use crate::kit::SchemaOf;

/// Where a document keeps its schemas.
const PLACE: &str = "#/components/schemas/";

/// The schemas of one dialect.
pub(super) struct Schemas {
    dialect: &'static str,
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new(dialect: &'static str) -> Self {
        let (taken, given) = (generator(Contract::Deserialize), generator(Contract::Serialize));
        Self { dialect, taken, given }
    }

    /// What is sent: a body or a parameter.
    pub(super) fn taken(&mut self, of: SchemaOf) -> Value {
        moved(of(&mut self.taken).into(), &self.taken_prefix())
    }

    /// What is answered.
    pub(super) fn given(&mut self, of: SchemaOf) -> Value {
        moved(of(&mut self.given).into(), &self.given_prefix())
    }

    /// All that was referred to.
    pub(super) fn components(mut self) -> Map<String, Value> {
        let (taken, given) = (self.taken_prefix(), self.given_prefix());
        let taken = named(self.taken.take_definitions(true), &taken);
        let given = named(self.given.take_definitions(true), &given);
        taken.into_iter().chain(given).collect()
    }

    fn taken_prefix(&self) -> String {
        format!("{}.sent.", self.dialect)
    }

    fn given_prefix(&self) -> String {
        format!("{}.", self.dialect)
    }
}

fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.contract = contract;
    settings.into_generator()
}

fn named(schemas: Map<String, Value>, prefix: &str) -> Map<String, Value> {
    let named = |(name, schema)| (format!("{prefix}{name}"), moved(schema, prefix));
    schemas.into_iter().map(named).collect()
}

/// `schema` with what it refers to called by its name in the document.
fn moved(mut schema: Value, prefix: &str) -> Value {
    match &mut schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name =
                    value.as_str().filter(|_| key == "$ref").and_then(|v| v.strip_prefix(PLACE));
                *value = match name {
                    Some(name) => format!("{PLACE}{prefix}{name}").into(),
                    None => moved(value.take(), prefix),
                };
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| *item = moved(item.take(), prefix));
        }
        _ => {}
    }
    schema
}
