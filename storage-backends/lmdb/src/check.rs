//! Holds the links against their claims, indexes and counters, in one snapshot.
//!
//! Each link and record must be found in every index that it belongs in; where an index then has
//! as many rows as were looked for, it has no others.

use std::collections::BTreeMap;

use waypost_link::{Link, LinkId, Noun};
use waypost_storage::{Finding, Report, limits::FINDINGS};

use crate::{
    codec,
    fault::{Fault, Tried},
    feed, keys,
    read::{self, View},
    steps::{Face, claims},
    tables::{LinkTable, Schema},
};

/// Checks the environment `links`.
pub(crate) fn links(view: View<'_>) -> Tried<Report> {
    let mut check = Check::new(view);
    check.links()?;
    check.records()?;
    check.sizes()?;
    check.counts()?;
    check.facets()?;
    check.remembered()?;
    check.feed()?;
    Ok(check.report)
}

struct Check<'v> {
    view: View<'v>,
    report: Report,
    /// How many rows each table should have, as far as links and records say.
    expected: Vec<u64>,
    /// Links by workspace.
    counts: BTreeMap<u64, u64>,
}

impl<'v> Check<'v> {
    fn new(view: View<'v>) -> Self {
        let expected = LinkTable::ALL.iter().map(|_| 0).collect();
        Self { view, report: Report::default(), expected, counts: BTreeMap::new() }
    }

    fn found(&mut self, table: LinkTable, what: String) {
        if self.report.findings.len() < FINDINGS {
            self.report.findings.push(Finding { place: table.name().into(), what });
        }
    }

    fn links(&mut self) -> Tried<()> {
        let (last, mut highest) = (self.view.meta(keys::counter(None))?, 0);
        for row in self.view.table(LinkTable::Links).from(self.view.txn(), &[])? {
            let (key, value) = row?;
            highest = keys::id_of(key).unwrap_or_default();
            self.report.links += 1;
            match readable(read::link(LinkId(highest), value))? {
                Ok(link) => self.link(&link)?,
                Err(why) => self.found(LinkTable::Links, why),
            }
        }
        if highest > last {
            self.found(LinkTable::Meta, format!("link {highest}, but the last id is {last}"));
        }
        Ok(())
    }

    fn link(&mut self, link: &Link) -> Tried<()> {
        let (id, face) = (link.id.0, Face::of(link));
        *self.counts.entry(face.workspace.0).or_default() += 1;
        self.claim(&face.claim.1, id, || format!("link {id}"))?;
        for (table, front) in face.fronts() {
            let row = keys::with_id(&front, id);
            self.row(table, &row, || format!("link {id}"))?;
        }
        Ok(())
    }

    fn records(&mut self) -> Tried<()> {
        for noun in Noun::ALL {
            let (last, mut highest) = (self.view.meta(keys::counter(Some(noun)))?, 0);
            let rows = self.view.table(LinkTable::Records);
            for row in rows.from(self.view.txn(), &[codec::noun(noun)])? {
                let (key, value) = row?;
                if key.first() != Some(&codec::noun(noun)) {
                    break;
                }
                highest = keys::id_of(key).unwrap_or_default();
                self.expected[LinkTable::Records.place()] += 1;
                self.record(noun, highest, value)?;
            }
            if highest > last {
                let what = format!("{noun:?} {highest}, but the last id is {last}");
                self.found(LinkTable::Meta, what);
            }
        }
        Ok(())
    }

    fn record(&mut self, noun: Noun, id: u64, value: &[u8]) -> Tried<()> {
        let record = match readable(read::record(noun, id, value))? {
            Ok(record) => record,
            Err(why) => {
                self.found(LinkTable::Records, why);
                return Ok(());
            }
        };
        for (_, key) in claims(&record) {
            self.claim(&key, id, || format!("{noun:?} {id}"))?;
        }
        if let Some(owner) = record.workspace() {
            let row = keys::with_id(&keys::owned(noun, owner), id);
            self.row(LinkTable::Owned, &row, || format!("{noun:?} {id}"))?;
        }
        Ok(())
    }

    /// A row of an index that `whose` must have.
    fn row(&mut self, table: LinkTable, key: &[u8], whose: impl Fn() -> String) -> Tried<()> {
        self.expected[table.place()] += 1;
        if self.view.value(table, key)?.is_none() {
            self.found(table, format!("{} is missing", whose()));
        }
        Ok(())
    }

    fn claim(&mut self, key: &[u8], id: u64, whose: impl Fn() -> String) -> Tried<()> {
        self.expected[LinkTable::Claims.place()] += 1;
        match readable(self.view.number(LinkTable::Claims, key))? {
            Ok(Some(holder)) if holder == id => {}
            Ok(Some(holder)) => {
                self.found(LinkTable::Claims, format!("{}'s is held by {holder}", whose()));
            }
            Ok(None) => self.found(LinkTable::Claims, format!("{}'s is missing", whose())),
            Err(why) => self.found(LinkTable::Claims, format!("{}: {why}", whose())),
        }
        Ok(())
    }

    fn sizes(&mut self) -> Tried<()> {
        for table in [
            LinkTable::Records,
            LinkTable::Claims,
            LinkTable::Workspaces,
            LinkTable::Collections,
            LinkTable::Attributes,
            LinkTable::Owned,
        ] {
            let (rows, expected) = (self.view.len(table)?, self.expected[table.place()]);
            if rows != expected {
                self.found(table, format!("{rows} rows, expected {expected}"));
            }
        }
        Ok(())
    }

    fn counts(&mut self) -> Tried<()> {
        let mut counted = std::mem::take(&mut self.counts);
        for row in self.view.table(LinkTable::Counts).from(self.view.txn(), &[])? {
            let (key, value) = row?;
            let workspace = keys::id_of(key).unwrap_or_default();
            let links = counted.remove(&workspace).unwrap_or_default();
            self.number(LinkTable::Counts, value, links, || format!("workspace {workspace}"))?;
        }
        for (workspace, links) in counted {
            self.found(LinkTable::Counts, format!("workspace {workspace}: none of {links}"));
        }
        Ok(())
    }

    /// Links of one value stand together in the index: each run is a facet.
    fn facets(&mut self) -> Tried<()> {
        let (mut run, mut facets) = ((Vec::new(), 0), 0);
        for row in self.view.table(LinkTable::Attributes).from(self.view.txn(), &[])? {
            let facet = keys::facet_of_attribute(row?.0).unwrap_or_default();
            if facet != run.0 {
                facets += self.facet(&run.0, run.1)?;
                run = (facet, 0);
            }
            run.1 += 1;
        }
        facets += self.facet(&run.0, run.1)?;
        let rows = self.view.len(LinkTable::Facets)?;
        if rows != facets {
            self.found(LinkTable::Facets, format!("{rows} rows, expected {facets}"));
        }
        Ok(())
    }

    fn facet(&mut self, key: &[u8], links: u64) -> Tried<u64> {
        if links == 0 {
            return Ok(0);
        }
        let whose = || String::from_utf8_lossy(key.get(9..).unwrap_or_default()).into_owned();
        match self.view.value(LinkTable::Facets, key)? {
            Some(value) => self.number(LinkTable::Facets, value, links, whose)?,
            None => self.found(LinkTable::Facets, format!("{}: none of {links}", whose())),
        }
        Ok(1)
    }

    /// A counter against what was counted.
    fn number(
        &mut self,
        table: LinkTable,
        value: &[u8],
        counted: u64,
        whose: impl Fn() -> String,
    ) -> Tried<()> {
        match readable(read::number(table, value))? {
            Ok(number) if number == counted => {}
            Ok(number) => self.found(table, format!("{}: {number}, counted {counted}", whose())),
            Err(why) => self.found(table, format!("{}: {why}", whose())),
        }
        Ok(())
    }

    fn remembered(&mut self) -> Tried<()> {
        for row in self.view.table(LinkTable::Remembered).from(self.view.txn(), &[])? {
            let (key, value) = row?;
            let scope = key.try_into().unwrap_or([0; 32]);
            match readable(read::remembered(scope, value))? {
                Ok(answer) => {
                    let row = keys::expiry(answer.expires_at, &scope);
                    self.row(LinkTable::Expiry, &row, || "an answer".into())?;
                }
                Err(why) => self.found(LinkTable::Remembered, why),
            }
        }
        let expected = self.expected[LinkTable::Expiry.place()];
        let rows = self.view.len(LinkTable::Expiry)?;
        if rows != expected {
            self.found(LinkTable::Expiry, format!("{rows} rows, expected {expected}"));
        }
        Ok(())
    }

    /// Every revision since the last trimmed one is there, and its parts are whole.
    fn feed(&mut self) -> Tried<()> {
        let (head, mut next) = (self.view.meta(feed::HEAD)?, self.view.meta(feed::TRIMMED)? + 1);
        let mut parts = 0;
        for row in self.view.table(LinkTable::Feed).from(self.view.txn(), &keys::feed(next, 0))? {
            let (key, value) = row?;
            let at = keys::read_feed(key).unwrap_or_default();
            if at == (next, 0) {
                (next, parts) = (next + 1, 1);
            } else if at == (next - 1, parts) && parts > 0 {
                parts += 1;
            } else {
                self.found(LinkTable::Feed, format!("part {at:?} after revision {}", next - 1));
                return Ok(());
            }
            if codec::unseal(value).is_none() {
                self.found(LinkTable::Feed, format!("revision {}: its checksum", next - 1));
            }
        }
        if next != head + 1 {
            self.found(LinkTable::Feed, format!("ends at {}, the head is {head}", next - 1));
        }
        Ok(())
    }
}

/// What a value holds, or why it can't be read; LMDB's own failures end the check.
fn readable<T>(value: Tried<T>) -> Tried<Result<T, String>> {
    match value {
        Ok(value) => Ok(Ok(value)),
        Err(Fault::Refused(error)) => Ok(Err(error.to_string())),
        Err(broken) => Err(broken),
    }
}
