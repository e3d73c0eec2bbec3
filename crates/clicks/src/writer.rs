//! The writer thread: takes what was recorded, keeps of it what may be kept, journals it.
//!
//! It alone turns raw clicks into a batch, so nothing that the policy forbids reaches a disk. It
//! waits for nothing but the disk's `write`: syncing and shipping have threads of their own.

use std::{
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use waypost_link::{Click, IpPolicy, Timestamp};
use waypost_storage::{Batch, BatchBuilder, Epoch, Mark, Row, Text, limits as kept};

use crate::{
    Visitors,
    backlog::{Backlog, Pending, Segment, Stop},
    header,
    journal::{FrameHead, Frames, Journal},
    limits,
    memo::Memo,
    queue::Drain,
    stats::Rarely,
    syncer::Syncer,
    visitor::AgentHash,
};

pub(crate) struct Writer {
    pub(crate) drain: Drain,
    pub(crate) desk: Desk,
    pub(crate) flush: Duration,
}

impl Writer {
    pub(crate) fn run(mut self) {
        let (mut dropped, mut rarely) = (0, Rarely::default());
        let mut took = Duration::ZERO;
        loop {
            // A click recorded right after a tick is written by the end of the next one.
            thread::park_timeout(self.flush.saturating_sub(2 * took).max(self.flush / 8));
            let begun = Instant::now();
            let (asked, stop) = {
                let state = self.desk.backlog.lock();
                (state.asked, state.stop)
            };
            if stop != Stop::Running {
                return self.end();
            }
            let desk = &mut self.desk;
            self.drain.take(|click| desk.add(&click));
            desk.finish();
            if desk.backlog.lock().passed != asked {
                desk.backlog.change(|state| state.passed = asked);
            }
            let now = self.drain.dropped();
            if now > dropped && rarely.now() {
                tracing::warn!(clicks = now - dropped, "clicks dropped: the writer is behind");
                dropped = now;
            }
            took = begun.elapsed();
        }
    }

    fn end(mut self) {
        let desk = &mut self.desk;
        if !self.drain.finish(limits::STOP, |click| desk.add(&click)) {
            tracing::warn!("a worker still holds clicks; they are lost");
        }
        desk.finish();
        desk.syncer.end();
        desk.backlog.change(|state| state.writer_ended = true);
    }
}

/// Where a batch is made up and sent off.
pub(crate) struct Desk {
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) journal: Journal,
    pub(crate) syncer: Arc<Syncer>,
    pub(crate) visitors: Visitors,
    pub(crate) ip: IpPolicy,
    pub(crate) epoch: Epoch,
    pub(crate) journal_bytes: u64,
    pub(crate) rows: Rows,
}

/// The batch being made up.
pub(crate) struct Rows {
    batch: BatchBuilder,
    agents: Memo,
    referrers: Memo,
    languages: Memo,
    rules: Memo,
    oldest: i64,
    /// Of the last batch that was sealed.
    sequence: u64,
    frame: Vec<u8>,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            batch: BatchBuilder::default(),
            agents: Memo::new(header::whole, kept::USER_AGENT),
            referrers: Memo::new(header::referrer_host, kept::REFERRER),
            languages: Memo::new(header::first_language, kept::LANGUAGE),
            rules: Memo::new(header::whole, limits::RULE),
            oldest: 0,
            sequence: 0,
            frame: Vec::new(),
        }
    }
}

impl Desk {
    fn add(&mut self, click: &Click<'_>) {
        let (visitors, ip) = (self.visitors, self.ip);
        if !self.rows.add(click, &visitors, ip) {
            self.finish();
            // An empty batch takes every click.
            self.rows.add(click, &visitors, ip);
        }
        let batch = &self.rows.batch;
        if batch.len() >= limits::FRAME_CLICKS || batch.bytes() >= limits::FRAME_BYTES {
            self.finish();
        }
    }

    /// Journals the batch, if there is one, and passes it on.
    fn finish(&mut self) {
        let clicks = self.rows.batch.len() as u64;
        if clicks == 0 {
            return;
        }
        let (mark, oldest) = self.rows.seal(self.epoch);
        let journaled = self.write(mark.sequence);
        let counters = &self.backlog.counters;
        let counter = if journaled { &counters.journaled } else { &counters.unjournaled };
        counter.add(clicks);
        let mut payload = self.backlog.lock().spare();
        payload.extend_from_slice(self.rows.payload());
        let kept = match Batch::decode(payload) {
            Ok(batch) => self.backlog.push(Pending { mark, oldest, batch }, journaled),
            Err(_) => false,
        };
        if !kept {
            self.backlog.counters.lost.add(clicks);
            self.backlog.counters.sink.report("clicks lost", &"the store and the disk are away");
        }
    }

    fn write(&mut self, sequence: u64) -> bool {
        if self.syncer.has_failed() {
            self.journal.leave();
        }
        let written = match self.journal.append(&self.rows.frame) {
            None => return false,
            Some(Err(error)) => {
                let trouble = &self.backlog.counters.journal;
                trouble.report("the click journal can't be written", &error);
                return false;
            }
            Some(Ok(written)) => written,
        };
        self.backlog.counters.journal.over();
        let mut state = self.backlog.lock();
        if let Some((name, path)) = written.new {
            let (epoch, number, bytes) = (name.epoch, name.number, written.bytes);
            let (last, read, kept) = (sequence, false, false);
            state.segments.push_back(Segment { path, epoch, number, bytes, last, read, kept });
        }
        state.written(written.bytes, sequence);
        drop(state);
        self.syncer.written(written.file);
        self.bound();
        true
    }

    /// Drops the oldest segments past the journal's bound.
    fn bound(&mut self) {
        loop {
            let dropped = self.backlog.lock().drop_oldest(self.journal_bytes);
            let Some((segment, covered)) = dropped else { return };
            let clicks = clicks_after(&segment.path, covered);
            let counters = &self.backlog.counters;
            counters.lost.add(clicks);
            counters
                .journal
                .report("the click journal is full", &format_args!("{clicks} clicks dropped"));
            if let Err(error) = std::fs::remove_file(&segment.path) {
                counters.journal.report("a journal segment can't be removed", &error);
            }
        }
    }
}

/// How many clicks of a segment come after this sequence.
fn clicks_after(segment: &Path, sequence: u64) -> u64 {
    let Ok(file) = std::fs::File::open(segment) else { return 0 };
    let (mut frames, mut clicks) = (Frames::new(file), 0);
    while sequence < u64::MAX
        && let Ok(Some(frame)) = frames.next()
    {
        clicks += if frame.sequence > sequence { u64::from(frame.clicks) } else { 0 };
    }
    clicks
}

impl Rows {
    fn add(&mut self, click: &Click<'_>, visitors: &Visitors, ip: IpPolicy) -> bool {
        let (number, batch) = (self.sequence + 1, &mut self.batch);
        let agent = || visitors.agent(click.user_agent);
        let (user_agent, agent) = self.agents.place(click.user_agent, number, batch, agent);
        let none = AgentHash::default;
        let (referrer, _) = self.referrers.place(click.referrer, number, batch, none);
        let (language, _) = self.languages.place(click.language, number, batch, none);
        let (rule, _) = self.rules.place(click.rule.as_bytes(), number, batch, none);
        let at = |index| Text { index, text: "" };
        if self.batch.is_empty() {
            self.oldest = click.at.0;
        }
        self.batch.push(&Row {
            id: click.id(),
            workspace: click.workspace,
            visitor: visitors.visitor(click.ip, agent, click.at),
            address: visitors.address(ip, click.ip, click.at),
            country: click.country,
            user_agent: at(user_agent),
            referrer: at(referrer),
            language: at(language),
            rule: at(rule),
            spent: click.spent,
        })
    }

    /// Makes the batch a frame with the next sequence.
    fn seal(&mut self, epoch: Epoch) -> (Mark, Timestamp) {
        self.sequence += 1;
        let clicks = self.batch.len() as u32;
        self.frame.clear();
        self.frame.resize(FrameHead::LENGTH, 0);
        self.batch.finish(&mut self.frame);
        let (sequence, oldest) = (self.sequence, self.oldest);
        let head = FrameHead::of(sequence, oldest, clicks, self.payload());
        if let Some(front) = self.frame.first_chunk_mut() {
            *front = head.bytes();
        }
        (Mark { epoch, sequence }, Timestamp(oldest))
    }

    fn payload(&self) -> &[u8] {
        self.frame.get(FrameHead::LENGTH..).unwrap_or_default()
    }
}
