//! What a visitor sees, and what is counted of it.

mod counting;
mod following;
mod hosts;
mod options;
mod pages;
mod pictures;
mod system;
mod visitors;
