//! CSV records (RFC 4180): cells of text, where each stands, and what is wrong with them.
//!
//! Read by hand rather than by a library, because a wrong record must say its column, must end at
//! a bounded size, and must not swallow what follows: where a quote is never closed, reading goes
//! on with the line after the one that opened it.

use std::io::{self, BufRead};

use super::{
    Position, Wrong, limits,
    lines::{Lines, column},
};

/// A cell: the bytes between its quotes, or all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    start: usize,
    end: usize,
    escaped: bool,
}

/// The records of a file, one at a time.
pub(super) struct Records<R> {
    source: Source<R>,
    text: String,
    first: u64,
    cells: Vec<Cell>,
}

impl<R: BufRead> Records<R> {
    /// The records of `lines`.
    pub(super) fn new(lines: Lines<R>) -> Self {
        Self { source: Source::new(lines), text: String::new(), first: 0, cells: Vec::new() }
    }

    /// Reads the next record that isn't an empty line.
    ///
    /// # Errors
    /// The file can't be read; inside, what is wrong with the record.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<(), Wrong>>> {
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

    /// How many cells the record has.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The record as it was typed, without its line end.
    pub(super) fn text(&self) -> &str {
        body(&self.text)
    }

    /// The text of a cell; empty where there is none.
    pub(super) fn cell(&self, at: usize) -> std::borrow::Cow<'_, str> {
        let Some(&Cell { start, end, escaped }) = self.cells.get(at) else { return "".into() };
        let text = &self.text[start..end];
        if escaped { text.replace("\"\"", "\"").into() } else { text.into() }
    }

    /// The byte of the record where a cell begins.
    pub(super) fn start(&self, at: usize) -> usize {
        self.cells.get(at).map_or(0, |cell| cell.start)
    }

    /// Where byte `at` of the record stands in the file.
    pub(super) fn position(&self, at: usize) -> Position {
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.first + before.matches('\n').count() as u64;
        Position { line, column: column(&self.text[line_start..], at - line_start) }
    }

    /// What is wrong at byte `at` of the record.
    pub(super) fn wrong(&self, at: usize, why: String) -> Wrong {
        Wrong { at: self.position(at), why }
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

/// Appends a cell, in quotes where it needs them.
pub(super) fn write_cell(text: &str, record: &mut Vec<u8>) {
    if !text.contains(['"', ',', '\n', '\r']) {
        return record.extend_from_slice(text.as_bytes());
    }
    record.push(b'"');
    record.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    record.push(b'"');
}
