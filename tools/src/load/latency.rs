//! Times between request and answer, as counts in buckets: no memory a request, and a few instructions.
//!
//! Buckets are 1/32 of a power of two wide, so a percentile is right to about 3 %.

use std::time::Duration;

/// Sub-buckets of a power of two, as a power of two.
const BITS: u32 = 5;
const BUCKETS: usize = (64 - BITS as usize + 1) << BITS;

/// Times by bucket.
pub(crate) struct Latencies {
    counts: Vec<u64>,
    total: u64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }

    pub(crate) fn add(&mut self, time: Duration, count: u64) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanoseconds)] += count;
        self.total += count;
    }

    /// The time in microseconds that `part` of all (0 to 1) took at most; 0 where there are none.
    pub(crate) fn percentile(&self, part: f64) -> f64 {
        let wanted = (self.total as f64 * part).ceil() as u64;
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += count;
            seen > 0 && seen >= wanted
        });
        reached.map_or(0.0, |bucket| middle(bucket) / 1_000.0)
    }
}

fn bucket(n: u64) -> usize {
    let shift = (u64::BITS - n.leading_zeros()).saturating_sub(BITS + 1);
    ((shift as usize) << BITS) + (n >> shift) as usize
}

fn middle(bucket: usize) -> f64 {
    let shift = (bucket >> BITS).saturating_sub(1);
    let low = (bucket - (shift << BITS)) as f64;
    (low + 0.5) * (shift as f64).exp2()
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, Latencies, bucket, middle};
    use std::time::Duration;

    #[test]
    fn buckets_are_narrow() {
        for n in [0, 1, 31, 32, 63, 64, 65, 1_000, 123_456_789, u64::MAX / 3, u64::MAX] {
            let bucket = bucket(n);
            assert!(bucket < BUCKETS, "{n}");
            let error = (middle(bucket) - n as f64).abs();
            assert!(error <= 0.5 + n as f64 / 32.0, "{n} is taken for {}", middle(bucket));
        }
    }

    #[test]
    fn percentiles() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.percentile(0.5), 0.0);
        for microseconds in 1..=100 {
            latencies.add(Duration::from_micros(microseconds), 3);
        }
        let check = |part: f64, expected: f64| {
            let found = latencies.percentile(part);
            assert!((found - expected).abs() < expected * 0.04, "{part}: {found}, not {expected}");
        };
        check(0.01, 1.0);
        check(0.5, 50.0);
        check(0.9, 90.0);
        check(1.0, 100.0);
    }
}
