//! Roll-ups: what statistics read instead of clicks.

use waypost_link::{LinkId, Timestamp, WorkspaceId};

use crate::Sketch;

/// What clicks are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Dimension {
    /// ISO 3166-1 alpha-2, empty where unknown.
    Country,
    /// `Mobile`, `Tablet`, `Desktop`, …
    Device,
    /// `Chrome`, …
    Browser,
    /// `Windows`, …
    Os,
    /// The referrer's host, empty where there is none.
    Referrer,
    /// The first language, such as `de-DE`, empty where there is none.
    Language,
    /// `redirect`, or what `record-click` was told.
    Source,
    /// The id of the rule that served, empty for the link's own destination.
    Rule,
    /// The link's id in decimal; in workspace buckets only.
    Link,
}

impl Dimension {
    /// All of them, in the order of [`Counts::shares`].
    pub const ALL: [Self; 9] = [
        Self::Country,
        Self::Device,
        Self::Browser,
        Self::Os,
        Self::Referrer,
        Self::Language,
        Self::Source,
        Self::Rule,
        Self::Link,
    ];
}

/// How wide a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Grain {
    /// A UTC hour.
    Hour,
    /// A UTC day.
    Day,
    /// All time, in bucket 0.
    All,
}

impl Grain {
    /// The number of the bucket that `at` falls into.
    pub const fn bucket(self, at: Timestamp) -> i64 {
        match self {
            Self::Hour => at.hour(),
            Self::Day => at.day(),
            Self::All => 0,
        }
    }
}

/// How much of a bucket is wanted: each is what those before it are, and more. The less, the faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detail {
    /// Clicks, bots and conversions.
    Sums,
    /// Who clicked.
    Visitors,
    /// The counts by each dimension.
    Shares,
}

/// Whose buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One link's, or those of several merged.
    Links(Vec<LinkId>),
    /// A workspace's.
    Workspace(WorkspaceId),
}

/// The clicks of one value of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The value; [`Share::OTHER`] gathers those past the limit of a bucket.
    pub value: String,
    /// Clicks, bots included.
    pub clicks: u64,
    /// Clicks of bots.
    pub bots: u64,
}

impl Share {
    /// Where values past [`limits::VALUES`](crate::limits::VALUES) are gathered.
    pub const OTHER: &'static str = "Other";
}

/// What a bucket holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Clicks, bots included.
    pub clicks: u64,
    /// Clicks of bots.
    pub bots: u64,
    /// Conversions, in the bucket of the conversion's own time.
    pub conversions: u64,
    /// Who clicked, bots excluded; nobody where that wasn't asked for.
    pub visitors: Sketch,
    /// Which bots clicked.
    pub robots: Sketch,
    /// The clicks by each dimension, in the order of [`Dimension::ALL`], each sorted by value;
    /// empty where they weren't asked for.
    pub shares: [Vec<Share>; Dimension::ALL.len()],
}

/// One bucket of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Hours or days since 1970; 0 for all time.
    pub start: i64,
    /// What it holds.
    pub counts: Counts,
}

/// What a link has had in a range of days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkCount {
    /// The link.
    pub link: LinkId,
    /// Clicks, bots included.
    pub clicks: u64,
    /// Clicks of bots.
    pub bots: u64,
}

/// What a link has had in all, at once to hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The link.
    pub link: LinkId,
    /// Clicks, bots included.
    pub clicks: u64,
    /// Clicks of bots.
    pub bots: u64,
    /// Clicks that count towards its click limit: redirects, not reported clicks.
    pub spent: u64,
    /// Conversions.
    pub conversions: u64,
    /// The earliest time clicked.
    pub first: Option<Timestamp>,
    /// The latest time clicked.
    pub last: Option<Timestamp>,
}
