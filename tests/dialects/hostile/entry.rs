//! An entry of the corpus: a verdict, and bytes written so that an editor can show them.
//!
//! `\n`, `\r`, `\t`, `\\`, `\x80` (a byte), `\u{2028}` (a character), `\{text*100}` (a hundred times the text). A
//! line that begins with `#` says something about the file.

use std::fmt;

/// What is to be expected of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Refused,
    Accepted,
    /// A matter of taste; harmless all the same.
    Either,
}

pub(super) struct Entry {
    pub(super) verdict: Verdict,
    pub(super) bytes: Vec<u8>,
    /// As it is written.
    written: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.verdict, self.written)
    }
}

impl Entry {
    /// These bytes.
    pub(super) fn of(verdict: Verdict, bytes: &[u8]) -> Self {
        let written = String::from_utf8_lossy(bytes).into_owned();
        Self { verdict, bytes: bytes.to_vec(), written }
    }

    /// As text; the bytes that are none are replaced.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The template with the entry in it: as the inside of a JSON text, or percent-encoded.
    pub(super) fn filled(&self, template: &str) -> Vec<u8> {
        let json = serde_json::Value::from(self.text()).to_string();
        let json = &json[1..json.len() - 1];
        template.replace("{{json}}", json).replace("{{form}}", &self.encoded()).into_bytes()
    }

    /// Percent-encoded, but for what RFC 3986 (2.3) leaves alone.
    pub(super) fn encoded(&self) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let one = |byte: &u8| {
            if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
        };
        self.bytes.iter().map(one).collect()
    }

    /// The entry as a template, filled in.
    pub(super) fn with(&self, names: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for (name, value) in names {
            let found =
                |bytes: &[u8]| bytes.windows(name.len()).position(|part| part == name.as_bytes());
            while let Some(at) = found(&bytes) {
                bytes.splice(at..at + name.len(), value.bytes());
            }
        }
        bytes
    }
}

/// The entries of a file.
pub(super) fn entries(file: &str) -> Vec<Entry> {
    file.lines().filter(|line| !line.starts_with('#')).map(entry).collect()
}

fn entry(line: &str) -> Entry {
    let (verdict, text) = line.split_once(' ').unwrap_or((line, ""));
    let verdict = match verdict {
        "refused" => Verdict::Refused,
        "accepted" => Verdict::Accepted,
        "either" => Verdict::Either,
        other => panic!("{other} is no verdict"),
    };
    let written = text.trim_start();
    Entry { verdict, bytes: bytes(written), written: written.to_owned() }
}

fn bytes(written: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), written);
    while let Some((before, escape)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        let (value, after) = escaped(escape);
        out.extend(value);
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// What an escape stands for, and what is behind it.
fn escaped(text: &str) -> (Vec<u8>, &str) {
    let hex = |digits: &str| u32::from_str_radix(digits, 16).expect("hex digits");
    let (first, after) = text.split_at(1);
    match first {
        "n" => (vec![b'\n'], after),
        "r" => (vec![b'\r'], after),
        "t" => (vec![b'\t'], after),
        "\\" => (vec![b'\\'], after),
        "x" => (vec![u8::try_from(hex(&after[..2])).expect("a byte")], &after[2..]),
        "u" => {
            let (digits, after) = after[1..].split_once('}').expect("}");
            let c = char::from_u32(hex(digits)).expect("a character");
            (c.to_string().into_bytes(), after)
        }
        "{" => repeated(after),
        other => panic!("\\{other} stands for nothing"),
    }
}

/// `text*100}`
fn repeated(text: &str) -> (Vec<u8>, &str) {
    let ends = text.match_indices('*').find_map(|(at, _)| {
        let (count, after) = text[at + 1..].split_once('}')?;
        Some((&text[..at], count.parse::<usize>().ok()?, after))
    });
    let (once, count, after) = ends.expect("*COUNT}");
    (bytes(once).repeat(count), after)
}
