//! The built binary, driven as a script would drive it: output, messages, exit status.

mod apply;
mod commands;
mod domain;
mod place;
