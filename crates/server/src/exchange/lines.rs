//! A file as lines of text: bounded, counted, and checked to be text at all.

use std::io::{self, BufRead, Read};

use super::{Position, Wrong, limits};

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";
const UTF16_BOMS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// One line of a file.
#[derive(Debug)]
pub(crate) struct Line<'l> {
    /// Its number, from 1.
    pub(crate) number: u64,
    /// Its text with the line end, or why it is none.
    pub(crate) text: Result<&'l str, Wrong>,
}

/// Reads a file line by line, into one buffer of at most [`limits::RECORD_BYTES`].
#[derive(Debug)]
pub(crate) struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `from`.
    pub(crate) fn new(from: R) -> Self {
        Self { from, buffer: Vec::new(), number: 0 }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// The file can't be read.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let most = limits::RECORD_BYTES as u64;
        if (&mut self.from).take(most).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let whole = self.buffer.len() < limits::RECORD_BYTES || self.buffer.ends_with(b"\n");
        if !whole && self.from.skip_until(b'\n')? > 0 {
            return Ok(Some(self.wrong(0, "the line is longer than 8 MiB".to_owned())));
        }
        if self.number == 1 && self.buffer.starts_with(UTF8_BOM) {
            self.buffer.drain(..UTF8_BOM.len());
        }
        Ok(Some(self.line()))
    }

    fn line(&self) -> Line<'_> {
        if self.number == 1 && UTF16_BOMS.iter().any(|bom| self.buffer.starts_with(bom)) {
            return self.wrong(0, "this is UTF-16: save the file as UTF-8".to_owned());
        }
        if let Some(at) = self.buffer.iter().position(|&byte| byte == 0) {
            return self.wrong(at, "a NUL byte: this is no text".to_owned());
        }
        match std::str::from_utf8(&self.buffer) {
            Ok(text) => Line { number: self.number, text: Ok(text) },
            Err(error) => self.wrong(error.valid_up_to(), "this is not UTF-8".to_owned()),
        }
    }

    fn wrong(&self, byte: usize, why: String) -> Line<'_> {
        let before = String::from_utf8_lossy(&self.buffer[..byte]);
        let at = Position { line: self.number, column: before.chars().count() as u64 + 1 };
        Line { number: self.number, text: Err(Wrong { at, why }) }
    }
}

/// The column of byte `at` of `line`, counted in characters from 1.
pub(crate) fn column(line: &str, at: usize) -> u64 {
    line.char_indices().take_while(|(byte, _)| *byte < at).count() as u64 + 1
}

/// `text`, cut to what a message may quote.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(limits::QUOTED_CHARS) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (u64, Result<String, (u64, String)>);

    fn read(bytes: &[u8]) -> Vec<Read> {
        let mut lines = Lines::new(bytes);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let text = line.text.map(str::to_owned);
            all.push((line.number, text.map_err(|wrong| (wrong.at.column, wrong.why))));
        }
        all
    }

    #[test]
    fn what_is_no_text_is_said_and_passed_over() {
        let ok = |text: &str| Ok(text.to_owned());
        let wrong = |column, why: &str| Err((column, why.to_owned()));
        let rows: [(&[u8], _); 7] = [
            (b"", vec![]),
            (b"a\nb", vec![(1, ok("a\n")), (2, ok("b"))]),
            (b"a\r\n\n", vec![(1, ok("a\r\n")), (2, ok("\n"))]),
            (b"\xEF\xBB\xBFa\n\xEF\xBB\xBF", vec![(1, ok("a\n")), (2, ok("\u{feff}"))]),
            (b"a\xC3\xA9\xFFb\nc", vec![(1, wrong(3, "this is not UTF-8")), (2, ok("c"))]),
            (b"\xFF\xFEa\x00", vec![(1, wrong(1, "this is UTF-16: save the file as UTF-8"))]),
            (b"ab\0c\nd", vec![(1, wrong(3, "a NUL byte: this is no text")), (2, ok("d"))]),
        ];
        for (bytes, expected) in rows {
            assert_eq!(read(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_one_error() {
        let most = limits::RECORD_BYTES;
        for (length, fits) in [(most - 1, true), (most, false), (4 * most, false)] {
            let mut bytes = vec![b'x'; length];
            bytes.extend(b"\ny\n");
            let all = read(&bytes);
            assert_eq!(all.len(), 2, "{length}");
            assert_eq!(all[0].1.is_ok(), fits, "{length}");
            assert_eq!(all[1], (2, Ok("y\n".to_owned())));
        }
    }
}
