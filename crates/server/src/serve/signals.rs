//! Signals: the first SIGTERM or SIGINT asks for a clean stop, the second forces it.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use anyhow::{Context as _, Result};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals as Caught,
};

type Forced = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// How long a forced stop may take before the process is ended by force.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// The process's signals, caught by a thread of their own.
pub(crate) struct Signals {
    first: mpsc::Receiver<()>,
    forced: Forced,
}

impl Signals {
    /// Catches them from now on.
    pub(crate) fn catch() -> Result<Self> {
        let mut caught = Caught::new([SIGINT, SIGTERM]).context("can't catch signals")?;
        let (sender, first) = mpsc::channel();
        let forced = Forced::default();
        let own = Arc::clone(&forced);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for (count, _) in caught.forever().enumerate() {
                match count {
                    0 => drop(sender.send(())),
                    1 => force(&own),
                    _ => std::process::exit(1),
                }
            }
        })?;
        Ok(Self { first, forced })
    }

    /// Waits for the first.
    pub(crate) fn wait(&self) {
        let _ = self.first.recv();
    }

    /// Calls `action` on the second.
    pub(crate) fn on_next(&self, action: impl FnOnce() + Send + 'static) {
        if let Ok(mut forced) = self.forced.lock() {
            *forced = Some(Box::new(action));
        }
    }
}

fn force(forced: &Forced) {
    let action = forced.lock().ok().and_then(|mut forced| forced.take());
    action.into_iter().for_each(|action| action());
    std::thread::spawn(|| {
        std::thread::sleep(LAST_PATIENCE);
        std::process::exit(1);
    });
}
