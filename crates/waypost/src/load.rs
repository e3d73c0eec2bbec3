//! Fills the index from the store: at the start, and when the feed no longer reaches back far
//! enough.
//!
//! The head is read first, then everything page by page while the store goes on, then the commits
//! made meanwhile; versions see to it that nothing is applied twice.

use std::{
    panic::resume_unwind,
    sync::mpsc::{self, SyncSender},
    thread,
};

use waypost_index::{Index, Loader};
use waypost_link::{Link, LinkId, Noun, Revision};
use waypost_storage::{ClickStore, LinkQuery, LinkStore, Order, RecordQuery, Result, limits::PAGE};

/// Commits of the feed taken at once.
const FEED: usize = 1_000;
/// Pages of links read before they are put in place: more of them are more memory.
const AHEAD: usize = 1;

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

/// Pages are read and decoded by a thread of their own, while this one puts the page before in place: half of the time
/// is spent on either.
fn all_links(loader: &Loader<'_>, links: &dyn LinkStore, clicks: &dyn ClickStore) -> Result<()> {
    let (sender, pages) = mpsc::sync_channel(AHEAD);
    thread::scope(|scope| {
        let reading = scope.spawn(move || read(links, clicks, &sender));
        for (items, spent) in pages {
            loader.links(items.iter().zip(spent));
        }
        reading.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// A page of links, and how many clicks each has spent.
type Spent = (Vec<Link>, Vec<u64>);

/// Reads every page, until the end or until nobody takes them.
fn read(links: &dyn LinkStore, clicks: &dyn ClickStore, to: &SyncSender<Spent>) -> Result<()> {
    let mut query = LinkQuery { order: Order::Ascending, limit: PAGE, ..LinkQuery::default() };
    loop {
        let page = links.links(&query)?;
        let spent = spent(&page.items, clicks)?;
        let taken = to.send((page.items, spent)).is_ok();
        if page.next.is_none() || !taken {
            return Ok(());
        }
        query.after = page.next;
    }
}
