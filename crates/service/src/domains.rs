//! Custom hostnames: registered, proven, looked after, given up.
//!
//! How a hostname is proven is a [`Prober`]'s business. It is never asked while a small object is
//! being edited: what it says is written down afterwards, if the domain is still there.

use std::{thread, time::Instant};

use waypost_link::{Domain, DomainId, DomainStatus, Hostname, Provider, Timestamp, WorkspaceId};
use waypost_storage::Error;

use crate::{Fault, Result, Service, limits, random};

/// How long what is known of an active domain holds, in microseconds.
const FRESH: i64 = 300 * Timestamp::SECOND;
/// How long a hostname may take to be proven before it has failed, in microseconds.
const PATIENCE: i64 = 7 * Timestamp::DAY;
/// How often it is written down that a domain was looked up and nothing was new, in microseconds.
const NOTED: i64 = 60 * Timestamp::SECOND;
/// Characters of the token that proves a hostname.
const TOKEN: usize = 32;

/// What a prober knows of a hostname.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// How far it has come.
    pub status: DomainStatus,
    /// The provider's own id.
    pub provider_id: Option<String>,
    /// The provider's word on the certificate.
    pub ssl_status: Option<String>,
    /// Why it isn't proven.
    pub errors: Option<String>,
}

/// Asks the world outside about hostnames. Each call may block for some seconds, and says in words
/// why nobody answered.
pub trait Prober: Send + Sync {
    /// Tells the provider of a new hostname.
    fn announce(&self, domain: &Domain) -> std::result::Result<Proof, String>;

    /// What is known of it now.
    fn probe(&self, domain: &Domain) -> std::result::Result<Proof, String>;

    /// Tells the provider that it is given up.
    fn withdraw(&self, domain: &Domain) -> std::result::Result<(), String>;
}

impl Service {
    /// A workspace's domains, newest first, as they are known.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn domains(&self, workspace: WorkspaceId) -> Result<Vec<Domain>> {
        let mut domains: Vec<Domain> = self.newest(workspace)?;
        domains.retain(|domain| domain.status != DomainStatus::Removed);
        Ok(domains)
    }

    /// A domain of the workspace.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn own_domain(&self, workspace: WorkspaceId, id: DomainId) -> Result<Domain> {
        let domain: Domain = self.own(workspace, id.0)?;
        if domain.status == DomainStatus::Removed {
            return Err(Fault::NotFound(format!("domain {id}")));
        }
        Ok(domain)
    }

    /// The workspace's domain of this hostname.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn domain_named(&self, workspace: WorkspaceId, host: &str) -> Result<Domain> {
        self.domain_for(workspace, host)?.ok_or_else(|| no_domain(host))
    }

    /// The workspace's domain of this hostname; `None` where it is the server's own, the default one.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn domain_for(&self, workspace: WorkspaceId, host: &str) -> Result<Option<Domain>> {
        match self.domain(host)?.ok_or_else(|| no_domain(host))? {
            DomainId::DEFAULT => Ok(None),
            id => self.own_domain(workspace, id).map(Some).map_err(|fault| match fault {
                Fault::NotFound(_) | Fault::Foreign(_) => no_domain(host),
                other => other,
            }),
        }
    }

    /// A workspace's domains, newest first, each looked up at its provider, but those that are
    /// active and were looked up in the last five minutes. One whose provider doesn't answer, or
    /// whose turn doesn't come within [`limits::LISTING`], is shown as it was.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn refreshed_domains(&self, workspace: WorkspaceId) -> Result<Vec<Domain>> {
        let mut domains = self.domains(workspace)?;
        let now = (self.now)();
        let mut due: Vec<&mut Domain> =
            domains.iter_mut().filter(|domain| is_due(domain, now)).collect();
        due.sort_by_key(|domain| domain.synced_at);
        due.truncate(limits::REFRESHED);
        let started = Instant::now();
        for some in due.chunks_mut(limits::REFRESHERS) {
            if started.elapsed() >= limits::LISTING {
                break;
            }
            thread::scope(|scope| {
                for domain in some {
                    scope.spawn(|| self.refresh(domain));
                }
            });
        }
        Ok(domains)
    }

    /// Registers a hostname. One that the workspace gave up before gets its links back.
    ///
    /// # Errors
    /// [`Fault::Invalid`] (`hostname`), [`Fault::Reserved`] where it is the server's own or below,
    /// [`Fault::UpgradeRequired`], [`Fault::LimitReached`], [`Fault::Taken`], [`Fault::Provider`],
    /// [`Fault::Store`].
    pub fn register_domain(
        &self,
        workspace: WorkspaceId,
        hostname: &str,
        provider: Provider,
    ) -> Result<Domain> {
        let hostname = self.registrable(hostname)?;
        let mut domain = Domain {
            id: DomainId::UNASSIGNED,
            workspace,
            hostname,
            status: DomainStatus::Pending,
            provider,
            token: random::text(random::BASE62, TOKEN)?,
            provider_id: None,
            ssl_status: None,
            verification_errors: None,
            created_at: (self.now)(),
            synced_at: None,
        };
        // What the provider refuses is not to be remembered: an idempotency key goes with what is learned.
        let unkept = Self { remember: None, ..self.clone() };
        unkept.in_turn(|turn| turn.add_domain(&mut domain))?;
        match self.prober()?.announce(&domain) {
            Ok(proof) => self.learn(&domain, proof),
            Err(why) => {
                unkept.give_up(&domain)?;
                Err(Fault::Provider(why))
            }
        }
    }

    /// Asks the provider now.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Provider`] where it doesn't answer, [`Fault::Store`].
    pub fn verify_domain(&self, workspace: WorkspaceId, id: DomainId) -> Result<Domain> {
        let domain = self.own_domain(workspace, id)?;
        let proof = self.prober()?.probe(&domain).map_err(Fault::Provider)?;
        self.learn(&domain, proof)
    }

    /// Takes a hostname for proven: the operator's word.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn activate_domain(&self, workspace: WorkspaceId, id: DomainId) -> Result<Domain> {
        let domain = self.own_domain(workspace, id)?;
        let Domain { provider_id, ssl_status, .. } = domain.clone();
        let status = DomainStatus::Active;
        self.learn(&domain, Proof { status, provider_id, ssl_status, errors: None })
    }

    /// Gives a hostname up: its links stop resolving at once, and anybody may register it.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Provider`] where it doesn't answer: nothing is changed then;
    /// [`Fault::Store`].
    pub fn remove_domain(&self, workspace: WorkspaceId, id: DomainId) -> Result<Domain> {
        let domain = self.own_domain(workspace, id)?;
        self.prober()?.withdraw(&domain).map_err(Fault::Provider)?;
        self.give_up(&domain)
    }

    fn prober(&self) -> Result<&dyn Prober> {
        let prober = self.prober.as_deref();
        prober.ok_or_else(|| Fault::Provider("hostnames can't be proven here".to_owned()))
    }

    fn registrable(&self, text: &str) -> Result<Hostname> {
        let wrong = || Fault::invalid("hostname", "a name such as go.example.com is expected");
        if text.contains(':') {
            return Err(wrong());
        }
        let host = Hostname::parse(text).map_err(|_| wrong())?;
        let name = host.as_str();
        let numeric = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
        if self.policy.own_hosts.iter().any(|own| is_below(name, own.as_str())) {
            return Err(Fault::Reserved(name.to_owned()));
        }
        match name.rsplit_once('.') {
            Some((_, last)) if !numeric(last) => Ok(host),
            _ => Err(wrong()),
        }
    }

    /// Puts a new domain, in the place of the one that the workspace gave up, if it did.
    fn add_domain(&self, domain: &mut Domain) -> Result<()> {
        let all: Vec<Domain> = self.all(Some(domain.workspace))?;
        let (removed, live): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|other| other.status == DomainStatus::Removed);
        match self.plan(domain.workspace)?.domains() {
            Some(0) => return Err(Fault::UpgradeRequired("custom domains")),
            most if live.len() >= most.unwrap_or(limits::DOMAINS) => {
                return Err(Fault::LimitReached("custom domains"));
            }
            _ => {}
        }
        match removed.iter().find(|old| old.hostname == domain.hostname) {
            Some(old) => domain.id = old.id,
            None if removed.len() >= limits::REMOVED => {
                return Err(Fault::LimitReached("hostnames that were given up"));
            }
            None => {}
        }
        domain.id = DomainId(self.put(domain).map_err(|error| match error {
            Error::Taken { .. } => Fault::Taken(format!("the hostname {}", domain.hostname)),
            other => Fault::Store(other),
        })?);
        Ok(())
    }

    fn refresh(&self, domain: &mut Domain) {
        let proof = self.prober().and_then(|prober| prober.probe(domain).map_err(Fault::Provider));
        match proof.and_then(|proof| self.learn(domain, proof)) {
            Ok(fresh) => *domain = fresh,
            Err(fault) => tracing::info!(%fault, hostname = %domain.hostname, "not refreshed"),
        }
    }

    /// Writes down what was learned of a domain, if it is still there.
    fn learn(&self, domain: &Domain, proof: Proof) -> Result<Domain> {
        self.in_turn(|turn| {
            let known = turn.own_domain(domain.workspace, domain.id)?;
            let fresh = known.learned(proof, (turn.now)());
            if known.is_news(&fresh) || turn.remember.is_some() {
                turn.put(&fresh)?;
            }
            Ok(fresh)
        })
    }

    fn give_up(&self, domain: &Domain) -> Result<Domain> {
        self.in_turn(|turn| {
            let mut domain = turn.own_domain(domain.workspace, domain.id)?;
            domain.status = DomainStatus::Removed;
            turn.put(&domain)?;
            Ok(domain)
        })
    }
}

/// What a domain becomes when more is known of it.
trait Learned {
    fn learned(&self, proof: Proof, now: Timestamp) -> Self;
    fn is_news(&self, fresh: &Self) -> bool;
}

impl Learned for Domain {
    /// One that proves itself stays active when it can't be reached for a while: its links answer
    /// whoever still comes.
    fn learned(&self, proof: Proof, now: Timestamp) -> Self {
        let late = self.created_at.plus(PATIENCE) <= now;
        let status = match (self.provider, self.status, proof.status) {
            (Provider::Own, DomainStatus::Active, DomainStatus::Pending) => DomainStatus::Active,
            (Provider::Own, _, DomainStatus::Pending) if late => DomainStatus::Failed,
            (_, _, status) => status,
        };
        let short = |text: String| text.chars().take(limits::PROVIDER_TEXT / 4).collect();
        Self {
            status,
            provider_id: proof.provider_id.or_else(|| self.provider_id.clone()),
            ssl_status: proof.ssl_status.map(short),
            verification_errors: proof.errors.map(short),
            synced_at: Some(now),
            ..self.clone()
        }
    }

    /// Pending ones are asked again at every listing: that nothing is new is worth a commit only so often.
    fn is_news(&self, fresh: &Self) -> bool {
        let noted =
            self.synced_at.zip(fresh.synced_at).is_some_and(|(at, now)| now < at.plus(NOTED));
        !noted || Self { synced_at: self.synced_at, ..fresh.clone() } != *self
    }
}

fn no_domain(host: &str) -> Fault {
    Fault::NotFound(format!("domain {host:?}"))
}

fn is_due(domain: &Domain, now: Timestamp) -> bool {
    let fresh = domain.synced_at.is_some_and(|at| at.plus(FRESH) > now);
    !(fresh && domain.status == DomainStatus::Active)
}

/// Whether `name` is `own` or below it. Names below `localhost` lead to this machine only, so they
/// may be had; that they prove nothing elsewhere is the prober's business.
fn is_below(name: &str, own: &str) -> bool {
    let above = name.strip_suffix(own).and_then(|rest| rest.strip_suffix('.'));
    name == own || (above.is_some() && own != "localhost")
}

#[cfg(test)]
#[path = "domains_tests.rs"]
mod tests;
