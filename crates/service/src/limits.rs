//! Bounds of the control plane.

use std::time::Duration;

/// Links of one commit in a bulk creation or import.
pub const BATCH: usize = 10_000;
/// Most passwords of a bulk creation: hashing one takes as long as making hundreds of links.
pub const BULK_PASSWORDS: usize = 20;
/// How often an edit is tried anew when somebody else changed the object meanwhile.
pub const RETRIES: usize = 16;
/// How often a generated code is drawn anew when it is taken.
pub const DRAWS: usize = 8;
/// Longest password, in bytes.
pub const PASSWORD: usize = 1_024;
/// Longest name of a workspace, in bytes.
pub const NAME: usize = 64;
/// Longest label of a key, in characters.
pub const LABEL: usize = 80;
/// Longest name or value of a workspace's setting, in bytes.
pub const SETTING: usize = 2_048;
/// Most settings of a workspace.
pub const SETTINGS: usize = 100;
/// Shortest token that may be given by hand, in characters.
pub const TOKEN: usize = 16;
/// Most days of a statistic: a hundred years.
pub const DAYS: usize = 36_525;
/// Most links whose clicks are merged in one statistic.
pub const MERGED: usize = 10_000;
/// Most links that are sorted by their clicks (DESIGN "Storage").
pub const RANKED: usize = 100_000;
/// How many of a workspace's links an overview looks at, newest first.
pub const SURVEYED: usize = 100_000;
/// Links in a list of the best.
pub const TOP_LINKS: usize = 5;
/// Newest clicks that a page of statistics shows.
pub const RECENT: usize = 25;
/// Pages read at most to find the newest clicks that count.
pub const NEWEST_PAGES: usize = 64;
/// Keys whose last use is remembered in memory, so that it is written at most once a minute.
pub const TOUCHED: usize = 4_096;
/// Workspaces of which a figure is remembered for a moment.
pub const RECENT_FIGURES: usize = 4_096;
/// Sets of rate limit buckets.
pub const QUOTA_SETS: usize = 1 << 13;
/// Buckets of a set: with [`QUOTA_SETS`], 65,536 in all, a megabyte.
pub const QUOTA_WAYS: usize = 8;
/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY: usize = 255;
/// How long an `Idempotency-Key` is remembered, in microseconds: a day.
pub const IDEMPOTENCY: i64 = waypost_link::Timestamp::DAY;
/// Most collections of a workspace.
pub const COLLECTIONS: usize = 10_000;
/// Longest description of a collection, in characters.
pub const DESCRIPTION: usize = 280;
/// How long a rotator's alias may be, in characters.
pub const ALIAS: std::ops::RangeInclusive<usize> = 8..=24;
/// Characters of an alias that is drawn.
pub const DRAWN_ALIAS: usize = 10;
/// Commits that taking all links out of a collection may need: 10,000,000 links.
pub const DETACH_PAGES: usize = 1_000;
/// Longest affiliate tag, in characters.
pub const AFFILIATE_TAG: usize = 60;
/// Most pixels of a workspace: all of them fire on one page.
pub const PIXELS: usize = 100;
/// Longest id of a pixel, in characters.
pub const PIXEL_ID: usize = 64;
/// Most keys of a workspace that aren't revoked.
pub const KEYS: usize = 1_000;
/// Most custom domains of a workspace, whatever its plan.
pub const DOMAINS: usize = 1_000;
/// Hostnames that a workspace may have given up: they stay known, so that they are answered 404.
pub const REMOVED: usize = 10_000;
/// Domains that one listing asks their provider about, those asked longest ago first.
pub const REFRESHED: usize = 64;
/// Domains that are asked about at once.
pub const REFRESHERS: usize = 8;
/// How long a listing goes on asking; those that it is asking then, it waits for.
pub const LISTING: Duration = Duration::from_secs(8);
/// Longest word of a provider on why a proof failed, in bytes.
pub const PROVIDER_TEXT: usize = 500;
/// Longest value of a conversion, in bytes.
pub const CONVERSION_VALUE: usize = 64;
/// Longest email address, in bytes (RFC 5321, 4.5.3.1.3, less the angle brackets).
pub const ADDRESS: usize = 254;
/// Links whose clicks are looked up at once for alerts.
pub const WATCHED: usize = 10_000;
/// Emails sent in one round, of which there are as many as emails are due: whoever ends the rounds waits for one.
pub const EMAILS: usize = 1;
/// Longest session of a reported click, in bytes.
pub const SESSION: usize = 256;
/// Longest source of a reported click, in bytes.
pub const SOURCE: usize = 64;
/// Longest metadata of a reported click, in bytes of JSON (SPEC 5).
pub const METADATA: usize = 4_096;
