//! What a click adds to its buckets, what buckets make together, and what a deleted link takes
//! out of its workspace's.
//!
//! Every backend counts by these rules, whatever bytes it keeps counts in. The one rule that
//! isn't obvious is about a full dimension: up to [`limits::VALUES`] values stand for themselves
//! and the rest is one share, [`Share::OTHER`], so that the shares of a dimension always sum to
//! the clicks. A share truly called `Other` is that same one, and takes none of the places.

use std::borrow::Cow;

use waypost_link::LinkId;

use crate::{Counts, Detail, Dimension, NewClick, Row, Share, limits};

/// What a `User-Agent` header says, in the words that statistics show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentDetails {
    /// `Chrome`, …
    pub browser: &'static str,
    /// `Windows`, …
    pub os: &'static str,
    /// `Mobile`, `Tablet`, `Desktop`.
    pub device: &'static str,
    /// Whether it is a known crawler.
    pub bot: bool,
}

/// Who reads user agents: this crate can't, so a store is given one.
pub type ReadAgent = fn(&[u8]) -> AgentDetails;

/// The `source` of a click that a redirect made.
pub const REDIRECT: &str = "redirect";

/// What counts of one click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit<'c> {
    /// The link.
    pub link: LinkId,
    /// Who counts as one visitor.
    pub visitor: u64,
    /// ISO 3166-1 alpha-2 in capitals.
    pub country: Option<[u8; 2]>,
    /// Its user agent, looked into.
    pub agent: AgentDetails,
    /// The referrer's host.
    pub referrer: &'c str,
    /// The first language.
    pub language: &'c str,
    /// [`REDIRECT`], or what the click was reported with.
    pub source: &'c str,
    /// The rule that served it.
    pub rule: &'c str,
}

impl<'c> Hit<'c> {
    /// A redirect's.
    pub fn of_row(row: &Row<'c>, agent: AgentDetails) -> Self {
        Self {
            link: row.id.link,
            visitor: row.visitor,
            country: row.country,
            agent,
            referrer: row.referrer.text,
            language: row.language.text,
            source: REDIRECT,
            rule: row.rule.text,
        }
    }

    /// A reported click's.
    pub fn of_click(click: &'c NewClick, agent: AgentDetails) -> Self {
        Self {
            link: click.id.link,
            visitor: click.visitor,
            country: click.country,
            agent,
            referrer: &click.referrer,
            language: &click.language,
            source: &click.source,
            rule: "",
        }
    }

    /// What it counts under in `dimension`.
    pub fn value(&self, dimension: Dimension) -> Cow<'_, str> {
        match dimension {
            Dimension::Country => country_text(self.country).into(),
            Dimension::Device => self.agent.device.into(),
            Dimension::Browser => self.agent.browser.into(),
            Dimension::Os => self.agent.os.into(),
            Dimension::Referrer => self.referrer.into(),
            Dimension::Language => self.language.into(),
            Dimension::Source => self.source.into(),
            Dimension::Rule => self.rule.into(),
            Dimension::Link => self.link.to_string().into(),
        }
    }
}

/// A country as [`Dimension::Country`] spells it, empty where unknown.
pub fn country_text(country: Option<[u8; 2]>) -> String {
    country.map_or_else(String::new, |code| code.map(char::from).iter().collect())
}

impl Counts {
    /// Whether it holds nothing: such a bucket is in no answer.
    pub fn is_empty(&self) -> bool {
        self.clicks == 0 && self.conversions == 0
    }

    /// Counts a click, by [`Dimension::Link`] too where this is a workspace's bucket.
    pub fn add(&mut self, hit: &Hit<'_>, of_workspace: bool) {
        let bots = u64::from(hit.agent.bot);
        self.clicks += 1;
        self.bots += bots;
        if hit.agent.bot { &mut self.robots } else { &mut self.visitors }.insert(hit.visitor);
        for (dimension, shares) in Dimension::ALL.into_iter().zip(&mut self.shares) {
            if of_workspace || dimension != Dimension::Link {
                put(shares, &hit.value(dimension), 1, bots, limits::VALUES);
            }
        }
    }

    /// Counts what `other` holds too. The limit of values is not applied: whoever merges many
    /// buckets into one applies it once, at the end, with [`Counts::limit`].
    pub fn merge(&mut self, other: &Self) {
        self.clicks += other.clicks;
        self.bots += other.bots;
        self.conversions += other.conversions;
        self.visitors.merge(&other.visitors);
        self.robots.merge(&other.robots);
        for (own, theirs) in self.shares.iter_mut().zip(&other.shares) {
            add_all(own, theirs);
        }
    }

    /// Keeps the most clicked [`limits::VALUES`] values of each dimension, the rest as
    /// [`Share::OTHER`].
    pub fn limit(&mut self) {
        let full = |shares: &&mut Vec<Share>| named(shares) > limits::VALUES;
        self.shares.iter_mut().filter(full).for_each(limit);
    }

    /// Forgets what wasn't asked for.
    pub fn cut(&mut self, detail: Detail) {
        if detail < Detail::Shares {
            self.shares = Default::default();
        }
        if detail < Detail::Visitors {
            (self.visitors, self.robots) = Default::default();
        }
    }

    /// Takes out of a workspace's bucket what `other`, the same bucket of one of its links, holds.
    ///
    /// Clicks, bots and conversions are exact, and so is every dimension's sum. A share is exact
    /// unless either bucket had more values than it keeps. Visitors stay: a sketch can't forget.
    pub fn subtract(&mut self, other: &Self, link: LinkId) {
        let of_link = [Share { value: link.to_string(), clicks: other.clicks, bots: other.bots }];
        for (at, dimension) in Dimension::ALL.into_iter().enumerate() {
            let theirs: &[Share] =
                if dimension == Dimension::Link { &of_link } else { &other.shares[at] };
            take_all(&mut self.shares[at], theirs);
        }
        self.clicks = self.clicks.saturating_sub(other.clicks);
        self.bots = self.bots.saturating_sub(other.bots);
        self.conversions = self.conversions.saturating_sub(other.conversions);
    }
}

/// Adds to the share of `value`, or to `Other` where it has none and `most` values have one.
fn put(shares: &mut Vec<Share>, value: &str, clicks: u64, bots: u64, most: usize) {
    let at = match find(shares, value) {
        Err(at) if value == Share::OTHER || named(shares) < most => {
            shares.insert(at, Share { value: value.to_owned(), clicks: 0, bots: 0 });
            at
        }
        Err(_) => return put(shares, Share::OTHER, clicks, bots, most),
        Ok(at) => at,
    };
    shares[at].clicks += clicks;
    shares[at].bots += bots;
}

/// Adds `theirs` to `own`, both sorted, in one walk along them.
fn add_all(own: &mut Vec<Share>, theirs: &[Share]) {
    let (mut at, mut new) = (0, Vec::new());
    for share in theirs {
        while own.get(at).is_some_and(|known| known.value < share.value) {
            at += 1;
        }
        match own.get_mut(at).filter(|known| known.value == share.value) {
            Some(known) => {
                known.clicks += share.clicks;
                known.bots += share.bots;
            }
            None => new.push(share.clone()),
        }
    }
    if !new.is_empty() {
        own.extend(new);
        own.sort_by(|a, b| a.value.cmp(&b.value));
    }
}

fn find(shares: &[Share], value: &str) -> Result<usize, usize> {
    shares.binary_search_by(|share| share.value.as_str().cmp(value))
}

/// How many places are taken.
fn named(shares: &[Share]) -> usize {
    shares.len() - usize::from(find(shares, Share::OTHER).is_ok())
}

fn limit(shares: &mut Vec<Share>) {
    let mut all = std::mem::take(shares);
    all.sort_by(|a, b| (b.clicks, &a.value).cmp(&(a.clicks, &b.value)));
    for share in all {
        put(shares, &share.value, share.clicks, share.bots, limits::VALUES);
    }
}

/// Takes `theirs` out of `own`: each from the share of its value, what is not there from `Other`
/// (where values past the limit went), and what is not there either from the largest shares, so
/// that the sum is right in any case.
fn take_all(own: &mut Vec<Share>, theirs: &[Share]) {
    let (mut people, mut bots) = (0, 0);
    for share in theirs {
        let (mut persons, mut robots) = (share.clicks.saturating_sub(share.bots), share.bots);
        for value in [&share.value, Share::OTHER] {
            if let Ok(at) = find(own, value) {
                take(&mut own[at], &mut persons, &mut robots);
            }
        }
        (people, bots) = (people + persons, bots + robots);
    }
    if people + bots > 0 {
        let mut largest: Vec<_> = own.iter_mut().collect();
        largest.sort_by_key(|share| std::cmp::Reverse(share.clicks));
        largest.into_iter().for_each(|share| take(share, &mut people, &mut bots));
    }
    own.retain(|share| share.clicks > 0);
}

/// Takes as much as there is of both, leaving in them what is still to be taken.
fn take(share: &mut Share, people: &mut u64, bots: &mut u64) {
    let persons = (share.clicks - share.bots.min(share.clicks)).min(*people);
    let robots = share.bots.min(*bots);
    share.clicks -= persons + robots;
    share.bots -= robots;
    *people -= persons;
    *bots -= robots;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clicked(referrers: impl Iterator<Item = u64>, link: u64, of_workspace: bool) -> Counts {
        let mut counts = Counts::default();
        for n in referrers {
            let referrer = format!("{n}.example");
            let agent = AgentDetails { bot: n.is_multiple_of(3), ..AgentDetails::default() };
            let (country, link) = (Some(*b"DE"), LinkId(link));
            let (language, source, rule) = ("de", REDIRECT, "");
            let visitor = n << 32;
            let referrer = referrer.as_str();
            counts.add(
                &Hit { link, visitor, country, agent, referrer, language, source, rule },
                of_workspace,
            );
        }
        counts
    }

    fn check(counts: &Counts) {
        for (dimension, shares) in Dimension::ALL.into_iter().zip(&counts.shares) {
            if dimension == Dimension::Link && shares.is_empty() {
                continue;
            }
            let clicks: u64 = shares.iter().map(|share| share.clicks).sum();
            let bots: u64 = shares.iter().map(|share| share.bots).sum();
            assert_eq!((clicks, bots), (counts.clicks, counts.bots), "{dimension:?}");
            assert!(named(shares) <= limits::VALUES, "{dimension:?}");
            assert!(shares.is_sorted_by(|a, b| a.value < b.value), "{dimension:?}");
            assert!(shares.iter().all(|share| share.bots <= share.clicks), "{dimension:?}");
        }
    }

    #[test]
    fn what_is_merged_is_what_was_clicked() {
        for (a, b) in [(0..10, 5..12), (0..10, 20..30), (0..0, 0..3)] {
            let mut merged = clicked(a.clone(), 1, false);
            merged.merge(&clicked(b.clone(), 1, false));
            assert_eq!(merged, clicked(a.chain(b), 1, false));
        }
    }

    #[test]
    fn past_the_limit_is_other_and_the_sum_stays() {
        let mut merged = clicked(0..150, 1, false);
        merged.merge(&clicked(100..300, 1, false));
        merged.limit();
        let folded = clicked((0..150).chain(100..300), 1, false);
        for counts in [&merged, &folded] {
            check(counts);
            let shares = &counts.shares[Dimension::Referrer as usize];
            assert_eq!(shares.len(), limits::VALUES + 1);
            let other = &shares[find(shares, Share::OTHER).unwrap()];
            assert!((100..150).contains(&other.clicks), "{other:?}");
        }
        let kept = &merged.shares[Dimension::Referrer as usize];
        assert!(
            find(kept, "100.example").is_ok_and(|at| kept[at].clicks == 2),
            "most clicked stay"
        );
    }

    #[test]
    fn what_is_left_after_a_link_is_purged() {
        for (gone, stays, exact) in
            [(0..10, 5..12, true), (0..10, 0..0, true), (0..250, 100..400, false)]
        {
            let mut workspace = clicked(stays.clone(), 2, true);
            workspace.merge(&clicked(gone.clone(), 1, true));
            workspace.limit();
            workspace.subtract(&clicked(gone, 1, false), LinkId(1));
            check(&workspace);
            let left = clicked(stays, 2, true);
            assert_eq!((workspace.clicks, workspace.bots), (left.clicks, left.bots));
            assert_eq!(workspace.shares == left.shares, exact);
            assert_eq!(workspace.is_empty(), left.is_empty());
        }
    }

    #[test]
    fn a_full_dimension_gives_up_what_went_to_other_first() {
        let often = (0..200).chain(0..200).chain(std::iter::repeat_n(7, 100));
        let (left, gone) = (clicked(often, 2, true), clicked(200..230, 1, true));
        let mut workspace = left.clone();
        workspace.merge(&gone);
        workspace.limit();
        assert!(find(&workspace.shares[Dimension::Referrer as usize], Share::OTHER).is_ok());
        workspace.subtract(&clicked(200..230, 1, false), LinkId(1));
        assert_eq!(workspace.shares, left.shares);
    }
}
