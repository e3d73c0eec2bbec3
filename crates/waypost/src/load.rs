//! Fills the index from the store: at the start, and when the feed no longer reaches back far
//! enough.
//!
//! The head is read first, then everything page by page while the store goes on, then the commits
//! made meanwhile; versions see to it that nothing is applied twice.

use waypost_index::{Index, Loader};
use waypost_link::{Link, LinkId, Noun, Revision};
use waypost_storage::{ClickStore, LinkQuery, LinkStore, Order, RecordQuery, Result, limits::PAGE};

/// Commits of the feed taken at once.
const FEED: usize = 1_000;

/// Puts the store's whole content into `index`.
pub(crate) fn load(index: &Index, links: &dyn LinkStore, clicks: &dyn ClickStore) -> Result<()> {
    let loader = index.loader();
    let mut applied = links.head()?;
    for noun in [Noun::Workspace, Noun::Domain, Noun::Collection, Noun::Tag, Noun::Pixel] {
        records(&loader, links, noun)?;
    }
    all_links(&loader, links, clicks)?;
    let head = links.head()?;
    while applied < head {
        for feed in links.replay(applied, FEED)? {
            loader.apply(feed.revision, &feed.changes);
            applied = feed.revision;
        }
    }
    loader.publish(Revision(applied.0));
    Ok(())
}

/// How many clicks each of `links` has spent; zero for those without a limit, which are not asked.
pub(crate) fn spent(links: &[Link], clicks: &dyn ClickStore) -> Result<Vec<u64>> {
    let limited: Vec<LinkId> =
        links.iter().filter(|link| link.max_clicks.is_some()).map(|link| link.id).collect();
    let totals = if limited.is_empty() { Vec::new() } else { clicks.totals(&limited)? };
    let mut totals = totals.into_iter();
    let own = |link: &Link| link.max_clicks.and_then(|_| totals.next()).map_or(0, |own| own.spent);
    Ok(links.iter().map(own).collect())
}

fn records(loader: &Loader<'_>, links: &dyn LinkStore, noun: Noun) -> Result<()> {
    let mut query =
        RecordQuery { noun, workspace: None, order: Order::Ascending, after: None, limit: PAGE };
    loop {
        let page = links.records(&query)?;
        loader.records(page.items);
        if page.next.is_none() {
            return Ok(());
        }
        query.after = page.next;
    }
}

fn all_links(loader: &Loader<'_>, links: &dyn LinkStore, clicks: &dyn ClickStore) -> Result<()> {
    let mut query = LinkQuery { order: Order::Ascending, limit: PAGE, ..LinkQuery::default() };
    loop {
        let page = links.links(&query)?;
        let spent = spent(&page.items, clicks)?;
        loader.links(page.items.iter().zip(spent));
        if page.next.is_none() {
            return Ok(());
        }
        query.after = page.next;
    }
}
