//! The lane: the only road from a coroutine to work that blocks.
//!
//! A fixed number of OS threads take jobs from a bounded queue. A full queue is said at once, so
//! that the caller answers 503 instead of waiting.

use std::{
    collections::VecDeque,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{JoinHandle, Thread},
};

type Job = Box<dyn FnOnce() + Send>;

/// Too many jobs wait already: answer 503 with `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much work is waiting")]
pub struct LaneFull;

/// Threads for work that blocks. Dropping it finishes the jobs that wait.
#[derive(Debug)]
pub struct Lane {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Lane {
    /// `threads` OS threads, and room for `waiting` jobs beside those that run.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(threads: usize, waiting: usize) -> std::io::Result<Self> {
        let mut lane = Self { queue: Arc::new(Queue::new(waiting)), threads: Vec::new() };
        for n in 0..threads {
            let queue = lane.queue.clone();
            let thread = std::thread::Builder::new().name(format!("lane-{n}"));
            lane.threads.push(thread.spawn(move || work(&queue))?);
        }
        Ok(lane)
    }

    /// Queues `job`.
    ///
    /// # Errors
    /// [`LaneFull`]; the job is dropped.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), LaneFull> {
        self.queue.put(Box::new(job))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn work(queue: &Queue) {
    while let Some(job) = queue.take() {
        if std::panic::catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a job in the lane panicked");
        }
    }
}

/// Jobs that wait. Whoever finds none sleeps at once: a channel's receiver would spin first, and take the
/// core from redirects.
#[derive(Debug)]
struct Queue {
    waiting: Mutex<Waiting>,
    room: usize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Threads that sleep. The last one to fall asleep is woken first: its memory is still in the core's cache.
    idle: Vec<Thread>,
    closed: bool,
}

impl Queue {
    fn new(room: usize) -> Self {
        Self { waiting: Mutex::default(), room }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, job: Job) -> Result<(), LaneFull> {
        let mut waiting = self.lock();
        if waiting.jobs.len() >= self.room {
            return Err(LaneFull);
        }
        waiting.jobs.push_back(job);
        let woken = waiting.idle.pop();
        drop(waiting);
        woken.inspect(Thread::unpark);
        Ok(())
    }

    /// The next job; nothing once it is closed and all are done.
    fn take(&self) -> Option<Job> {
        let this = std::thread::current();
        let mut waiting = self.lock();
        loop {
            match waiting.jobs.pop_front() {
                None if waiting.closed => return None,
                None => waiting.idle.push(this.clone()),
                job => return job,
            }
            // Whoever wakes it takes it off the list; a thread may also wake for no reason.
            while waiting.idle.iter().any(|thread| thread.id() == this.id()) {
                drop(waiting);
                std::thread::park();
                waiting = self.lock();
            }
        }
    }

    fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.idle.drain(..).for_each(|thread| thread.unpark());
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} jobs", self.jobs.len())
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

    /// Threads fall asleep between jobs all the time here; one that isn't woken would be waited for in vain.
    #[test]
    fn whoever_sleeps_is_woken() {
        let lane = Lane::start(3, 8).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for n in 0..500 {
                        let (done, wait) = std::sync::mpsc::channel();
                        lane.submit(move || done.send(n).unwrap()).unwrap();
                        assert_eq!(wait.recv(), Ok(n));
                    }
                });
            }
        });
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
