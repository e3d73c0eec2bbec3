//! One connection at a time that means harm: what it costs the server in CPU and memory.

use super::Target;
use crate::figure::{Figure, Goal};
use anyhow::Result;
use std::io::{ErrorKind, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Percent of a core, and KiB, that one may cost.
const PERCENT: f64 = 1.0;
const KIB: f64 = 256.0;
/// KiB that clicks may wait in, whoever they are of: the queue's buffers, made when they are first needed and kept.
const QUEUE_KIB: f64 = 65_536.0;
/// Bytes of the header that is far too long.
const HEADER: usize = 64 << 20;
/// Requests of the pipeline whose answers nobody reads.
const PIPELINE: usize = 3_000_000;
/// How long a blocked client waits before it tries again.
const PAUSE: Duration = Duration::from_millis(20);
/// Bytes offered at once.
const CHUNK: usize = 64 << 10;

/// Pipelines in a row until all that clicks wait and are sorted in, here and in the store, has seen as many at once, and is kept.
const GROWING: u32 = 5;
/// Pipelines in a row after those. The allocator holds a megabyte more or less from one to the next; what each adds shows over
/// several.
const GROWN: u32 = 10;

/// An attack: the bytes that it sends, over and over up to a number of bytes, so many at a time.
struct Attack {
    what: &'static str,
    /// How often, one after the other: its figures are of each.
    times: u32,
    first: &'static str,
    /// Empty: the target's own request.
    repeated: &'static str,
    total: usize,
    at_once: usize,
    pause: Duration,
    /// KiB that it may cost.
    memory: f64,
}

const ATTACKS: &[Attack] = &[
    Attack {
        what: "nothing (for comparison)",
        times: 1,
        first: "",
        repeated: "",
        total: 0,
        at_once: 1,
        pause: PAUSE,
        memory: KIB,
    },
    Attack {
        what: "a head, 50 bytes a second, one at a time",
        times: 1,
        first: "GET /a HTTP/1.1\r\nHost: ",
        repeated: "a",
        total: usize::MAX,
        at_once: 1,
        pause: PAUSE,
        memory: KIB,
    },
    Attack {
        what: "a header field of 64 MiB",
        times: 1,
        first: "GET /a HTTP/1.1\r\nHost: a\r\nX: ",
        repeated: "a",
        total: HEADER,
        at_once: CHUNK,
        pause: Duration::ZERO,
        memory: KIB,
    },
    Attack {
        what: "3,000,000 pipelined requests, no answer read, 5 in a row while buffers grow, each",
        times: GROWING,
        first: "",
        repeated: "",
        total: usize::MAX,
        at_once: CHUNK,
        pause: Duration::ZERO,
        memory: QUEUE_KIB,
    },
    Attack {
        what: "3,000,000 pipelined requests, no answer read, 10 more in a row, each",
        times: GROWN,
        first: "",
        repeated: "",
        total: usize::MAX,
        at_once: CHUNK,
        pause: Duration::ZERO,
        memory: KIB,
    },
];

/// Lets each of them go on for this long. The server's own CPU, measured first, is not theirs.
pub(super) fn measure(target: &Target, time: Duration) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut own = None;
    for attack in ATTACKS {
        let (cpu, memory) = (target.running.process.cpu()?, target.memory()?);
        let (start, mut sent) = (Instant::now(), 0);
        for _ in 0..attack.times {
            sent += attack.run(target, time)?;
        }
        let cpu = (target.running.process.cpu()? - cpu) / start.elapsed().as_secs_f64() * 100.0;
        let memory = (target.memory()? - memory) / f64::from(attack.times);
        let Some(own) = own else {
            let what = format!("{}: CPU", attack.what);
            figures.push(Figure { what, value: cpu, goal: Goal::None, unit: "% of a core" });
            own = Some(cpu);
            continue;
        };
        let what = format!("{}: CPU ({sent} bytes taken)", attack.what);
        let (value, goal) = (cpu - own, Goal::AtMost(PERCENT));
        figures.push(Figure { what, value, goal, unit: "% of a core" });
        let what = format!("{}: memory", attack.what);
        let goal = Goal::AtMost(attack.memory);
        figures.push(Figure { what, value: memory, goal, unit: "KiB" });
    }
    Ok(figures)
}

impl Attack {
    /// Sends until the time is over; where it is thrown out it stays out. The bytes that the server's side took.
    fn run(&self, target: &Target, time: Duration) -> Result<usize> {
        let end = Instant::now() + time;
        let stream = target.connect()?;
        stream.set_nonblocking(true)?;
        let repeated = if self.repeated.is_empty() { &target.request } else { self.repeated };
        let bytes = repeated.repeat(self.at_once.div_ceil(repeated.len()));
        let total = if self.repeated.is_empty() && self.total > 0 {
            PIPELINE * repeated.len()
        } else {
            self.total
        };
        let mut sent = send(&stream, self.first.as_bytes()).unwrap_or(0);
        let (mut at, mut open) = (0, true);
        while Instant::now() < end {
            let least = total.saturating_sub(sent).min(bytes.len() - at);
            match if open && least > 0 {
                send(&stream, &bytes.as_bytes()[at..at + least])
            } else {
                Some(0)
            } {
                Some(0) => std::thread::sleep(PAUSE),
                Some(taken) => {
                    sent += taken;
                    at = (at + taken) % bytes.len();
                    std::thread::sleep(self.pause);
                }
                None => open = false,
            }
        }
        Ok(sent)
    }
}

/// What the socket takes of these bytes; nothing where the connection is over.
fn send(mut stream: &TcpStream, bytes: &[u8]) -> Option<usize> {
    match stream.write(bytes) {
        Ok(taken) => Some(taken),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Some(0),
        Err(_) => None,
    }
}
