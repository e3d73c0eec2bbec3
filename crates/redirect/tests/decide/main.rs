//! The resolver's behaviour, sentence by sentence of SPEC 3, through the engine's public door.
#![forbid(unsafe_code)]

mod clicks;
mod hosts;
mod order;
mod pages;
mod passwords;
mod rotators;
mod routing;
mod world;
