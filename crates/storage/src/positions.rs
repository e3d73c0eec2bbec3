//! Putting many things in order without comparing them: a radix sort of (key, position).

/// Bits of a digit: 2,048 counters stay in the first cache.
const DIGIT: u32 = 11;
/// Fewer are sorted by comparing.
const FEW: usize = 1_024;

/// The positions of things in the order of their keys, and the memory that finding it needs, kept
/// from one time to the next.
///
/// ```
/// let mut places = waypost_storage::Positions::default();
/// places.by_key([7, 3, 7, 0]);
/// assert!(places.iter().eq([3, 1, 0, 2]));
/// ```
#[derive(Debug, Default)]
pub struct Positions {
    /// Keys in the upper halves, positions in the lower ones.
    entries: Vec<u64>,
    spare: Vec<u64>,
}

impl Positions {
    /// Orders by these keys, of the things in their turn; what has the same key stays in turn. The
    /// smaller the greatest key, the faster.
    pub fn by_key(&mut self, keys: impl IntoIterator<Item = u32>) {
        self.entries.clear();
        let keys = keys.into_iter().zip(0u64..);
        self.entries.extend(keys.map(|(key, at)| (u64::from(key) << 32) | at));
        if self.entries.len() < FEW {
            self.entries.sort_unstable();
        } else {
            self.radix();
        }
    }

    /// The same of `count` things whose keys have no room in 32 bits, by comparing them.
    pub fn by_comparing<K: Ord>(&mut self, count: usize, key: impl Fn(usize) -> K) {
        self.entries.clear();
        self.entries.extend(0..count as u64);
        self.entries.sort_by_key(|&at| key(at as usize));
    }

    /// Where the first of them stands, the second, and so on.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = usize> {
        self.entries.iter().map(|&entry| entry as u32 as usize)
    }

    fn radix(&mut self) {
        let Self { entries, spare } = self;
        let greatest = entries.iter().fold(0, |all, entry| all | (entry >> 32));
        let bits = u64::BITS - greatest.leading_zeros();
        let passes = bits.div_ceil(DIGIT);
        if passes == 0 {
            return;
        }
        let width = bits.div_ceil(passes);
        spare.resize(entries.len(), 0);
        for pass in 0..passes {
            let digit = |entry: u64| (entry >> (32 + pass * width)) as usize & ((1 << width) - 1);
            let mut starts = vec![0u32; 1 << width];
            entries.iter().for_each(|&entry| starts[digit(entry)] += 1);
            let mut sum = 0;
            starts.iter_mut().for_each(|start| sum += std::mem::replace(start, sum));
            for &entry in entries.iter() {
                let start = &mut starts[digit(entry)];
                spare[*start as usize] = entry;
                *start += 1;
            }
            std::mem::swap(entries, spare);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_a_stable_sort_has_it(
            bits in 0..=32u32,
            keys in proptest::collection::vec(any::<u32>(), 0..3_000),
        ) {
            let keys: Vec<_> = keys.iter().map(|key| key.checked_shr(32 - bits).unwrap_or(0)).collect();
            let mut expected: Vec<_> = (0..keys.len()).collect();
            expected.sort_by_key(|&at| keys[at]);
            let mut places = Positions::default();
            for _ in 0..2 {
                places.by_key(keys.iter().copied());
                prop_assert!(places.iter().eq(expected.iter().copied()));
            }
            places.by_comparing(keys.len(), |at| keys[at]);
            prop_assert!(places.iter().eq(expected));
        }
    }
}
