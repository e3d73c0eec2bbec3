//! A server's process: alone on core 0, its CPU and memory read from /proc, and gone when we are.
//!
//! `setpriv` (util-linux) has the kernel end the server even where this program is killed; `taskset` keeps it on its
//! core. Both become the server, so that its process is our child.

use anyhow::{Context as _, Result, bail};
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The core that servers run on.
const CORE: &str = "0";
/// What `taskset` understands as every core there can be.
const ALL_CORES: &str = "0-1023";
/// How long a server may take to end.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often something that is waited for is looked at.
const STEP: Duration = Duration::from_millis(20);
/// For how long the machine is looked at to see whether it rests, and what part of it may be busy then.
const LOOKED: Duration = Duration::from_millis(500);
const QUIET_PART: u64 = 30;
/// Resident memory in a process's status, all of it.
pub(crate) const ALL_MEMORY: &str = "VmRSS:";
/// Its own alone: without the pages of files, such as a store's, that the kernel has cached anyway.
pub(crate) const OWN_MEMORY: &str = "RssAnon:";
/// Bytes of a server's output that a failure shows.
const SHOWN: usize = 2_000;

/// Whether somebody wants this program to end.
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub(crate) fn new() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Self(flag))
    }

    /// Waits until `done` gives something.
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        limit: Duration,
        mut done: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let start = Instant::now();
        loop {
            if let Some(result) = done()? {
                return Ok(result);
            }
            if self.0.load(Ordering::Relaxed) {
                bail!("interrupted");
            }
            if start.elapsed() > limit {
                bail!("{what}: not within {} s", limit.as_secs());
            }
            std::thread::sleep(STEP);
        }
    }

    /// Waits until the machine does next to nothing, or for `limit`.
    pub(crate) fn rest(&self, limit: Duration) -> Result<()> {
        let end = Instant::now() + limit;
        let mut before = machine_ticks()?;
        while Instant::now() < end {
            self.sleep(LOOKED)?;
            let now = machine_ticks()?;
            let (busy, all) = (now.0.saturating_sub(before.0), now.1.saturating_sub(before.1));
            if busy * QUIET_PART <= all {
                return Ok(());
            }
            before = now;
        }
        Ok(())
    }

    /// Waits for this long.
    pub(crate) fn sleep(&self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        self.wait("sleep", time + PATIENCE, || Ok((Instant::now() >= end).then_some(())))
    }
}

/// Where a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// On the servers' core, so that the load has another.
    OneCore,
    /// Wherever the kernel puts it.
    AllCores,
}

impl Room {
    fn cores(self) -> &'static str {
        match self {
            Self::OneCore => CORE,
            Self::AllCores => ALL_CORES,
        }
    }

    /// Waypost's `--workers`.
    pub(crate) fn workers(self) -> &'static str {
        match self {
            Self::OneCore => "1",
            Self::AllCores => "0",
        }
    }
}

/// Has `outer`, which takes a command as its last words, run this one, in the environment that it is to have.
pub(crate) fn run_through(outer: &mut Command, command: &Command) {
    outer.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
}

/// A server that runs, until this is dropped.
pub(crate) struct Process {
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts a program; what it prints goes to a file in `folder`.
    pub(crate) fn start(command: &Command, folder: &Path, room: Room) -> Result<Self> {
        let output = folder.join("output");
        let file = File::create(&output)?;
        let mut pinned = Command::new("setpriv");
        pinned.args(["--pdeathsig", "TERM", "taskset", "-c", room.cores()]);
        run_through(&mut pinned, command);
        pinned.current_dir(folder).stdin(Stdio::null());
        pinned.stdout(file.try_clone()?).stderr(file);
        Ok(Self { child: pinned.spawn().context("setpriv")?, output })
    }

    /// Fails where it has ended, with what it said.
    pub(crate) fn must_run(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        let said = std::fs::read(&self.output)?;
        let said = String::from_utf8_lossy(&said[said.len().saturating_sub(SHOWN)..]).into_owned();
        bail!("it ended, {status}:\n{said}");
    }

    /// Whether these words are in what it said.
    pub(super) fn has_said(&self, words: &str) -> Result<bool> {
        Ok(String::from_utf8_lossy(&std::fs::read(&self.output)?).contains(words))
    }

    /// Seconds of CPU, user and system, of all threads and of the processes that it made.
    pub(crate) fn cpu(&self) -> Result<f64> {
        let mut ticks = 0;
        for id in self.family() {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
            ticks += cpu_ticks(&stat).context("/proc/…/stat can't be understood")?;
        }
        Ok(ticks as f64 / clock_ticks_per_second() as f64)
    }

    /// Resident memory in MiB: of the largest, where there are several processes, since they share most.
    pub(crate) fn memory(&self, which: &str) -> Result<f64> {
        let mut largest = 0;
        for id in self.family() {
            let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
            let kib = resident(&status, which).with_context(|| format!("no {which} in /proc/…"));
            largest = largest.max(kib?);
        }
        Ok(largest as f64 / 1024.0)
    }

    /// Its process and that one's children.
    fn family(&self) -> Vec<u32> {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        std::iter::once(id).chain(children).collect()
    }
}

impl Drop for Process {
    /// Asks it to end, and ends it where it doesn't.
    fn drop(&mut self) {
        let asked = Pid::from_child(&self.child);
        if matches!(self.child.try_wait(), Ok(None)) && kill_process(asked, Signal::TERM).is_ok() {
            let start = Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) && start.elapsed() < PATIENCE {
                std::thread::sleep(STEP);
            }
        }
        self.child.kill().ok(); // fails where it has ended, as it should have
        self.child.wait().ok();
    }
}

/// User and system time in a process's stat line, in ticks; its second field may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Ticks that the machine was busy, and all of them.
fn machine_ticks() -> Result<(u64, u64)> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    busy_ticks(&stat).context("/proc/stat can't be understood")
}

/// The same, of what the kernel says: user, nice, system, idle, waiting for a disk, interrupts, stolen.
fn busy_ticks(stat: &str) -> Option<(u64, u64)> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8);
    let ticks: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    let all = ticks.iter().sum();
    Some((all - ticks.get(3..5)?.iter().sum::<u64>(), all))
}

/// KiB of resident memory in a process's status, `which` of it.
fn resident(status: &str, which: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(which))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{ALL_MEMORY, busy_ticks, cpu_ticks, resident};

    #[test]
    fn proc_is_read() {
        let check = |stat: &str, expected: Option<u64>| assert_eq!(cpu_ticks(stat), expected);
        let rest = "S 1 2 3 4 5 6 7 8 9 10 40 2 100 100 20";
        check(&format!("17 (nginx) {rest}"), Some(42));
        check(&format!("17 (a) (b c) {rest}"), Some(42));
        check("17 (nginx) S 1", None);
        check("", None);
        let stat = "cpu  10 1 4 70 5 2 3 5 900 0\ncpu0 1 2";
        assert_eq!(busy_ticks(stat), Some((25, 100)));
        assert_eq!(busy_ticks("cpu  10 1"), None);
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1234 kB\n", ALL_MEMORY), Some(1234));
        assert_eq!(resident("Name:\tx\n", ALL_MEMORY), None);
    }
}
