//! How far an import is, on a terminal only, and a bounded list of what went wrong.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::exchange::Wrong;

/// Wrong records that are printed; further ones are counted.
const PRINTED: u64 = 1_000;

/// A bar over the bytes of a file, and the messages above it.
pub(super) struct Progress {
    bar: ProgressBar,
    read: Arc<AtomicU64>,
    file: String,
    wrong: u64,
}

impl Progress {
    /// The progress of reading `file`, of `size` bytes where that is known.
    pub(super) fn new(file: String, size: Option<u64>) -> Self {
        let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let shape = match size {
            Some(_) => "{bar:40} {bytes}/{total_bytes} {eta} {msg}",
            None => "{spinner} {bytes} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(shape) {
            bar.set_style(style);
        }
        Self { bar, read: Arc::default(), file, wrong: 0 }
    }

    /// The number of bytes read so far.
    pub(super) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Shows what was read, and that `links` are in.
    pub(super) fn show(&self, links: u64) {
        self.bar.set_position(self.read.load(Ordering::Relaxed));
        self.bar.set_message(format!("{links} links"));
    }

    /// Reports a wrong record.
    pub(super) fn wrong(&mut self, wrong: &Wrong) {
        self.wrong += 1;
        if self.wrong <= PRINTED {
            self.bar.suspend(|| eprintln!("{}:{wrong}", self.file));
        }
    }

    /// Takes the bar away; how many records were wrong.
    pub(super) fn finish(&self) -> u64 {
        self.bar.finish_and_clear();
        if self.wrong > PRINTED {
            eprintln!("{}: … and {} more", self.file, self.wrong - PRINTED);
        }
        self.wrong
    }
}

/// A reader that counts what passes.
pub(super) struct Counted<R> {
    /// What is read.
    pub(super) from: R,
    /// The bytes that passed.
    pub(super) counter: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.counter.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
