//! The leases: what this node may spend of limited links, between those who ask and the clerk
//! who takes it from the store.
//!
//! Whoever serves a visitor finds nothing left of what was lent, asks here, and waits a moment. A
//! lease that has more is opened on the spot, piece by piece: a piece stands in the ledger before it
//! can be spent. Otherwise the link goes on the clerk's list. Only the clerk ever waits for a store.
//!
//! Everything here is by link, so however many ask, the lists are no longer than there are links.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry as Place},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use waypost_index::{Index, Lent};
use waypost_link::{Change, Lease, Link, LinkId, News, NodeId, Record};

use super::{
    accounts::Grant,
    book::{Book, PIECES},
    ledger::{Ledger, Of},
};

/// Nobody waits longer for clicks: a clerk who takes longer has no store to take them from.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);
/// Leases that were taken in steps of at least so many are filled up before they are spent.
const LARGE: u64 = 64;

/// What this node may spend of limited links that a fleet shares.
pub struct Leases {
    index: Arc<Index>,
    desk: Mutex<Desk>,
    /// The clerk has work.
    called: Condvar,
    /// Somebody was answered.
    answered: Condvar,
}

/// What is under the lock.
pub(super) struct Desk {
    ledger: Ledger,
    books: HashMap<LinkId, Book>,
    asks: BTreeSet<LinkId>,
    recalls: BTreeSet<LinkId>,
    edits: BTreeMap<LinkId, Edit>,
    fleet: Fleet,
    closing: Option<bool>,
}

/// What the heartbeat knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fleet {
    /// This node; none before its first beat.
    pub(super) node: Option<NodeId>,
    /// Another process goes under its name.
    pub(super) rivalled: bool,
    /// Nodes that were seen lately.
    pub(super) alive: u64,
    /// All nodes that are known.
    pub(super) known: u64,
}

/// What became of a link's limit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edit {
    /// It was taken away in this version.
    pub(super) removed: Option<u64>,
    /// It is another one.
    pub(super) changed: bool,
}

/// What the clerk shall do next.
#[derive(Debug)]
pub(super) enum Job {
    /// Clicks of this link are needed.
    Ask(LinkId),
    /// Another node needs clicks of this link.
    Recall(LinkId),
    /// The limit of this link was edited.
    Edit(LinkId, Edit),
    /// Nothing for now.
    Rest,
    /// The end has come; whether all clicks are stored.
    Close(bool),
}

/// How much of a lease is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) link: LinkId,
    pub(super) since: u64,
    pub(super) spent: u64,
}

impl Leases {
    pub(super) fn new(index: Arc<Index>, ledger: Ledger) -> Self {
        let desk = Desk {
            ledger,
            books: HashMap::new(),
            asks: BTreeSet::new(),
            recalls: BTreeSet::new(),
            edits: BTreeMap::new(),
            fleet: Fleet::default(),
            closing: None,
        };
        let (called, answered) = (Condvar::new(), Condvar::new());
        Self { index, desk: Mutex::new(desk), called, answered }
    }

    /// Gets clicks of `link` to spend, at the latest by `until`: true where it is worth deciding
    /// again, false where the store has not answered in time. Blocks: never for a coroutine.
    pub fn lend(&self, link: LinkId, until: Instant) -> bool {
        let mut desk = self.lock();
        let mut asked = None;
        loop {
            let Some((book, ledger)) = desk.book(link, &self.index) else { return false };
            if book.left() > 0 || book.open(link, ledger) || book.is_out() {
                return true;
            }
            let (turn, good) = book.turn;
            if asked.is_some_and(|asked| asked != turn) && !good {
                return false;
            }
            asked = Some(turn);
            let new = book.asked.is_none();
            let late = book.asked.get_or_insert_with(Instant::now).elapsed() > PATIENCE;
            let left = until.saturating_duration_since(Instant::now());
            if late || left.is_zero() {
                return false;
            }
            if new && desk.asks.insert(link) {
                self.called.notify_one();
            }
            let waited = self.answered.wait_timeout_while(desk, left, |desk| {
                desk.books.get(&link).is_some_and(|book| book.turn.0 == turn)
            });
            desk = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Hears of a commit, before the index does.
    pub(crate) fn hear(&self, changes: &[Change]) {
        let mut called = false;
        for change in changes {
            called |= match change {
                Change::UpdateLink { link, .. } => self.edited(link),
                Change::DeleteLink { id, .. } => self.removed(*id, u64::MAX),
                Change::PutRecord(Record::Lease(lease)) => self.told(lease),
                _ => false,
            };
        }
        if called {
            self.called.notify_one();
        }
    }

    /// Hears that everything was loaded anew: whatever was told meanwhile was missed.
    pub(crate) fn missed(&self) {
        let mut desk = self.lock();
        let links: Vec<_> = desk.books.keys().copied().collect();
        for link in links {
            desk.edits.entry(link).or_default().changed = true;
        }
        drop(desk);
        self.called.notify_one();
    }

    fn edited(&self, link: &Link) -> bool {
        let Some(max) = link.max_clicks else { return self.removed(link.id, link.version) };
        let mut desk = self.lock();
        let other = desk.books.get(&link.id).is_some_and(|book| book.max != max);
        if other {
            desk.edits.entry(link.id).or_default().changed = true;
        }
        other
    }

    fn removed(&self, link: LinkId, version: u64) -> bool {
        let was = self.index.counter(link).is_some();
        let mut desk = self.lock();
        let was = was || desk.books.contains_key(&link);
        if was {
            desk.edits.entry(link).or_default().removed = Some(version);
        }
        was
    }

    fn told(&self, account: &Lease) -> bool {
        let mut desk = self.lock();
        let own = desk.fleet.node;
        let Some(book) = desk.books.get_mut(&account.link) else { return false };
        match account.news {
            Some(News::Returned) => {
                book.news += 1;
                book.set_out(false);
                book.asked.is_some() && desk.asks.insert(account.link)
            }
            Some(News::Wanted { by }) => own != Some(by) && desk.recalls.insert(account.link),
            None => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the clerk and the heartbeat do.
impl Leases {
    /// The next job; [`Job::Rest`] where none comes within `patience`.
    pub(super) fn next(&self, patience: Duration) -> Job {
        let idle = |desk: &mut Desk| !desk.has_work();
        let waited = self.called.wait_timeout_while(self.lock(), patience, idle);
        let mut desk = waited.unwrap_or_else(PoisonError::into_inner).0;
        if let Some((link, edit)) = desk.edits.pop_first() {
            Job::Edit(link, edit)
        } else if let Some(link) = desk.recalls.pop_first() {
            Job::Recall(link)
        } else if let Some(link) = desk.asks.pop_first() {
            Job::Ask(link)
        } else {
            desk.closing.map_or(Job::Rest, Job::Close)
        }
    }

    /// How much of the lease under an account's version was made spendable, and what was heard of
    /// the account so far.
    pub(super) fn opened(&self, link: LinkId, since: u64) -> u64 {
        let desk = self.lock();
        match desk.books.get(&link).filter(|book| book.since == since) {
            Some(book) => book.opened,
            None => desk.ledger.opened(Of { link, since }),
        }
    }

    /// What was heard so far of clicks of this link that came back.
    pub(super) fn news(&self, link: LinkId) -> u64 {
        self.lock().books.get(&link).map_or(0, |book| book.news)
    }

    /// Puts down what was granted, and tells who waits. That nothing is left holds only where
    /// nothing more was heard than when the store was asked; else it is asked again.
    pub(super) fn granted(&self, link: LinkId, grant: Grant, heard: u64) {
        let mut desk = self.lock();
        if let Some((book, ledger)) = desk.known(link) {
            if matches!(grant, Grant::Out { .. }) && book.news != heard {
                desk.asks.insert(link);
                return;
            }
            let told = match grant {
                Grant::Lease { since, granted, fresh, max } => {
                    book.adopt(link, (since, granted), ledger);
                    (book.max, book.fresh) = (max, if fresh > 0 { fresh } else { book.fresh });
                    book.left() > 0 || book.open(link, ledger)
                }
                Grant::Out { max } => {
                    book.max = max;
                    book.set_out(true);
                    true
                }
                Grant::Unlimited => false,
            };
            book.tell(told);
        }
        drop(desk);
        self.answered.notify_all();
    }

    /// Tells who waits that the store didn't answer.
    pub(super) fn failed(&self, link: LinkId) {
        let mut desk = self.lock();
        if let Some((book, _)) = desk.known(link) {
            book.tell(false);
        }
        drop(desk);
        self.answered.notify_all();
    }

    /// Takes back what is unspent of a lease, so that it can be given away.
    pub(super) fn take_back(&self, link: LinkId) -> Option<Used> {
        let mut desk = self.lock();
        let (book, ledger) = desk.known(link)?;
        book.close(link, ledger);
        Some(Used { link, since: book.since, spent: book.opened })
    }

    /// Hears that a limit may have room again.
    pub(super) fn look_again(&self, link: LinkId) {
        if let Some((book, _)) = self.lock().known(link) {
            book.news += 1;
            book.set_out(false);
        }
    }

    /// Forgets what was known of a link; those who wait are told.
    pub(super) fn drop_link(&self, link: LinkId) {
        let mut desk = self.lock();
        if let Some(book) = desk.books.remove(&link) {
            book.lent().map(Lent::take_back);
        }
        if let Err(error) = desk.ledger.remove(link) {
            tracing::warn!(%error, "the ledger of leases can't be written");
        }
        drop(desk);
        self.answered.notify_all();
    }

    /// All links of which there is a lease.
    pub(super) fn links(&self) -> Vec<LinkId> {
        self.lock().books.keys().copied().collect()
    }

    /// What is spent of leases and was not yet reported.
    pub(super) fn unreported(&self) -> Vec<Used> {
        let desk = self.lock();
        let used = |(&link, book): (&LinkId, &Book)| {
            let spent = book.opened.saturating_sub(book.left());
            (spent != book.counted).then_some(Used { link, since: book.since, spent })
        };
        desk.books.iter().filter_map(used).collect()
    }

    /// Notes that the store knows.
    pub(super) fn reported(&self, used: Used) {
        if let Some((book, _)) = self.lock().known(used.link) {
            book.counted = if book.since == used.since { used.spent } else { 0 };
        }
    }

    /// Fills up large leases that are nearly spent, before somebody has to ask.
    pub(super) fn fill_up(&self) {
        let mut desk = self.lock();
        let Desk { books, ledger, asks, .. } = &mut *desk;
        for (&link, book) in books.iter_mut().filter(|(_, book)| book.fresh >= LARGE) {
            if book.left() < book.fresh / PIECES {
                book.open(link, ledger);
            }
            if book.granted.saturating_sub(book.opened) + book.left() < book.fresh / 4
                && !book.is_out()
            {
                asks.insert(link);
            }
        }
    }

    /// Who is there.
    pub(super) fn fleet(&self) -> Fleet {
        self.lock().fleet
    }

    /// Hears who is there. A node that was forgotten has no leases any more.
    pub(super) fn set_fleet(&self, fleet: Fleet) {
        let mut desk = self.lock();
        let was = std::mem::replace(&mut desk.fleet, fleet).node;
        let new = matches!((was, fleet.node), (Some(was), Some(is)) if was != is);
        drop(desk);
        if new {
            tracing::warn!("this node was forgotten; it goes on as a new one, without its leases");
            self.links().into_iter().for_each(|link| self.drop_link(link));
        }
    }

    /// The end has come: the clerk gives everything back where all clicks are `stored`.
    pub(crate) fn close(&self, stored: bool) {
        self.lock().closing = Some(stored);
        self.called.notify_one();
    }
}

impl Desk {
    fn has_work(&self) -> bool {
        let idle = self.asks.is_empty() && self.recalls.is_empty() && self.edits.is_empty();
        !idle || self.closing.is_some()
    }

    /// The book of a link, a new one where it has a limit and no book yet.
    fn book(&mut self, link: LinkId, index: &Index) -> Option<(&mut Book, &mut Ledger)> {
        if let Place::Vacant(place) = self.books.entry(link) {
            place.insert(Book::new(index.counter(link)?));
        }
        self.known(link)
    }

    fn known(&mut self, link: LinkId) -> Option<(&mut Book, &mut Ledger)> {
        Some((self.books.get_mut(&link)?, &mut self.ledger))
    }
}
