//! Raw clicks: pages of them, and the newest.

use std::cmp::Reverse;

use waypost_link::{LinkId, Timestamp};
use waypost_storage::{ClickQuery, ClickScope, Order, Page, StoredClick};

use super::{Stats, Subject};
use crate::{Result, limits};

impl Stats<'_> {
    /// A page of a link's clicks at `from` or later and before `before`, by time and then id.
    /// Clicks that don't count are left out, so that a page may be short and not be the last.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn clicks(
        &self,
        link: LinkId,
        (from, before): (Option<Timestamp>, Option<Timestamp>),
        order: Order,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<StoredClick, Vec<u8>>> {
        let scope = ClickScope::Link(link);
        self.page(&ClickQuery { scope, from, before, order, after, limit })
    }

    /// The newest `most` clicks of `subject`, newest first.
    ///
    /// # Errors
    /// [`Fault::Store`](crate::Fault::Store).
    pub fn newest(&self, subject: &Subject, most: usize) -> Result<Vec<StoredClick>> {
        let scopes = match subject {
            Subject::Links(links) => self.last_clicked(links, most)?,
            one => self.click_scopes(one),
        };
        let mut newest = Vec::new();
        for scope in scopes {
            newest.extend(self.newest_of(scope, most)?);
        }
        newest.sort_by_key(|click| Reverse((click.clicked_at, click.id)));
        newest.truncate(most);
        Ok(newest)
    }

    /// The `most` of `links` that were clicked last: the newest `most` clicks are theirs.
    fn last_clicked(&self, links: &[LinkId], most: usize) -> Result<Vec<ClickScope>> {
        let mut totals = self.totals(links)?;
        totals.retain(|total| total.last.is_some());
        totals.sort_by_key(|total| Reverse(total.last));
        Ok(totals.iter().take(most).map(|total| ClickScope::Link(total.link)).collect())
    }

    fn newest_of(&self, scope: ClickScope, most: usize) -> Result<Vec<StoredClick>> {
        let (order, limit) = (Order::Descending, most);
        let mut query = ClickQuery { scope, from: None, before: None, order, after: None, limit };
        let mut newest = Vec::new();
        for _ in 0..limits::NEWEST_PAGES {
            let page = self.page(&query)?;
            newest.extend(page.items);
            if newest.len() >= most || page.next.is_none() {
                break;
            }
            query.after = page.next;
        }
        newest.truncate(most);
        Ok(newest)
    }

    fn page(&self, query: &ClickQuery) -> Result<Page<StoredClick, Vec<u8>>> {
        let mut page = self.service.clicks.clicks(query)?;
        page.items.retain(|click| self.counting.bots || !click.bot);
        Ok(page)
    }
}
