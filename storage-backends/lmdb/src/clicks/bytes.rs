//! Numbers in the stored bytes of clicks: LEB128, little-endian, and a CRC32C at a value's end.
//!
//! A reader never panics: what can't be read is `None`, which callers call corrupt.

use crate::fault::{Fault, Tried, corrupt};

/// Appends `value` as LEB128.
pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number, small ones short.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends a text with its length.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Ends a value: its checksum.
pub(super) fn seal(value: &mut Vec<u8>) {
    let sum = crc32c::crc32c(value);
    value.extend_from_slice(&sum.to_le_bytes());
}

/// What was sealed.
pub(super) fn unseal<'v>(table: &str, value: &'v [u8]) -> Tried<Reader<'v>> {
    let (content, sum) = value.split_last_chunk().ok_or_else(|| corrupt(table, "cut short"))?;
    if crc32c::crc32c(content) != u32::from_le_bytes(*sum) {
        return Err(corrupt(table, "a checksum fails").into());
    }
    Ok(Reader(content))
}

/// The error of a value that was sealed whole and still makes no sense.
pub(super) fn senseless(table: &str) -> Fault {
    corrupt(table, "a value makes no sense").into()
}

/// The rest of a value.
#[derive(Clone, Copy)]
pub(super) struct Reader<'v>(pub(super) &'v [u8]);

impl<'v> Reader<'v> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'v [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(super) fn text(&mut self) -> Option<&'v str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, -1, 63, 64, -65, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            put_signed(&mut out, value);
            put(&mut out, value as u64);
            let mut reader = Reader(&out);
            assert_eq!((reader.signed(), reader.number()), (Some(value), Some(value as u64)));
            assert!(reader.is_empty());
        }
        assert_eq!(Reader(&[0xff; 11]).number(), None);
    }

    #[test]
    fn a_changed_bit_is_noticed() {
        let mut value = b"some value".to_vec();
        seal(&mut value);
        assert!(unseal("t", &value).is_ok());
        for bit in 0..value.len() * 8 {
            let mut bad = value.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal("t", &bad).is_err(), "bit {bit}");
        }
        assert!(unseal("t", &[1, 2]).is_err());
    }
}
