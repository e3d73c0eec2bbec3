//! Looks at an LMDB file before it is mapped: a bad or cut-off file is an error, never a signal.
//!
//! LMDB maps its file whole and believes its meta page; a page past the end of the file is a
//! SIGBUS. So the newer meta page is read here and held against the file's length. A file may
//! rightly be shorter than its last page number says, where the last pages are free and were never
//! written: only then the list of free pages is walked. Nothing is ever written here.

use std::{
    collections::HashSet, fs::File, io::ErrorKind, ops::Range, os::unix::fs::FileExt, path::Path,
};

use waypost_storage::{Error, Result};

/// What a meta page begins with, after its page header.
const MAGIC: u32 = 0xBEEF_C0DE;
/// LMDB's file format.
const VERSION: u32 = 1;
/// Bytes of a page header and a meta page's content.
const META: usize = 16 + 136;
/// Page flags.
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
const IS_META: u16 = 8;
/// A node whose data is on pages of its own.
const BIG_DATA: u16 = 1;
/// The root of an empty tree.
const NO_PAGE: u64 = u64::MAX;
/// Deepest tree that LMDB's cursors can walk.
const DEPTH: u16 = 32;
/// How often a page that doesn't fit is read again: another process may be writing it.
const ATTEMPTS: u32 = 3;

/// Fails where the file at `path` can't be what LMDB wrote; a missing or empty one is new.
///
/// # Errors
/// `Corrupt`; `Unusable` where it can't be read, or is of another LMDB.
pub(crate) fn check(path: &Path) -> Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::Unusable(format!("{}: {error}", path.display()))),
    };
    let mut last = Ok(());
    for _ in 0..ATTEMPTS {
        last = inspect(&file).map_err(|why| why.told(path));
        if last.is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    last
}

/// Why a file is refused.
enum Why {
    Corrupt(String),
    Version(u32),
    Unreadable(std::io::Error),
}

impl Why {
    fn told(self, path: &Path) -> Error {
        let path = path.display();
        match self {
            Self::Corrupt(why) => Error::Corrupt(format!("{path}: {why}")),
            Self::Version(version) => Error::Unusable(format!(
                "{path} was written by another LMDB (file format {version})"
            )),
            Self::Unreadable(error) => Error::Unusable(format!("{path}: {error}")),
        }
    }
}

fn corrupt(why: impl Into<String>) -> Why {
    Why::Corrupt(why.into())
}

/// What a meta page says.
struct Meta {
    page_size: u64,
    free_root: u64,
    main_root: u64,
    depths: [u16; 2],
    last_page: u64,
    transaction: u64,
}

fn inspect(file: &File) -> std::result::Result<(), Why> {
    let length = file.metadata().map_err(Why::Unreadable)?.len();
    if length == 0 {
        return Ok(());
    }
    let first = read_meta(file, 0)?;
    let second = read_meta(file, first.page_size)?;
    let meta = if second.transaction > first.transaction { second } else { first };
    for root in [meta.free_root, meta.main_root] {
        if root != NO_PAGE && root > meta.last_page {
            return Err(corrupt("a bad meta page: a root past the last page"));
        }
    }
    if meta.depths.iter().any(|depth| *depth > DEPTH) {
        return Err(corrupt("a bad meta page: a tree too deep"));
    }
    // Read after the meta page: a file that is being written only grows.
    let length = file.metadata().map_err(Why::Unreadable)?.len();
    let present = length / meta.page_size;
    let needed = meta.last_page.saturating_add(1);
    if present >= needed || all_free(file, &meta, present..needed) {
        return Ok(());
    }
    let needed = needed.saturating_mul(meta.page_size);
    Err(corrupt(format!("{length} bytes long, but its meta page says {needed}: cut off")))
}

fn read_meta(file: &File, at: u64) -> std::result::Result<Meta, Why> {
    let mut page = [0; META];
    file.read_exact_at(&mut page, at).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => corrupt("shorter than its meta pages"),
        _ => Why::Unreadable(error),
    })?;
    let page = Page(&page);
    if page.u16(10).is_none_or(|flags| flags & IS_META == 0) || page.u32(16) != Some(MAGIC) {
        return Err(corrupt("a bad meta page"));
    }
    match page.u32(20) {
        Some(VERSION) => {}
        version => return Err(Why::Version(version.unwrap_or_default())),
    }
    let size = u64::from(page.u32(40).unwrap_or_default());
    if !size.is_power_of_two() || !(512..=65_536).contains(&size) {
        return Err(corrupt("a bad meta page: its page size"));
    }
    Ok(Meta {
        page_size: size,
        free_root: page.u64(80).unwrap_or(0),
        main_root: page.u64(128).unwrap_or(0),
        depths: [46, 94].map(|at| page.u16(at).unwrap_or(u16::MAX)),
        last_page: page.u64(136).unwrap_or(u64::MAX),
        transaction: page.u64(144).unwrap_or(0),
    })
}

/// Whether every page of `missing` is on the list of free pages.
fn all_free(file: &File, meta: &Meta, missing: Range<u64>) -> bool {
    let mut walk =
        Walk { file, page_size: meta.page_size, present: missing.start, left: missing.start };
    let mut free = HashSet::new();
    let walked = meta.free_root != NO_PAGE && walk.free_pages(meta.free_root, &mut free).is_some();
    walked
        && missing.end - missing.start <= free.len() as u64
        && missing.into_iter().all(|page| free.contains(&page))
}

/// A walk over a tree of the file; anything that doesn't fit ends it.
struct Walk<'f> {
    file: &'f File,
    page_size: u64,
    present: u64,
    /// Pages that it may still read: a loop in the tree ends.
    left: u64,
}

impl Walk<'_> {
    /// Gathers the page numbers past the end of the file that the tree at `root` lists as free.
    fn free_pages(&mut self, root: u64, free: &mut HashSet<u64>) -> Option<()> {
        let bytes = self.read(root, 1)?;
        let page = Page(&bytes);
        let (flags, lower) = (page.u16(10)?, usize::from(page.u16(12)?));
        for slot in (16..lower).step_by(2) {
            let node = usize::from(page.u16(slot)?);
            let low = u64::from(page.u32(node)?);
            let (node_flags, key) = (page.u16(node + 4)?, usize::from(page.u16(node + 6)?));
            if flags & BRANCH != 0 {
                self.free_pages(low | u64::from(node_flags) << 32, free)?;
            } else if flags & LEAF == 0 {
                return None;
            } else if node_flags & BIG_DATA != 0 {
                let pages = (16 + low).div_ceil(self.page_size);
                let data = self.read(page.u64(node + 8 + key)?, pages)?;
                self.gather(Page(&data), 16, low, free)?;
            } else {
                self.gather(page, node + 8 + key, low, free)?;
            }
        }
        Some(())
    }

    /// A list of free pages: its length, then the page numbers.
    fn gather(&self, page: Page<'_>, at: usize, size: u64, free: &mut HashSet<u64>) -> Option<()> {
        let count = page.u64(at)?;
        if count.checked_mul(8)?.checked_add(8)? > size {
            return None;
        }
        for n in 1..=usize::try_from(count).ok()? {
            let number = page.u64(at + 8 * n)?;
            if number >= self.present {
                free.insert(number);
            }
        }
        Some(())
    }

    fn read(&mut self, number: u64, pages: u64) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(pages)?;
        if number.checked_add(pages)? > self.present {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(pages * self.page_size).ok()?];
        self.file.read_exact_at(&mut bytes, number * self.page_size).ok()?;
        Some(bytes)
    }
}

/// Little-endian numbers of a page (LMDB's files are in the byte order of their machine).
#[derive(Clone, Copy)]
struct Page<'b>(&'b [u8]);

impl Page<'_> {
    fn bytes<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }

    fn u16(self, at: usize) -> Option<u16> {
        self.bytes(at).map(u16::from_ne_bytes)
    }

    fn u32(self, at: usize) -> Option<u32> {
        self.bytes(at).map(u32::from_ne_bytes)
    }

    fn u64(self, at: usize) -> Option<u64> {
        self.bytes(at).map(u64::from_ne_bytes)
    }
}
