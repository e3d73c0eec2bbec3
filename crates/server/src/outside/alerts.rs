//! The thread that mails alerts: the service's watch, round after round.

use std::{
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use waypost_service::{AlertWatch, Mailer, Result, Service};

/// Between two looks at the links that want an alert.
const ROUND: Duration = Duration::from_millis(250);
/// Between two pages of the first look at all links: it leaves the machine to others.
const PAGE: Duration = Duration::from_millis(5);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// The thread. Dropped, it ends after the email that it may be sending.
pub(crate) struct Alerts {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Alerts {
    /// Starts it.
    pub(crate) fn start(service: Service, mailer: impl Mailer + 'static) -> std::io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::Builder::new().name("alerts".to_owned()).spawn(move || {
            let mut watch = None;
            let mut pause = Duration::ZERO;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = round(&mut watch, &service, &mailer).unwrap_or_else(|fault| {
                    tracing::warn!(%fault, "alerts wait for the store");
                    PAUSE
                });
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
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

impl Drop for Alerts {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
