//! The contract, case by case, on LMDB.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use waypost_lmdb::{LmdbStore, Options};
use waypost_storage::conformance::{Fixture, Store};

#[derive(Default)]
struct Temporary(Mutex<Vec<tempfile::TempDir>>);

fn open(dir: &Path) -> Arc<dyn Store> {
    Arc::new(LmdbStore::open(dir, &Options { map_size: 8 << 30, ..Options::default() }).unwrap())
}

impl Fixture for Temporary {
    fn store(&self) -> Arc<dyn Store> {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        self.0.lock().unwrap().push(dir);
        store
    }

    fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        drop(store);
        open(self.0.lock().unwrap().last().unwrap().path())
    }

    fn backup(&self, store: &dyn Store) -> Option<Arc<dyn Store>> {
        let dir = tempfile::tempdir().unwrap();
        store.backup(dir.path()).unwrap();
        let copy = open(dir.path());
        self.0.lock().unwrap().push(dir);
        Some(copy)
    }
}

waypost_storage::conformance!(Temporary::default());
