//! The contract, case by case, on PostgreSQL.

use std::sync::{Arc, Mutex};

use waypost_postgres::{PostgresStore, testing::TestDatabase};
use waypost_storage::conformance::{Fixture, Store};

#[derive(Default)]
struct Temporary(Mutex<Vec<TestDatabase>>);

fn open(database: &TestDatabase) -> Arc<dyn Store> {
    Arc::new(PostgresStore::open(&database.options()).unwrap())
}

impl Fixture for Temporary {
    fn store(&self) -> Arc<dyn Store> {
        let database = TestDatabase::new();
        let store = open(&database);
        self.0.lock().unwrap().push(database);
        store
    }

    fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        drop(store);
        open(self.0.lock().unwrap().last().unwrap())
    }

    /// Backups are `pg_dump`'s.
    fn backup(&self, _store: &dyn Store) -> Option<Arc<dyn Store>> {
        None
    }
}

waypost_storage::conformance!(Temporary::default());
