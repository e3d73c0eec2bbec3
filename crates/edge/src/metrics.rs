//! `/metrics`: what the server counts, in the Prometheus text format (version 0.0.4).
//!
//! Counters of the redirect path are sharded by worker, so that no two cores write the same cache
//! line; everything else is read from its owner when somebody asks. Never a label per link.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use crossbeam_utils::CachePadded;
use waypost_redirect::Answer;

use crate::limits;

/// One metric of the table.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What it counts.
    pub help: &'static str,
    read: Option<fn(&Readings) -> f64>,
}

/// What others count, read when somebody asks. Plain numbers: reading them blocks nobody.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// Clicks that the writer took.
    pub clicks_recorded: u64,
    /// Clicks lost, by overflow of the queue or of the journal.
    pub clicks_dropped: u64,
    /// Clicks between workers and writer.
    pub queue_depth: u64,
    /// Age of the oldest click that the store doesn't have.
    pub journal_lag: Duration,
    /// Links in the index.
    pub index_links: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// How long ago the index was last known to be up to date.
    pub index_age: Duration,
    /// Links in which the index differed from the store.
    pub index_repairs: u64,
    /// Open connections.
    pub connections: u64,
    /// Requests that reached a handler.
    pub requests: u64,
    /// Handlers that panicked.
    pub panics: u64,
    /// Failed calls of the store, by what was being done.
    pub store_errors: [(&'static str, u64); 2],
    /// Requests to the APIs, by dialect and status.
    pub http_requests: Vec<(&'static str, u16, u64)>,
    /// How the store is.
    pub ready: Ready,
}

/// How the store is, which redirects don't need and all else does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ready {
    /// It answers and takes changes.
    #[default]
    Whole,
    /// It answers, but takes no changes: it is read-only, or its disk is full.
    ReadOnly,
    /// It does not answer.
    Away,
    /// It was not reached since the start: the index is what the local snapshot had.
    OnSnapshot,
}

const fn gauge(name: &'static str, help: &'static str, read: fn(&Readings) -> f64) -> Metric {
    Metric { name, kind: "gauge", help, read: Some(read) }
}

const fn counter(name: &'static str, help: &'static str, read: fn(&Readings) -> f64) -> Metric {
    Metric { name, kind: "counter", help, read: Some(read) }
}

const STORE_ERRORS: &str = "waypost_store_errors_total";
const HTTP_REQUESTS: &str = "waypost_http_requests_total";

/// Everything that `/metrics` shows, in its order.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    Metric { name: "waypost_redirects_total", kind: "counter", help: "Requests to the resolver, by outcome.", read: None },
    Metric { name: "waypost_redirect_duration_seconds", kind: "histogram", help: "From a request's last byte to its encoded answer.", read: None },
    counter("waypost_clicks_recorded_total", "Clicks taken by the writer.", |r| r.clicks_recorded as f64),
    counter("waypost_clicks_dropped_total", "Clicks lost because queue or journal were full.", |r| r.clicks_dropped as f64),
    gauge("waypost_click_queue_depth", "Clicks between workers and writer.", |r| r.queue_depth as f64),
    gauge("waypost_journal_lag_seconds", "Age of the oldest click that statistics do not show yet.", |r| r.journal_lag.as_secs_f64()),
    gauge("waypost_index_links", "Links in the index.", |r| r.index_links as f64),
    gauge("waypost_index_bytes", "Memory of the index.", |r| r.index_bytes as f64),
    gauge("waypost_index_age_seconds", "Since the index was last known to be up to date.", |r| r.index_age.as_secs_f64()),
    gauge("waypost_index_from_snapshot", "1 while links are those of the local snapshot, since the store was not reached yet.", |r| u8::from(r.ready == Ready::OnSnapshot).into()),
    counter("waypost_index_repairs_total", "Links in which the index was found to differ from the store, and was repaired.", |r| r.index_repairs as f64),
    gauge("waypost_connections", "Open connections.", |r| r.connections as f64),
    counter("waypost_requests_total", "Requests that reached a handler.", |r| r.requests as f64),
    counter("waypost_panics_total", "Handlers that panicked and were answered 500.", |r| r.panics as f64),
    Metric { name: HTTP_REQUESTS, kind: "counter", help: "Requests to the APIs, by dialect and status.", read: None },
    Metric { name: STORE_ERRORS, kind: "counter", help: "Failed calls of the store, by what was being done.", read: None },
];

/// Upper bounds of the histogram's buckets, in nanoseconds, with the label of each.
#[rustfmt::skip]
const BOUNDS: [(u64, &str); 14] = [
    (1_000, "0.000001"), (2_500, "0.0000025"), (5_000, "0.000005"), (10_000, "0.00001"), (25_000, "0.000025"),
    (50_000, "0.00005"), (100_000, "0.0001"), (250_000, "0.00025"), (500_000, "0.0005"), (1_000_000, "0.001"),
    (5_000_000, "0.005"), (25_000_000, "0.025"), (100_000_000, "0.1"), (1_000_000_000, "1"),
];

/// The counters of one worker.
#[derive(Debug, Default)]
struct Shard {
    outcomes: [AtomicU64; Answer::OUTCOMES.len()],
    /// One more than bounds: the last is beyond all of them.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanos: AtomicU64,
}

/// The redirect path's counters.
#[derive(Debug)]
pub(crate) struct Counters(Box<[CachePadded<Shard>]>);

impl Counters {
    pub(crate) fn new() -> Self {
        Self((0..limits::SHARDS).map(|_| CachePadded::default()).collect())
    }

    /// Counts one answer that took `elapsed`, on behalf of the calling thread.
    #[inline]
    pub(crate) fn count(&self, outcome: &str, elapsed: Duration) {
        let Some(shard) = self.0.get(lane() % limits::SHARDS) else { return };
        let outcome = Answer::OUTCOMES.iter().position(|known| *known == outcome).unwrap_or(0);
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().take_while(|(bound, _)| nanos > *bound).count();
        if let (Some(outcome), Some(bucket)) =
            (shard.outcomes.get(outcome), shard.buckets.get(bucket))
        {
            outcome.fetch_add(1, Relaxed);
            bucket.fetch_add(1, Relaxed);
            shard.nanos.fetch_add(nanos, Relaxed);
        }
    }

    fn sum(&self, of: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        self.0.iter().map(|shard| of(shard).load(Relaxed)).sum()
    }

    /// The page, with what others count.
    pub(crate) fn page(&self, readings: &Readings) -> String {
        let mut page = String::with_capacity(4_096);
        for metric in METRICS {
            let Metric { name, kind, help, .. } = metric;
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
            match metric.read {
                Some(read) => drop(writeln!(page, "{name} {}", read(readings))),
                None if *kind == "histogram" => self.histogram(name, &mut page),
                None if *name == STORE_ERRORS => store_errors(readings, &mut page),
                None if *name == HTTP_REQUESTS => http_requests(readings, &mut page),
                None => self.outcomes(name, &mut page),
            }
        }
        page
    }

    fn outcomes(&self, name: &str, page: &mut String) {
        for (at, outcome) in Answer::OUTCOMES.iter().enumerate() {
            let count = self.sum(|shard| &shard.outcomes[at]);
            let _ = writeln!(page, "{name}{{outcome=\"{outcome}\"}} {count}");
        }
    }

    fn histogram(&self, name: &str, page: &mut String) {
        let mut sum = 0;
        for (at, (_, label)) in BOUNDS.iter().enumerate() {
            sum += self.sum(|shard| &shard.buckets[at]);
            let _ = writeln!(page, "{name}_bucket{{le=\"{label}\"}} {sum}");
        }
        sum += self.sum(|shard| &shard.buckets[BOUNDS.len()]);
        let seconds = self.sum(|shard| &shard.nanos) as f64 / 1e9;
        let _ = writeln!(page, "{name}_bucket{{le=\"+Inf\"}} {sum}");
        let _ = writeln!(page, "{name}_sum {seconds}\n{name}_count {sum}");
    }
}

fn store_errors(readings: &Readings, page: &mut String) {
    for (op, count) in readings.store_errors {
        let _ = writeln!(page, "{STORE_ERRORS}{{op=\"{op}\"}} {count}");
    }
}

fn http_requests(readings: &Readings, page: &mut String) {
    for (dialect, code, count) in &readings.http_requests {
        let _ = writeln!(page, "{HTTP_REQUESTS}{{dialect=\"{dialect}\",code=\"{code}\"}} {count}");
    }
}

/// A number of the calling thread's own.
fn lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static LANE: usize = NEXT.fetch_add(1, Relaxed));
    LANE.with(|lane| *lane)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_adds_up() {
        let counters = Counters::new();
        counters.count("redirect", Duration::from_nanos(500));
        std::thread::scope(|scope| {
            for micros in [3, 2_000_000] {
                let counters = &counters;
                scope.spawn(move || counters.count("redirect", Duration::from_micros(micros)));
            }
        });
        counters.count("not_found", Duration::from_secs(3));
        let http_requests = vec![("golinks", 404, 2)];
        let page =
            counters.page(&Readings { queue_depth: 7, http_requests, ..Readings::default() });
        for line in [
            "waypost_redirects_total{outcome=\"redirect\"} 3",
            "waypost_redirect_duration_seconds_bucket{le=\"0.000001\"} 1",
            "waypost_redirect_duration_seconds_bucket{le=\"1\"} 2",
            "waypost_redirect_duration_seconds_bucket{le=\"+Inf\"} 4",
            "waypost_redirect_duration_seconds_count 4",
            "waypost_click_queue_depth 7",
            "waypost_http_requests_total{dialect=\"golinks\",code=\"404\"} 2",
            "# TYPE waypost_connections gauge",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
    }

    #[test]
    fn every_metric_is_documented() {
        let docs = include_str!("../../../docs/metrics.md");
        for Metric { name, kind, help, .. } in METRICS {
            let row = format!("| `{name}` | {kind} | {help} |");
            assert!(docs.contains(&row), "docs/metrics.md lacks\n{row}");
        }
    }
}
