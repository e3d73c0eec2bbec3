//! XML, the default, or JSON: one table of rows, written either way.

use serde::Serialize;

use crate::kit::{Answer, Call, Fail, reply};

/// What `format` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Xml,
    Json,
}

impl Format {
    /// That of a call.
    pub(super) fn of(call: &Call) -> Result<Self, Fail> {
        match call.query("format")?.unwrap_or_default() {
            "" | "xml" => Ok(Self::Xml),
            "json" => Ok(Self::Json),
            _ => Err(Fail::invalid("format", "expected xml or json")),
        }
    }

    /// One row, called `item` in XML.
    pub(super) fn one(self, item: &str, row: &impl Serialize) -> Answer {
        match self {
            Self::Json => reply::json(200, row),
            Self::Xml => document(&element(item, row)?),
        }
    }

    /// Rows, called `item` in XML, below `name`.
    pub(super) fn list<T: Serialize>(self, name: &str, item: &str, rows: &[T]) -> Answer {
        if self == Self::Json {
            return reply::json(200, &std::collections::BTreeMap::from([(name, rows)]));
        }
        let rows: String = rows.iter().map(|row| element(item, row)).collect::<Result<_, _>>()?;
        document(&format!("<{name}>{rows}</{name}>"))
    }
}

fn element(name: &str, row: &impl Serialize) -> Result<String, Fail> {
    quick_xml::se::to_string_with_root(name, row).map_err(|error| Fail::internal(&error))
}

fn document(root: &str) -> Answer {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    document.extend(root.chars().map(|c| if is_xml(c) { c } else { char::REPLACEMENT_CHARACTER }));
    Ok(reply::xml(200, document))
}

/// Whether a document may hold it at all, even escaped (XML 1.0, 2.2).
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row {
        title: Option<&'static str>,
        count: u64,
    }

    fn check(format: Format, rows: &[Row], expected: &str) {
        let response = format.list("rows", "row", rows).expect("an answer");
        assert_eq!(std::str::from_utf8(response.bytes()), Ok(expected));
    }

    #[test]
    fn rows_in_both_forms() {
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        check(Format::Xml, &[], &format!("{head}<rows></rows>"));
        check(Format::Json, &[], "{\"rows\":[]}");
        let rows = [
            Row { title: Some("</title><x a=\"'&\u{1}\u{fffe}é"), count: 3 },
            Row { title: None, count: 0 },
        ];
        let title = "&lt;/title&gt;&lt;x a=\"'&amp;\u{fffd}\u{fffd}é";
        check(
            Format::Xml,
            &rows,
            &format!(
                "{head}<rows><row><title>{title}</title><count>3</count></row>\
                 <row><title/><count>0</count></row></rows>"
            ),
        );
        check(
            Format::Json,
            &rows,
            "{\"rows\":[{\"title\":\"</title><x a=\\\"'&\\u0001\u{fffe}é\",\"count\":3},\
             {\"title\":null,\"count\":0}]}",
        );
    }
}
