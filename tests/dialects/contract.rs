//! A server's own description of itself, held against what it was asked and answered.
//!
//! Every fixture of every dialect is checked by it, so what is documented is what is spoken: the answers'
//! types and shapes, and, where a call went well, its parameters and body.

use serde_json::{Value, json};

use crate::support::{Answer, Server};

/// `/openapi.json` of one server.
pub(super) struct Contract {
    pub(super) document: Value,
}

/// An operation of the document.
#[derive(Clone, Copy)]
pub(super) struct Operation<'a> {
    pub(super) path: &'a str,
    /// In lower case.
    pub(super) method: &'a str,
    pub(super) operation: &'a Value,
}

impl Contract {
    pub(super) fn of(server: &Server) -> Self {
        let answer = server.get("/openapi.json");
        assert_eq!(answer.status, 200, "{}", answer.head);
        Self { document: serde_json::from_str(&answer.body).expect("JSON") }
    }

    /// All operations.
    pub(super) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.document["paths"].as_object().expect("paths");
        paths.iter().flat_map(|(path, item)| {
            let operations = item.as_object().expect("a path item").iter();
            operations.map(move |(method, operation)| Operation { path, method, operation })
        })
    }

    /// What a request asks for: the path with the first literal wins, as in the router.
    pub(super) fn find(&self, method: &str, target: &str) -> Option<Operation<'_>> {
        let path = target.split('?').next().unwrap_or_default();
        let named = |one: &Operation<'_>| one.path.split('/').map(is_name).collect::<Vec<_>>();
        let fitting = self.operations().filter(|one| fits(one.path, path));
        let best = fitting.min_by_key(named)?.path;
        let method = method.to_ascii_lowercase();
        self.operations().find(|one| one.path == best && one.method == method)
    }

    /// What is wrong about this exchange; nothing where the document doesn't speak of it.
    pub(super) fn check(
        &self,
        (method, target): (&str, &str),
        sent: (&str, &str),
        answer: &Answer,
    ) -> Result<(), String> {
        let Some(Operation { operation, .. }) = self.find(method, target) else { return Ok(()) };
        if (200..300).contains(&answer.status) {
            self.check_query(operation, target)?;
            self.check_sent(operation, sent)?;
        }
        let responses = &operation["responses"];
        let status = responses.get(answer.status.to_string());
        let response = status.or_else(|| responses.get("default")).ok_or("an unknown status")?;
        self.check_answer(self.resolved(response), answer)
    }

    /// Every parameter is a documented one, and what must be there is.
    fn check_query(&self, operation: &Value, target: &str) -> Result<(), String> {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let given: Vec<_> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
        let given: Vec<_> = given.into_iter().filter(|name| !name.is_empty()).collect();
        let known = operation["parameters"].as_array().cloned().unwrap_or_default();
        let known = known.iter().filter(|one| one["in"] == "query");
        let known: Vec<_> =
            known.map(|one| (one["name"].as_str().unwrap_or_default(), one)).collect();
        let unknown = given.iter().find(|name| !known.iter().any(|(known, _)| known == *name));
        if let Some(name) = unknown {
            return Err(format!("the parameter {name:?} is not documented"));
        }
        match known.iter().find(|(name, one)| one["required"] == true && !given.contains(name)) {
            Some((name, _)) => Err(format!("{name:?} is documented as required")),
            None => Ok(()),
        }
    }

    fn check_sent(&self, operation: &Value, (kind, body): (&str, &str)) -> Result<(), String> {
        if body.is_empty() {
            return Ok(());
        }
        let content = operation["requestBody"]["content"].as_object();
        let content = content.and_then(|content| content.get(essence(kind)));
        let content = content.ok_or_else(|| format!("a body of {kind} is not documented"))?;
        match essence(kind) {
            "application/json" => self.fits("what was sent", &content["schema"], body),
            _ => Ok(()),
        }
    }

    fn check_answer(&self, response: &Value, answer: &Answer) -> Result<(), String> {
        let Some(content) = response["content"].as_object().filter(|_| !answer.body.is_empty())
        else {
            return Ok(());
        };
        let kind = answer.field("content-type").unwrap_or_default();
        let content = content.get(essence(kind));
        let content = content.ok_or_else(|| format!("an answer of {kind} is not documented"))?;
        match essence(kind) {
            "application/json" if content["schema"].is_object() => {
                self.fits("the answer", &content["schema"], &answer.body)
            }
            _ => Ok(()),
        }
    }

    fn fits(&self, what: &str, schema: &Value, text: &str) -> Result<(), String> {
        let value = serde_json::from_str(text).map_err(|error| format!("{what}: {error}"))?;
        let components = &self.document["components"];
        let whole = json!({ "allOf": [schema], "components": components });
        let validator = jsonschema::draft202012::new(&whole).map_err(|error| error.to_string())?;
        let wrong = validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path()));
        let wrong: Vec<_> = wrong.collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("{what} has another shape: {wrong:#?}")) }
    }

    /// What a reference stands for.
    pub(super) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value)
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), path.split('/').collect());
    let fits = |(expected, given): (&&str, &&str)| {
        expected == given || (is_name(expected) && !given.is_empty())
    };
    pattern.len() == path.len() && pattern.iter().zip(&path).all(fits)
}

fn is_name(segment: &str) -> bool {
    segment.starts_with('{')
}

/// A media type without its parameters.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}
