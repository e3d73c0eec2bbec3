//! A limited link's account and leases in the store: taken from, given back to, told about.
//!
//! Whatever moves clicks puts the account and the node's lease in one commit, each in the version
//! after the one read. Where somebody else came first the commit is refused, and all is read anew.
//! So what all nodes hold never comes to more than the limit leaves.

use waypost_link::{Change, Claim, Lease, LinkId, News, NodeId, Noun, Record, Timestamp};
use waypost_storage::{ClickStore, Error, LinkStore, Result};

/// How often others may come first until it is given up.
const TRIES: usize = 16;
/// Most clicks of a lease that are taken at once.
const MOST: u64 = 1 << 20;
/// A taker leaves so many times what it takes to each node that is there.
const SHARE: u64 = 4;

/// The accounts as one node sees them.
pub(super) struct Accounts<'s> {
    pub(super) links: &'s dyn LinkStore,
    pub(super) clicks: &'s dyn ClickStore,
    pub(super) node: NodeId,
    pub(super) now: Timestamp,
}

/// What a node was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// Clicks.
    Lease {
        /// The version that the account is of.
        since: u64,
        /// The node's lease in all.
        granted: u64,
        /// How many of these are new.
        fresh: u64,
        /// The limit.
        max: u64,
    },
    /// Nothing is left of this limit.
    Out {
        /// The limit.
        max: u64,
    },
    /// The link has no limit, or there is no such link.
    Unlimited,
}

/// A link's account and a node's lease of it, as stored.
struct Books {
    account: Option<Lease>,
    own: Option<Lease>,
}

impl Accounts<'_> {
    /// Takes clicks of `link` for this node, one of `nodes`; none are taken while the lease holds
    /// more than the `opened` (by the account's version) that the node has made spendable.
    pub(super) fn grant(
        &self,
        link: LinkId,
        opened: impl Fn(u64) -> u64,
        nodes: u64,
    ) -> Result<Grant> {
        again(|| {
            let Some(stored) = self.links.link(link)? else { return Ok(Grant::Unlimited) };
            let Some(max) = stored.max_clicks else { return Ok(Grant::Unlimited) };
            let Books { account, own } = self.books(link)?;
            let account = match account {
                Some(account) => account,
                None => self.opened(link, stored.version)?,
            };
            let since = account.since;
            let own = own.unwrap_or_else(|| self.lease(link));
            let own = if own.since == since {
                own
            } else {
                Lease { since, granted: 0, counted: 0, ..own }
            };
            if own.granted > opened(since) {
                return Ok(Grant::Lease { since, granted: own.granted, fresh: 0, max });
            }
            let left = max.saturating_sub(account.granted);
            if left == 0 {
                return Ok(Grant::Out { max });
            }
            let fresh = (left / (SHARE * nodes.max(1))).clamp(1, MOST);
            let granted = own.granted + fresh;
            let account = Lease { granted: account.granted + fresh, ..account.next() };
            self.put([account, Lease { granted, ..own.next() }])?;
            Ok(Grant::Lease { since, granted, fresh, max })
        })
    }

    /// Gives back what of a lease is not `spent`, and tells the others; how many those are.
    pub(super) fn give_back(&self, link: LinkId, since: u64, spent: u64) -> Result<u64> {
        again(|| {
            let Books { account: Some(account), own: Some(own) } = self.books(link)? else {
                return Ok(0);
            };
            let unspent = own.granted.saturating_sub(spent);
            if unspent == 0 || own.since != since || account.since != since {
                return Ok(0);
            }
            let granted = account.granted.saturating_sub(unspent);
            let account = Lease { granted, news: Some(News::Returned), ..account.next() };
            self.put([account, Lease { granted: spent, ..own.next() }])?;
            Ok(unspent)
        })
    }

    /// Asks the other nodes to give back what they don't need.
    pub(super) fn want(&self, link: LinkId) -> Result<()> {
        again(|| {
            let Some(account) = self.books(link)?.account else { return Ok(()) };
            let news = Some(News::Wanted { by: self.node });
            self.put([Lease { news, ..account.next() }])
        })
    }

    /// Says that `counted` of a lease are spent, and counted in the store.
    pub(super) fn report(&self, link: LinkId, since: u64, counted: u64) -> Result<()> {
        again(|| match self.books(link)?.own {
            Some(own) if own.since == since => self.put([Lease { counted, ..own.next() }]),
            _ => Ok(()),
        })
    }

    /// Takes a lease off that is `spent` whole, all of it counted; its unspent clicks go back.
    pub(super) fn end(&self, link: LinkId, since: u64, spent: u64) -> Result<()> {
        self.give_back(link, since, spent)?;
        again(|| match self.books(link)?.own {
            Some(own) if own.since == since => self.delete(own.id.0),
            _ => Ok(()),
        })
    }

    /// Closes the account that a link had before its limit was taken away in `version`.
    pub(super) fn close(&self, link: LinkId, version: u64) -> Result<()> {
        again(|| {
            let Books { account, own } = self.books(link)?;
            for lease in own.into_iter().chain(account).filter(|lease| lease.since < version) {
                self.delete(lease.id.0)?;
            }
            Ok(())
        })
    }

    fn books(&self, link: LinkId) -> Result<Books> {
        let read = |node| lease(self.links, link, node);
        Ok(Books { account: read(Lease::ACCOUNT)?, own: read(self.node)? })
    }

    /// A new account: what was counted until now is given away.
    fn opened(&self, link: LinkId, since: u64) -> Result<Lease> {
        // Totals of a store that is behind would be too low.
        self.clicks.flush()?;
        let counted = self.clicks.totals(&[link])?.first().map_or(0, |totals| totals.spent);
        Ok(Lease { link, since, granted: counted, ..Lease::default() })
    }

    /// This node's lease where it has none yet.
    fn lease(&self, link: LinkId) -> Lease {
        Lease { link, node: self.node, ..Lease::default() }
    }

    fn put<const N: usize>(&self, leases: [Lease; N]) -> Result<()> {
        let changes = leases.map(|lease| Change::PutRecord(Record::Lease(lease)));
        self.links.commit(&changes, self.now).map(drop)
    }

    fn delete(&self, id: u64) -> Result<()> {
        let gone = Change::DeleteRecord { noun: Noun::Lease, id };
        match self.links.commit(&[gone], self.now) {
            Err(Error::Missing { .. }) => Ok(()),
            done => done.map(drop),
        }
    }
}

/// The lease of a link that a node holds, or the link's account.
pub(super) fn lease(links: &dyn LinkStore, link: LinkId, node: NodeId) -> Result<Option<Lease>> {
    Ok(match links.record_holding(Noun::Lease, &Claim::Lease(link, node.0))? {
        Some(Record::Lease(lease)) => Some(lease),
        _ => None,
    })
}

/// Does `attempt`, again while others come first.
pub(super) fn again<R>(attempt: impl Fn() -> Result<R>) -> Result<R> {
    for _ in 0..TRIES {
        match attempt() {
            Err(Error::Stale { .. } | Error::Taken { .. } | Error::Missing { .. }) => {}
            done => return done,
        }
    }
    Err(Error::Unavailable("others keep taking clicks of the same link".to_owned()))
}
