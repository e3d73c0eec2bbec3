//! Strings to ids, for one process: a user agent is hashed and compared once a click, parsed once in its life.
//!
//! A journal segment writes a string before the first record that names it (`in_segment`), so a segment stands alone.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

#[derive(Clone, Copy)]
pub struct Entry {
    from: u32,
    len: u32,
    pub segment: u32,
    pub hash: u64,
}

pub struct Dict {
    table: HashTable<u32>,
    pub entries: Vec<Entry>,
    bytes: Vec<u8>,
    /// What statistics want of a string: agent class (browser, OS, device in one number), referrer host id, language id.
    pub derived: Vec<u32>,
    state: DefaultHashBuilder,
    derive: fn(&[u8]) -> u32,
}

impl Dict {
    pub fn new(derive: fn(&[u8]) -> u32) -> Self {
        Dict { table: HashTable::new(), entries: Vec::new(), bytes: Vec::new(), derived: Vec::new(), state: DefaultHashBuilder::default(), derive }
    }

    #[inline]
    pub fn id(&mut self, text: &[u8]) -> u32 {
        let hash = self.state.hash_one(text);
        let (entries, bytes) = (&self.entries, &self.bytes);
        let found = self.table.find(hash, |&id| {
            let e = &entries[id as usize];
            e.hash == hash && bytes[e.from as usize..][..e.len as usize] == *text
        });
        match found {
            Some(&id) => id,
            None => self.add(text, hash),
        }
    }

    #[cold]
    fn add(&mut self, text: &[u8], hash: u64) -> u32 {
        let id = self.entries.len() as u32;
        let entry = Entry { from: self.bytes.len() as u32, len: text.len() as u32, segment: u32::MAX, hash };
        self.bytes.extend_from_slice(text);
        self.entries.push(entry);
        self.derived.push((self.derive)(text));
        let entries = &self.entries;
        self.table.insert_unique(hash, id, |&i| entries[i as usize].hash);
        id
    }

    pub fn text(&self, id: u32) -> &[u8] {
        let e = &self.entries[id as usize];
        &self.bytes[e.from as usize..][..e.len as usize]
    }

    /// True once a segment: the caller writes the string then.
    #[inline]
    pub fn first_in(&mut self, segment: u32, id: u32) -> bool {
        let e = &mut self.entries[id as usize];
        let first = e.segment != segment;
        e.segment = segment;
        first
    }
}
