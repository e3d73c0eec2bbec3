//! Memory that decisions reuse, so that the common ones allocate nothing.

use std::sync::Arc;

use waypost_index::Details;
use waypost_link::Pixel;

use crate::{compose::Names, limits};

/// Where a decision puts what its [`Answer`](crate::Answer) borrows. One a thread is enough; it keeps at
/// most a few times [`limits::SCRATCH_BYTES`].
#[derive(Debug, Default)]
pub struct Scratch {
    /// The location, whole.
    pub(crate) location: String,
    /// A destination that had to be made first.
    pub(crate) base: String,
    /// The code asked for, decoded.
    pub(crate) code: String,
    /// Parameters of the destination.
    pub(crate) names: Names,
    /// Options of the link, where the answer shows some.
    pub(crate) details: Option<Arc<Details>>,
    /// Pixels of its workspace, likewise.
    pub(crate) pixels: Vec<Pixel>,
}

impl Scratch {
    /// Empties it; what an unusual decision made large is given back.
    #[inline]
    pub(crate) fn reset(&mut self) {
        for text in [&mut self.location, &mut self.base, &mut self.code] {
            text.clear();
            text.shrink_to(limits::SCRATCH_BYTES);
        }
        self.names.forget();
        self.details = None;
        self.pixels.clear();
    }
}
