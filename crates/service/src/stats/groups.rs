//! Links by the value of an attribute: how many carry each, and their clicks.

use std::{cmp::Reverse, collections::HashMap};

use super::{Days, Stats};
use crate::Result;

/// The links that share a value of an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The value; `None` for links without the attribute.
    pub value: Option<String>,
    /// How many, whether clicked or not.
    pub links: u64,
    /// Their clicks.
    pub clicks: u64,
}

impl Group {
    /// Clicks over links.
    pub fn clicks_per_link(&self) -> f64 {
        self.clicks as f64 / self.links.max(1) as f64
    }
}

impl Stats<'_> {
    /// The links of the workspace by the value of `attribute` with their clicks in `days`, most
    /// clicked first, ties by value.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn groups(&self, attribute: &str, days: Days) -> Result<Vec<Group>> {
        let mut clicks = HashMap::<Option<String>, u64>::new();
        for (link, count) in self.link_clicks(days)? {
            // One that is gone has clicks until it is purged.
            if let Some(link) = self.service.store.link(link)? {
                let value = link.attributes.get(attribute).map(str::to_owned);
                *clicks.entry(value).or_default() += count;
            }
        }
        let mut groups = self.group_sizes(attribute)?;
        for group in &mut groups {
            group.clicks = clicks.get(&group.value).copied().unwrap_or(0);
        }
        groups.sort_by(|a, b| (Reverse(a.clicks), &a.value).cmp(&(Reverse(b.clicks), &b.value)));
        Ok(groups)
    }

    /// How many values `attribute` has in the workspace.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn distinct(&self, attribute: &str) -> Result<u64> {
        let mut count = 0;
        self.each_facet(attribute, |_, _| count += 1)?;
        Ok(count)
    }

    fn group_sizes(&self, attribute: &str) -> Result<Vec<Group>> {
        let mut groups = Vec::new();
        let mut with = 0;
        self.each_facet(attribute, |value, links| {
            with += links;
            groups.push(Group { value: Some(value), links, clicks: 0 });
        })?;
        let links = self.service.store.link_count(Some(self.workspace))?.saturating_sub(with);
        if links > 0 {
            groups.push(Group { value: None, links, clicks: 0 });
        }
        Ok(groups)
    }

    fn each_facet(&self, attribute: &str, mut each: impl FnMut(String, u64)) -> Result<()> {
        let limit = waypost_storage::limits::PAGE;
        let mut after: Option<String> = None;
        loop {
            let store = &self.service.store;
            let page = store.facets(self.workspace, attribute, after.as_deref(), limit)?;
            after = page.last().map(|facet| facet.value.clone());
            let full = page.len() == limit;
            page.into_iter().for_each(|facet| each(facet.value, facet.links));
            if !full {
                return Ok(());
            }
        }
    }
}
