//! The dialects, spoken to over a socket: every example of their documents, and what must be refused.
//!
//! Each dialect has `<name>.fixture`, the examples of its document in its order, and `<name>_refused.fixture`,
//! bad input for each route. `replay.rs` says how a fixture is written.

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
