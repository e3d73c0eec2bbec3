//! The hand-over under a model checker: every interleaving of workers, writer and end.
//!
//! `cargo xtask test models` runs it. In each, every click either comes out once or is counted as
//! dropped, and the end collects every buffer.

use std::time::Duration;

use loom::thread;
use waypost_link::{Click, LinkId, Timestamp, WorkspaceId};

use crate::queue;

const PATIENCE: Duration = Duration::from_secs(3_600);

fn click(link: u64, agent: &[u8]) -> Click<'_> {
    Click {
        link: LinkId(link),
        workspace: WorkspaceId(1),
        at: Timestamp(0),
        salt: 0,
        ip: [192, 0, 2, 1].into(),
        country: None,
        spent: false,
        user_agent: agent,
        referrer: b"",
        language: b"",
        rule: "",
    }
}

/// Workers record `clicks` each into one lane, with texts so long that a buffer is full after one
/// click or only after many, while the writer looks so many times and then ends the queue.
fn check(workers: u64, clicks: u64, fills: bool, looks: usize) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let (recorder, mut drain) = queue(1, 0);
        let agent: &[u8] = if fills { &[b'a'; 400] } else { b"" };
        let recording: Vec<_> = (0..workers)
            .map(|worker| {
                let recorder = recorder.clone();
                let links = worker * clicks..(worker + 1) * clicks;
                let record = move |link: &u64| recorder.record(0, &click(*link, agent));
                thread::spawn(move || links.filter(record).count())
            })
            .collect();
        let mut seen = vec![0; (workers * clicks) as usize];
        let mut each = |click: Click<'_>| seen[click.link.0 as usize] += 1;
        for _ in 0..looks {
            drain.take(&mut each);
        }
        assert!(drain.finish(PATIENCE, &mut each));
        let accepted: usize = recording.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert!(seen.iter().all(|&times| times <= 1), "a click came out twice");
        assert_eq!(seen.iter().sum::<usize>(), accepted, "a click was accepted and lost");
        assert_eq!(recorder.recorded(), accepted as u64);
        assert_eq!(recorder.dropped(), workers * clicks - accepted as u64);
        assert_eq!(recorder.depth(), 0);
    });
}

#[test]
fn one_worker_and_the_writer() {
    check(1, 2, false, 1);
    check(1, 2, true, 1);
}

#[test]
fn two_workers_share_a_lane() {
    check(2, 1, false, 1);
    check(2, 1, true, 0);
}
