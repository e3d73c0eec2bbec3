//! Every number against plain counting over the clicks themselves, on the memory model and LMDB.

mod examples;
mod property;
mod world;
