//! The index from outside: against a model, under concurrent readers, at its limits.

mod directory;
mod fixture;
mod large;
mod limit;
mod load;
mod model;
mod readers;
mod rotation;
