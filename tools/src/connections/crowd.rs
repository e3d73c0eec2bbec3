//! Many connections that have asked and now stay without a word: what each costs the server's memory.

use super::{Target, live, redirected};
use crate::figure::{Figure, Goal};
use anyhow::Result;
use std::net::TcpStream;
use std::time::Duration;

/// Connections that come and go before, so that what the server makes once is there.
const WARM_UP: u64 = 300;
/// Connections on their way at once.
const AT_ONCE: usize = 64;
const SETTLE: Duration = Duration::from_secs(1);
/// KiB of memory that one may cost.
const KIB: f64 = 12.0;

/// The crowd comes, each asking once, then asks again: figures after either, and of those who ask meanwhile.
pub(super) fn measure(target: &Target, count: u64) -> Result<Vec<Figure>> {
    drop(come(target, WARM_UP)?);
    target.interrupt.sleep(SETTLE)?;
    let ((once, twice), seen) = live::meanwhile(target, || {
        let before = target.memory()?;
        let crowd = come(target, count)?;
        target.interrupt.sleep(SETTLE)?;
        let once = target.memory()?;
        all_ask(target, &crowd)?;
        target.interrupt.sleep(SETTLE)?;
        let each = |now: f64| (now - before) / count as f64;
        Ok((each(once), each(target.memory()?)))
    })?;
    let kib = |what: &str, value| Figure {
        what: what.into(),
        value,
        goal: Goal::AtMost(KIB),
        unit: "KiB",
    };
    let (answers, slowest) = (seen.answers, seen.slowest.as_millis());
    Ok(vec![
        kib(&format!("{count} idle after one request, memory of each"), once),
        kib("the same after a second request of each", twice),
        Figure {
            what: format!("meanwhile: errors in {answers} requests (slowest {slowest} ms)"),
            value: seen.errors as f64,
            goal: Goal::AtMost(0.0),
            unit: "",
        },
    ])
}

fn come(target: &Target, count: u64) -> Result<Vec<TcpStream>> {
    let mut crowd = Vec::new();
    while (crowd.len() as u64) < count {
        let room = AT_ONCE.min(count as usize - crowd.len());
        let group = (0..room).map(|_| target.connect()).collect::<Result<Vec<_>>>()?;
        all_ask(target, &group)?;
        crowd.extend(group);
    }
    Ok(crowd)
}

fn all_ask(target: &Target, crowd: &[TcpStream]) -> Result<()> {
    for group in crowd.chunks(AT_ONCE) {
        group.iter().try_for_each(|stream| target.ask(stream))?;
        group.iter().try_for_each(redirected)?;
    }
    Ok(())
}
