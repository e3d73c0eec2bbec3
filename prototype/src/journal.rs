//! The journal: frames of length, CRC32C, sequence; raw bytes as the worker wrote them, or interned records.
//!
//! Interned, a click is 36 bytes: time after the frame's base 4, link 8, workspace 4, ip 4, user agent 4, referrer 4,
//! language 2, country 2, rule 2, flags 2. (IPv6 would follow the records in a table of its own; not done here.)

use crate::dict::Dict;
use crate::handover::{decode, Batch};
use std::fs::File;
use std::io::Write;

pub const FRAME: usize = 32;

/// A click in the writer's memory, from the journal to the store: 40 bytes, no pointers.
#[derive(Clone, Copy, Default)]
pub struct Record {
    pub link: u64,
    pub time: u32,
    pub ip: u32,
    pub ua: u32,
    pub referrer: u32,
    pub workspace: u32,
    /// Keyed hash of address and user agent: what the visitor sets hold.
    pub visitor: u32,
    pub lang: u16,
    pub country: u16,
    pub rule: u16,
    pub flags: u16,
}

pub struct Dicts {
    pub agents: Dict,
    pub referrers: Dict,
    pub langs: Dict,
}

impl Dicts {
    pub fn new() -> Self {
        Dicts { agents: Dict::new(agent_class), referrers: Dict::new(host_number), langs: Dict::new(lang_number) }
    }
}

/// Stands in for the parser: 140 versions of one browser become 36 classes of (browser, OS, device).
fn agent_class(ua: &[u8]) -> u32 {
    ua.iter().fold(7u32, |a, &c| a.wrapping_mul(31).wrapping_add(u32::from(c))) % 36
}
fn host_number(referrer: &[u8]) -> u32 {
    referrer.get(13..16).map_or(0, |d| d.iter().fold(0, |a, &c| a * 10 + u32::from(c - b'0')))
}
fn lang_number(lang: &[u8]) -> u32 {
    lang.get(1..3).map_or(0, |d| d.iter().fold(0, |a, &c| a * 10 + u32::from(c - b'0')))
}

pub struct Journal {
    file: File,
    frame: Vec<u8>,
    strings: Vec<u8>,
    pub bytes: u64,
    sequence: u64,
    segment: u32,
}

impl Journal {
    pub fn new(file: File) -> Self {
        Journal { file, frame: vec![0; FRAME], strings: Vec::new(), bytes: 0, sequence: 0, segment: 0 }
    }

    pub fn add_raw(&mut self, batch: &Batch) {
        self.frame.extend_from_slice(&batch.0);
    }

    /// Interns a batch: records to `pending` (for the fold and the store) and to the frame.
    pub fn add(&mut self, batch: &Batch, base: u64, dicts: &mut Dicts, pending: &mut Vec<Record>, kept: &mut Vec<u8>) {
        let mut bytes = &batch.0[..];
        while let Some(raw) = decode(&mut bytes) {
            let (time, link, ip, country) = raw.facts;
            let ua = dicts.agents.id(raw.ua);
            let referrer = dicts.referrers.id(raw.referrer);
            let lang = dicts.langs.id(raw.lang);
            self.define(&mut dicts.agents, ua, 0, kept);
            self.define(&mut dicts.referrers, referrer, 1, kept);
            self.define(&mut dicts.langs, lang, 2, kept);
            let mixed = (dicts.agents.entries[ua as usize].hash ^ u64::from(ip)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let visitor = ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32) as u32;
            let r = Record { link, time: (time - base) as u32, ip, ua, referrer, workspace: 1, visitor, lang: lang as u16, country, rule: 0, flags: 0 };
            self.frame.extend_from_slice(&r.journal_bytes());
            pending.push(r);
        }
    }

    #[inline]
    fn define(&mut self, dict: &mut Dict, id: u32, kind: u8, kept: &mut Vec<u8>) {
        if dict.first_in(self.segment, id) {
            let text = dict.text(id);
            let from = self.strings.len();
            self.strings.push(kind);
            self.strings.extend_from_slice(&id.to_le_bytes());
            self.strings.extend_from_slice(&(text.len() as u16).to_le_bytes());
            self.strings.extend_from_slice(text);
            kept.extend_from_slice(&self.strings[from..]);
        }
    }

    /// One write: the tick's frame.
    pub fn write(&mut self) {
        let (records, strings) = (self.frame.len() - FRAME, self.strings.len());
        if records == 0 {
            return;
        }
        self.frame.extend_from_slice(&self.strings);
        self.sequence += 1;
        self.frame[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        self.frame[16..20].copy_from_slice(&(strings as u32).to_le_bytes());
        let crc = crc32c::crc32c(&self.frame[8..]);
        let len = self.frame.len() as u32;
        self.frame[0..4].copy_from_slice(&len.to_le_bytes());
        self.frame[4..8].copy_from_slice(&crc.to_le_bytes());
        self.file.write_all(&self.frame).expect("journal write");
        self.bytes += u64::from(len);
        self.frame.truncate(FRAME);
        self.strings.clear();
    }

    pub fn next_segment(&mut self) {
        self.segment += 1;
    }

    pub fn sync(&self) {
        self.file.sync_data().expect("journal sync");
    }
}

impl Record {
    #[inline]
    fn journal_bytes(&self) -> [u8; 36] {
        let mut b = [0u8; 36];
        b[0..8].copy_from_slice(&self.link.to_le_bytes());
        b[8..12].copy_from_slice(&self.workspace.to_le_bytes());
        b[12..36].copy_from_slice(&self.block_bytes());
        b
    }

    /// What a block keeps of a click; link and workspace stand once above the link's clicks.
    #[inline]
    pub fn block_bytes(&self) -> [u8; 24] {
        let mut b = [0u8; 24];
        b[0..4].copy_from_slice(&self.time.to_le_bytes());
        b[4..8].copy_from_slice(&self.ip.to_le_bytes());
        b[8..12].copy_from_slice(&self.ua.to_le_bytes());
        b[12..16].copy_from_slice(&self.referrer.to_le_bytes());
        b[16..18].copy_from_slice(&self.lang.to_le_bytes());
        b[18..20].copy_from_slice(&self.country.to_le_bytes());
        b[20..22].copy_from_slice(&self.rule.to_le_bytes());
        b[22..24].copy_from_slice(&self.flags.to_le_bytes());
        b
    }
}
