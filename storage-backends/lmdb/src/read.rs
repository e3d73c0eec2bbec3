//! Single objects and counters, out of one transaction.

use heed::RoTxn;
use waypost_link::{Claim, KeyId, Link, LinkId, Noun, Record, Remembered, Timestamp, WorkspaceId};
use waypost_storage::{Facet, page_limit};

use crate::{
    codec,
    fault::{Tried, corrupt},
    keys, limits,
    tables::{LinkTable, Rows, Schema, Tables},
};

/// The environment `links` as one transaction sees it.
#[derive(Clone, Copy)]
pub(crate) struct View<'v> {
    tables: &'v Tables<LinkTable>,
    txn: &'v RoTxn<'v>,
}

impl<'v> View<'v> {
    /// What `txn` sees.
    pub(crate) fn new(tables: &'v Tables<LinkTable>, txn: &'v RoTxn<'v>) -> Self {
        Self { tables, txn }
    }

    /// This table, for scans.
    pub(crate) fn table(self, table: LinkTable) -> Rows<'static> {
        self.tables.at(table)
    }

    /// The transaction.
    pub(crate) fn txn(self) -> &'v RoTxn<'v> {
        self.txn
    }

    /// The value under `key`, sealed.
    pub(crate) fn value(self, table: LinkTable, key: &[u8]) -> Tried<Option<&'v [u8]>> {
        self.tables.at(table).get(self.txn, key)
    }

    /// The number under `key`.
    pub(crate) fn number(self, table: LinkTable, key: &[u8]) -> Tried<Option<u64>> {
        self.value(table, key)?.map(|value| number(table, value)).transpose()
    }

    /// How many rows a table has.
    pub(crate) fn len(self, table: LinkTable) -> Tried<u64> {
        Ok(self.tables.at(table).scan().len(self.txn)?)
    }

    /// A number of `meta`, 0 where it was never set.
    pub(crate) fn meta(self, name: &str) -> Tried<u64> {
        Ok(self.number(LinkTable::Meta, name.as_bytes())?.unwrap_or_default())
    }

    pub(crate) fn link(self, id: LinkId) -> Tried<Option<Link>> {
        let value = self.value(LinkTable::Links, &keys::with_id(&[], id.0))?;
        value.map(|value| link(id, value)).transpose()
    }

    pub(crate) fn link_count(self, workspace: Option<WorkspaceId>) -> Tried<u64> {
        match workspace {
            None => self.len(LinkTable::Links),
            Some(id) => Ok(self.number(LinkTable::Counts, &keys::workspace(id))?.unwrap_or(0)),
        }
    }

    pub(crate) fn holder(self, claim: &Claim) -> Tried<Option<u64>> {
        match codec::claim(claim) {
            Some(key) => self.number(LinkTable::Claims, &key),
            None => Ok(None),
        }
    }

    /// The record, with the time it was last touched.
    pub(crate) fn record(self, noun: Noun, id: u64) -> Tried<Option<Record>> {
        match self.value(LinkTable::Records, &keys::record(noun, id))? {
            None => Ok(None),
            Some(value) => self.touched(record(noun, id, value)?).map(Some),
        }
    }

    /// `record`, with the time it was last touched.
    pub(crate) fn touched(self, mut record: Record) -> Tried<Record> {
        if let Record::Key(key) = &mut record {
            key.last_used_at = key.last_used_at.max(self.last_touch(key.id)?);
        }
        Ok(record)
    }

    /// When a key was last touched since it was last put.
    pub(crate) fn last_touch(self, key: KeyId) -> Tried<Option<Timestamp>> {
        let at = self.number(LinkTable::Touched, &keys::with_id(&[], key.0))?;
        Ok(at.map(|at| Timestamp(at as i64)))
    }

    /// What was remembered under `scope`, expired or not.
    pub(crate) fn remembered(self, scope: &[u8; 32]) -> Tried<Option<Remembered>> {
        let value = self.value(LinkTable::Remembered, scope)?;
        value.map(|value| remembered(*scope, value)).transpose()
    }

    pub(crate) fn facets(
        self,
        workspace: WorkspaceId,
        attribute: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Tried<Vec<Facet>> {
        let Some(prefix) = keys::facets(workspace, attribute) else { return Ok(Vec::new()) };
        let mut start = prefix.clone();
        start.extend_from_slice(after.unwrap_or_default().as_bytes());
        start.truncate(limits::KEY);
        let mut facets = Vec::new();
        for row in self.table(LinkTable::Facets).from(self.txn, &start)? {
            let (key, value) = row?;
            let Some(text) = key.strip_prefix(&*prefix) else { break };
            if after.is_some_and(|after| text <= after.as_bytes()) {
                continue;
            }
            let name = std::str::from_utf8(text)
                .map_err(|_| corrupt("facets", format_args!("a value of {attribute}")))?;
            let links = number(LinkTable::Facets, value)?;
            facets.push(Facet { value: name.to_owned(), links });
            if facets.len() == page_limit(limit) {
                break;
            }
        }
        Ok(facets)
    }
}

/// The number of a value of `table`.
pub(crate) fn number(table: LinkTable, value: &[u8]) -> Tried<u64> {
    Ok(codec::read_number(value).ok_or_else(|| corrupt(table.name(), "a number"))?)
}

/// The link of a value.
pub(crate) fn link(id: LinkId, value: &[u8]) -> Tried<Link> {
    let link = codec::unseal(value).and_then(|bytes| codec::read_link(id, bytes));
    Ok(link.ok_or_else(|| corrupt("links", format_args!("link {id}")))?)
}

/// The record of a value.
pub(crate) fn record(noun: Noun, id: u64, value: &[u8]) -> Tried<Record> {
    let record = codec::unseal(value).and_then(|bytes| codec::read_record(noun, id, bytes));
    Ok(record.ok_or_else(|| corrupt("records", format_args!("{noun:?} {id}")))?)
}

/// The remembered answer of a value.
pub(crate) fn remembered(scope: [u8; 32], value: &[u8]) -> Tried<Remembered> {
    let answer = codec::unseal(value).and_then(|bytes| codec::read_remembered(scope, bytes));
    Ok(answer.ok_or_else(|| corrupt("remembered", "an answer"))?)
}
