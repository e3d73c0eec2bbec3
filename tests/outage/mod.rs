//! A node whose database is away, in each way that a database can be: redirects don't notice, the
//! APIs say so within ten seconds and in their own shapes, `/readyz` names the part, and every
//! click arrives once.
//!
//! Each test has a PostgreSQL of its own, reached through a proxy.

mod absent;
mod calls;
mod crashes;
mod full;
mod world;
