//! What a store comes to: numbers that must be the same on both sides of a copy.

use std::collections::BTreeMap;

use super::{Owner, Part, Piece, Side, read};
use crate::{Grain, Result, limits};

/// Counts and sums by name, in the order of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures(BTreeMap<&'static str, u64>);

impl Figures {
    /// Those of a whole store: reads everything.
    ///
    /// # Errors
    /// As every read.
    pub fn of(side: &Side<'_>) -> Result<Self> {
        let mut figures = Self::default();
        for part in Part::ALL {
            let mut after: Option<Vec<u8>> = None;
            loop {
                let page = read(side, part, after.as_deref(), limits::PAGE)?;
                page.items.iter().for_each(|piece| figures.add(piece));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(figures)
    }

    /// Names and numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(name, number)| (*name, *number))
    }

    /// Where the two differ: name, here, there.
    pub fn differences(&self, other: &Self) -> Vec<(&'static str, u64, u64)> {
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let of = |figures: &Self, name| figures.0.get(name).copied().unwrap_or(0);
        let all = names.into_iter().map(|name| (*name, of(self, name), of(other, name)));
        all.filter(|(_, here, there)| here != there).collect()
    }

    fn add(&mut self, piece: &Piece) {
        match piece {
            Piece::Link(link) => {
                self.put("links", 1);
                self.put("versions of links", link.version);
            }
            Piece::Record(_) => self.put("records", 1),
            Piece::Answer(_) => self.put("remembered answers", 1),
            Piece::Purged(_) => self.put("purged links", 1),
            Piece::Bucket { owner, grain, counts, .. } => {
                let [clicks, bots, conversions] = names(*owner, *grain);
                self.put(clicks, counts.clicks);
                self.put(bots, counts.bots);
                self.put(conversions, counts.conversions);
            }
            Piece::Extra(extra) => self.put("clicks spent", extra.spent),
            Piece::Click(click) => {
                self.put("raw clicks", 1);
                self.put("raw clicks of bots", u64::from(click.bot));
            }
            Piece::Dedupe(..) => self.put("dedupe keys", 1),
            Piece::Conversion(..) => self.put("conversions", 1),
            Piece::Retention(_) => self.put("retention", 1),
            Piece::State(head, ids) => {
                self.put("head", head.0);
                self.put("ids given", ids.iter().sum());
            }
        }
    }

    fn put(&mut self, name: &'static str, more: u64) {
        *self.0.entry(name).or_default() += more;
    }
}

/// What the sums of a kind of bucket are called: clicks, bots, conversions.
const fn names(owner: Owner, grain: Grain) -> [&'static str; 3] {
    match (owner, grain) {
        (Owner::Link(_), Grain::Hour) => {
            ["hours of links: clicks", "hours of links: bots", "hours of links: conversions"]
        }
        (Owner::Link(_), Grain::Day) => {
            ["days of links: clicks", "days of links: bots", "days of links: conversions"]
        }
        (Owner::Link(_), Grain::All) => {
            ["totals of links: clicks", "totals of links: bots", "totals of links: conversions"]
        }
        (Owner::Workspace, Grain::Hour) => [
            "hours of workspaces: clicks",
            "hours of workspaces: bots",
            "hours of workspaces: conversions",
        ],
        (Owner::Workspace, Grain::Day) => [
            "days of workspaces: clicks",
            "days of workspaces: bots",
            "days of workspaces: conversions",
        ],
        (Owner::Workspace, Grain::All) => [
            "totals of workspaces: clicks",
            "totals of workspaces: bots",
            "totals of workspaces: conversions",
        ],
    }
}
