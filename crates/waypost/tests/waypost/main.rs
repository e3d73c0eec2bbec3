//! The engine over a store that fails on purpose.

mod audit;
mod snapshot;
mod world;
