//! The dialects, spoken to over a socket: every example of their documents, and what must be refused.
//!
//! Each dialect has `<name>.fixture`, the examples of its document in its order, and `<name>_refused.fixture`,
//! bad input for each route. `replay.rs` says how a fixture is written.

/// One test for each store, from one body: `on_each_store! { fn examples(backend) { … } }`.
macro_rules! on_each_store {
    ($(fn $name:ident($backend:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            fn play($backend: $crate::support::Backend) $body

            #[test]
            fn lmdb() {
                play($crate::support::Backend::Lmdb);
            }

            #[test]
            fn postgres() {
                play($crate::support::Backend::Postgres);
            }
        }
    )*};
}

mod contract;
mod golinks;
mod hostile;
mod linkpack;
mod linktrack;
mod matrix;
mod openapi;
mod replay;
mod statistics;
mod tenants;
mod tracking;
mod workspace;
