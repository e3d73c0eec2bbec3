//! JSON Lines: an object a line, its keys the fields' names. What a link doesn't have is left out.

use std::io::{self, BufRead, Write};

use serde::Serializer as _;
use serde_json::{Map, Value};
use waypost_link::Link;
use waypost_service::Fault;

use super::{
    Book, Carried, Entry, Position, Reader, Writer, Wrong,
    fields::{Field, READ_ONLY, to_pairs},
    lines::{Lines, column},
};

/// Reads a file of JSON objects.
pub(crate) struct JsonlReader<R> {
    lines: Lines<R>,
}

impl<R> JsonlReader<R> {
    /// A reader over `lines`.
    pub(crate) fn new(lines: Lines<R>) -> Self {
        Self { lines }
    }
}

impl<R: BufRead> Reader for JsonlReader<R> {
    fn next(&mut self, book: &Book) -> io::Result<Option<Entry>> {
        loop {
            let Some(line) = self.lines.next()? else { return Ok(None) };
            let number = line.number;
            let text = match line.text {
                Err(wrong) => return Ok(Some(Entry::Wrong(wrong))),
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => text,
            };
            let at = |column| Position { line: number, column };
            return Ok(Some(match parse(text, book) {
                Ok(link) => Entry::Link(at(1), Box::new(link)),
                Err((column, why)) => Entry::Wrong(Wrong { at: at(column), why }),
            }));
        }
    }

    /// A key that is absent says that the link has no such thing.
    fn says(&self, _: &str) -> bool {
        true
    }
}

/// The link of a line, or the column and the sentence.
fn parse(text: &str, book: &Book) -> Result<Link, (u64, String)> {
    let object = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return Err((1, "expected a JSON object".to_owned())),
        Err(error) => return Err(not_json(text, &error)),
    };
    link_of(object, book).map_err(|fault| match fault {
        Fault::Invalid { field, .. } => (column_of(text, field), fault.to_string()),
        other => (1, other.to_string()),
    })
}

fn link_of(mut object: Map<String, Value>, book: &Book) -> Result<Link, Fault> {
    let code = required(&mut object, "code")?;
    let mut link = book.draft(&code, &required(&mut object, "destination_url")?)?;
    for (key, value) in object {
        if !READ_ONLY.contains(&key.as_str()) {
            let field = Field::named(&key).map_err(|why| Fault::invalid("key", why))?;
            field.set_json(&mut link, value, book)?;
        }
    }
    book.check(&link)?;
    Ok(link)
}

fn required(object: &mut Map<String, Value>, name: &'static str) -> Result<String, Fault> {
    match object.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Fault::invalid(name, "expected a text")),
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> (u64, String) {
    let message = error.to_string();
    let sentence = message.split(" at line ").next().unwrap_or_default();
    (column(text, error.column().saturating_sub(1)), format!("not JSON: {sentence}"))
}

/// The column of a key, if it is there in so many letters; else of the line's start.
fn column_of(text: &str, key: &str) -> u64 {
    text.find(&format!("\"{key}\"")).map_or(1, |at| column(text, at))
}

/// Writes a JSON object a line.
pub(crate) struct JsonlWriter;

impl Writer for JsonlWriter {
    fn link(&mut self, link: &Link, book: &Book, to: &mut dyn Write) -> anyhow::Result<Carried> {
        let mut pairs = to_pairs(link, book)?;
        pairs.retain(|(_, value)| !value.is_null());
        serde_json::Serializer::new(&mut *to).collect_map(pairs)?;
        to.write_all(b"\n")?;
        Ok(Carried::Whole)
    }
}
