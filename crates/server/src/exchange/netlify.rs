//! Netlify's `_redirects`: `/code https://example.com/ 302`, a rule a line.
//!
//! A rule without a status is 301, as it is there. A rule that can't be a short link is refused:
//! splats, placeholders, conditions, rewrites, destinations on the site itself.

use std::io::{self, BufRead, Write};

use waypost_link::{Link, Status};
use waypost_service::Fault;

use super::{
    Book, Carried, Entry, Position, Reader, Writer, Wrong,
    lines::{Lines, column, quoted},
    plain,
};

/// The fields that a rule carries.
const KNOWN: [&str; 4] = ["code", "domain", "destination_url", "status"];

/// Reads a `_redirects` file.
pub(crate) struct RedirectsReader<R> {
    lines: Lines<R>,
}

impl<R> RedirectsReader<R> {
    /// A reader over `lines`.
    pub(crate) fn new(lines: Lines<R>) -> Self {
        Self { lines }
    }
}

impl<R: BufRead> Reader for RedirectsReader<R> {
    fn next(&mut self, book: &Book) -> io::Result<Option<Entry>> {
        loop {
            let Some(line) = self.lines.next()? else { return Ok(None) };
            let number = line.number;
            let text = match line.text {
                Err(wrong) => return Ok(Some(Entry::Wrong(wrong))),
                Ok(text) => text,
            };
            let words = words(text);
            let Some(&(start, _)) = words.first() else { continue };
            let at = |byte| Position { line: number, column: column(text, byte) };
            return Ok(Some(match rule(&words, book) {
                Ok(link) => Entry::Link(at(start), Box::new(link)),
                Err((byte, why)) => Entry::Wrong(Wrong { at: at(byte), why }),
            }));
        }
    }

    fn says(&self, field: &str) -> bool {
        KNOWN.contains(&field)
    }
}

/// The words of a line before a comment, each with the byte where it stands.
fn words(line: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(skip) = line[at..].find(|c: char| !c.is_whitespace()) {
        let start = at + skip;
        at = line[start..].find(char::is_whitespace).map_or(line.len(), |end| start + end);
        if line[start..].starts_with('#') {
            break;
        }
        words.push((start, &line[start..at]));
    }
    words
}

/// The link of a rule, or the byte and the sentence.
fn rule(words: &[(usize, &str)], book: &Book) -> Result<Link, (usize, String)> {
    let no = |at: usize, why: &str| Err((at, why.to_owned()));
    let (from_at, from, to_at, to, more) = match words {
        [] => return no(0, "expected a path and a destination"),
        [(at, _)] => return no(*at, "expected a destination after the path"),
        [(from_at, from), (to_at, to), more @ ..] => (*from_at, *from, *to_at, *to, more),
    };
    if to.starts_with('/') {
        return no(to_at, "a short link's destination is an absolute URL");
    }
    if to.contains('=') && !to.contains("://") {
        return no(to_at, "a short link has no query conditions");
    }
    let (host, path) = split(from).map_err(|why| (from_at, why.to_owned()))?;
    let status = match more {
        [] => Status::Moved,
        [(at, word)] => status(word).map_err(|why| (*at, why))?,
        [_, (at, _), ..] => return no(*at, "a short link has no conditions here: use rules"),
    };
    link(host, path, to, status, book).map_err(|fault| {
        let to = matches!(fault, Fault::Invalid { field: "destination_url", .. });
        (if to { to_at } else { from_at }, fault.to_string())
    })
}

fn link(
    host: Option<&str>,
    path: &str,
    to: &str,
    status: Status,
    book: &Book,
) -> Result<Link, Fault> {
    let mut link = book.draft(&plain::code(path)?, to)?;
    link.status = status;
    if let Some(host) = host {
        link.domain = book.domain(host)?;
    }
    book.check(&link)?;
    Ok(link)
}

/// The hostname and the code that `/code` or `https://host/code` names.
fn split(from: &str) -> Result<(Option<&str>, &str), &'static str> {
    let (host, path) = match from.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map(|(host, path)| (Some(host), path)),
        None => from.strip_prefix('/').map(|path| (None, path)),
    }
    .ok_or("expected a path that begins with /")?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.contains('*') {
        return Err("a short link has no splat (*)");
    }
    if path.split('/').any(|segment| segment.starts_with(':')) {
        return Err("a short link has no placeholders");
    }
    if path.is_empty() { Err("the root path can't be a short link") } else { Ok((host, path)) }
}

/// The status of a word such as `302` or `302!`.
fn status(word: &str) -> Result<Status, String> {
    if word.contains('=') {
        return Err("a short link has no conditions here: use rules".to_owned());
    }
    let code = word.strip_suffix('!').unwrap_or(word).parse().ok().and_then(Status::from_code);
    code.ok_or_else(|| format!("expected 301, 302, 307 or 308, not {}", quoted(word)))
}

/// Writes a `_redirects` file.
pub(crate) struct RedirectsWriter;

impl Writer for RedirectsWriter {
    fn link(&mut self, link: &Link, book: &Book, to: &mut dyn Write) -> anyhow::Result<Carried> {
        let carried = plain::carried(link, book, &KNOWN)?;
        if carried != Carried::LeftOut {
            let host = book.hostname(link.domain)?;
            let host = host.map(|host| format!("https://{host}")).unwrap_or_default();
            let (code, destination) = (link.slug.encoded(), link.destination.as_str());
            writeln!(to, "{host}/{code} {destination} {}", link.status.code())?;
        }
        Ok(carried)
    }
}
