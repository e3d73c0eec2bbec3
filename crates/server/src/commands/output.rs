//! Printing: JSON for programs, plain tables for people.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// Longest text that a table shows, in characters.
const WIDE: usize = 60;

/// Prints a line.
///
/// # Errors
/// Standard output is gone.
pub(super) fn line(text: impl std::fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Prints a value as JSON on a line.
///
/// # Errors
/// Standard output is gone.
pub(super) fn json(value: &impl Serialize) -> io::Result<()> {
    line(serde_json::to_string(value)?)
}

/// Prints a table; the columns numbered in `right` hold numbers.
///
/// # Errors
/// Standard output is gone.
pub(super) fn table(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    right: &[usize],
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|text| shown(text)));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    line(table.trim_fmt())
}

/// A text as a terminal may show it: short, and without control characters.
pub(super) fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(WIDE).map(clean).collect();
    if text.chars().nth(WIDE).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sees_no_control_characters() {
        for (text, expected) in [("a\u{1b}[2Jb", "a [2Jb".to_owned()), ("é\nx", "é x".to_owned())]
        {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown(&"x".repeat(WIDE)), "x".repeat(WIDE));
        assert_eq!(shown(&"x".repeat(WIDE + 1)), format!("{}…", "x".repeat(WIDE)));
    }
}
