//! One server's turn: a shape of requests, and what it cost.

use super::Shape;
use super::database::Busy;
use super::metrics::{self, Clicks};
use super::process::ALL_MEMORY;
use super::server::{Kit, Running, Server};
use crate::load::Report;
use anyhow::{Result, bail};
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The core that the load comes from.
const CORE: &str = "1";
/// Requests before a measurement: so few that what their clicks cost is not seen in it.
const WARM_UP: &str = "10000";
/// The most seconds that those may take.
const WARM_UP_SECONDS: u64 = 10;
/// CPU is counted until so long after the last answer.
const AFTER: Duration = Duration::from_millis(300);
/// How long clicks may take until they are stored.
const STORED: Duration = Duration::from_secs(180);
/// How often that is looked at.
const LOOKED: Duration = Duration::from_millis(500);
/// The most time that what was left of the last turn (a database's vacuum, say) is waited for.
const REST: Duration = Duration::from_secs(30);
/// What a load may take longer than it was told.
const SPARE: Duration = Duration::from_secs(60);

/// One measurement.
pub(super) struct Sample {
    pub(super) server: Server,
    pub(super) shape: &'static str,
    pub(super) round: u64,
    pub(super) report: Report,
    /// Seconds of CPU until shortly after the last answer.
    pub(super) cpu: f64,
    /// Waypost's clicks and CPU until the last of them was stored.
    pub(super) recorded: Option<Recorded>,
    /// MiB.
    pub(super) memory: f64,
}

/// What recording came to.
pub(super) struct Recorded {
    pub(super) clicks: u64,
    dropped: u64,
    pub(super) cpu: f64,
}

impl Sample {
    /// Requests per second of CPU.
    pub(super) fn rate(&self) -> f64 {
        self.report.answers as f64 / self.cpu
    }

    /// The same, until every click is stored.
    pub(super) fn stored_rate(&self) -> Option<f64> {
        self.recorded.as_ref().map(|recorded| self.report.answers as f64 / recorded.cpu)
    }

    /// What is wrong with it, if anything is.
    pub(super) fn mistake(&self) -> Option<String> {
        let Report { answers, wrong, .. } = self.report;
        let place = format!("round {}, {}, {}", self.round + 1, self.server.name(), self.shape);
        if wrong > 0 || answers == 0 {
            return Some(format!("{place}: {wrong} of {answers} answers wrong"));
        }
        let recorded = self.recorded.as_ref()?;
        let (clicks, dropped) = (recorded.clicks, recorded.dropped);
        let differs = clicks != answers || dropped > 0;
        differs.then(|| {
            format!("{place}: {answers} redirects, {clicks} clicks recorded, {dropped} dropped")
        })
    }
}

/// Starts a server, measures it, ends it.
pub(super) fn turn(
    kit: &Kit,
    server: Server,
    shape: &'static Shape,
    round: u64,
    seconds: u64,
) -> Result<Sample> {
    let running = &mut kit.start(server)?;
    kit.interrupt.rest(REST)?;
    let busy = kit.busy(server)?;
    let codes = if shape.one_link { 1 } else { kit.links };
    let warm_up = [shape.flags, &["--requests", WARM_UP]].concat();
    load(kit, running, codes, WARM_UP_SECONDS, &warm_up)?;
    kit.interrupt.sleep(AFTER)?;
    let before = clicks(kit, running)?;
    let start = running.process.cpu()?;
    let report = load(kit, running, codes, seconds, shape.flags)?;
    kit.interrupt.sleep(AFTER)?;
    let cpu = running.process.cpu()? - start;
    let memory = running.process.memory(ALL_MEMORY)?;
    busy.map(Busy::end).transpose()?;
    running.process.must_run()?;
    let after = clicks(kit, running)?;
    let recorded = match before.zip(after) {
        Some((before, after)) => {
            store(kit, running)?;
            Some(Recorded {
                clicks: after.recorded - before.recorded,
                dropped: after.dropped - before.dropped,
                cpu: running.process.cpu()? - start,
            })
        }
        None => None,
    };
    Ok(Sample { server: running.server, shape: shape.name, round, report, cpu, recorded, memory })
}

/// What Waypost says of its clicks, all of them taken by the writer; the others keep none.
fn clicks(kit: &Kit, running: &Running) -> Result<Option<Clicks>> {
    if !running.server.is_waypost() {
        return Ok(None);
    }
    let taken = || Ok(Some(metrics::clicks(running.address)?).filter(|clicks| clicks.queued == 0));
    kit.interrupt.wait("to take all clicks", STORED, taken).map(Some)
}

/// Waits until Waypost has stored every click.
///
/// Clicks are stored in the order in which they are made, so one more is made, of a link that no load asks for, and
/// looked for in the store.
fn store(kit: &Kit, running: &Running) -> Result<()> {
    let before = kit.stored_clicks_of_last(running)?;
    if !metrics::answers(running.address, &format!("/{}", kit.last), 302) {
        bail!("/{} is not answered", kit.last);
    }
    kit.interrupt.wait("to store all clicks", STORED, || {
        kit.interrupt.sleep(LOOKED)?;
        Ok((kit.stored_clicks_of_last(running)? > before).then_some(()))
    })
}

/// Runs the load in a process of its own, for so many of the links.
pub(crate) fn load(
    kit: &Kit,
    running: &Running,
    codes: u64,
    seconds: u64,
    flags: &[&str],
) -> Result<Report> {
    let mut command = Command::new(&kit.programs.xtask);
    command.args(["load", &running.address.to_string(), "--json", "--core", CORE]);
    command.args(["--seconds", &seconds.to_string(), "--codes", &codes.to_string(), "--links"]);
    command.arg(&kit.csv).args(flags);
    let mut load = Load(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
    let limit = Duration::from_secs(seconds) + SPARE;
    kit.interrupt.wait("the load to end", limit, || Ok(load.0.try_wait()?))?;
    let mut text = String::new();
    if let Some(mut output) = load.0.stdout.take() {
        output.read_to_string(&mut text)?;
    }
    match serde_json::from_str(&text) {
        Ok(report) => Ok(report),
        Err(_) => bail!("the load failed"),
    }
}

/// A load that is ended where nobody waits for it.
struct Load(Child);

impl Drop for Load {
    fn drop(&mut self) {
        self.0.kill().ok(); // fails where it has ended
        self.0.wait().ok();
    }
}
