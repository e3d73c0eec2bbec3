//! The ledger: how much of each lease this node has made spendable, kept in its data directory.
//!
//! A killed node can't say what it had spent, so it says beforehand what it may: an amount stands
//! here before the first click of it is spent, and is taken for spent by the next start. The file
//! is written to, not synced: what the system holds survives the process, and where the system
//! went down too the next start sees that it did, and trusts nothing.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::FileExt as _,
    path::Path,
};

use waypost_link::LinkId;

/// The file in the data directory.
pub(super) const FILE: &str = "leases";
/// Bytes of the head, and of each slot after it.
const HEAD: usize = 256;
const SLOT: usize = 32;
/// What the head begins with: the format.
const MAGIC: &str = "waypost leases 1";

/// A lease that is made spendable piece by piece: the link, and the version its account is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Of {
    pub(super) link: LinkId,
    pub(super) since: u64,
}

/// The open ledger.
#[derive(Debug)]
pub(super) struct Ledger {
    file: File,
    slots: HashMap<LinkId, Slot>,
    free: Vec<usize>,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    at: usize,
    since: u64,
    opened: u64,
}

impl Ledger {
    /// The ledger of the node called `name` in `dir`; `None` where one is there that can't be
    /// trusted: the system went down under it.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn open(dir: &Path, name: &str) -> io::Result<Option<Self>> {
        let path = dir.join(FILE);
        let head = head(name);
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(mut file) => file.read_to_end(&mut bytes).map(drop)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let (slots, count) = read(&bytes);
        let own = bytes.get(..HEAD) == Some(&head[..]);
        // Another node's ledger was copied with its directory, and says nothing of this one.
        if !own && names(&bytes, name) && !slots.is_empty() {
            return Ok(None);
        }
        if !own {
            return Self::fresh(&path, &head).map(Some);
        }
        let taken: Vec<usize> = slots.values().map(|slot| slot.at).collect();
        let free = (0..count).filter(|at| !taken.contains(at)).collect();
        let file = File::options().write(true).open(&path)?;
        Ok(Some(Self { file, slots, free, count }))
    }

    /// Throws away whatever is in `dir`.
    pub(super) fn discard(dir: &Path) -> io::Result<()> {
        match fs::remove_file(dir.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn fresh(path: &Path, head: &[u8; HEAD]) -> io::Result<Self> {
        let file = File::options().write(true).create(true).truncate(true).open(path)?;
        file.write_all_at(head, 0)?;
        Ok(Self { file, slots: HashMap::new(), free: Vec::new(), count: 0 })
    }

    /// How much of a lease was made spendable.
    pub(super) fn opened(&self, of: Of) -> u64 {
        self.slots.get(&of.link).filter(|slot| slot.since == of.since).map_or(0, |slot| slot.opened)
    }

    /// Writes down that `opened` of a lease are spendable in all: before they are.
    pub(super) fn set(&mut self, of: Of, opened: u64) -> io::Result<()> {
        let known = self.slots.get(&of.link).map(|slot| slot.at);
        let at = known.or_else(|| self.free.pop()).unwrap_or(self.count);
        self.write(at, of, opened)?;
        self.count = self.count.max(at + 1);
        self.slots.insert(of.link, Slot { at, since: of.since, opened });
        Ok(())
    }

    /// Forgets a lease that is no more.
    pub(super) fn remove(&mut self, link: LinkId) -> io::Result<()> {
        let Some(slot) = self.slots.remove(&link) else { return Ok(()) };
        self.free.push(slot.at);
        self.write(slot.at, Of { link: LinkId(0), since: 0 }, 0)
    }

    fn write(&self, at: usize, of: Of, opened: u64) -> io::Result<()> {
        let mut slot = [0; SLOT];
        for (into, number) in slot.chunks_exact_mut(8).zip([of.link.0, of.since, opened]) {
            into.copy_from_slice(&number.to_le_bytes());
        }
        self.file.write_all_at(&slot, (HEAD + at * SLOT) as u64)
    }
}

/// What a ledger of this node, under this start of the system, begins with.
fn head(name: &str) -> [u8; HEAD] {
    // A system that doesn't say when it started is never trusted across a restart.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let boot = if boot.trim().is_empty() { std::process::id().to_string() } else { boot };
    let mut head = [b'\n'; HEAD];
    let text = format!("{MAGIC}\n{name}\n{}", boot.trim());
    for (into, byte) in head.iter_mut().zip(text.bytes()) {
        *into = byte;
    }
    head
}

/// Whether these bytes are the ledger of this node, whenever it was written.
fn names(bytes: &[u8], name: &str) -> bool {
    bytes.starts_with(format!("{MAGIC}\n{name}\n").as_bytes())
}

/// The slots in use, and how many there are.
fn read(bytes: &[u8]) -> (HashMap<LinkId, Slot>, usize) {
    let rows = bytes.get(HEAD..).unwrap_or_default().chunks_exact(SLOT);
    let count = rows.len();
    let number = |row: &[u8], nth: usize| {
        let bytes = row.get(nth * 8..nth * 8 + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u64::from_le_bytes)
    };
    let slots = rows.enumerate().filter_map(|(at, row)| {
        let link = LinkId(number(row, 0));
        let slot = Slot { at, since: number(row, 1), opened: number(row, 2) };
        (link.0 != 0).then_some((link, slot))
    });
    (slots.collect(), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(link: u64, since: u64) -> Of {
        Of { link: LinkId(link), since }
    }

    #[test]
    fn what_was_opened_is_known_after_a_restart() {
        let dir = std::env::temp_dir().join(format!("waypost-ledger-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let open = |name| Ledger::open(&dir, name).unwrap();
        let mut ledger = open("a").unwrap();
        for (link, since, opened) in [(1, 1, 5), (2, 4, 9), (1, 1, 7), (3, 1, 2)] {
            ledger.set(of(link, since), opened).unwrap();
        }
        ledger.remove(LinkId(2)).unwrap();
        ledger.set(of(4, 2), 1).unwrap();
        drop(ledger);
        let ledger = open("a").unwrap();
        let opened = [(1, 1), (1, 2), (2, 4), (3, 1), (4, 2)].map(|(l, s)| ledger.opened(of(l, s)));
        assert_eq!((opened, ledger.count), ([7, 0, 0, 2, 1], 3));
        let mut bytes = fs::read(dir.join(FILE)).unwrap();
        bytes[30] ^= 1; // within the mark of the system's start
        assert_eq!(open("b").unwrap().slots.len(), 0, "another node's");
        fs::write(dir.join(FILE), &bytes).unwrap();
        assert!(open("a").is_none(), "the system went down");
        Ledger::discard(&dir).unwrap();
        assert_eq!(open("a").unwrap().slots.len(), 0);
        fs::remove_dir_all(&dir).unwrap();
    }
}
