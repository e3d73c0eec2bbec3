//! A panic on a coroutine's small stack must not print a backtrace: finding the symbols takes more stack than there is, and
//! an overflow ends the process. On coroutines a hook logs message and place; elsewhere the former hook goes on.

use std::panic::{self, PanicHookInfo};
use std::sync::Once;

/// Installs the hook, once per process.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let former = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if may::coroutine::is_coroutine() { log(info) } else { former(info) }
        }));
    });
}

fn log(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let (file, line) = info.location().map_or(("?", 0), |at| (at.file(), at.line()));
    tracing::error!(message, file, line, "a handler panicked");
}
