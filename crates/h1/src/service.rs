//! What serves every connection of a server, and the guarded way into its handler.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::handler::Outcome;
use crate::limits::PREVIEWS;
use crate::reply::Exchange;
use crate::{Counters, Handler, Head, Limits, Method, Moment, Preview, Reply, Version, preview};

/// What serves all connections of a server.
pub(crate) struct Service<H> {
    pub(crate) handler: H,
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
}

/// What holds for all requests that were read together.
#[derive(Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) moment: Moment,
    /// The server is stopping: the last answer of the batch says goodbye.
    pub(crate) draining: bool,
}

#[inline]
pub(crate) fn exchange_of(head: &Head<'_>, close: bool, batch: Batch) -> Exchange {
    Exchange {
        head_only: head.method == Method::Head,
        close,
        http10: head.version == Version::Http10,
        unix_seconds: batch.moment.unix_micros / 1_000_000,
    }
}

/// Tells the handler what comes; a panic is counted, and changes nothing.
pub(crate) fn prefetch<H: Handler>(service: &Service<H>, coming: &[Preview<'_>]) {
    if catch_unwind(AssertUnwindSafe(|| service.handler.prefetch(coming))).is_err() {
        Counters::add_nonzero(&service.counters.panics, 1);
    }
}

/// Tells the handler of what follows in a pipeline; until how many requests later there is nothing new to tell.
#[cold]
#[inline(never)]
pub(crate) fn foresee<H: Handler>(service: &Service<H>, rest: &[u8]) -> u32 {
    let mut coming = [Preview::default(); PREVIEWS];
    let count = preview::pipeline(rest, &mut coming);
    if count > 1 {
        prefetch(service, &coming[..count]);
    }
    count.max(1) as u32
}

/// Calls into the handler; a panic takes back what was written and becomes a 500.
#[inline]
pub(crate) fn guarded<H: Handler>(
    service: &Service<H>,
    exchange: Exchange,
    out: &mut Vec<u8>,
    call: impl FnOnce(Reply<'_>) -> Outcome,
) -> Outcome {
    let start = out.len();
    match catch_unwind(AssertUnwindSafe(|| call(Reply::new(out, exchange)))) {
        Ok(outcome) => outcome,
        Err(_panic) => {
            Counters::add_nonzero(&service.counters.panics, 1);
            out.truncate(start);
            Reply::new(out, Exchange { close: true, ..exchange })
                .text(500, "500 Internal Server Error\n")
        }
    }
}
