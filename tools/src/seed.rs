//! `cargo xtask seed`: links to measure with, the same ones whenever the seed is the same.
//!
//! Codes are 7 characters, destinations 60 bytes. No two codes differ only in case, although Waypost could tell them
//! apart: nginx's `map` can't, and it has to serve the same links. The load generator makes its own from the same
//! seed, so that no file need pass between them.

use anyhow::{Context as _, Result};
use clap::Parser;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Characters of a code.
const CODE: usize = 7;
/// Bytes of a destination.
const DESTINATION: usize = 60;
/// The digits that codes are made of.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The most links that are made: they are held in memory.
const MAX_LINKS: u64 = 10_000_000;

/// Write links to measure with, as CSV for `waypost import` and as an nginx map
#[derive(Parser)]
#[command(name = "cargo xtask seed")]
struct Options {
    /// How many
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=MAX_LINKS))]
    links: u64,
    /// Other numbers make other links
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write `code,destination_url` lines to this file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write lines for the inside of an nginx `map` block to this file
    #[arg(long, value_name = "FILE")]
    nginx_map: Option<PathBuf>,
}

/// A short link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) code: String,
    pub(crate) destination: String,
}

/// Random numbers that every run repeats: SplitMix64.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    /// At least 0, below 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Writes the files that are asked for; CSV to standard output where none is.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let name = "cargo xtask seed".to_owned();
    let options = Options::parse_from(std::iter::once(&name).chain(arguments));
    let links = links(options.seed, options.links);
    if let Some(path) = &options.nginx_map {
        write(path, |file| write_map(file, &links))?;
    }
    match &options.csv {
        Some(path) => write(path, |file| write_csv(file, &links))?,
        None if options.nginx_map.is_none() => write_csv(&mut std::io::stdout().lock(), &links)?,
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// The first `count` links of a seed.
pub(crate) fn links(seed: u64, count: u64) -> Vec<Link> {
    let mut numbers = Numbers::new(seed);
    let mut taken = HashSet::new();
    let mut links = Vec::new();
    while (links.len() as u64) < count {
        let code = code(numbers.next());
        if taken.insert(code.to_ascii_lowercase()) {
            links.push(Link { destination: destination(links.len()), code });
        }
    }
    links
}

/// Writes links as `waypost import` reads them.
pub(crate) fn write_csv(to: &mut impl Write, links: &[Link]) -> Result<()> {
    writeln!(to, "code,destination_url")?;
    for Link { code, destination } in links {
        writeln!(to, "{code},{destination}")?;
    }
    Ok(())
}

/// Writes links as lines of an nginx `map` over `$uri`.
pub(crate) fn write_map(to: &mut impl Write, links: &[Link]) -> Result<()> {
    for Link { code, destination } in links {
        writeln!(to, "/{code} \"{destination}\";")?;
    }
    Ok(())
}

/// Makes a file and has it written.
pub(crate) fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let mut file = BufWriter::new(file);
    content(&mut file).with_context(|| path.display().to_string())?;
    file.flush().with_context(|| path.display().to_string())
}

fn code(mut rest: u64) -> String {
    let digit = |_| {
        let digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
        char::from(digit)
    };
    (0..CODE).map(digit).collect()
}

fn destination(n: usize) -> String {
    let start = "https://www.example.com/articles/2026/some-title-";
    format!("{start}{n:0width$}", width = DESTINATION - start.len())
}

#[cfg(test)]
mod tests {
    use super::{CODE, DESTINATION, links, write_csv, write_map};
    use std::collections::HashSet;

    #[test]
    fn codes_differ_without_case() {
        let links = links(1, 20_000);
        let folded: HashSet<_> = links.iter().map(|link| link.code.to_ascii_lowercase()).collect();
        assert_eq!(folded.len(), 20_000);
        assert!(links.iter().all(|link| link.code.len() == CODE));
        assert!(links.iter().all(|link| link.destination.len() == DESTINATION));
    }

    #[test]
    fn a_seed_is_a_set_of_links() {
        assert_eq!(links(7, 100), links(7, 200)[..100]);
        assert_ne!(links(7, 1), links(8, 1));
    }

    #[test]
    fn formats() {
        let links = links(1, 1);
        let (code, to) = (&links[0].code, &links[0].destination);
        let mut text = Vec::new();
        write_csv(&mut text, &links).expect("a vector takes all");
        write_map(&mut text, &links).expect("a vector takes all");
        let expected = format!("code,destination_url\n{code},{to}\n/{code} \"{to}\";\n");
        assert_eq!(String::from_utf8_lossy(&text), expected);
    }
}
