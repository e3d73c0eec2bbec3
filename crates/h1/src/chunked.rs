//! The chunked coding (RFC 9112 section 7.1), read strictly and a piece at a time.
//!
//! Lines end in CRLF only; a size is hex digits with nothing around it; an extension must be well-formed and is
//! ignored; trailer fields must be well-formed and are dropped. Whatever is looser has been a request-smuggling hole in
//! some server. The reader keeps a few words of state, never the bytes.

use crate::Refusal;
use crate::limits::{CHUNK_LINE_BYTES, TRAILER_BYTES};

/// Where the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In the size; how many digits so far.
    Size(u8),
    /// After `;`; whether the name has begun.
    ExtensionName(bool),
    /// After `=`; whether the value has begun.
    ExtensionValue(bool),
    Quoted,
    QuotedPair,
    QuotedEnd,
    /// The CR of a chunk line was read.
    LineLf,
    Data,
    DataCr,
    DataLf,
    /// At the start of a trailer line.
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    /// The CR of the empty last line was read.
    LastLf,
    Done,
}

/// Reads one chunked body.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    at: At,
    /// The size being read, then the bytes of the chunk that are left.
    left: u64,
    /// Bytes of the chunk line, or of all trailers.
    line: usize,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { at: At::Size(0), left: 0, line: 0 }
    }

    /// Whether the body, trailers included, has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Reads on, gives each piece of data to `sink`, and says how many bytes it used: all of them, unless the body ended.
    pub(crate) fn feed(
        &mut self,
        input: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), Refusal>,
    ) -> Result<usize, Refusal> {
        let mut used = 0;
        while used < input.len() && self.at != At::Done {
            if self.at == At::Data {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len() - used);
                sink(&input[used..used + here])?;
                used += here;
                self.left -= here as u64;
                if self.left == 0 {
                    self.at = At::DataCr;
                }
            } else {
                self.at = self.step(input[used])?;
                used += 1;
            }
        }
        Ok(used)
    }

    fn step(&mut self, byte: u8) -> Result<At, Refusal> {
        match self.at {
            At::Size(_)
            | At::ExtensionName(_)
            | At::ExtensionValue(_)
            | At::Quoted
            | At::QuotedPair
            | At::QuotedEnd
            | At::LineLf => self.step_line(byte),
            At::DataCr if byte == b'\r' => Ok(At::DataLf),
            At::DataLf if byte == b'\n' => {
                self.line = 0;
                Ok(At::Size(0))
            }
            At::Data | At::Done | At::DataCr | At::DataLf => Err(Refusal::Malformed),
            At::TrailerStart | At::TrailerName | At::TrailerValue | At::TrailerLf | At::LastLf => {
                self.step_trailer(byte)
            }
        }
    }

    fn step_line(&mut self, byte: u8) -> Result<At, Refusal> {
        self.line += 1;
        if self.line > CHUNK_LINE_BYTES {
            return Err(Refusal::Malformed);
        }
        match (self.at, byte) {
            (At::Size(digits), _) if byte.is_ascii_hexdigit() => self.step_digit(digits, byte),
            (
                At::Size(1..) | At::ExtensionName(true) | At::ExtensionValue(true) | At::QuotedEnd,
                b'\r',
            ) => Ok(At::LineLf),
            (
                At::Size(1..) | At::ExtensionName(true) | At::ExtensionValue(true) | At::QuotedEnd,
                b';',
            ) => Ok(At::ExtensionName(false)),
            (At::ExtensionName(true), b'=') => Ok(At::ExtensionValue(false)),
            (At::ExtensionName(_), _) if is_token(byte) => Ok(At::ExtensionName(true)),
            (At::ExtensionValue(false), b'"') => Ok(At::Quoted),
            (At::ExtensionValue(_), _) if is_token(byte) => Ok(At::ExtensionValue(true)),
            (At::Quoted, b'"') => Ok(At::QuotedEnd),
            (At::Quoted, b'\\') => Ok(At::QuotedPair),
            (At::Quoted | At::QuotedPair, _) if is_text(byte) => Ok(At::Quoted),
            (At::LineLf, b'\n') => Ok(self.begin_chunk()),
            _ => Err(Refusal::Malformed),
        }
    }

    /// Fifteen digits are enough for any body that could be sent.
    fn step_digit(&mut self, digits: u8, byte: u8) -> Result<At, Refusal> {
        let digit = char::from(byte).to_digit(16).unwrap_or(0);
        self.left = if digits == 0 { 0 } else { self.left << 4 } | u64::from(digit);
        if digits >= 15 { Err(Refusal::Malformed) } else { Ok(At::Size(digits + 1)) }
    }

    fn begin_chunk(&mut self) -> At {
        self.line = 0;
        if self.left == 0 { At::TrailerStart } else { At::Data }
    }

    fn step_trailer(&mut self, byte: u8) -> Result<At, Refusal> {
        self.line += 1;
        if self.line > TRAILER_BYTES {
            return Err(Refusal::Malformed);
        }
        match (self.at, byte) {
            (At::TrailerStart, b'\r') => Ok(At::LastLf),
            (At::LastLf, b'\n') => Ok(At::Done),
            (At::TrailerName, b':') => Ok(At::TrailerValue),
            (At::TrailerStart | At::TrailerName, _) if is_token(byte) => Ok(At::TrailerName),
            (At::TrailerValue, b'\r') => Ok(At::TrailerLf),
            (At::TrailerValue, _) if is_text(byte) => Ok(At::TrailerValue),
            (At::TrailerLf, b'\n') => Ok(At::TrailerStart),
            _ => Err(Refusal::Malformed),
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The decoded body and the bytes used, fed in pieces of this size.
    fn decode(input: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, Refusal> {
        let mut decoder = Decoder::new();
        let (mut body, mut used) = (Vec::new(), 0);
        for piece in input.chunks(piece) {
            used += decoder.feed(piece, |data| {
                body.extend_from_slice(data);
                Ok(())
            })?;
            if decoder.is_done() {
                return Ok(Some((body, used)));
            }
        }
        Ok(None)
    }

    #[test]
    fn well_formed_bodies_at_every_cut() {
        let rows: [(&str, &str); 9] = [
            ("0\r\n\r\n", ""),
            ("5\r\nhello\r\n0\r\n\r\n", "hello"),
            ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
            ("A\r\n0123456789\r\n00\r\n\r\n", "0123456789"),
            ("0005\r\nhello\r\n0\r\nX-Sum: abc\r\nY:\r\n\r\n", "hello"),
            ("5;a\r\nhello\r\n0;b=c;d\r\n\r\n", "hello"),
            ("5;a=\"x\\\"y; z\"\r\nhello\r\n0\r\n\r\n", "hello"),
            ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
            ("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1", "x"),
        ];
        for (input, expected) in rows {
            let used = input.find("GET").unwrap_or(input.len());
            for piece in 1..=input.len() {
                let got = decode(input.as_bytes(), piece);
                assert_eq!(
                    got,
                    Ok(Some((expected.as_bytes().to_vec(), used))),
                    "{input:?} by {piece}"
                );
            }
        }
    }

    #[test]
    fn malformed_bodies_at_every_cut() {
        let rows = [
            "\r\n",
            "x\r\n",
            " 5\r\n",
            "5 \r\n",
            "5\t\r\n",
            "+5\r\n",
            "-5\r\n",
            "0x5\r\n",
            "1_0\r\n",
            "5\n",
            "5\rx",
            ";a\r\n",
            "5;\r\n",
            "5;\n",
            "5; a\r\n",
            "5;a =b\r\n",
            "5;a=\r\n",
            "5;bad[=x\r\n",
            "5;a=\"b\n\"\r\n",
            "5;a\0\r\n",
            "5 ;a\r\n",
            "5\r\nhello0\r\n",
            "5\r\nhello!!\r\n",
            "5\r\nhello\n0",
            "5\r\nhello\rx",
            "FFFFFFFFFFFFFFFF0\r\n",
            "1000000000000000\r\n",
            "0\r\nbad\r\n",
            "0\r\n: x\r\n",
            "0\r\n x: y\r\n",
            "0\r\nx : y\r\n",
            "0\r\nx: y\n",
            "0\r\nx: \0\r\n",
            "0\r\n\n",
            "0\r\nx: y\r\n z\r\n",
            "0\n\n",
        ];
        for input in rows {
            for piece in 1..=input.len() {
                assert_eq!(
                    decode(input.as_bytes(), piece),
                    Err(Refusal::Malformed),
                    "{input:?} by {piece}"
                );
            }
        }
    }

    #[test]
    fn lines_and_trailers_are_bounded() {
        let long_extension = format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(CHUNK_LINE_BYTES));
        let long_trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(TRAILER_BYTES / 6 + 1));
        assert_eq!(decode(long_extension.as_bytes(), 7), Err(Refusal::Malformed));
        assert_eq!(decode(long_trailers.as_bytes(), 7), Err(Refusal::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_give_the_same_however_they_are_cut(
            input in prop::collection::vec(prop::sample::select(&b"015aF;=\"\\x: \r\n\t\0"[..]), 0..60), piece in 1usize..8,
        ) {
            prop_assert_eq!(decode(&input, piece), decode(&input, input.len().max(1)));
        }

        #[test]
        fn what_is_encoded_is_decoded(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8), piece in 1usize..20,
        ) {
            let mut wire = Vec::new();
            for data in &pieces {
                wire.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
                wire.extend_from_slice(data);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(decode(&wire, piece), Ok(Some((pieces.concat(), wire.len()))));
        }
    }
}
