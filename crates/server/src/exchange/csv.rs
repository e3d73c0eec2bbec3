//! CSV with a header line of field names, then a record a link.

use std::io::{self, BufRead, Write};

use waypost_link::Link;
use waypost_service::Fault;

use super::{
    Book, Carried, Entry, Position, Reader, ReaderError, Writer, Wrong,
    fields::{Field, READ_ONLY},
    limits,
    lines::{Lines, quoted},
    records::{Records, write_cell},
};

/// Columns without which no line makes a link.
const REQUIRED: [&str; 2] = ["code", "destination_url"];

/// Reads a CSV file.
pub(crate) struct CsvReader<R> {
    records: Records<R>,
    columns: Vec<Option<&'static Field>>,
    code: usize,
    destination: usize,
}

impl<R: BufRead> CsvReader<R> {
    /// A reader that has understood the header.
    ///
    /// # Errors
    /// There is no header, it lacks a required column, or it names one that doesn't exist.
    pub(crate) fn new(lines: Lines<R>) -> Result<Self, ReaderError> {
        let mut records = Records::new(lines);
        let empty = || Wrong {
            at: Position { line: 1, column: 1 },
            why: "the file is empty: expected a header line such as code,destination_url".into(),
        };
        records.next()?.ok_or_else(empty).flatten().map_err(ReaderError::Header)?;
        let columns = header(&records).map_err(ReaderError::Header)?;
        let find = |name| columns.iter().position(|column| column.is_some_and(|f| f.name == name));
        let [Some(code), Some(destination)] = REQUIRED.map(find) else {
            let missing = REQUIRED.into_iter().find(|name| find(name).is_none());
            return Err(ReaderError::Header(no_column(&records, missing.unwrap_or_default())));
        };
        Ok(Self { records, columns, code, destination })
    }

    fn link(&self, book: &Book) -> Result<Box<Link>, Wrong> {
        let records = &self.records;
        if records.len() != self.columns.len() {
            return Err(ragged(records, self.columns.len()));
        }
        let place = |fault| self.place(&fault);
        let mut link =
            book.draft(&records.cell(self.code), &records.cell(self.destination)).map_err(place)?;
        for (at, field) in self.columns.iter().enumerate() {
            let Some(field) = field.filter(|_| at != self.code && at != self.destination) else {
                continue;
            };
            let cell = records.cell(at);
            if !cell.is_empty() {
                field.set_text(&mut link, &cell, book).map_err(place)?;
            }
        }
        book.check(&link).map_err(place)?;
        Ok(Box::new(link))
    }

    /// A fault, at the cell of the field that it names.
    fn place(&self, fault: &Fault) -> Wrong {
        let field = match fault {
            Fault::Invalid { field, .. } => *field,
            _ => "",
        };
        let named = |column: &Option<&Field>| column.is_some_and(|column| column.name == field);
        let start = self.columns.iter().position(named).map_or(0, |at| self.records.start(at));
        self.records.wrong(start, fault.to_string())
    }
}

impl<R: BufRead> Reader for CsvReader<R> {
    fn next(&mut self, book: &Book) -> io::Result<Option<Entry>> {
        Ok(match self.records.next()? {
            None => None,
            Some(Err(wrong)) => Some(Entry::Wrong(wrong)),
            Some(Ok(())) => Some(match self.link(book) {
                Ok(link) => Entry::Link(self.records.position(0), link),
                Err(wrong) => Entry::Wrong(wrong),
            }),
        })
    }

    fn says(&self, field: &str) -> bool {
        self.columns.iter().flatten().any(|column| column.name == field)
    }
}

fn ragged<R: BufRead>(records: &Records<R>, expected: usize) -> Wrong {
    let found = records.len();
    let why = format!("expected {expected} columns as in the header, found {found}");
    let start = if found > expected { records.start(expected) } else { records.text().len() };
    records.wrong(start, why)
}

fn no_column<R: BufRead>(records: &Records<R>, name: &str) -> Wrong {
    let hint = if other_separator(records) { "; columns are separated by commas" } else { "" };
    records.wrong(0, format!("the header has no column {name:?}{hint}"))
}

fn other_separator<R: BufRead>(records: &Records<R>) -> bool {
    records.len() == 1 && records.text().contains([';', '\t'])
}

/// The fields that the header names; none for a column that is passed over.
fn header<R: BufRead>(records: &Records<R>) -> Result<Vec<Option<&'static Field>>, Wrong> {
    if records.len() > limits::COLUMNS {
        let start = records.start(limits::COLUMNS);
        return Err(records.wrong(start, "too many columns".to_owned()));
    }
    if other_separator(records) {
        return Err(no_column(records, REQUIRED[0]));
    }
    let mut columns: Vec<Option<&'static Field>> = Vec::new();
    for at in 0..records.len() {
        let name = records.cell(at).trim().to_owned();
        if READ_ONLY.contains(&name.as_str()) {
            columns.push(None);
            continue;
        }
        let unknown = |why: String| {
            let why = why.replacen("field", "column", 1);
            records.wrong(records.start(at), why)
        };
        let field = Field::named(&name).map_err(unknown)?;
        if columns.iter().flatten().any(|known| known.name == field.name) {
            let why = format!("the column {} is there twice", quoted(&name));
            return Err(records.wrong(records.start(at), why));
        }
        columns.push(Some(field));
    }
    Ok(columns)
}

/// Writes a CSV file.
#[derive(Default)]
pub(crate) struct CsvWriter {
    record: Vec<u8>,
}

impl Writer for CsvWriter {
    fn begin(&mut self, to: &mut dyn Write) -> io::Result<()> {
        let names: Vec<_> = Field::exported().map(|field| field.name).collect();
        writeln!(to, "{}", names.join(","))
    }

    fn link(&mut self, link: &Link, book: &Book, to: &mut dyn Write) -> anyhow::Result<Carried> {
        self.record.clear();
        for (at, field) in Field::exported().enumerate() {
            if at > 0 {
                self.record.push(b',');
            }
            let value = field.get(link, book)?;
            write_cell(&field.kind.print(&value), &mut self.record);
        }
        self.record.push(b'\n');
        to.write_all(&self.record)?;
        Ok(Carried::Whole)
    }
}
