//! How backends spell values: compact, versioned, by hand.
//!
//! One spelling for every backend: what one has written another can take over, and a change of a
//! link's fields is made once. Where the bytes lie, and under which key, is each backend's own.
//!
//! A value is a format byte and its fields in a fixed order. Integers are LEB128, signed ones
//! zigzag first; texts are a length and UTF-8; a bit mask says which optional fields follow. What
//! may be written again under a later format gets a new format byte, and the old one stays
//! readable. A decoder answers `None` to whatever it can't read: it never panics, and never
//! allocates more than the bytes at hand can fill.
//!
//! Whether a value is [sealed](seal) with a checksum (CRC32C) is the backend's choice: one whose
//! files nobody else checks seals them all.

mod change;
mod claim;
mod link;
mod record;

pub use change::{Entry, Header, Step, header, step};
pub use claim::claim;
pub use link::{link_bytes, read_link};
pub use record::{read_record, read_remembered, record_bytes, remembered};

use waypost_link::{Noun, Timestamp};

/// Bytes of a checksum.
const CRC: usize = 4;

/// `bytes` with their checksum.
pub fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

/// What was sealed; `None` where it isn't that any more.
pub fn unseal(value: &[u8]) -> Option<&[u8]> {
    let (bytes, crc) = value.split_last_chunk::<CRC>()?;
    (crc32c::crc32c(bytes) == u32::from_le_bytes(*crc)).then_some(bytes)
}

/// A counter, an id, a time.
pub fn number(number: u64) -> Vec<u8> {
    seal(number.to_le_bytes().to_vec())
}

/// The number of a value that [`number`] made.
pub fn read_number(value: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(unseal(value)?.try_into().ok()?))
}

/// The number of a noun: part of the format.
pub const fn noun(noun: Noun) -> u8 {
    match noun {
        Noun::Workspace => 1,
        Noun::Key => 2,
        Noun::Domain => 3,
        Noun::Collection => 4,
        Noun::Tag => 5,
        Noun::Pixel => 6,
        Noun::Alert => 7,
        Noun::Node => 8,
        Noun::Lease => 9,
        Noun::Setting => 10,
    }
}

/// The noun of this number.
pub fn read_noun(number: u8) -> Option<Noun> {
    Noun::ALL.into_iter().find(|known| noun(*known) == number)
}

/// Writes fields.
pub trait Put {
    /// One byte.
    fn u8(&mut self, value: u8);
    /// A LEB128 integer.
    fn uint(&mut self, value: u64);
    /// A signed integer: zigzag, then LEB128.
    fn int(&mut self, value: i64);
    /// A time, as [`Put::int`].
    fn time(&mut self, at: Timestamp);
    /// A length and bytes.
    fn bytes(&mut self, value: &[u8]);
    /// A length and UTF-8.
    fn text(&mut self, value: &str);
}

impl Put for Vec<u8> {
    fn u8(&mut self, value: u8) {
        self.push(value);
    }

    fn uint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    fn int(&mut self, value: i64) {
        self.uint(((value << 1) ^ (value >> 63)) as u64);
    }

    fn time(&mut self, at: Timestamp) {
        self.int(at.0);
    }

    fn bytes(&mut self, value: &[u8]) {
        self.uint(value.len() as u64);
        self.extend_from_slice(value);
    }

    fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }
}

/// Reads fields, from the front.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'b>(pub &'b [u8]);

impl<'b> Fields<'b> {
    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// What [`Put::uint`] wrote.
    pub fn uint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7F);
            if bits.checked_shl(shift)? >> shift != bits {
                return None;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// What [`Put::int`] wrote.
    pub fn int(&mut self) -> Option<i64> {
        let zigzag = self.uint()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    /// What [`Put::time`] wrote.
    pub fn time(&mut self) -> Option<Timestamp> {
        self.int().map(Timestamp)
    }

    /// A byte that is 0 or 1.
    pub fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// What [`Put::bytes`] wrote.
    pub fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.uint()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// So many bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// What [`Put::text`] wrote, borrowed.
    pub fn str(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// What [`Put::text`] wrote.
    pub fn text(&mut self) -> Option<String> {
        self.str().map(str::to_owned)
    }

    /// `count` things; no more are made room for than there are bytes.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.uint()?).ok()?;
        if count > self.0.len() {
            return None;
        }
        (0..count).map(|_| item(self)).collect()
    }

    /// `value`, where every field was read.
    pub fn end<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

/// The optional field whose bit of `mask` is `bit`, read by `field` where it is there. The outer
/// `Option` is the reader's.
fn optional<T>(mask: u64, bit: u64, field: impl FnOnce() -> Option<T>) -> Option<Option<T>> {
    if mask & bit == 0 { Some(None) } else { field().map(Some) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers_come_back(unsigned: u64, signed: i64) {
            let mut bytes = Vec::new();
            bytes.uint(unsigned);
            bytes.int(signed);
            let mut fields = Fields(&bytes);
            prop_assert_eq!((fields.uint(), fields.int()), (Some(unsigned), Some(signed)));
            prop_assert!(fields.end(()).is_some());
        }

        #[test]
        fn a_flipped_bit_is_seen(bytes: Vec<u8>, at: prop::sample::Index, bit in 0..8) {
            let mut sealed = seal(bytes.clone());
            prop_assert_eq!(unseal(&sealed), Some(&*bytes));
            let at = at.index(sealed.len());
            sealed[at] ^= 1u8 << bit;
            prop_assert_eq!(unseal(&sealed), None);
        }
    }

    #[test]
    fn nouns_are_numbered() {
        for (at, kind) in Noun::ALL.into_iter().enumerate() {
            assert_eq!((usize::from(noun(kind)), read_noun(noun(kind))), (at + 1, Some(kind)));
        }
        assert_eq!((read_noun(0), read_noun(11)), (None, None));
    }

    #[test]
    fn numbers_too_long_are_none() {
        for (bytes, value) in [
            (&[0x7F][..], Some(127)),
            (&[0x80, 0x01], Some(128)),
            (&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], Some(u64::MAX)),
            (&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], None),
            (&[0x80; 11], None),
            (&[0x80], None),
            (&[], None),
        ] {
            assert_eq!(Fields(bytes).uint(), value, "{bytes:?}");
        }
    }
}
