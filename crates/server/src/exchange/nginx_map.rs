//! The inside of an nginx `map` block: `/code https://example.com/;`, an entry a line.
//!
//! The lines of the block itself (`map $uri $target {`, `}`), comments, `volatile` and a `default`
//! that is no URL are understood and passed over. What can't be a short link is refused:
//! `hostnames`, `include`, regular expressions, variables.

use std::{
    collections::VecDeque,
    io::{self, BufRead, Write},
};

use waypost_link::{DomainId, Link};
use waypost_service::Fault;

use super::{
    Book, Carried, Entry, Position, Reader, Writer, Wrong,
    lines::{Lines, column, quoted},
    plain,
};

/// The fields that an entry carries.
const KNOWN: [&str; 2] = ["code", "destination_url"];

/// Reads a map.
pub(crate) struct MapReader<R> {
    lines: Lines<R>,
    queue: VecDeque<Entry>,
}

impl<R> MapReader<R> {
    /// A reader over `lines`.
    pub(crate) fn new(lines: Lines<R>) -> Self {
        Self { lines, queue: VecDeque::new() }
    }
}

impl<R: BufRead> Reader for MapReader<R> {
    fn next(&mut self, book: &Book) -> io::Result<Option<Entry>> {
        while self.queue.is_empty() {
            let Some(line) = self.lines.next()? else { return Ok(None) };
            let number = line.number;
            match line.text {
                Err(wrong) => self.queue.push_back(Entry::Wrong(wrong)),
                Ok(text) => read_line(text, book, &mut |at, outcome| {
                    let at = Position { line: number, column: column(text, at) };
                    self.queue.push_back(match outcome {
                        Ok(link) => Entry::Link(at, Box::new(link)),
                        Err(why) => Entry::Wrong(Wrong { at, why }),
                    });
                }),
            }
        }
        Ok(self.queue.pop_front())
    }

    fn says(&self, field: &str) -> bool {
        KNOWN.contains(&field)
    }
}

/// A word of the file, or a mark between words.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Semicolon,
    Open,
    Close,
}

type Words = Vec<(usize, String)>;
/// A byte of the line, and the link or the sentence that belongs there.
type Outcome = (usize, Result<Link, String>);

/// Gives `found` every entry of a line.
fn read_line(line: &str, book: &Book, found: &mut impl FnMut(usize, Result<Link, String>)) {
    let mut words = Words::new();
    let mut at = 0;
    loop {
        let (start, token) = match token(line, &mut at) {
            Ok(None) => break,
            Ok(Some(found)) => found,
            Err((at, why)) => return found(at, Err(why)),
        };
        let outcome = match token {
            Token::Word(word) => {
                words.push((start, word));
                continue;
            }
            Token::Semicolon => entry(&words, start, book),
            Token::Open if words.first().is_some_and(|(_, word)| word == "map") => None,
            Token::Open => Some((start, Err("expected entries, or a map block".to_owned()))),
            Token::Close => None,
        };
        words.clear();
        outcome.into_iter().for_each(|(at, outcome)| found(at, outcome));
    }
    if !words.is_empty() {
        found(line.trim_end().len(), Err("expected ; at the end of the entry".to_owned()));
    }
}

/// What the words before a `;` say; nothing where they may be passed over.
fn entry(words: &Words, end: usize, book: &Book) -> Option<Outcome> {
    let no = |at: usize, why: &str| Some((at, Err(why.to_owned())));
    match words.as_slice() {
        [] => None,
        [(_, word)] if word == "volatile" => None,
        [(at, word)] if word == "hostnames" => no(*at, "the keys of this map are hostnames"),
        [(at, word), ..] if word == "include" => {
            no(*at, "include is not followed: import that file")
        }
        [(at, word), (_, value)] if word == "default" => {
            let url = value.contains("://");
            url.then(|| (*at, Err("no code stands for every path (default)".to_owned())))
        }
        [(at, word), _] if word.starts_with('~') => no(*at, "a code can't be a regular expression"),
        [_, (at, value)] if value.contains('$') => no(*at, "a destination can't hold variables"),
        [(key_at, key), (value_at, value)] => Some(match link(key, value, book) {
            Ok(link) => (*key_at, Ok(link)),
            Err(fault) => {
                let value = matches!(fault, Fault::Invalid { field: "destination_url", .. });
                (if value { *value_at } else { *key_at }, Err(fault.to_string()))
            }
        }),
        _ => no(words.first().map_or(end, |(at, _)| *at), "expected a path and a destination"),
    }
}

fn link(key: &str, value: &str, book: &Book) -> Result<Link, Fault> {
    let key = key.strip_prefix('\\').unwrap_or(key);
    let code = plain::code(key.strip_prefix('/').unwrap_or(key))?;
    let link = book.draft(&code, value)?;
    book.check(&link)?;
    Ok(link)
}

/// The next token of a line with where it stands; comments end the line.
fn token(line: &str, at: &mut usize) -> Result<Option<(usize, Token)>, (usize, String)> {
    let rest = line[*at..].trim_start();
    let start = line.len() - rest.len();
    let mark = match rest.as_bytes().first() {
        None | Some(b'#') => return Ok(None),
        Some(b';') => Token::Semicolon,
        Some(b'{') => Token::Open,
        Some(b'}') => Token::Close,
        Some(&quote @ (b'"' | b'\'')) => {
            let (end, word) = quoted_word(&rest[1..], char::from(quote))
                .ok_or_else(|| (start, "this quote is never closed".to_owned()))?;
            *at = start + 1 + end;
            let follows = line[*at..].chars().next();
            if follows.is_some_and(|next| !next.is_whitespace() && !";{".contains(next)) {
                return Err((*at, format!("unexpected {} after a quote", quoted(&line[*at..]))));
            }
            return Ok(Some((start, Token::Word(word))));
        }
        Some(_) => {
            let end = rest.find(|c: char| c.is_whitespace() || ";{".contains(c));
            let end = end.unwrap_or(rest.len());
            *at = start + end;
            return Ok(Some((start, Token::Word(rest[..end].to_owned()))));
        }
    };
    *at = start + 1;
    Ok(Some((start, mark)))
}

/// The word up to the closing `quote`, and the byte after that.
fn quoted_word(text: &str, quote: char) -> Option<(usize, String)> {
    let mut word = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            c if c == quote && !escaped => return Some((at + 1, word)),
            c if escaped && !['"', '\'', '\\'].contains(&c) => word.extend(['\\', c]),
            c => word.push(c),
        }
        escaped = false;
    }
    None
}

/// Writes a map.
pub(crate) struct MapWriter;

impl Writer for MapWriter {
    fn begin(&mut self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "# The inside of: map $uri $waypost {{ … }}")
    }

    fn link(&mut self, link: &Link, book: &Book, to: &mut dyn Write) -> anyhow::Result<Carried> {
        let destination = link.destination.as_str();
        if link.domain != DomainId::DEFAULT || destination.contains('$') {
            return Ok(Carried::LeftOut);
        }
        let carried = plain::carried(link, book, &KNOWN)?;
        if carried != Carried::LeftOut {
            writeln!(to, "/{} {};", link.slug, quote_word(destination))?;
        }
        Ok(carried)
    }
}

fn quote_word(word: &str) -> String {
    if word.contains([';', '{', '}', '"', '\'', '\\']) {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        word.to_owned()
    }
}
