//! The suite on the memory model, and on the model behind a decorator that has no faults.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Fixture, Store, read_agent};
use crate::{fault::Faulty, memory::MemoryStore};

/// Reopening is a power cut: the model itself lives on.
struct Model<S> {
    opened: Mutex<Vec<Arc<S>>>,
    open: fn(MemoryStore) -> S,
    model: fn(&S) -> &MemoryStore,
}

impl<S: Store + 'static> Fixture for Model<S> {
    fn store(&self) -> Arc<dyn Store> {
        let store = Arc::new((self.open)(MemoryStore::new(read_agent)));
        self.opened.lock().push(Arc::clone(&store));
        store
    }

    fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        self.opened.lock().iter().for_each(|store| (self.model)(store).power_cut());
        store
    }

    fn backup(&self, _: &dyn Store) -> Option<Arc<dyn Store>> {
        let copy = (self.model)(self.opened.lock().last()?).copy();
        Some(Arc::new((self.open)(copy)))
    }
}

fn model<S>(open: fn(MemoryStore) -> S, model: fn(&S) -> &MemoryStore) -> Model<S> {
    Model { opened: Mutex::default(), open, model }
}

mod memory {
    use super::*;

    conformance!(model(|store| store, |store| store));
}

mod faulty {
    use super::*;

    conformance!(model(Faulty::new, Faulty::store));
}
