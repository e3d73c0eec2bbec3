//! Reads a segment: frame after frame, in bounded memory, past damage.
//!
//! A frame that is cut short or fails its checksum at the end of a segment is what a killed
//! process leaves: nothing of it was promised, it is skipped as torn. The same in the middle, with
//! sound frames behind it, is damage: it is counted, and reading goes on at the next sound frame.

use std::io::{Read, Result};

use super::{FRAME_MAGIC, FrameHead, SEGMENT_HEAD, version_of};

/// Bytes asked of the file at once.
const CHUNK: usize = 256 * 1024;

/// One batch of the journal, whole and sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its number in its epoch.
    pub sequence: u64,
    /// The time of its first click, in µs since 1970.
    pub oldest: i64,
    /// How many clicks it has.
    pub clicks: u32,
    /// The batch's bytes.
    pub payload: Vec<u8>,
}

/// What was not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Damaged places that sound frames followed; an unsound segment header counts as one.
    pub places: u64,
    /// Clicks known to be lost in them.
    pub clicks: u64,
    /// Bytes of the torn end.
    pub torn: u64,
}

/// The frames of a segment.
#[derive(Debug)]
pub struct Frames<R> {
    from: R,
    /// Bytes read and not yet used: those from `at` on.
    window: Vec<u8>,
    at: usize,
    /// Whether the segment's header has been read.
    begun: bool,
    /// Bytes passed over since the last sound frame, and the clicks known to be in them.
    skipped: u64,
    skipped_clicks: u64,
    damage: Damage,
}

impl<R: Read> Frames<R> {
    /// Reads the segment that `from` gives from its first byte.
    pub fn new(from: R) -> Self {
        let window = Vec::new();
        let (skipped, skipped_clicks, damage) = (0, 0, Damage::default());
        Self { from, window, at: 0, begun: false, skipped, skipped_clicks, damage }
    }

    /// What was found damaged so far; `torn` is final once [`Frames::next`] gave `None`.
    pub fn damage(&self) -> Damage {
        Damage { torn: self.skipped + self.rest().len() as u64, ..self.damage }
    }

    /// The reader below.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.from
    }

    /// The next sound frame; `None` at the end. May be called again when the file has grown.
    ///
    /// # Errors
    /// What reading gave.
    #[expect(clippy::should_implement_trait, reason = "reading can fail, and the end can move")]
    pub fn next(&mut self) -> Result<Option<Frame>> {
        if !self.begin()? {
            return Ok(None);
        }
        while self.fill(FrameHead::LENGTH)? {
            let head = FrameHead::read(self.rest());
            let Some(head) = head else {
                self.skip();
                continue;
            };
            let whole = FrameHead::LENGTH + head.length as usize;
            if self.fill(whole)?
                && let Some(payload) = self.rest().get(FrameHead::LENGTH..whole)
                && crc32c::crc32c(payload) == head.payload_crc
            {
                let payload = payload.to_vec();
                self.at += whole;
                self.sound();
                let FrameHead { sequence, oldest, clicks, .. } = head;
                return Ok(Some(Frame { sequence, oldest, clicks, payload }));
            }
            self.skipped_clicks += u64::from(head.clicks);
            self.skip();
        }
        Ok(None)
    }

    fn begin(&mut self) -> Result<bool> {
        if !self.begun && self.fill(SEGMENT_HEAD)? {
            self.begun = true;
            let sound = version_of(self.rest()).is_some();
            self.skipped = u64::from(!sound);
            self.at += if sound { SEGMENT_HEAD } else { 1 };
        }
        Ok(self.begun)
    }

    fn rest(&self) -> &[u8] {
        self.window.get(self.at..).unwrap_or_default()
    }

    /// A sound frame shows that what was passed over before it was damaged, not torn.
    fn sound(&mut self) {
        if self.skipped > 0 {
            self.damage.places += 1;
            self.damage.clicks += self.skipped_clicks;
            (self.skipped, self.skipped_clicks) = (0, 0);
        }
    }

    /// Passes over one byte and all behind it that can't begin a frame.
    fn skip(&mut self) {
        let behind = self.rest().iter().skip(1);
        let step = 1 + behind.take_while(|&&byte| byte != FRAME_MAGIC[0]).count();
        self.at += step;
        self.skipped += step as u64;
    }

    /// Sees to it that `want` bytes are in the window; false where the file has no more.
    fn fill(&mut self, want: usize) -> Result<bool> {
        while self.window.len() - self.at < want {
            self.window.drain(..self.at);
            self.at = 0;
            let ask = CHUNK.max(want - self.window.len());
            if self.from.by_ref().take(ask as u64).read_to_end(&mut self.window)? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use waypost_storage::Epoch;

    use super::{super::SegmentName, *};

    fn frame(sequence: u64, payload: &[u8]) -> Vec<u8> {
        [&FrameHead::of(sequence, 5, 3, payload).bytes(), payload].concat()
    }

    fn segment(payloads: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = SegmentName { started: 1, epoch: Epoch(2), number: 3 }.header().to_vec();
        let mut ends = vec![bytes.len()];
        for (n, payload) in payloads.iter().enumerate() {
            bytes.extend(frame(n as u64 + 1, payload));
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn read(bytes: &[u8]) -> (Vec<Frame>, Damage) {
        let mut frames = Frames::new(bytes);
        let mut all = Vec::new();
        while let Some(frame) = frames.next().unwrap() {
            all.push(frame);
        }
        (all, frames.damage())
    }

    fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..6)
    }

    proptest! {
        #[test]
        fn every_cut_gives_the_whole_frames_before_it(payloads in payloads()) {
            let (bytes, ends) = segment(&payloads);
            for cut in 0..=bytes.len() {
                let (frames, damage) = read(&bytes[..cut]);
                let whole = ends.iter().skip(1).filter(|&&end| end <= cut).count();
                prop_assert_eq!(frames.len(), whole, "cut at {}", cut);
                for (frame, payload) in frames.iter().zip(&payloads) {
                    prop_assert_eq!(&frame.payload, payload);
                }
                prop_assert_eq!((damage.places, damage.clicks), (0, 0));
            }
        }

        #[test]
        fn one_bad_byte_costs_one_frame(payloads in payloads(), at: usize, bits in 1..=255_u8) {
            let (mut bytes, ends) = segment(&payloads);
            let at = at % bytes.len();
            bytes[at] ^= bits;
            let hit = ends.iter().filter(|&&end| end <= at).count();
            let (frames, damage) = read(&bytes);
            let found: Vec<_> = frames.iter().map(|frame| frame.sequence).collect();
            let sound: Vec<_> = (1..=payloads.len() as u64).filter(|n| *n != hit as u64).collect();
            prop_assert_eq!(found, sound);
            prop_assert_eq!(damage.places, u64::from(hit < payloads.len()));
            prop_assert_eq!(damage.torn > 0, hit == payloads.len());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(read(&bytes).0.is_empty());
        }
    }

    #[test]
    fn a_file_that_grows_is_read_on() {
        let (bytes, ends) = segment(&[vec![1; 100], vec![2; 100], vec![3; 100]]);
        let mut frames = Frames::new(std::io::Cursor::new(bytes[..ends[1]].to_vec()));
        assert_eq!(frames.next().unwrap().map(|frame| frame.sequence), Some(1));
        assert_eq!(frames.next().unwrap(), None);
        frames.get_mut().get_mut().extend_from_slice(&bytes[ends[1]..]);
        assert_eq!(frames.next().unwrap().map(|frame| frame.sequence), Some(2));
        assert_eq!(frames.next().unwrap().map(|frame| frame.sequence), Some(3));
        assert_eq!((frames.next().unwrap(), frames.damage()), (None, Damage::default()));
    }

    #[test]
    fn a_length_that_nobody_wrote_is_not_believed() {
        let (mut bytes, ends) = segment(&[vec![1; 100], vec![2; 100]]);
        let head = FrameHead { length: 1 << 30, sequence: 1, oldest: 5, clicks: 3, payload_crc: 0 };
        bytes[ends[0]..ends[0] + FrameHead::LENGTH].copy_from_slice(&head.bytes());
        let (frames, damage) = read(&bytes);
        assert_eq!((frames.len(), damage.places), (1, 1));
    }
}
