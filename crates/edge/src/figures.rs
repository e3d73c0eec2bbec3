//! What a link's public page shows: plain values, so that the edge knows nothing of a store.

/// The clicks of a link, counted by whoever can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The link's title, empty where it has none.
    pub title: String,
    /// Clicks of all time.
    pub clicks: u64,
    /// Unique visitors of all time.
    pub visitors: u64,
    /// Clicks of the last 30 UTC days, oldest first, zeros too, named `YYYY-MM-DD`.
    pub days: Vec<Count>,
    /// The countries with most clicks, most first.
    pub countries: Vec<Count>,
    /// Likewise the referrers.
    pub referrers: Vec<Count>,
    /// Likewise the browsers.
    pub browsers: Vec<Count>,
    /// Likewise the kinds of device.
    pub devices: Vec<Count>,
}

/// The clicks of one day, country, referrer, …
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Of what.
    pub name: String,
    /// How many.
    pub clicks: u64,
}

impl Figures {
    /// Days that the page shows, today included.
    pub const DAYS: usize = 30;
    /// Rows that it shows of countries, referrers, …
    pub const ROWS: usize = 8;
}
