//! Every bound that a stranger can push against, with its default.
//!
//! One struct, so that a server's settings page and this crate can't drift apart.
//! A limit is a promise about memory: what one connection may hold is the sum of
//! `head_bytes`, `body_bytes` and one batch of answers.

use std::time::Duration;

/// Most header fields that any [`Limits::headers`] can allow; it fixes the size of the table that a head is parsed
/// into (16 bytes a field, on the worker's stack).
pub const HEADERS_MAX: usize = 128;

/// Fields of a head that has no more than most do: the size of the table that is tried first.
pub(crate) const HEADERS_USUAL: usize = 32;

/// Longest method token looked at; a longer one is not a method but noise.
pub(crate) const METHOD_BYTES: usize = 32;

/// Empty lines skipped before a request line (RFC 9112 section 2.2 asks for at least one).
pub(crate) const LEADING_EMPTY_LINES: usize = 4;

/// Longest chunk-size line, extensions included.
pub(crate) const CHUNK_LINE_BYTES: usize = 256;

/// Most bytes of trailer fields after a chunked body; they are checked and dropped.
pub(crate) const TRAILER_BYTES: usize = 8 * 1024;

/// Longest PROXY header: version 1 is at most 107 bytes, version 2 is 16 + addresses + TLVs.
pub(crate) const PROXY_BYTES: usize = 16 + 1024;

/// Requests answered in one batch before what is ready is written and the other connections get their turn.
pub(crate) const BATCH_REQUESTS: u32 = 64;

/// Bytes of answers gathered before they are written, whatever is still unread.
pub(crate) const BATCH_BYTES: usize = 64 * 1024;

/// Batches that a connection may take in a row while its peer keeps sending.
pub(crate) const TURNS_IN_A_ROW: u32 = 8;

/// Bytes that a connection has io_uring send at once; more of an answer waits in its session.
pub(crate) const SEND_BYTES: usize = 64 * 1024;

/// Bytes that have arrived through io_uring and wait because the peer takes no answers: past it nothing more is received. What the
/// kernel has received by then, up to 128 KiB, comes on top.
pub(crate) const KEPT_BYTES: usize = 32 * 1024;

/// Buffers for answers of [`SEND_BYTES`] at most that a listener keeps for the next ones.
pub(crate) const SPARE_OUTPUTS: usize = 64;

/// Requests that a handler is told of at once, before they are answered.
pub(crate) const PREVIEWS: usize = 32;

/// Rounds that a listener's connections may take in a row before new ones are looked for.
pub(crate) const ROUNDS_IN_A_ROW: u32 = 4;

/// Connections accepted in a row before the connections that exist get their turn.
pub(crate) const ACCEPTS_IN_A_ROW: u32 = 32;

/// Rounds of [`ACCEPTS_IN_A_ROW`] for which a stopping server still takes what the kernel has accepted for it.
pub(crate) const DRAIN_ROUNDS: u32 = 128;

/// Bytes thrown away from a peer that goes on sending after its last answer, before the socket is closed on it.
pub(crate) const LINGER_BYTES: usize = 512 * 1024;

/// How long such a peer is listened to.
pub(crate) const LINGER_TIME: Duration = Duration::from_secs(2);

/// What one connection and one request may cost.
///
/// ```
/// let limits = waypost_h1::Limits { body_bytes: 32 << 20, ..Default::default() };
/// assert_eq!(limits.headers, 100);
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    /// Header fields in a request; more is 431. At most [`HEADERS_MAX`].
    pub headers: usize,
    /// Bytes of a request head, request line included; more is 431.
    pub head_bytes: usize,
    /// Bytes of the request target; more is 414.
    pub target_bytes: usize,
    /// Bytes of a request body that is thrown away, or that a handler collects without a limit of its own; more is 413.
    pub body_bytes: u64,
    /// From the first byte of a head (or the connection's start) to its last; then 408.
    pub head_time: Duration,
    /// From a head's end to its body's; then 408.
    pub body_time: Duration,
    /// Between requests; then the connection is closed without a word.
    pub idle_time: Duration,
    /// For a peer to take what was written; then the connection is cut.
    pub write_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: 100,
            head_bytes: 32 * 1024,
            target_bytes: 8 * 1024,
            body_bytes: 1024 * 1024,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            write_time: Duration::from_secs(30),
        }
    }
}

/// Connections that this process can hold: each needs a descriptor, and its coroutine's stack two memory mappings of
/// the kernel's `vm.max_map_count`. A tenth of either is left to the rest of the process.
#[must_use]
pub fn default_max_connections() -> usize {
    let maps = read_number("/proc/sys/vm/max_map_count").unwrap_or(65_530);
    let files = open_files_limit().unwrap_or(1024);
    (maps / 2 * 9 / 10).min(files * 9 / 10).max(16)
}

fn read_number(path: &str) -> Option<usize> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn open_files_limit() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_leaves_room_for_two_mappings_a_connection() {
        let cap = default_max_connections();
        let maps = read_number("/proc/sys/vm/max_map_count").unwrap_or(65_530);
        assert!(cap >= 16 && cap * 2 < maps, "{cap} of {maps}");
    }
}
