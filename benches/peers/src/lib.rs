//! What the servers that Waypost is measured against have in common: the links they serve.
//!
//! Each takes two arguments, a CSV file as `cargo xtask seed` writes it and an address to listen on, and prints
//! `redirects   http://ADDRESS/` when it is about to. They answer `GET /CODE` with 302 and nothing else: no clicks, no
//! API, no limits. Not for production.
#![forbid(unsafe_code)]

use std::{error::Error, fs, net::SocketAddrV4};

/// What a server is started with.
pub struct Start {
    /// Codes and destinations.
    pub links: Vec<(String, String)>,
    /// Where to listen.
    pub address: SocketAddrV4,
}

impl Start {
    /// Reads the command line and the file that it names.
    ///
    /// # Errors
    /// A missing or wrong argument, or a file that is no CSV of `code,destination_url`.
    pub fn from_arguments() -> Result<Self, Box<dyn Error>> {
        let mut arguments = std::env::args().skip(1);
        let (Some(file), Some(address)) = (arguments.next(), arguments.next()) else {
            return Err("expected two arguments: LINKS.csv ADDRESS".into());
        };
        let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        Ok(Self { links: links(&text)?, address: address.parse()? })
    }

    /// Prints where redirects are served.
    pub fn announce(&self) {
        println!("redirects   http://{}/", self.address);
    }
}

/// The links of a CSV file; a first line is expected and passed over, quotes are not understood.
fn links(text: &str) -> Result<Vec<(String, String)>, String> {
    let link = |(number, line): (usize, &str)| {
        let (code, destination) = line.split_once(',').ok_or_else(|| {
            format!("line {}: expected code,destination_url, not \"{line}\"", number + 1)
        })?;
        Ok((code.to_owned(), destination.to_owned()))
    };
    text.lines().enumerate().skip(1).map(link).collect()
}

#[cfg(test)]
mod tests {
    use super::links;

    #[test]
    fn two_columns() {
        let check = |text: &str, expected: Option<usize>| {
            assert_eq!(links(text).ok().map(|links| links.len()), expected, "{text:?}");
        };
        check("code,destination_url\n", Some(0));
        check("code,destination_url\na,https://example.com/1\nb,https://example.com/2\n", Some(2));
        check("code,destination_url\na\n", None);
    }
}
