//! Reported clicks: those that somebody tells of, rather than a redirect (SPEC 5).
//!
//! They don't pass through the journal: each is stored, durable and visible, before it is answered.
//! Statistics go by the time clicked, retention by the time of receipt.
//!
//! One visitor is one session where a session is given, else an address and user agent a day, as
//! for redirects; a click with neither counts with all others of its user agent that day.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::OnceLock,
};

use sha2::{Digest, Sha256};
use waypost_clicks::{Visitors, host_of_referrer};
use waypost_link::{
    Change, Claim, ClickId, Flags, Link, LinkId, Noun, Record, Timestamp, WorkspaceId,
};
use waypost_storage::{Error, Event, Inserted, NewClick, Recorded, StoredClick};

use crate::{Fault, Once, Result, Service, limits};

/// The earliest time that a click can have: the year 2000.
const EARLIEST: Timestamp = Timestamp::from_seconds(946_684_800);
/// How far ahead of ours a reporter's clock may be.
const AHEAD: i64 = 5 * 60 * Timestamp::SECOND;

/// A click that is reported.
#[derive(Clone, Debug, Default)]
pub struct ReportedClick {
    /// When it was clicked.
    pub clicked_at: Timestamp,
    /// The visitor's address, where known.
    pub ip: Option<IpAddr>,
    /// `User-Agent`, whole.
    pub user_agent: String,
    /// The referring page, a URL; its host is kept.
    pub referrer: String,
    /// The visitor's session: the same session, link and time are the same click.
    pub session: Option<String>,
    /// `email`, `direct`, …
    pub source: String,
    /// A JSON object.
    pub metadata: Option<String>,
}

/// The secret that keys hashes of visitors, read once.
#[derive(Debug, Default)]
pub(crate) struct Secret(OnceLock<[u8; 16]>);

impl Service {
    /// Stores a reported click of a link, durably, once; its id, or that of the same click before.
    ///
    /// With an idempotency key (`once`), a repetition is the same click, whatever its session.
    ///
    /// # Errors
    /// [`Fault::Invalid`] names the field; [`Fault::NotFound`] where the link redirects nobody;
    /// [`Fault::Reused`] where the idempotency key was used for another click; [`Fault::Store`].
    pub fn record_click(
        &self,
        link: &Link,
        click: &ReportedClick,
        once: Option<&Once>,
    ) -> Result<ClickId> {
        let now = (self.now)();
        if !link.flags.has(Flags::ACTIVE) {
            return Err(unknown(link.id));
        }
        click.check(now)?;
        match once {
            None => self.record_reported(link, click, now, None),
            Some(once) => self.at_scope(once, |known| {
                let id = self.record_reported(link, click, now, Some(once.scope))?;
                if !known {
                    self.remember_click(once, now)?;
                }
                Ok(id)
            }),
        }
    }

    /// Counts some of the clicks that other programs have put into the store, as if they had been
    /// reported; how many there were.
    ///
    /// # Errors
    /// [`Fault::Store`]: none was counted, call again.
    pub fn take_inserted(&self) -> Result<u64> {
        let look = |inserted: &Inserted| {
            let click = ReportedClick {
                clicked_at: inserted.clicked_at,
                ip: inserted.ip,
                user_agent: inserted.user_agent.clone(),
                referrer: inserted.referrer.clone(),
                session: inserted.session.clone(),
                source: inserted.source.clone(),
                metadata: inserted.metadata.clone(),
            };
            let whose = (inserted.link, inserted.workspace);
            self.new_click(whose, &click, inserted.received, None).map_err(|fault| match fault {
                Fault::Store(error) => error,
                fault => Error::Unavailable(fault.to_string()),
            })
        };
        Ok(self.clicks.take_inserted(&look)?)
    }

    /// The click of this id that a workspace's link had, while it is kept.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn click(&self, workspace: WorkspaceId, id: ClickId) -> Result<Option<StoredClick>> {
        let click = self.clicks.click(id)?;
        Ok(click.filter(|click| click.workspace == workspace))
    }

    fn record_reported(
        &self,
        link: &Link,
        click: &ReportedClick,
        now: Timestamp,
        scope: Option<[u8; 32]>,
    ) -> Result<ClickId> {
        let event =
            Event::Click(Box::new(self.new_click((link.id, link.workspace), click, now, scope)?));
        let recorded = self.clicks.record(&[event])?;
        self.recent.forget(link.workspace);
        match recorded.first() {
            Some(Recorded::Stored(id) | Recorded::Duplicate(id)) => Ok(*id),
            _ => Err(unknown(link.id)),
        }
    }

    fn new_click(
        &self,
        (link, workspace): (LinkId, WorkspaceId),
        click: &ReportedClick,
        received: Timestamp,
        scope: Option<[u8; 32]>,
    ) -> Result<NewClick> {
        let visitors = Visitors::new(self.visitor_secret()?);
        let policy = self.policy.click_ip;
        let country = self.countries.as_ref().and_then(|known| known.country(click.ip?));
        let kept = click.ip.and_then(|ip| visitors.address(policy, ip, click.clicked_at).text());
        Ok(NewClick {
            id: ClickId { received, link, salt: salt()? },
            workspace,
            clicked_at: click.clicked_at,
            ip: kept,
            country,
            user_agent: cut(&click.user_agent, waypost_storage::limits::USER_AGENT),
            referrer: host_of_referrer(&click.referrer),
            language: String::new(),
            session: click.session.clone(),
            visitor: self.visitor(&visitors, click)?,
            source: click.source.clone(),
            metadata: click.metadata.clone(),
            dedupe: dedupe(link, click).or(scope),
        })
    }

    fn visitor(&self, visitors: &Visitors, click: &ReportedClick) -> Result<u64> {
        let Some(session) = &click.session else {
            let agent = visitors.agent(click.user_agent.as_bytes());
            let ip = click.ip.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
            return Ok(visitors.visitor(ip, agent, click.clicked_at));
        };
        let hash = Sha256::new().chain_update(self.visitor_secret()?).chain_update(session);
        Ok(hash.finalize().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
    }

    /// The secret that every server of the store hashes visitors with.
    fn visitor_secret(&self) -> Result<[u8; 16]> {
        if let Some(secret) = self.secret.0.get() {
            return Ok(*secret);
        }
        let missing = || Error::Unavailable("the store has no visitor secret yet".to_owned());
        let claim = Claim::Setting("visitor_secret".to_owned());
        let record = self.store.record_holding(Noun::Setting, &claim)?;
        let Some(Record::Setting(setting)) = record else { return Err(missing().into()) };
        let secret = setting.value.try_into().map_err(|_| missing())?;
        Ok(*self.secret.0.get_or_init(|| secret))
    }

    /// Notes that an idempotency key was used: another click under it is refused from now on.
    ///
    /// The click is stored by now and known again by its dedupe key, so nothing is lost or
    /// counted twice if this fails.
    fn remember_click(&self, once: &Once, now: Timestamp) -> Result<()> {
        match self.store.commit(&[Change::Remember(once.remembered(now))], now) {
            Ok(_) | Err(Error::Taken { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl ReportedClick {
    fn check(&self, now: Timestamp) -> Result<()> {
        let fits = |text: &str, most| text.len() <= most && !text.chars().any(char::is_control);
        if self.clicked_at < EARLIEST || self.clicked_at > now.plus(AHEAD) {
            let why = "expected a time from 2000 on, not over 5 minutes ahead";
            return Err(Fault::invalid("clicked_at", why));
        }
        if !self.session.as_deref().is_none_or(|session| fits(session, limits::SESSION)) {
            return Err(Fault::invalid("session_id", "at most 256 printable bytes"));
        }
        if self.source.is_empty() || !fits(&self.source, limits::SOURCE) {
            return Err(Fault::invalid("click_source", "1 to 64 printable bytes"));
        }
        if self.metadata.as_ref().is_some_and(|metadata| metadata.len() > limits::METADATA) {
            return Err(Fault::invalid("metadata", "at most 4096 bytes"));
        }
        Ok(())
    }
}

/// What makes two reports the same click: link, session and time.
fn dedupe(link: LinkId, click: &ReportedClick) -> Option<[u8; 32]> {
    let session = click.session.as_deref()?;
    let hash = Sha256::new().chain_update(link.0.to_be_bytes());
    let hash = hash.chain_update(click.clicked_at.0.to_be_bytes()).chain_update(session);
    Some(hash.finalize().into())
}

fn salt() -> Result<u32> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|error| Error::Unavailable(error.to_string()))?;
    Ok(u32::from_le_bytes(bytes) % ClickId::SALTS)
}

/// The first `most` bytes of `text`, to the last whole character.
fn cut(text: &str, most: usize) -> String {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default().to_owned()
}

fn unknown(link: LinkId) -> Fault {
    Fault::NotFound(format!("link {link}"))
}
