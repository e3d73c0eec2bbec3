//! Stops, kills and starts: what was acknowledged is there afterwards, and nothing twice.

mod clean_stop;
mod killed;
mod refused;
