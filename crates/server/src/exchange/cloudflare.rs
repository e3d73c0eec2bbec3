//! Cloudflare's Bulk Redirects CSV: `go.example/code,https://example.com/,302,TRUE`, without header.
//!
//! The columns are source URL, target URL, status code, preserve query string, include subdomains,
//! subpath matching, preserve path suffix; all but two may be left out (Cloudflare's Rules
//! documentation, "CSV file format"). A redirect that stands for more than one path of one hostname
//! can't be a short link and is refused. A header line, which Cloudflare refuses, is passed over.

use std::io::{self, BufRead, Write};

use waypost_link::{Flags, Link, Status};
use waypost_service::Fault;

use super::{
    Book, Carried, Entry, Reader, Writer, Wrong,
    lines::{Lines, quoted},
    plain,
    records::{Records, write_cell},
};

/// The columns, in their order.
const COLUMNS: [&str; 7] = [
    "source_url",
    "target_url",
    "status_code",
    "preserve_query_string",
    "include_subdomains",
    "subpath_matching",
    "preserve_path_suffix",
];
const TARGET: usize = 1;
const STATUS: usize = 2;
const PRESERVE_QUERY: usize = 3;
const SUBDOMAINS: usize = 4;
const SUBPATHS: usize = 5;
const PATH_SUFFIX: usize = 6;

/// The fields that a redirect carries.
const KNOWN: [&str; 5] = ["code", "domain", "destination_url", "status", "forward_query"];

/// Reads a file of bulk redirects.
pub(crate) struct BulkReader<R> {
    records: Records<R>,
    begun: bool,
}

impl<R: BufRead> BulkReader<R> {
    /// A reader over `lines`.
    pub(crate) fn new(lines: Lines<R>) -> Self {
        Self { records: Records::new(lines), begun: false }
    }

    /// The link of the record, or the cell and the sentence.
    fn link(&self, book: &Book) -> Result<Link, (usize, String)> {
        let cell = |at| self.records.cell(at);
        if self.records.len() > COLUMNS.len() {
            return Err((COLUMNS.len(), "expected at most 7 columns".to_owned()));
        }
        if cell(TARGET).trim().is_empty() {
            return Err((TARGET, "expected a target URL after the source URL".to_owned()));
        }
        let source = cell(0);
        let (host, path) = split(source.trim()).map_err(|why| (0, why.to_owned()))?;
        let status = status(cell(STATUS).trim()).map_err(|why| (STATUS, why))?;
        let forward = self.switch(PRESERVE_QUERY)?;
        for at in [SUBDOMAINS, SUBPATHS] {
            if self.switch(at)? {
                return Err((at, format!("a short link has no {}", COLUMNS[at])));
            }
        }
        self.switch(PATH_SUFFIX)?;
        let link = || {
            let mut link = book.draft(&plain::code(path)?, &cell(TARGET))?;
            link.domain = book.served(host)?;
            link.status = status;
            link.flags = link.flags.with(Flags::FORWARD_QUERY, forward);
            book.check(&link)?;
            Ok(link)
        };
        link().map_err(|fault: Fault| {
            let target = matches!(fault, Fault::Invalid { field: "destination_url", .. });
            (if target { TARGET } else { 0 }, fault.to_string())
        })
    }

    fn switch(&self, at: usize) -> Result<bool, (usize, String)> {
        let cell = self.records.cell(at);
        match cell.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "" | "false" => Ok(false),
            _ => Err((at, format!("expected TRUE or FALSE, not {}", quoted(&cell)))),
        }
    }

    fn is_header(&self) -> bool {
        self.records.cell(0).trim().eq_ignore_ascii_case(COLUMNS[0])
    }
}

impl<R: BufRead> Reader for BulkReader<R> {
    fn next(&mut self, book: &Book) -> io::Result<Option<Entry>> {
        loop {
            match self.records.next()? {
                None => return Ok(None),
                Some(Err(wrong)) => return Ok(Some(Entry::Wrong(wrong))),
                Some(Ok(())) => {}
            }
            if std::mem::replace(&mut self.begun, true) || !self.is_header() {
                break;
            }
        }
        Ok(Some(match self.link(book) {
            Ok(link) => Entry::Link(self.records.position(0), Box::new(link)),
            Err((cell, why)) => Entry::Wrong(self.wrong(cell, why)),
        }))
    }

    fn says(&self, field: &str) -> bool {
        KNOWN.contains(&field)
    }
}

impl<R: BufRead> BulkReader<R> {
    fn wrong(&self, cell: usize, why: String) -> Wrong {
        let records = &self.records;
        let at = if cell < records.len() { records.start(cell) } else { records.text().len() };
        records.wrong(at, why)
    }
}

/// The hostname and the code of a source such as `https://go.example/code` or `go.example/code`.
fn split(source: &str) -> Result<(&str, &str), &'static str> {
    let rest = match source.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        Some(_) => return Err("the scheme of a source is http or https"),
        None => source,
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.strip_suffix('/').unwrap_or(path);
    match (host, path) {
        ("", _) => Err("expected a source such as go.example/code"),
        (_, "") => Err("the root path can't be a short link"),
        (_, path) if path.contains(['?', '#']) => Err("a source has neither query nor fragment"),
        found => Ok(found),
    }
}

fn status(cell: &str) -> Result<Status, String> {
    if cell.is_empty() {
        return Ok(Status::Moved);
    }
    let known = cell.parse().ok().and_then(Status::from_code);
    known.ok_or_else(|| format!("expected 301, 302, 307 or 308, not {}", quoted(cell)))
}

/// Writes a file of bulk redirects.
#[derive(Default)]
pub(crate) struct BulkWriter {
    record: Vec<u8>,
}

impl Writer for BulkWriter {
    fn link(&mut self, link: &Link, book: &Book, to: &mut dyn Write) -> anyhow::Result<Carried> {
        let mut carried = plain::carried(link, book, &KNOWN)?;
        if carried == Carried::LeftOut {
            return Ok(carried);
        }
        let destination = link.destination.as_str();
        let forward = link.flags.has(Flags::FORWARD_QUERY);
        // Cloudflare takes no target with a query of its own where the visitor's is kept.
        let preserve = forward && !destination.contains('?');
        if preserve != forward {
            carried = Carried::Partly;
        }
        let host = book.hostname(link.domain)?.unwrap_or_else(|| book.host().to_owned());
        self.record.clear();
        write_cell(&format!("{host}/{}", link.slug.encoded()), &mut self.record);
        self.record.push(b',');
        write_cell(destination, &mut self.record);
        let (code, preserve) = (link.status.code(), if preserve { ",TRUE" } else { "" });
        writeln!(self.record, ",{code}{preserve}")?;
        to.write_all(&self.record)?;
        Ok(carried)
    }
}
