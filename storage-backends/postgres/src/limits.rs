//! Bounds of the backend, each with what sets it.

use std::time::Duration;

/// Connections that a node opens at most, unless set otherwise; one more listens.
pub const CONNECTIONS: u32 = 8;
/// How long a call waits for a connection before it is `Unavailable`.
pub const CONNECT: Duration = Duration::from_secs(3);
/// How long a statement may take.
pub const STATEMENT: Duration = Duration::from_secs(60);
/// How long a statement waits for somebody else's lock.
pub const LOCK: Duration = Duration::from_secs(10);
/// How long an edit of a small object waits for its turn.
pub const TURN: Duration = Duration::from_secs(3);
/// How often the head is looked at while waiting: what NOTIFY shortens.
pub const POLL: Duration = Duration::from_millis(500);
/// How often the listening thread looks whether it shall end, or tries to connect again.
pub const LISTEN: Duration = Duration::from_millis(250);
/// Most rows that a page of an answer reads.
pub const SCAN: i64 = 10_000;
/// Most bytes of stored values that a page of an answer reads; at least one value is.
pub const PAGE_BYTES: usize = 32 << 20;
/// Clicks that wait in memory at most: more, and `append` writes them first.
pub const WAITING: usize = 1 << 18;
/// How long a click waits in memory at most while the database is there.
pub const WAIT: Duration = Duration::from_secs(1);
/// Roll-up rows of one statement.
pub const ROWS: usize = 2_000;
/// Most nodes that write roll-ups at the same moment.
pub const SLOTS: i32 = 1_024;
/// Raw clicks that one purge takes away before it says that there is more.
pub const PURGE: i64 = 100_000;
/// How often a write that lost a race with another node is tried.
pub const TRIES: u32 = 5;
