//! A workspace at a glance.

use super::{DayCount, Days, LinkClicks, Performance, Picture, Stats, Subject};
use crate::Result;

/// A workspace at a glance.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// How many links there are, archived ones included.
    pub links: u64,
    /// Its clicks.
    pub picture: Picture,
    /// How its links do.
    pub performance: Performance,
    /// Links made, a row for each day.
    pub links_created_by_day: Vec<DayCount>,
    /// The links with most clicks.
    pub top_links: Vec<LinkClicks>,
}

impl Stats<'_> {
    /// The workspace at a glance, over `days`.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn overview(&self, days: Days) -> Result<Overview> {
        let survey = self.survey(days)?;
        Ok(Overview {
            links: self.service.store.link_count(Some(self.workspace))?,
            picture: self.picture(&Subject::Workspace, days)?,
            performance: survey.performance,
            links_created_by_day: survey.created,
            top_links: survey.top,
        })
    }
}
