//! Header values looked into once: what is kept of each, and its place in the current batch.
//!
//! Most clicks repeat a user agent, a referrer, a language and a rule that were seen moments ago.
//! The memo knows a value by its bytes as sent, so a click costs a hash and a comparison a header,
//! and no hash where it repeats the click before. It is bounded: full, it starts anew.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use waypost_storage::BatchBuilder;

use crate::{header::Scratch, limits, visitor::AgentHash};

/// How to look into a value: what is kept of it.
pub(crate) type Keep = for<'s> fn(&'s [u8], &'s mut Scratch) -> &'s [u8];

pub(crate) struct Memo {
    keep: Keep,
    most: usize,
    index: HashTable<u32>,
    known: Vec<Known>,
    bytes: Vec<u8>,
    /// Where in `known` the value asked for last is.
    last: u32,
    hasher: DefaultHashBuilder,
}

struct Known {
    hash: u64,
    start: usize,
    middle: usize,
    end: usize,
    agent: AgentHash,
    /// The batch in which `place` counts.
    batch: u64,
    place: u32,
}

impl Memo {
    /// What is kept is cut to `most` bytes.
    pub(crate) fn new(keep: Keep, most: usize) -> Self {
        let (index, known, bytes) = (HashTable::new(), Vec::new(), Vec::new());
        let hasher = DefaultHashBuilder::default();
        Self { keep, most, index, known, bytes, last: 0, hasher }
    }

    /// The place of what is kept of `value` among the texts of `builder`, which makes up `batch`;
    /// and what `agent` says of the value.
    pub(crate) fn place(
        &mut self,
        value: &[u8],
        batch: u64,
        builder: &mut BatchBuilder,
        agent: impl FnOnce() -> AgentHash,
    ) -> (u32, AgentHash) {
        let repeated = self.known.get(self.last as usize).is_some_and(|k| self.is(k, value));
        if !repeated {
            self.last = self.find(value).unwrap_or_else(|hash| self.learn(value, hash, agent()));
        }
        let at = self.last;
        let Self { known, bytes, most, .. } = self;
        let Some(known) = known.get_mut(at as usize) else { return (0, AgentHash::default()) };
        if known.batch != batch {
            let kept = bytes.get(known.middle..known.end).unwrap_or_default();
            (known.batch, known.place) = (batch, builder.text(kept, *most));
        }
        (known.place, known.agent)
    }

    fn is(&self, known: &Known, value: &[u8]) -> bool {
        // A comparison of nothing costs more than one of a line: glibc's loads, masked, from where
        // an empty vector points to, which the processor has to look into.
        known.middle - known.start == value.len()
            && (value.is_empty() || self.bytes.get(known.start..known.middle) == Some(value))
    }

    /// Where `value` is known; else its hash.
    fn find(&self, value: &[u8]) -> Result<u32, u64> {
        let hash = self.hasher.hash_one(value);
        let same = |&at: &u32| {
            let known = self.known.get(at as usize);
            known.is_some_and(|k| k.hash == hash && self.is(k, value))
        };
        self.index.find(hash, same).copied().ok_or(hash)
    }

    #[cold]
    fn learn(&mut self, value: &[u8], hash: u64, agent: AgentHash) -> u32 {
        if self.known.len() >= limits::MEMO {
            self.index.clear();
            self.known.clear();
            self.bytes.clear();
        }
        let mut scratch = [0; limits::USER_AGENT];
        let kept = (self.keep)(value, &mut scratch);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        let middle = self.bytes.len();
        self.bytes.extend_from_slice(kept);
        let end = self.bytes.len();
        let at = self.known.len() as u32;
        self.known.push(Known { hash, start, middle, end, agent, batch: 0, place: 0 });
        let known = &self.known;
        self.index.insert_unique(hash, at, |&at| known.get(at as usize).map_or(0, |k| k.hash));
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header;

    #[test]
    fn places_hold_in_their_batch_and_after_the_memo_was_full() {
        let mut memo = Memo::new(header::referrer_host, 253);
        let mut learned = 0;
        for round in 0..2 * limits::MEMO as u64 + 5 {
            let url = format!("https://host{}.example/{round}", round % 3);
            for (batch, count) in [(2 * round + 1, 3), (2 * round + 2, 1)] {
                let mut builder = BatchBuilder::default();
                let empty = builder.text(b"", 9);
                let agent = || {
                    learned += 1;
                    AgentHash::default()
                };
                let (place, _) = memo.place(url.as_bytes(), batch, &mut builder, agent);
                assert_eq!(place, empty + 1);
                for _ in 0..count {
                    let known = || unreachable!("learned twice");
                    assert_eq!(memo.place(url.as_bytes(), batch, &mut builder, known).0, place);
                }
                let host = format!("host{}.example", round % 3);
                assert_eq!(builder.text(host.as_bytes(), 253), place);
            }
            assert!(memo.known.len() <= limits::MEMO);
        }
        assert_eq!(learned, 2 * limits::MEMO + 5);
    }
}
