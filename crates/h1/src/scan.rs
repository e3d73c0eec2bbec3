//! Where the tokens of a head end, found sixteen bytes at a time.
//!
//! Every byte of a head must be looked at: names are tokens, targets visible ASCII, values without control characters.
//! A browser sends half a kilobyte of them, and looking at each by itself would be most of what a redirect costs. Inlining is not
//! left to the compiler: where it spares one of these searches, a browser's head costs 300 instructions more.

use wide::i8x16;

/// Bytes that are looked at at once.
const WIDTH: usize = 16;

/// The first byte from `from` that is none of a token (RFC 9110 section 5.6.2).
#[inline(always)]
pub(crate) fn token_end(bytes: &[u8], from: usize) -> Option<usize> {
    end(bytes, from, not_in_names, |byte| TOKEN_BYTES[usize::from(byte)])
}

/// The first byte from `from` that is not visible ASCII.
#[inline(always)]
pub(crate) fn visible_end(bytes: &[u8], from: usize) -> Option<usize> {
    find(bytes, from, not_visible)
}

/// The first byte from `from` that no field value holds: a control character other than a tab.
#[inline(always)]
pub(crate) fn value_end(bytes: &[u8], from: usize) -> Option<usize> {
    end(bytes, from, control, |byte| byte == b'\t')
}

/// The first hit from `from` that is not allowed after all.
#[inline(always)]
fn end(
    bytes: &[u8],
    from: usize,
    hits: impl Fn(i8x16) -> i8x16,
    allowed: impl Fn(u8) -> bool,
) -> Option<usize> {
    let mut at = find(bytes, from, &hits)?;
    while allowed(bytes[at]) {
        at = find(bytes, at + 1, &hits)?;
    }
    Some(at)
}

/// The first byte from `from` that is a hit.
#[inline(always)]
fn find(bytes: &[u8], from: usize, hits: impl Fn(i8x16) -> i8x16) -> Option<usize> {
    let first = |lanes: &[u8; WIDTH]| hits(i8x16::from(lanes.map(u8::cast_signed))).to_bitmask();
    let (whole, rest) = bytes.get(from..)?.as_chunks();
    for (n, lanes) in whole.iter().enumerate() {
        let found = first(lanes);
        if found != 0 {
            return Some(from + n * WIDTH + found.trailing_zeros() as usize);
        }
    }
    // The rest is looked at together with what comes before it, which is no hit or none of this search.
    let before = WIDTH - rest.len();
    let found = match bytes.last_chunk() {
        Some(lanes) => first(lanes),
        None => first(&padded(rest, before)),
    };
    let found = found >> before;
    (found != 0).then(|| bytes.len() - rest.len() + found.trailing_zeros() as usize)
}

/// The bytes after so many others.
fn padded(rest: &[u8], before: usize) -> [u8; WIDTH] {
    let mut lanes = [0; WIDTH];
    lanes[before..].copy_from_slice(rest);
    lanes
}

/// Bytes other than letters, digits and `-`, of which nearly all names consist.
#[inline(always)]
fn not_in_names(bytes: i8x16) -> i8x16 {
    let letter = within(bytes | lanes(0x20), b'a', b'z');
    !(letter | within(bytes, b'0', b'9') | bytes.simd_eq(lanes(b'-')))
}

/// Bytes under 0x21 or over 0x7e.
#[inline]
fn not_visible(bytes: i8x16) -> i8x16 {
    // Signed: bytes over 0x7f are under 0.
    bytes.simd_lt(lanes(0x21)) | bytes.simd_eq(lanes(0x7f))
}

/// Bytes under 0x20, and 0x7f.
#[inline]
fn control(bytes: i8x16) -> i8x16 {
    let negative = bytes.simd_lt(lanes(0));
    (bytes.simd_lt(lanes(0x20)) & !negative) | bytes.simd_eq(lanes(0x7f))
}

#[inline]
fn within(bytes: i8x16, low: u8, high: u8) -> i8x16 {
    bytes.simd_gt(lanes(low - 1)) & bytes.simd_lt(lanes(high + 1))
}

#[inline]
fn lanes(byte: u8) -> i8x16 {
    i8x16::splat(byte.cast_signed())
}

/// The bytes of a token.
const TOKEN_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    let mut byte = 0u8;
    while byte < 0x80 {
        table[byte as usize] |= byte.is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type End = fn(&[u8], usize) -> Option<usize>;
    type Ends = fn(u8) -> bool;

    /// Each search, and what it must stop at.
    const ENDS: [(End, Ends); 3] = [
        (token_end, |b| !(b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))),
        (visible_end, |b| !b.is_ascii_graphic()),
        (value_end, |b| b.is_ascii_control() && b != b'\t'),
    ];

    fn check(bytes: &[u8], from: usize) {
        for (n, (end, ends)) in ENDS.into_iter().enumerate() {
            let rest = bytes.get(from..).unwrap_or_default();
            let expected = rest.iter().position(|&byte| ends(byte)).map(|at| from + at);
            assert_eq!(end(bytes, from), expected, "search {n} from {from} in {bytes:?}");
        }
    }

    #[test]
    fn every_byte_at_every_place() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = byte;
                    (0..=length).for_each(|from| check(&bytes, from));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40), from in 0usize..41) {
            check(&bytes, from);
        }
    }
}
