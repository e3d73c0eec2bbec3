//! The thread that mails alerts: the service's watch, round after round.

use std::{io, time::Duration};

use waypost_service::{AlertWatch, Mailer, Result, Service};

use crate::rounds::Rounds;

/// Between two looks at the links that want an alert.
const ROUND: Duration = Duration::from_millis(250);
/// Between two pages of the first look at all links: it leaves the machine to others.
const PAGE: Duration = Duration::from_millis(5);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Starts the thread.
pub(crate) fn start(service: Service, mailer: impl Mailer + 'static) -> io::Result<Rounds> {
    let mut watch = None;
    Rounds::start("alerts", move || {
        round(&mut watch, &service, &mailer).unwrap_or_else(|fault| {
            tracing::warn!(%fault, "alerts wait for the store");
            PAUSE
        })
    })
}

/// One round, with a watch that is made where there is none; how long to rest.
fn round(
    watch: &mut Option<AlertWatch>,
    service: &Service,
    mailer: &dyn Mailer,
) -> Result<Duration> {
    let watch = match watch {
        Some(watch) => watch,
        None => watch.insert(AlertWatch::new(service.clone())?),
    };
    Ok(if watch.round(mailer)? { PAGE } else { ROUND })
}
