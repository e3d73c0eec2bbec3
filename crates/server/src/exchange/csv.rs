//! CSV (RFC 4180): a header line of field names, then a record a link.
//!
//! Read by hand rather than by a library, because a wrong record must say its column, must end at
//! a bounded size, and must not swallow what follows: where a quote is never closed, reading goes
//! on with the line after the one that opened it.

use std::io::{self, BufRead, Write};

use waypost_link::Link;
use waypost_service::Fault;

use super::{
    Book, Carried, Entry, Position, Reader, ReaderError, Writer, Wrong,
    fields::{Field, READ_ONLY},
    limits,
    lines::{Lines, column, quoted},
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
        let columns = records.header().map_err(ReaderError::Header)?;
        let find = |name| columns.iter().position(|column| column.is_some_and(|f| f.name == name));
        let [Some(code), Some(destination)] = REQUIRED.map(find) else {
            let missing = REQUIRED.into_iter().find(|name| find(name).is_none());
            return Err(ReaderError::Header(records.no_column(missing.unwrap_or_default())));
        };
        Ok(Self { records, columns, code, destination })
    }

    fn link(&self, book: &Book) -> Result<Box<Link>, Wrong> {
        let records = &self.records;
        if records.cells.len() != self.columns.len() {
            return Err(records.ragged(self.columns.len()));
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
}

/// A cell: the bytes between its quotes, or all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    start: usize,
    end: usize,
    escaped: bool,
}

/// The records of a file, one at a time.
struct Records<R> {
    source: Source<R>,
    text: String,
    first: u64,
    cells: Vec<Cell>,
}

impl<R: BufRead> Records<R> {
    fn new(lines: Lines<R>) -> Self {
        Self { source: Source::new(lines), text: String::new(), first: 0, cells: Vec::new() }
    }

    /// Reads the next record that isn't an empty line.
    fn next(&mut self) -> io::Result<Option<Result<(), Wrong>>> {
        loop {
            self.text.clear();
            match self.source.line(&mut self.text)? {
                None => return Ok(None),
                Some(Err(wrong)) => return Ok(Some(Err(wrong))),
                Some(Ok(_)) if self.text.trim().is_empty() => {}
                Some(Ok(number)) => {
                    self.first = number;
                    return self.rest().map(Some);
                }
            }
        }
    }

    /// Splits the record, reading on while a quote is open.
    fn rest(&mut self) -> io::Result<Result<(), Wrong>> {
        let mut splitter = Splitter::new(&mut self.cells);
        let line = self.text.len();
        loop {
            let (start, why) = match splitter.split(body(&self.text)) {
                Split::Done => return Ok(Ok(())),
                Split::Wrong(start) if self.text.len() == line => {
                    (start, "expected a comma after the closing quote")
                }
                Split::Wrong(_) => (splitter.quote(), "this quote is never closed"),
                Split::Open(_) if self.text.len() < limits::RECORD_BYTES => {
                    match self.source.line(&mut self.text)? {
                        Some(Ok(_)) => continue,
                        Some(Err(wrong)) => self.source.hold(wrong),
                        None => {}
                    }
                    (splitter.quote(), "this quote is never closed")
                }
                Split::Open(start) => (start, "this quote is not closed within 8 MiB"),
            };
            let wrong = self.wrong(start, why.to_owned());
            self.source.give_back(&self.text[line..], self.first + 1);
            return Ok(Err(wrong));
        }
    }

    fn cell(&self, at: usize) -> std::borrow::Cow<'_, str> {
        let Some(&Cell { start, end, escaped }) = self.cells.get(at) else { return "".into() };
        let text = &self.text[start..end];
        if escaped { text.replace("\"\"", "\"").into() } else { text.into() }
    }

    fn start(&self, at: usize) -> usize {
        self.cells.get(at).map_or(0, |cell| cell.start)
    }

    fn position(&self, at: usize) -> Position {
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.first + before.matches('\n').count() as u64;
        Position { line, column: column(&self.text[line_start..], at - line_start) }
    }

    fn wrong(&self, at: usize, why: String) -> Wrong {
        Wrong { at: self.position(at), why }
    }

    fn ragged(&self, expected: usize) -> Wrong {
        let found = self.cells.len();
        let why = format!("expected {expected} columns as in the header, found {found}");
        let start = if found > expected { self.start(expected) } else { body(&self.text).len() };
        self.wrong(start, why)
    }

    fn no_column(&self, name: &str) -> Wrong {
        let hint = if self.cells.len() == 1 && self.text.contains([';', '\t']) {
            "; columns are separated by commas"
        } else {
            ""
        };
        self.wrong(0, format!("the header has no column {name:?}{hint}"))
    }

    /// The fields that the header names; none for a column that is passed over.
    fn header(&self) -> Result<Vec<Option<&'static Field>>, Wrong> {
        if self.cells.len() > limits::COLUMNS {
            return Err(self.wrong(self.start(limits::COLUMNS), "too many columns".to_owned()));
        }
        if self.cells.len() == 1 && self.text.contains([';', '\t']) {
            return Err(self.no_column(REQUIRED[0]));
        }
        let mut columns: Vec<Option<&'static Field>> = Vec::new();
        for at in 0..self.cells.len() {
            let name = self.cell(at).trim().to_owned();
            if READ_ONLY.contains(&name.as_str()) {
                columns.push(None);
                continue;
            }
            let unknown = |why: String| {
                let why = why.replacen("field", "column", 1);
                self.wrong(self.start(at), why)
            };
            let field = Field::named(&name).map_err(unknown)?;
            if columns.iter().flatten().any(|known| known.name == field.name) {
                let why = format!("the column {} is there twice", quoted(&name));
                return Err(self.wrong(self.start(at), why));
            }
            columns.push(Some(field));
        }
        Ok(columns)
    }
}

/// A record without its line end.
fn body(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// What splitting came to; positions are bytes of the record.
#[derive(Debug, PartialEq, Eq)]
enum Split {
    Done,
    /// The quote here isn't closed yet.
    Open(usize),
    /// Something stands here that can't.
    Wrong(usize),
}

/// Splits a record that may grow: what was looked at is not looked at again.
struct Splitter<'c> {
    cells: &'c mut Vec<Cell>,
    at: usize,
    seen: usize,
    escaped: bool,
}

impl<'c> Splitter<'c> {
    fn new(cells: &'c mut Vec<Cell>) -> Self {
        cells.clear();
        Self { cells, at: 0, seen: 0, escaped: false }
    }

    /// Where the open quote stands.
    fn quote(&self) -> usize {
        self.at
    }

    fn split(&mut self, body: &str) -> Split {
        loop {
            let end = if body[self.at..].starts_with('"') {
                match self.quoted(body) {
                    None => return Split::Open(self.at),
                    Some(end) => end + 1,
                }
            } else {
                let end = body[self.at..].find(',').map_or(body.len(), |end| self.at + end);
                self.cells.push(Cell { start: self.at, end, escaped: false });
                end
            };
            match body.as_bytes().get(end) {
                None => return Split::Done,
                Some(b',') => self.at = end + 1,
                Some(_) => return Split::Wrong(end),
            }
        }
    }

    /// Where the quote that opens at `at` is closed.
    fn quoted(&mut self, body: &str) -> Option<usize> {
        let start = self.at + 1;
        self.seen = self.seen.max(start);
        loop {
            let Some(quote) = body[self.seen..].find('"').map(|at| self.seen + at) else {
                self.seen = body.len();
                return None;
            };
            if body.as_bytes().get(quote + 1) != Some(&b'"') {
                self.cells.push(Cell { start, end: quote, escaped: self.escaped });
                self.escaped = false;
                return Some(quote);
            }
            self.escaped = true;
            self.seen = quote + 2;
        }
    }
}

/// The lines of the file, and before them those that a failed record gave back.
struct Source<R> {
    lines: Lines<R>,
    again: String,
    at: usize,
    number: u64,
    held: Option<Wrong>,
}

impl<R: BufRead> Source<R> {
    fn new(lines: Lines<R>) -> Self {
        Self { lines, again: String::new(), at: 0, number: 0, held: None }
    }

    /// Appends the next line to `text`; its number.
    fn line(&mut self, text: &mut String) -> io::Result<Option<Result<u64, Wrong>>> {
        let again = &self.again[self.at..];
        if !again.is_empty() {
            let end = again.find('\n').map_or(again.len(), |end| end + 1);
            text.push_str(&again[..end]);
            self.at += end;
            self.number += 1;
            return Ok(Some(Ok(self.number - 1)));
        }
        if let Some(wrong) = self.held.take() {
            return Ok(Some(Err(wrong)));
        }
        let Some(line) = self.lines.next()? else { return Ok(None) };
        Ok(Some(line.text.map(|line_text| {
            text.push_str(line_text);
            line.number
        })))
    }

    /// Gives back the lines read last, of which the first has `number`.
    fn give_back(&mut self, lines: &str, number: u64) {
        if self.at < self.again.len() {
            self.at -= lines.len();
        } else {
            self.again.clear();
            self.again.push_str(lines);
            self.at = 0;
        }
        self.number = number;
    }

    /// Keeps what is wrong with a line until its turn comes.
    fn hold(&mut self, wrong: Wrong) {
        self.held = Some(wrong);
    }
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

pub(super) fn write_cell(text: &str, record: &mut Vec<u8>) {
    if !text.contains(['"', ',', '\n', '\r']) {
        return record.extend_from_slice(text.as_bytes());
    }
    record.push(b'"');
    record.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    record.push(b'"');
}
