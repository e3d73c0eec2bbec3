//! A link's bytes in the arena: 24 fixed ones, its code, its destination, and where it has
//! options aside, their number.
//!
//! ```text
//! id 53 | wide 1 | aside 1 | - 1 | code length - 1, 8
//! version 32 | flags 16 | destination length 14 | status 2
//! workspace 32 | domain 32
//! [wide: workspace 64, domain 64, version 64] code destination [aside: 32]
//! ```
//!
//! Ids over 32 bits take the wide form, so that the common link pays for small ones only.
#![allow(unsafe_code)]

use std::sync::Arc;

use waypost_link::{DomainId, Flags, LinkId, Status, WorkspaceId};

use crate::{
    Details,
    arena::{Arena, Bytes, Location},
};

const HEAD: usize = 24;
const WIDE_BYTES: usize = 24;
const ASIDE_BYTES: usize = 4;
/// Lines this many bytes further on are asked for with the first, where most entries end.
const PREFETCHED: [usize; 2] = [64, 104];
const ID_BITS: u32 = 53;
const WIDE: u64 = 1 << 53;
const ASIDE: u64 = 1 << 54;

/// A link as a redirect sees it, borrowed from the index.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The link.
    pub id: LinkId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// The domain its code is on.
    pub domain: DomainId,
    /// The version of the link that this is.
    pub version: u64,
    /// The status of its redirect.
    pub status: Status,
    /// Its switches; [`Flags::ACTIVE`] is one of them.
    pub flags: Flags,
    /// Its code, decoded.
    pub code: &'a str,
    /// Where it leads.
    pub destination: &'a str,
    /// Rarely used options; `None` for a plain link.
    pub details: Option<&'a Arc<Details>>,
}

/// The fixed part, decoded: enough to know how long the rest is.
struct Head {
    words: [u64; 3],
}

impl Head {
    #[inline]
    fn read(entry: Bytes<'_>) -> Self {
        let bytes = entry.read(0, HEAD);
        let word = |from: usize| {
            bytes
                .get(from..from + 8)
                .map_or(0, |word| u64::from_le_bytes(word.try_into().unwrap_or_default()))
        };
        Self { words: [word(0), word(8), word(16)] }
    }

    fn is_wide(&self) -> bool {
        self.words[0] & WIDE != 0
    }

    fn has_aside(&self) -> bool {
        self.words[0] & ASIDE != 0
    }

    fn code_length(&self) -> usize {
        (self.words[0] >> 56) as usize + 1
    }

    fn destination_length(&self) -> usize {
        (self.words[1] >> 48 & 0x3fff) as usize
    }

    fn code_from(&self) -> usize {
        HEAD + if self.is_wide() { WIDE_BYTES } else { 0 }
    }

    fn total(&self) -> usize {
        let aside = if self.has_aside() { ASIDE_BYTES } else { 0 };
        self.code_from() + self.code_length() + self.destination_length() + aside
    }
}

/// Asks for the two lines that an entry at `at` is in unless it is long: fewer reach further where
/// many are asked for at once.
#[inline]
pub(crate) fn prefetch(arena: &Arena, at: Location) {
    [0, PREFETCHED[0]].iter().for_each(|&further| arena.at(at).prefetch(further));
}

/// The entry at `at` if it is of this code on this domain. `details` finds the options that an
/// entry's number stands for.
#[inline]
pub(crate) fn read_if<'a>(
    arena: &'a Arena,
    at: Location,
    domain: DomainId,
    code: &str,
    details: impl FnOnce(u32) -> Option<&'a Arc<Details>>,
) -> Option<Entry<'a>> {
    let bytes = arena.at(at);
    PREFETCHED.iter().for_each(|&further| bytes.prefetch(further));
    let head = Head::read(bytes);
    let code_matches = head.code_length() == code.len()
        && bytes.read(head.code_from(), code.len()) == code.as_bytes();
    if !code_matches {
        return None;
    }
    let entry = decode(bytes, &head, details);
    (entry.domain == domain).then_some(entry)
}

/// The entry at `at`, and its length in bytes.
#[inline]
pub(crate) fn read<'a>(
    arena: &'a Arena,
    at: Location,
    details: impl FnOnce(u32) -> Option<&'a Arc<Details>>,
) -> (Entry<'a>, usize) {
    let bytes = arena.at(at);
    let head = Head::read(bytes);
    (decode(bytes, &head, details), head.total())
}

#[inline]
fn decode<'a>(
    bytes: Bytes<'a>,
    head: &Head,
    details: impl FnOnce(u32) -> Option<&'a Arc<Details>>,
) -> Entry<'a> {
    let [first, second, third] = head.words;
    let (mut workspace, mut domain) = (third & u64::from(u32::MAX), third >> 32);
    let mut version = second & u64::from(u32::MAX);
    if head.is_wide() {
        [workspace, domain, version] = read_wide(bytes.read(HEAD, WIDE_BYTES));
    }
    let code_from = head.code_from();
    let destination_from = code_from + head.code_length();
    let aside_from = destination_from + head.destination_length();
    let aside = head.has_aside().then(|| {
        let number = bytes.read(aside_from, ASIDE_BYTES);
        u32::from_le_bytes(number.try_into().unwrap_or([u8::MAX; 4]))
    });
    Entry {
        id: LinkId(first & ((1 << ID_BITS) - 1)),
        workspace: WorkspaceId(workspace),
        domain: DomainId(domain),
        version,
        status: Status::ALL[(second >> 62) as usize],
        flags: Flags((second >> 32) as u16),
        code: text(bytes.read(code_from, head.code_length())),
        destination: text(bytes.read(destination_from, head.destination_length())),
        details: aside.and_then(details),
    }
}

/// Writes `entry` to the end of `out`, with the number of its details where it has some.
///
/// Codes have 1 to 256 bytes, destinations at most 8,192 and ids 53 bits: their types see to it.
pub(crate) fn encode(entry: &Entry<'_>, aside: Option<u32>, out: &mut Vec<u8>) {
    let narrow = u64::from(u32::MAX);
    let wide = [entry.workspace.0, entry.domain.0, entry.version];
    let is_wide = wide.iter().any(|&value| value > narrow);
    let status = Status::ALL.iter().position(|&known| known == entry.status).unwrap_or(1) as u64;
    let first = entry.id.0 & ((1 << ID_BITS) - 1)
        | if is_wide { WIDE } else { 0 }
        | if aside.is_some() { ASIDE } else { 0 }
        | (entry.code.len() as u64 - 1) << 56;
    let second = entry.version & narrow
        | u64::from(entry.flags.0) << 32
        | (entry.destination.len() as u64) << 48
        | status << 62;
    let third = entry.workspace.0 & narrow | entry.domain.0 << 32;
    for word in [first, second, third] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    if is_wide {
        out.extend(wide.iter().flat_map(|word| word.to_le_bytes()));
    }
    out.extend_from_slice(entry.code.as_bytes());
    out.extend_from_slice(entry.destination.as_bytes());
    out.extend(aside.iter().flat_map(|number| number.to_le_bytes()));
}

fn read_wide(bytes: &[u8]) -> [u64; 3] {
    let mut words = [0; 3];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    }
    words
}

#[inline]
fn text(bytes: &[u8]) -> &str {
    // SAFETY: `encode` copied these bytes from a whole `&str`, at the bounds its head names, and
    // appended bytes never change.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: u64, workspace: u64, domain: u64, version: u64, code: &str, destination: &str) {
        for (status, flags, aside) in [
            (Status::Found, Flags::default(), None),
            (Status::Permanent, Flags(u16::MAX), Some(0)),
            (Status::Moved, Flags(0), Some(u32::MAX - 1)),
        ] {
            let entry = Entry {
                id: LinkId(id),
                workspace: WorkspaceId(workspace),
                domain: DomainId(domain),
                version,
                status,
                flags,
                code,
                destination,
                details: None,
            };
            let mut bytes = Vec::new();
            encode(&entry, aside, &mut bytes);
            let (arena, mut appender) = Arena::new(&Arc::default(), bytes.len());
            let at = appender.append(&arena, &bytes).unwrap();
            let mut seen = None;
            let (back, length) = read(&arena, at, |number| {
                seen = Some(number);
                None
            });
            assert_eq!(format!("{back:?}"), format!("{entry:?}"));
            assert_eq!((length, seen), (bytes.len(), aside));
            assert!(read_if(&arena, at, DomainId(domain), code, |_| None).is_some());
            assert!(read_if(&arena, at, DomainId(domain + 1), code, |_| None).is_none());
            assert!(read_if(&arena, at, DomainId(domain), "other", |_| None).is_none());
        }
    }

    #[test]
    fn an_entry_survives_its_bytes() {
        let narrow = u64::from(u32::MAX);
        let large = (1 << 53) - 1;
        let code = "🎉".repeat(if cfg!(miri) { 4 } else { 64 });
        let destination = format!("https://{}", "a".repeat(if cfg!(miri) { 184 } else { 8_184 }));
        check(1, 1, 0, 1, "hi", "https://example.com/");
        check(large, narrow, narrow, narrow, "x", "https://example.com/");
        for (workspace, domain, version) in
            [(narrow + 1, 0, 0), (0, narrow + 1, 0), (0, 0, u64::MAX), (large, large, u64::MAX)]
        {
            check(large, workspace, domain, version, &code, &destination);
        }
    }
}
