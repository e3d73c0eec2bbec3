//! Bytes from a disk: the journal and the batches in it.

use waypost_clicks::journal::Frames;
use waypost_storage::Batch;

/// A batch decodes to as many clicks as it says, or to an error.
pub fn batch(data: &[u8]) {
    if let Ok(batch) = Batch::decode(data.to_vec()) {
        let rows = batch.rows().collect::<Vec<_>>();
        let sound = rows.iter().all(Result::is_ok);
        assert!(!sound || rows.len() == batch.len());
    }
}

/// A journal segment gives sound frames and ends, whatever its bytes.
pub fn journal(data: &[u8]) {
    let mut frames = Frames::new(data);
    let mut bytes = 0;
    while let Ok(Some(frame)) = frames.next() {
        bytes += frame.payload.len();
        batch(&frame.payload);
    }
    assert!(bytes <= data.len());
    assert!(frames.damage().torn <= data.len() as u64);
}
