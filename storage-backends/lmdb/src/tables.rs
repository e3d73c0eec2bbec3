//! The schema on one screen: every table, its key, its value, and why it is there.
//!
//! Integers in keys are big-endian, so that LMDB's byte order is theirs; `∅` is an empty value.
//! Every other value ends in a CRC32C of what is before it, and is spelled by [`codec`](crate::codec).
//! A table's place in its list is no part of the format, its name is.

use std::{marker::PhantomData, ops::Bound};

use heed::{CommitToken, Database, OnCommit, PutFlags, RoRange, RoTxn, RwTxn, types::Bytes};

use crate::fault::Tried;

/// The tables of one environment.
pub(crate) trait Schema: Copy + Send + Sync + 'static {
    /// Their names, by [`Schema::place`]. The first one is `meta`.
    const NAMES: &'static [&'static str];
    /// All of them.
    const ALL: &'static [Self];
    /// Which one this is, from 0.
    fn place(self) -> usize;
    /// Its name.
    fn name(self) -> &'static str {
        Self::NAMES.get(self.place()).copied().unwrap_or_default()
    }
}

/// Declares the tables of an environment: `Variant "name" "key" => "value" "why";`
macro_rules! schema {
    ($(#[$doc:meta])* $tables:ident { $($table:ident $name:literal $key:literal => $value:literal $why:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $tables {
            $(#[doc = concat!("`", $key, "` → `", $value, "`: ", $why, ".")] $table,)*
        }

        impl $crate::tables::Schema for $tables {
            const NAMES: &'static [&'static str] = &[$($name),*];
            const ALL: &'static [Self] = &[$(Self::$table),*];

            fn place(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use schema;

schema! {
    /// The tables of the environment `links`.
    LinkTable {
        Meta         "meta"         "name"                          => "number"     "format, head, trimmed, and the last id of each noun (`id/link`, …)";
        Links        "links"        "link"                          => "Link"       "the links themselves, in the order they were made";
        Records      "records"      "noun:1 id"                     => "Record"     "the small nouns";
        Claims       "claims"       "kind:1 what"                   => "holder id"  "every uniqueness rule, and lookup by name";
        Workspaces   "workspaces"   "workspace link"                => "∅"          "links of a workspace";
        Collections  "collections"  "collection link"               => "∅"          "links of a collection";
        Attributes   "attributes"   "workspace name value link"     => "∅"          "links with a value of an attribute";
        Owned        "owned"        "noun:1 workspace id"           => "∅"          "records of a workspace";
        Counts       "counts"       "workspace"                     => "number"     "how many links a workspace has";
        Facets       "facets"       "workspace name value"          => "number"     "how many links carry a value, by value";
        Feed         "feed"         "revision part:4"               => "bytes"      "what each commit changed, and when, in parts";
        Remembered   "remembered"   "scope:32"                      => "Remembered" "answers to repeated requests";
        Expiry       "expiry"       "expires_at scope:32"           => "∅"          "remembered answers by when they go";
        Touched      "touched"      "key"                           => "time"       "when a key was last used: no change of the key";
    }
}

/// One table: bytes to bytes.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'t>(Database<'t, Bytes, Bytes>);

impl<'t> Rows<'t> {
    /// What is stored under `key`.
    pub(crate) fn get<'txn>(self, txn: &'txn RoTxn<'_>, key: &[u8]) -> Tried<Option<&'txn [u8]>> {
        Ok(self.0.get(txn, key)?)
    }

    /// Stores `value` under `key`. `last`: the key is known to be greater than all there are.
    pub(crate) fn put(
        self,
        txn: &mut RwTxn<'_>,
        key: &[u8],
        value: &[u8],
        last: bool,
    ) -> Tried<()> {
        let flags = if last { PutFlags::APPEND } else { PutFlags::empty() };
        Ok(self.0.put_with_flags(txn, flags, key, value)?)
    }

    /// Takes `key` away; whether it was there.
    pub(crate) fn delete(self, txn: &mut RwTxn<'_>, key: &[u8]) -> Tried<bool> {
        Ok(self.0.delete(txn, key)?)
    }

    /// The last key.
    pub(crate) fn last<'txn>(self, txn: &'txn RoTxn<'_>) -> Tried<Option<&'txn [u8]>> {
        Ok(self.0.last(txn)?.map(|(key, _)| key))
    }

    /// The rows from `start` on.
    pub(crate) fn from<'txn>(
        self,
        txn: &'txn RoTxn<'_>,
        start: &[u8],
    ) -> Tried<RoRange<'txn, Bytes, Bytes>> {
        // LMDB takes no empty key, and `[0]` is the least of the others.
        let start = if start.is_empty() { &[0] } else { start };
        Ok(self.0.range(txn, &(Bound::Included(start), Bound::Unbounded))?)
    }

    /// The table itself, for scans.
    pub(crate) fn scan(self) -> Database<'t, Bytes, Bytes> {
        self.0
    }
}

/// The open tables of an environment.
pub(crate) struct Tables<T>(Vec<Rows<'static>>, PhantomData<T>);

impl<T: Schema> Tables<T> {
    /// This one.
    pub(crate) fn at(&self, table: T) -> Rows<'static> {
        self.0[table.place()]
    }

    /// Wraps what was opened, in the order of the schema.
    pub(crate) fn new(opened: Vec<Rows<'static>>) -> Self {
        assert_eq!(opened.len(), T::NAMES.len(), "every table of the schema is open");
        Self(opened, PhantomData)
    }
}

/// Tables opened in a transaction that is not committed yet.
pub(crate) struct Opened<'e>(pub(crate) Vec<Database<'e, Bytes, Bytes>>);

impl OnCommit for Opened<'_> {
    type Committed = Vec<Rows<'static>>;

    fn on_commit(self, token: &CommitToken) -> Self::Committed {
        self.0.into_iter().map(|table| Rows(table.on_commit(token))).collect()
    }
}
