//! Traffic that goes on while something else is measured: it must notice nothing.

use super::{Target, redirected};
use anyhow::{Context as _, Result};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;
use std::time::{Duration, Instant};

/// Between two requests: a few hundred a second.
const PAUSE: Duration = Duration::from_millis(3);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) answers: u64,
    pub(super) errors: u64,
    /// The longest that an answer took.
    pub(super) slowest: Duration,
}

/// Calls `measure` while another thread keeps asking, on one connection that stays and on new ones in turn.
pub(super) fn meanwhile<T>(
    target: &Target,
    measure: impl FnOnce() -> Result<T>,
) -> Result<(T, Seen)> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = ask_on(scope, target, &over);
        let measured = measure();
        over.store(true, Ordering::Relaxed);
        let seen = asking.join().ok().context("the live traffic broke off")?;
        Ok((measured?, seen))
    })
}

fn ask_on<'scope>(
    scope: &'scope Scope<'scope, '_>,
    target: &'scope Target,
    over: &'scope AtomicBool,
) -> std::thread::ScopedJoinHandle<'scope, Seen> {
    scope.spawn(|| {
        let (mut seen, mut kept) = (Seen::default(), None);
        while !over.load(Ordering::Relaxed) {
            for mut stream in [kept.take(), None] {
                let start = Instant::now();
                match ask(target, &mut stream) {
                    Ok(()) => seen.answers += 1,
                    Err(_) => seen.errors += 1,
                }
                seen.slowest = seen.slowest.max(start.elapsed());
                kept = kept.or(stream);
            }
            std::thread::sleep(PAUSE);
        }
        seen
    })
}

/// Asks once, on a new connection where there is none; a failed one is taken away.
fn ask(target: &Target, stream: &mut Option<TcpStream>) -> Result<()> {
    let asked = match stream.take() {
        Some(stream) => stream,
        None => target.connect()?,
    };
    target.ask(&asked)?;
    redirected(&asked)?;
    *stream = Some(asked);
    Ok(())
}
