//! What a visitor sees, and what is counted of it.

mod counting;
mod following;
mod options;
mod system;
