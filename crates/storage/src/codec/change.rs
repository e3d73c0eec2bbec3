//! The feed's entries as bytes: a header, then each followed change with its ids assigned.
//!
//! An entry is one run of bytes, however the feed's table cuts it: the writer appends steps as
//! it makes them, the reader puts the pieces together first.

use waypost_link::{Change, DomainId, LinkId, Name, Noun, Record, Slug, Timestamp, WorkspaceId};

use super::{Fields, Put, read_link, read_record};

/// The format byte of entries.
const FORMAT: u8 = 1;

/// What stands before the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// When it was committed.
    pub at: Timestamp,
    /// How many changes follow.
    pub changes: u64,
}

/// One change with its objects already spelled.
#[derive(Clone, Copy, Debug)]
pub enum Step<'b> {
    /// A link's id and bytes.
    Created(LinkId, &'b [u8]),
    /// A link's id, former name and bytes.
    Updated(LinkId, &'b Name, &'b [u8]),
    /// A link's id, workspace and former name.
    Deleted(LinkId, WorkspaceId, &'b Name),
    /// A record's kind, id and bytes.
    Put(Noun, u64, &'b [u8]),
    /// A record's kind and id.
    Gone(Noun, u64),
}

/// An entry, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// What stands before the changes.
    pub header: Header,
    /// The changes.
    pub changes: Vec<Change>,
}

/// Appends an entry's header.
pub fn header(out: &mut Vec<u8>, header: Header) {
    out.u8(FORMAT);
    out.time(header.at);
    out.uint(header.changes);
}

/// Appends a change.
pub fn step(out: &mut Vec<u8>, step: Step<'_>) {
    match step {
        Step::Created(id, bytes) => {
            out.u8(1);
            out.uint(id.0);
            out.bytes(bytes);
        }
        Step::Updated(id, was, bytes) => {
            out.u8(2);
            out.uint(id.0);
            put_name(out, was);
            out.bytes(bytes);
        }
        Step::Deleted(id, workspace, was) => {
            out.u8(3);
            out.uint(id.0);
            out.uint(workspace.0);
            put_name(out, was);
        }
        Step::Put(noun, id, bytes) => {
            out.u8(4);
            out.u8(super::noun(noun));
            out.uint(id);
            out.bytes(bytes);
        }
        Step::Gone(noun, id) => {
            out.u8(5);
            out.u8(super::noun(noun));
            out.uint(id);
        }
    }
}

impl Header {
    /// The header at the front of `fields`.
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        if fields.u8()? != FORMAT {
            return None;
        }
        Some(Self { at: fields.time()?, changes: fields.uint()? })
    }
}

impl Entry {
    /// The entry that these bytes hold.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let header = Header::read(&mut fields)?;
        let mut changes = Vec::new();
        for _ in 0..header.changes {
            changes.push(read_change(&mut fields)?);
        }
        fields.end(Self { header, changes })
    }
}

fn read_change(f: &mut Fields<'_>) -> Option<Change> {
    Some(match f.u8()? {
        1 => Change::CreateLink(Box::new(read_link(LinkId(f.uint()?), f.bytes()?)?)),
        2 => {
            let (id, was) = (LinkId(f.uint()?), read_name(f)?);
            Change::UpdateLink { link: Box::new(read_link(id, f.bytes()?)?), was }
        }
        3 => Change::DeleteLink {
            id: LinkId(f.uint()?),
            workspace: WorkspaceId(f.uint()?),
            was: read_name(f)?,
        },
        4 => Change::PutRecord(read_put(f)?),
        5 => Change::DeleteRecord { noun: super::read_noun(f.u8()?)?, id: f.uint()? },
        _ => return None,
    })
}

fn read_put(f: &mut Fields<'_>) -> Option<Record> {
    let (noun, id) = (super::read_noun(f.u8()?)?, f.uint()?);
    read_record(noun, id, f.bytes()?)
}

fn put_name(out: &mut Vec<u8>, name: &Name) {
    out.uint(name.domain.0);
    out.text(name.slug.as_str());
}

fn read_name(f: &mut Fields<'_>) -> Option<Name> {
    Some(Name { domain: DomainId(f.uint()?), slug: Slug::parse(f.str()?).ok()? })
}
