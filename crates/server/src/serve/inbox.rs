//! The thread that counts clicks which other programs have inserted into a shared store (SPEC 5).
//!
//! Any node does it, each click once. Where the store is away they wait in it.

use std::{io, time::Duration};

use waypost_service::Service;

use crate::rounds::Rounds;

/// Between two looks: a quarter of the time within which such a click counts.
const ROUND: Duration = Duration::from_millis(500);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Starts the thread.
pub(super) fn start(service: Service) -> io::Result<Rounds> {
    Rounds::start("inbox", move || match service.take_inserted() {
        Ok(0) => ROUND,
        // There may be more.
        Ok(_) => Duration::ZERO,
        Err(fault) => {
            tracing::warn!(%fault, "inserted clicks wait for the store");
            PAUSE
        }
    })
}
