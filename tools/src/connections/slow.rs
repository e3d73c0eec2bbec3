//! Clients that send their head a byte at a time, for ever: the server cuts them at its deadline.

use super::{TIMEOUT, Target, live};
use crate::figure::{Figure, Goal};
use anyhow::Result;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

const CLIENTS: usize = 200;
/// Between two bytes of a client.
const PAUSE: Duration = Duration::from_millis(250);
/// A head's deadline as the server has it by default, and what it may be late by.
const DEADLINE: f64 = 10.0;
const LATE: f64 = 1.0;

/// When the first and the last of them were cut, in seconds.
pub(super) fn measure(target: &Target) -> Result<Vec<Figure>> {
    let (cut, seen) = live::meanwhile(target, || drip(target))?;
    let least = cut.iter().copied().fold(f64::INFINITY, f64::min);
    let last = cut.iter().copied().fold(0.0, f64::max);
    Ok(vec![
        Figure {
            what: format!(
                "{CLIENTS} slow heads, cut after {least:.1} s at the soonest, the last after"
            ),
            value: if cut.len() == CLIENTS { last } else { f64::INFINITY },
            goal: Goal::AtMost(DEADLINE + LATE),
            unit: "s",
        },
        Figure {
            what: format!("meanwhile: errors in {} requests", seen.answers),
            value: seen.errors as f64,
            goal: Goal::AtMost(0.0),
            unit: "",
        },
    ])
}

/// Each client's seconds until it was cut; those that never were are missing.
fn drip(target: &Target) -> Result<Vec<f64>> {
    let start = Instant::now();
    let mut left = (0..CLIENTS).map(|_| target.connect()).collect::<Result<Vec<_>>>()?;
    left.iter_mut().try_for_each(|stream| stream.write_all(b"GET /a HTTP/1.1\r\nHost: "))?;
    let mut cut = Vec::new();
    while !left.is_empty() && start.elapsed() < TIMEOUT {
        target.interrupt.sleep(PAUSE)?;
        let before = left.len();
        left.retain(|stream| !is_over(stream) && (&*stream).write_all(b"a").is_ok());
        cut.extend(std::iter::repeat_n(start.elapsed().as_secs_f64(), before - left.len()));
    }
    Ok(cut)
}

/// Whether the server has said or closed anything.
fn is_over(stream: &TcpStream) -> bool {
    let looked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    let waits = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    stream.set_nonblocking(false).is_err() || !looked.is_err_and(|error| waits(&error))
}
