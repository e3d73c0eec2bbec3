//! The coroutine scheduler's settings. It is one per process: the first server's settings hold.

use std::sync::Once;

/// Settings of the scheduler that all servers of this process share.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// Worker threads; 0 is one a core.
    pub workers: usize,
    /// A coroutine's stack in machine words; `0x1000` is 32 KiB. An odd number has the scheduler print the high-water mark
    /// of every coroutine that ends.
    pub stack_words: usize,
    /// Stacks made ahead of time and kept for reuse; each holds a page.
    pub spare_stacks: usize,
    /// Whether each worker stays on one core.
    pub pin_workers: bool,
    /// Whether connections that stay are served through io_uring, where the kernel has it (Linux 6.1 and later) and allows
    /// it; elsewhere, and without this, each has a coroutine of its own.
    pub io_uring: bool,
}

impl Default for Runtime {
    fn default() -> Self {
        Self {
            workers: 0,
            stack_words: 0x1000,
            spare_stacks: 128,
            pin_workers: false,
            io_uring: true,
        }
    }
}

impl Runtime {
    /// Applies the settings if none were applied before, and says how many workers there are.
    pub(crate) fn apply(&self) -> usize {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let config = may::config();
            config.set_workers(self.workers).set_stack_size(self.stack_words);
            config.set_pool_capacity(self.spare_stacks);
            config.set_worker_pin(self.pin_workers);
        });
        may::config().get_workers()
    }
}
