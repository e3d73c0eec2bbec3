//! Links as text: the formats that import reads and export writes.
//!
//! [`fields::FIELDS`] is the one table of what a link is outside of the program: CSV columns, JSONL
//! keys, `link set CODE field=value` and `link get --json` all go by it, so a further field is one
//! row. A format is a [`Reader`] over [`lines::Lines`] and a [`Writer`]; both stream, and hold one
//! record at a time. A wrong record never stops a reader: it says where and why, and goes on.
//!
//! Nothing here opens a file, prints, or commits a link.

mod book;
mod cloudflare;
mod csv;
mod fields;
mod format;
mod jsonl;
pub(crate) mod limits;
mod lines;
mod netlify;
mod nginx_map;
mod options;
mod plain;
mod records;
mod values;

use std::{
    fmt,
    io::{self, BufRead, Write},
};

use waypost_link::Link;

pub(crate) use book::{Book, Front, Made};
pub(crate) use fields::{Field, assign, to_pairs};
pub(crate) use format::Format;
pub(crate) use values::print_time;

/// Where something stands in a file, both counted from 1; columns are characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The line.
    pub(crate) line: u64,
    /// The character of the line.
    pub(crate) column: u64,
}

/// A record that can't become a link: where, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Where.
    pub(crate) at: Position,
    /// Why.
    pub(crate) why: String,
}

/// `line:column: sentence`, to stand behind the file's name.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.at.line, self.at.column, self.why)
    }
}

/// What a record became.
#[derive(Debug, PartialEq)]
pub(crate) enum Entry {
    /// A link, checked, and where its record begins.
    Link(Position, Box<Link>),
    /// None.
    Wrong(Wrong),
}

/// Reads links from a file, one after the other.
pub(crate) trait Reader {
    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// The file can't be read on.
    fn next(&mut self, book: &Book) -> io::Result<Option<Entry>>;

    /// Whether its records say something about the field of this name; what they don't say of a
    /// link that exists stays as it is.
    fn says(&self, field: &str) -> bool;
}

/// How much of a link a format could carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// All of it.
    Whole,
    /// Its code and destination, but not every option.
    Partly,
    /// Nothing: without its options it would be another link.
    LeftOut,
}

/// Writes links to a file, one after the other.
pub(crate) trait Writer {
    /// Writes what stands before the first link.
    ///
    /// # Errors
    /// The file can't be written.
    fn begin(&mut self, _to: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// Writes a link.
    ///
    /// # Errors
    /// The file can't be written, or the link's names can't be looked up.
    fn link(&mut self, link: &Link, book: &Book, to: &mut dyn Write) -> anyhow::Result<Carried>;
}

/// A reader of `format` over `from`.
///
/// # Errors
/// The file is not of this format at all.
pub(crate) fn reader<'r>(
    format: Format,
    from: impl BufRead + 'r,
) -> Result<Box<dyn Reader + 'r>, ReaderError> {
    let lines = lines::Lines::new(from);
    Ok(match format {
        Format::Csv => Box::new(csv::CsvReader::new(lines)?),
        Format::Jsonl => Box::new(jsonl::JsonlReader::new(lines)),
        Format::NginxMap => Box::new(nginx_map::MapReader::new(lines)),
        Format::Netlify => Box::new(netlify::RedirectsReader::new(lines)),
        Format::Cloudflare => Box::new(cloudflare::BulkReader::new(lines)),
    })
}

/// A writer of `format`.
pub(crate) fn writer(format: Format) -> Box<dyn Writer> {
    match format {
        Format::Csv => Box::new(csv::CsvWriter::default()),
        Format::Jsonl => Box::new(jsonl::JsonlWriter),
        Format::NginxMap => Box::new(nginx_map::MapWriter),
        Format::Netlify => Box::new(netlify::RedirectsWriter),
        Format::Cloudflare => Box::new(cloudflare::BulkWriter::default()),
    }
}

/// Why a file can't be read as what it is said to be.
#[derive(Debug)]
pub(crate) enum ReaderError {
    /// Its first record is wrong, and without it the rest means nothing.
    Header(Wrong),
    /// The system said no.
    Io(io::Error),
}

impl From<io::Error> for ReaderError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod tests;
