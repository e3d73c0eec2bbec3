//! Bars of text: a row a value, as long as the value is large.
//!
//! Blocks in eighths where the terminal shows UTF-8, `#` everywhere else.

use std::io::IsTerminal as _;

/// Characters of the longest bar.
const WIDTH: u64 = 40;
/// One to eight eighths of a character.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Whether standard output is a terminal that shows UTF-8, by the locale (POSIX, 8.2).
pub(super) fn shows_utf8() -> bool {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    std::io::stdout().is_terminal() && (locale.contains("utf-8") || locale.contains("utf8"))
}

/// A row a value: its label, its bar, its number. A value that is not 0 has a bar.
pub(super) fn rows<'l>(
    values: impl IntoIterator<Item = (&'l str, u64)> + Clone,
    utf8: bool,
) -> impl Iterator<Item = String> {
    let most = values.clone().into_iter().map(|(_, value)| value).max().unwrap_or(0).max(1);
    let digits = most.to_string().len();
    values.into_iter().map(move |(label, value)| {
        let bar = if utf8 { blocks(value, most) } else { hashes(value, most) };
        format!("{label}  {value:>digits$}  {bar}").trim_end().to_owned()
    })
}

fn blocks(value: u64, most: u64) -> String {
    let eighths = part(value, most, WIDTH * 8);
    let mut bar = "█".repeat(eighths / 8);
    bar.extend((eighths % 8).checked_sub(1).map(|rest| EIGHTHS[rest]));
    bar
}

fn hashes(value: u64, most: u64) -> String {
    "#".repeat(part(value, most, WIDTH))
}

/// `value` of `most`, in steps; rounded up, so that little is never nothing.
fn part(value: u64, most: u64, steps: u64) -> usize {
    let part = u128::from(value) * u128::from(steps);
    part.div_ceil(u128::from(most.max(1))) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values() {
        let check = |values: &[u64], utf8: bool, bars: &[&str]| {
            let found: Vec<_> = rows(values.iter().map(|&value| ("d", value)), utf8).collect();
            let found: Vec<_> =
                found.iter().map(|row| row.split_whitespace().nth(2).unwrap_or_default()).collect();
            assert_eq!(found, bars, "{values:?} {utf8}");
        };
        let (full, half) = ("#".repeat(40), "#".repeat(20));
        check(&[], false, &[]);
        check(&[0, 0], true, &["", ""]);
        check(&[2, 1, 0], false, &[&full, &half, ""]);
        check(&[u64::MAX, 1], false, &[&full, "#"]);
        let full = "█".repeat(40);
        check(&[320, 1, 8, 12, 319], true, &[&full, "▏", "█", "█▌", &("█".repeat(39) + "▉")]);
        check(&[u64::MAX, 1], true, &[&full, "▏"]);
    }

    #[test]
    fn numbers_stand_below_each_other() {
        let found: Vec<_> = rows([("a", 100), ("b", 7)], false).collect();
        assert_eq!(found, [format!("a  100  {}", "#".repeat(40)), "b    7  ###".to_owned()]);
    }
}
