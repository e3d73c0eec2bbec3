//! Bounds of the backend, each with what sets it.

use std::time::Duration;

/// Connections that a node opens at most, unless its [`Options`](crate::Options) say otherwise; one
/// more listens.
pub(crate) const CONNECTIONS: u32 = 8;
/// How long a connection that has answered is taken for one that does.
pub(crate) const HEARD: Duration = Duration::from_secs(1);
/// How long a call waits for a connection before it is `Unavailable`, and how long what was sent
/// may go without a sign of the other machine.
pub(crate) const CONNECT: Duration = Duration::from_secs(3);
/// How long it then waits for each answer: an API that says 503 within ten seconds allows no more.
pub(crate) const ANSWER: Duration = Duration::from_secs(6);
/// The same of what takes its time, and has nobody waiting: migrations, checks, purges.
pub(crate) const SLOW: Duration = Duration::from_secs(65);
/// How long a connection is silent before the other machine is asked for a sign, and how often. The
/// database looks as often whether who asked is still there, so that it doesn't work for nobody.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(2);
/// How long a statement may take.
pub(crate) const STATEMENT: Duration = Duration::from_secs(60);
/// How long a statement waits for somebody else's lock.
pub(crate) const LOCK: Duration = Duration::from_secs(5);
/// How long an edit of a small object waits for its turn.
pub(crate) const TURN: Duration = Duration::from_secs(3);
/// How often the head is looked at while waiting: what NOTIFY shortens.
pub(crate) const POLL: Duration = Duration::from_millis(500);
/// How often the listening thread looks whether it shall end, or tries to connect again.
pub(crate) const LISTEN: Duration = Duration::from_millis(250);
/// Most rows that a page of an answer reads.
pub(crate) const SCAN: i64 = 10_000;
/// Most bytes of stored values that a page of an answer reads; at least one value is.
pub(crate) const PAGE_BYTES: usize = 32 << 20;
/// Clicks that wait in memory at most: more, and `append` writes some first.
pub(crate) const WAITING: usize = 1 << 21;
/// Bytes of batches that wait in memory at most, unless one batch alone is larger.
pub(crate) const WAITING_BYTES: usize = 128 << 20;
/// Clicks of a transaction at most, unless one batch has more. The more clicks of a link are in one, the
/// less each costs; while it is written, one takes some 200 bytes.
pub(crate) const WRITE: usize = 1 << 19;
/// Clicks from which on every lane is written by a transaction of its own: fewer cost one alone less.
pub(crate) const SPLIT: usize = 1 << 16;
/// Connections without which that isn't done: others need some too.
pub(crate) const SPLIT_CONNECTIONS: u32 = 4;
/// Bytes of the batches of a transaction at most, unless one batch alone is larger; while they are
/// written, each of their texts is there once more.
pub(crate) const WRITE_BYTES: usize = 64 << 20;
/// Clicks that a read writes first, so that it shows them. Where more wait, the database can't keep up:
/// then reads show what is written.
pub(crate) const READ: usize = waypost_storage::limits::FLOOD as usize;
/// How long a click waits in memory before it is written: half of the second within which other
/// nodes see it (SPEC 4).
pub(crate) const WAIT: Duration = Duration::from_millis(500);
/// How often it is looked whether any has.
pub(crate) const LOOK: Duration = Duration::from_millis(125);
/// How long it waits in a flood, where there is room: the database rests meanwhile, and then has less
/// to do, as many clicks at once cost it less than few.
pub(crate) const WAIT_FLOOD: Duration = Duration::from_secs(5);
/// How often hours that are over are looked for.
pub(crate) const CLOSE: Duration = Duration::from_secs(60);
/// Bytes of raw clicks that are sent at once.
pub(crate) const COPY_BYTES: usize = 256 << 10;
/// Roll-up rows of one statement.
pub(crate) const ROWS: usize = 2_000;
/// Clicks that are taken out of the inbox at once.
pub(crate) const INBOX: i64 = 2_000;
/// Most transactions that write roll-ups at the same moment, evenly of every lane.
pub(crate) const SLOTS: i32 = 1_024;
/// Raw clicks that one step of a purge or of retention takes away before it says that there is
/// more; the same of dedupe keys, and of conversions.
pub(crate) const PURGE: i64 = 100_000;
/// Revisions that one transaction forgets.
pub(crate) const FORGET: i64 = 20_000;
/// How often a write that lost a race with another node is tried.
pub(crate) const TRIES: u32 = 5;
