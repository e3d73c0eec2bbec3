//! Alerts: an email to the workspace when a link's Nth click is counted, once (SPEC 6).
//!
//! One thread of the server calls [`AlertWatch::round`]. It knows the links that want an alert from
//! the store and its feed, looks up the totals of those and of no others, and so costs the redirect
//! path nothing. That a count was reached is written down under a claim (a link and a count) before
//! anything is sent, that it was sent right after: a restart goes on where it was, and only one
//! that falls between the mail server's word and the note of it sends an email twice, under the
//! same message id. On a fleet the node that wrote it down sends; one that starts takes on what is
//! open, and looks once more before it sends.
//!
//! Where the mail server says no, or the workspace has no address yet, it is tried again, ever more
//! seldom, for a week.

use std::collections::HashMap;

use waypost_link::{
    Alert, AlertId, Change, Claim, Flags, Link, LinkId, Noun, Revision, Timestamp, WorkspaceId,
};
use waypost_storage::{Error, LinkQuery, Order, Totals};

use crate::{Fault, Result, Service, limits, records::Kept};

/// The first pause after a failure, in microseconds; each further one is twice as long.
const PAUSE: i64 = 30 * Timestamp::SECOND;
/// The longest pause, in microseconds.
const LONGEST: i64 = Timestamp::HOUR;
/// How long it is tried, in microseconds.
const PATIENCE: i64 = 7 * Timestamp::DAY;
/// Links of a page, and commits taken at once.
const PAGE: usize = 1_000;

/// An email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// Whom to.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same for the same alert, whenever it is sent: `alert-7`.
    pub id: String,
}

/// Sends emails. A call may block for some seconds.
pub trait Mailer: Send + Sync {
    /// Hands it to the mail server; in words why that didn't take it.
    fn send(&self, email: &Email) -> std::result::Result<(), String>;
}

/// The links that want an alert, and the emails that are to be sent.
pub struct AlertWatch {
    service: Service,
    links: HashMap<LinkId, Watched>,
    waiting: Vec<Waiting>,
    /// The feed is known up to here.
    seen: Revision,
    /// The scan of all links has come so far; `None` when it is done.
    scan: Option<LinkId>,
}

struct Watched {
    workspace: WorkspaceId,
    threshold: u64,
}

struct Waiting {
    alert: Alert,
    due: Timestamp,
    /// The mail server has it; only the note is missing.
    sent: bool,
}

impl AlertWatch {
    /// A watch over all links; those that are there are looked through a page a round.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn new(service: Service) -> Result<Self> {
        let mut watch = Self {
            seen: service.store.head()?,
            service,
            links: HashMap::new(),
            waiting: Vec::new(),
            scan: Some(LinkId::UNASSIGNED),
        };
        let (alerts, now): (Vec<Alert>, _) = (watch.service.all(None)?, watch.service.now());
        let open = |alert: &Alert| alert.sent_at.is_none() && !is_given_up(alert, now);
        for alert in alerts.into_iter().filter(open) {
            watch.wait(alert, Timestamp(0));
        }
        Ok(watch)
    }

    /// Looks at what changed and what was clicked, and sends what is due; whether more is to be
    /// done at once.
    ///
    /// # Errors
    /// [`Fault::Store`]: nothing is lost, call again.
    pub fn round(&mut self, mailer: &dyn Mailer) -> Result<bool> {
        let behind = self.follow()?;
        self.scan()?;
        if self.scan.is_none() {
            self.count()?;
        }
        let more = self.send(mailer);
        Ok(behind || more || self.scan.is_some())
    }

    /// Whether there may be more.
    fn follow(&mut self) -> Result<bool> {
        let feeds = match self.service.store.replay(self.seen, PAGE) {
            Err(Error::Gone { .. }) => {
                self.seen = self.service.store.head()?;
                self.scan = Some(LinkId::UNASSIGNED);
                self.links.clear();
                return Ok(true);
            }
            feeds => feeds?,
        };
        let behind = feeds.len() >= PAGE;
        for feed in feeds {
            feed.changes.iter().for_each(|change| self.apply(change));
            self.seen = feed.revision;
        }
        Ok(behind)
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::CreateLink(link) | Change::UpdateLink { link, .. } => self.watch(link),
            Change::DeleteLink { id, .. } => drop(self.links.remove(id)),
            _ => {}
        }
    }

    fn watch(&mut self, link: &Link) {
        match link.alert_at {
            Some(threshold) if link.flags.has(Flags::ALERT_EMAIL) => {
                let watched = Watched { workspace: link.workspace, threshold };
                self.links.insert(link.id, watched);
            }
            _ => drop(self.links.remove(&link.id)),
        }
    }

    fn scan(&mut self) -> Result<()> {
        let Some(after) = self.scan else { return Ok(()) };
        let page = self.service.store.links(&LinkQuery {
            order: Order::Ascending,
            after: Some(after),
            limit: PAGE,
            ..LinkQuery::default()
        })?;
        page.items.iter().for_each(|link| self.watch(link));
        self.scan = page.next;
        Ok(())
    }

    /// Looks for links that have had their clicks.
    fn count(&mut self) -> Result<()> {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for some in ids.chunks(limits::WATCHED) {
            for totals in self.service.clicks.totals(some)? {
                let reached = |watched: &Watched| watched.threshold <= totals.clicks;
                if self.links.get(&totals.link).is_some_and(reached) {
                    self.reach(&totals)?;
                }
            }
        }
        Ok(())
    }

    /// Writes down that a link has had its clicks, unless that was done before.
    fn reach(&mut self, totals: &Totals) -> Result<()> {
        let Some(Watched { workspace, threshold }) = self.links.get(&totals.link) else {
            return Ok(());
        };
        let (link, workspace, threshold) = (totals.link, *workspace, *threshold);
        let excluded = self.service.workspace_of(workspace)?.excludes_bots();
        if excluded && totals.clicks - totals.bots < threshold {
            return Ok(());
        }
        if self.service.store.holder(&Claim::Alert(link, threshold))?.is_none() {
            let now = self.service.now();
            let mut alert =
                Alert { workspace, link, threshold, created_at: now, ..Alert::default() };
            match self.service.put(&alert) {
                Err(Error::Taken { .. }) => {}
                Err(error) => return Err(error.into()),
                Ok(id) => {
                    alert.id = AlertId(id);
                    self.wait(alert, now);
                }
            }
        }
        self.links.remove(&link);
        Ok(())
    }

    fn wait(&mut self, alert: Alert, due: Timestamp) {
        self.waiting.push(Waiting { alert, due, sent: false });
    }

    /// Whether more are due.
    fn send(&mut self, mailer: &dyn Mailer) -> bool {
        let now = self.service.now();
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.due <= now);
        self.waiting = later;
        let rest = due.split_off(due.len().min(limits::EMAILS));
        let more = !rest.is_empty();
        self.waiting.extend(rest);
        for mut waiting in due {
            match self.send_one(&mut waiting, mailer) {
                Ok(()) => {}
                Err(why) => self.try_later(waiting, &why),
            }
        }
        more
    }

    fn send_one(&self, waiting: &mut Waiting, mailer: &dyn Mailer) -> Result<()> {
        if !waiting.sent {
            let Some(alert) = self.open(&waiting.alert)? else { return Ok(()) };
            waiting.alert = alert;
            let Some(link) = self.service.store.link(waiting.alert.link)? else { return Ok(()) };
            let email = self.email(&link, &waiting.alert)?;
            mailer.send(&email).map_err(Fault::Provider)?;
            waiting.sent = true;
        }
        waiting.alert.sent_at = Some(self.service.now());
        self.service.put(&waiting.alert)?;
        Ok(())
    }

    /// The alert as it is stored, unless another node has sent it.
    fn open(&self, alert: &Alert) -> Result<Option<Alert>> {
        let stored = self.service.store.record(Noun::Alert, alert.id.0)?;
        Ok(stored.and_then(Alert::of).filter(|alert| alert.sent_at.is_none()))
    }

    fn try_later(&mut self, mut waiting: Waiting, why: &Fault) {
        let (alert, now) = (&mut waiting.alert, self.service.now());
        if !waiting.sent && is_given_up(alert, now) {
            tracing::error!(link = alert.link.0, %why, "an alert was given up");
            return;
        }
        tracing::warn!(link = alert.link.0, attempts = alert.attempts, %why, "an alert waits");
        let pause = PAUSE.saturating_mul(1 << alert.attempts.min(16)).min(LONGEST);
        alert.attempts = alert.attempts.saturating_add(1);
        if !waiting.sent
            && let Err(error) = self.service.put(&*alert)
        {
            tracing::warn!(%error, "the attempt can't be written down");
        }
        waiting.due = now.plus(pause);
        self.waiting.push(waiting);
    }

    fn email(&self, link: &Link, alert: &Alert) -> Result<Email> {
        let settings = self.service.workspace_of(alert.workspace)?.settings;
        let to = settings.get("alert_email").cloned();
        let to =
            to.ok_or_else(|| Fault::Provider("the workspace has no alert_email".to_owned()))?;
        let host = self.service.hostname(link.domain)?;
        let name =
            host.map_or_else(|| link.slug.to_string(), |host| format!("{host}/{}", link.slug));
        let (clicks, id) = (alert.threshold, alert.id);
        let title = link.title.as_deref().unwrap_or("no title");
        let destination = link.destination.as_str();
        Ok(Email {
            to,
            subject: format!("{name} has reached {clicks} clicks"),
            text: format!(
                "Your link {name} ({title}) has reached {clicks} clicks.\n\nIt leads to {destination}\n"
            ),
            id: format!("alert-{id}"),
        })
    }
}

fn is_given_up(alert: &Alert, now: Timestamp) -> bool {
    alert.created_at.plus(PATIENCE) <= now
}

#[cfg(test)]
#[path = "alerts_tests.rs"]
mod tests;
