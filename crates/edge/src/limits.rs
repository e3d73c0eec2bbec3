//! Bounds of the edge.

/// Most bytes of a posted password form.
pub const FORM_BYTES: u64 = 8 * 1024;
/// Most `X-Forwarded-For` fields looked at; a request with more is taken as not forwarded by
/// those before them.
pub const FORWARDED_FIELDS: usize = 8;
/// Groups of counters: workers past this share.
pub const SHARDS: usize = 64;
/// Most pixels that fire on a page: as many as a workspace may have.
pub const PIXELS: usize = 100;
/// Most bytes of a pixel's id.
pub const PIXEL_ID_BYTES: usize = 64;
/// How long a visitor of a limited link waits for clicks to be lent, in milliseconds.
pub const LENDING_MS: u64 = 250;
/// How often it is decided again, where others spend what was lent.
pub const LENDING_TRIES: usize = 16;
/// Pages of public statistics and pictures in the making at once, each a job that others wait behind.
pub const FETCHED: usize = 16;
/// Characters of a picture's name.
pub const PICTURE_NAME: usize = 64;
/// Characters of a title that a page shows.
pub const TITLE_CHARS: usize = 100;
/// Characters of a name in a table that a page shows.
pub const NAME_CHARS: usize = 40;
