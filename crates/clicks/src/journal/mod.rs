//! The journal: what makes a click survive a killed process, and a retry count once.
//!
//! A directory of segment files, `{start}-{epoch}-{number}.journal` in hexadecimal, which sort in
//! the order they were written. A segment is a header and frames, a frame is one batch:
//!
//! ```text
//! segment := magic:8 version:u32 number:u32 epoch:u128 started:i64 crc:u32 frame*
//! frame   := magic:4 length:u32 sequence:u64 oldest:i64 clicks:u32 payload_crc:u32 crc:u32 payload
//! ```
//!
//! Integers are little-endian, `crc` is CRC32C (RFC 3720, B.4) of what stands before it. A frame's
//! magic is no valid UTF-8, so no text that a visitor sends can look like one. Every start of the
//! pipeline is a new epoch, which is why a segment is never appended to after a restart.

mod frames;
mod segment;

pub use frames::{Damage, Frame, Frames};
pub(crate) use segment::{Disk, DiskFile, Journal, RealDisk, found, sync_dir};

use waypost_storage::Epoch;

/// Whether the journal in `directory` has frames that nobody has deleted yet: clicks that the
/// store may lack.
///
/// # Errors
/// The directory can't be read; one that doesn't exist holds nothing.
pub fn holds_clicks(directory: &std::path::Path) -> std::io::Result<bool> {
    match found(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        segments => Ok(segments?.iter().any(|(.., bytes)| *bytes > SEGMENT_HEAD as u64)),
    }
}

/// Bytes of a segment's header.
pub(crate) const SEGMENT_HEAD: usize = 44;
/// The format that this version writes and reads.
pub(crate) const VERSION: u32 = 1;
const SEGMENT_MAGIC: [u8; 8] = *b"waypostJ";
const FRAME_MAGIC: [u8; 4] = [0xf5, 0xff, 0xc0, 0xfe];

/// Which segment it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentName {
    /// When its epoch began, in µs since 1970.
    pub(crate) started: i64,
    pub(crate) epoch: Epoch,
    /// Counts up from 1 in its epoch.
    pub(crate) number: u32,
}

impl SegmentName {
    pub(crate) fn file_name(self) -> String {
        format!("{:016x}-{:032x}-{:08x}.journal", self.started, self.epoch.0, self.number)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".journal")?.split('-');
        let (started, epoch, number) = (parts.next()?, parts.next()?, parts.next()?);
        let name = Self {
            started: u64::from_str_radix(started, 16).ok()?.cast_signed(),
            epoch: Epoch(u128::from_str_radix(epoch, 16).ok()?),
            number: u32::from_str_radix(number, 16).ok()?,
        };
        parts.next().is_none().then_some(name)
    }

    pub(crate) fn header(self) -> [u8; SEGMENT_HEAD] {
        let mut head = [0; SEGMENT_HEAD];
        head[..8].copy_from_slice(&SEGMENT_MAGIC);
        head[8..12].copy_from_slice(&VERSION.to_le_bytes());
        head[12..16].copy_from_slice(&self.number.to_le_bytes());
        head[16..32].copy_from_slice(&self.epoch.0.to_le_bytes());
        head[32..40].copy_from_slice(&self.started.to_le_bytes());
        let crc = crc32c::crc32c(&head[..40]);
        head[40..].copy_from_slice(&crc.to_le_bytes());
        head
    }
}

/// The version that a segment's first bytes name, where they are a whole and sound header.
pub(crate) fn version_of(head: &[u8]) -> Option<u32> {
    let head: &[u8; SEGMENT_HEAD] = head.first_chunk()?;
    let mut rest = &head[..];
    let magic: [u8; 8] = array(&mut rest)?;
    let version = u32::from_le_bytes(array(&mut rest)?);
    let sound = crc32c::crc32c(&head[..40]).to_le_bytes() == head[40..];
    (magic == SEGMENT_MAGIC && sound).then_some(version)
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) length: u32,
    pub(crate) sequence: u64,
    /// The time of the first click, in µs since 1970.
    pub(crate) oldest: i64,
    pub(crate) clicks: u32,
    pub(crate) payload_crc: u32,
}

impl FrameHead {
    /// Its bytes.
    pub(crate) const LENGTH: usize = 36;

    pub(crate) fn of(sequence: u64, oldest: i64, clicks: u32, payload: &[u8]) -> Self {
        let length = payload.len() as u32;
        Self { length, sequence, oldest, clicks, payload_crc: crc32c::crc32c(payload) }
    }

    pub(crate) fn bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..4].copy_from_slice(&FRAME_MAGIC);
        bytes[4..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.oldest.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.clicks.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.payload_crc.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..32]);
        bytes[32..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = (bytes.get(..Self::LENGTH - 4)?, bytes);
        let magic: [u8; 4] = array(&mut rest)?;
        let found = Self {
            length: u32::from_le_bytes(array(&mut rest)?),
            sequence: u64::from_le_bytes(array(&mut rest)?),
            oldest: i64::from_le_bytes(array(&mut rest)?),
            clicks: u32::from_le_bytes(array(&mut rest)?),
            payload_crc: u32::from_le_bytes(array(&mut rest)?),
        };
        let sound = u32::from_le_bytes(array(&mut rest)?) == crc32c::crc32c(head);
        let known = found.length as usize <= crate::limits::FRAME_MOST;
        (magic == FRAME_MAGIC && sound && known).then_some(found)
    }
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk()?;
    *bytes = tail;
    Some(*head)
}
