//! A request body on its way in: kept or thrown away, never larger than was agreed.
//!
//! It owns a copy of its head, because the read buffer moves on under it. Only bodies that did not arrive together
//! with their head come here.

use crate::Refusal;
use crate::chunked::Decoder;

/// A body that is being read.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The bytes of the request's head.
    pub(crate) head: Vec<u8>,
    /// What was kept of the body.
    pub(crate) body: Vec<u8>,
    reader: Reader,
    keep: bool,
    max: u64,
    seen: u64,
}

#[derive(Debug)]
enum Reader {
    Length(u64),
    Chunked(Decoder),
}

impl Incoming {
    /// A body of known length; `length` was compared with the limit already.
    pub(crate) fn sized(head: Vec<u8>, length: u64, keep: bool) -> Self {
        Self { head, body: Vec::new(), reader: Reader::Length(length), keep, max: length, seen: 0 }
    }

    /// A chunked body of at most `max` bytes.
    pub(crate) fn chunked(head: Vec<u8>, max: u64, keep: bool) -> Self {
        let reader = Reader::Chunked(Decoder::new());
        Self { head, body: Vec::new(), reader, keep, max, seen: 0 }
    }

    /// Reads on; the bytes used, and whether the body has ended.
    pub(crate) fn feed(&mut self, input: &[u8]) -> Result<(usize, bool), Refusal> {
        let Self { reader, body, keep, max, seen, .. } = self;
        let mut take = |data: &[u8]| {
            *seen += data.len() as u64;
            if *seen > *max {
                return Err(Refusal::BodyTooLarge);
            }
            if *keep {
                body.extend_from_slice(data);
            }
            Ok(())
        };
        match reader {
            Reader::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                take(&input[..here])?;
                *left -= here as u64;
                Ok((here, *left == 0))
            }
            Reader::Chunked(decoder) => {
                let used = decoder.feed(input, take)?;
                Ok((used, decoder.is_done()))
            }
        }
    }
}
