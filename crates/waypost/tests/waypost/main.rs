//! The engine over a store that fails on purpose.

mod audit;
mod fragile;
mod snapshot;
mod world;
