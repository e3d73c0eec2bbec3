//! Batches of clicks as a store gets them, and a sink that forgets them.

use std::sync::atomic::{AtomicU64, Ordering};

use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};
use waypost_storage::{
    Address, Appended, Batch, BatchBuilder, Epoch, Mark, Result, Row, Sink, Text, limits,
};

/// Clicks of a batch.
pub const BATCH: u64 = 5_000;
/// Between clicks, in microseconds: half a million a second.
const STEP: u64 = 2;
/// When the first batch begins.
const START: i64 = 500_000 * Timestamp::HOUR;

/// SplitMix64: every number gives another, spread evenly.
pub fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// The `nth` batch over so many links, each clicked as often: 400 user agents, 100 referrers, 30
/// languages and 26 countries, and nearly every click a visitor of its own.
pub fn batch(nth: u64, links: u64) -> Batch {
    let mut builder = BatchBuilder::default();
    for n in nth * BATCH..(nth + 1) * BATCH {
        let mut text = |kind: &str, of: u64| {
            let text = format!("{kind} {}", mix(n ^ of) % of);
            Text { index: builder.text(text.as_bytes(), limits::USER_AGENT), text: "" }
        };
        let (user_agent, referrer) = (text("agent", 400), text("site", 100));
        let (language, rule) = (text("language", 30), text("", 1));
        let row = Row {
            id: ClickId {
                received: Timestamp(START + (n * STEP) as i64),
                link: LinkId(1 + mix(n) % links),
                salt: (mix(!n) % u64::from(ClickId::SALTS)) as u32,
            },
            workspace: WorkspaceId(1),
            visitor: mix(n ^ 0xabcd),
            address: Address::Ip((mix(n) as u32).to_be_bytes().into()),
            country: Some([b'A', b'A' + (mix(n ^ 26) % 26) as u8]),
            user_agent,
            referrer,
            language,
            rule,
            spent: false,
        };
        assert!(builder.push(&row), "a batch has room");
    }
    let mut bytes = Vec::new();
    builder.finish(&mut bytes);
    Batch::decode(bytes).expect("a batch")
}

/// A store that takes everything and keeps nothing.
#[derive(Debug, Default)]
pub struct Forgetful(AtomicU64);

impl Sink for Forgetful {
    fn append(&self, mark: Mark, _: &Batch) -> Result<Appended> {
        self.0.store(mark.sequence, Ordering::Release);
        Ok(Appended::Fresh { discarded: 0 })
    }

    fn durable(&self, _: Epoch) -> Result<u64> {
        Ok(self.0.load(Ordering::Acquire))
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn forget_epoch(&self, _: Epoch) -> Result<()> {
        Ok(())
    }
}
