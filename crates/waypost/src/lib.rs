//! The embeddable front door: store, index, writer, follower.
#![forbid(unsafe_code)]
