//! The lane: the only road from a coroutine to work that blocks.
//!
//! A fixed number of OS threads take jobs from a bounded queue. A full queue is said at once, so
//! that the caller answers 503 instead of waiting.

use std::{panic::AssertUnwindSafe, thread::JoinHandle};

use crossbeam_channel::{Sender, TrySendError, bounded};

type Job = Box<dyn FnOnce() + Send>;

/// Too many jobs wait already: answer 503 with `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much work is waiting")]
pub struct LaneFull;

/// Threads for work that blocks. Dropping it finishes the jobs that wait.
#[derive(Debug)]
pub struct Lane {
    queue: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Lane {
    /// `threads` OS threads, and room for `waiting` jobs beside those that run.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(threads: usize, waiting: usize) -> std::io::Result<Self> {
        let (queue, jobs) = bounded::<Job>(waiting);
        let work = move |jobs: crossbeam_channel::Receiver<Job>| {
            for job in jobs {
                if std::panic::catch_unwind(AssertUnwindSafe(job)).is_err() {
                    tracing::error!("a job in the lane panicked");
                }
            }
        };
        let threads = (0..threads)
            .map(|n| {
                let jobs = jobs.clone();
                std::thread::Builder::new().name(format!("lane-{n}")).spawn(move || work(jobs))
            })
            .collect::<std::io::Result<_>>()?;
        Ok(Self { queue: Some(queue), threads })
    }

    /// Queues `job`.
    ///
    /// # Errors
    /// [`LaneFull`]; the job is dropped.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), LaneFull> {
        match self.queue.as_ref().map(|queue| queue.try_send(Box::new(job))) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => {
                Err(LaneFull)
            }
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[test]
    fn full_is_said_and_what_was_taken_is_done() {
        let (lane, gate) = (Lane::start(1, 2).unwrap(), Arc::new(Barrier::new(2)));
        let (held, done) = (gate.clone(), Arc::new(AtomicUsize::new(0)));
        lane.submit(move || _ = held.wait()).unwrap();
        let mut taken = 0;
        loop {
            let done = done.clone();
            match lane.submit(move || _ = done.fetch_add(1, Ordering::Relaxed)) {
                Ok(()) => taken += 1,
                Err(LaneFull) => break,
            }
        }
        assert!((1..=2).contains(&taken), "{taken}");
        gate.wait();
        drop(lane);
        assert_eq!(done.load(Ordering::Relaxed), taken);
    }

    #[test]
    fn a_panic_costs_one_job() {
        let (lane, done) = (Lane::start(1, 8).unwrap(), Arc::new(AtomicUsize::new(0)));
        lane.submit(|| panic!("on purpose")).unwrap();
        let seen = done.clone();
        lane.submit(move || _ = seen.fetch_add(1, Ordering::Relaxed)).unwrap();
        drop(lane);
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}
