//! A service over a store in memory, with a clock that tests turn.

use std::{
    cell::Cell,
    sync::{Arc, Mutex},
};

use waypost_link::{Domain, Hostname, Link, LinkId, Slug, Timestamp, WorkspaceId};
use waypost_storage::{AgentDetails, Event, NewClick, memory::MemoryStore};

use crate::{Draft, Email, Mailer, Policy, Prober, Proof, Result, Service};

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(1_800_000_000_000_000) };
}

/// The test's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp(NOW.get())
}

/// Turns the test's clock on.
pub(crate) fn pass(micros: i64) {
    NOW.set(NOW.get() + micros);
}

/// A service with a workspace.
pub(crate) fn service() -> (Service, WorkspaceId) {
    let store = Arc::new(MemoryStore::new(|_| AgentDetails::default()));
    let own_hosts = ["localhost", "go.example.com"].map(|host| Hostname::parse(host).unwrap());
    let policy = Policy { own_hosts: own_hosts.to_vec(), ..Policy::default() };
    let service = Service::new(store.clone(), store, policy, now);
    let workspace = service.default_workspace().unwrap().id;
    (service, workspace)
}

/// A plain link.
pub(crate) fn link(service: &Service, workspace: WorkspaceId, code: &str) -> Link {
    link_with(service, workspace, code, |_| Ok(()))
}

/// A link with options.
pub(crate) fn link_with(
    service: &Service,
    workspace: WorkspaceId,
    code: &str,
    options: impl FnOnce(&mut Link) -> Result<()>,
) -> Link {
    service.create_link(&draft(service, workspace, Some(code)), options).unwrap()
}

/// The draft of a link to `https://example.com/`.
pub(crate) fn draft(service: &Service, workspace: WorkspaceId, code: Option<&str>) -> Draft {
    let destination = service.destination("https://example.com/").unwrap();
    let slug = code.map(|code| Slug::parse(code).unwrap());
    Draft {
        workspace,
        domain: waypost_link::DomainId::DEFAULT,
        slug,
        drawn: crate::Drawn::Short,
        destination,
    }
}

/// Clicks a link `times` times.
pub(crate) fn click(service: &Service, link: &Link, times: u32) {
    let click = |salt| {
        Event::Click(Box::new(NewClick {
            id: click_id(link.id, salt),
            workspace: link.workspace,
            clicked_at: now(),
            visitor: 1,
            source: "direct".to_owned(),
            ..NewClick::default()
        }))
    };
    pass(1);
    service.clicks.record(&(0..times).map(click).collect::<Vec<_>>()).unwrap();
}

/// The name of a click made at this moment.
pub(crate) fn click_id(link: LinkId, salt: u32) -> waypost_link::ClickId {
    waypost_link::ClickId { received: now(), link, salt }
}

/// A prober that says what it was told to.
pub(crate) struct Says(pub(crate) Mutex<std::result::Result<Proof, String>>);

impl Prober for Says {
    fn announce(&self, _: &Domain) -> std::result::Result<Proof, String> {
        self.0.lock().unwrap().clone()
    }

    fn probe(&self, _: &Domain) -> std::result::Result<Proof, String> {
        self.0.lock().unwrap().clone()
    }

    fn withdraw(&self, _: &Domain) -> std::result::Result<(), String> {
        self.0.lock().unwrap().clone().map(drop)
    }
}

/// A mailer that keeps what it is given, or refuses it.
#[derive(Default)]
pub(crate) struct Mailbox {
    pub(crate) refuses: std::sync::atomic::AtomicBool,
    pub(crate) sent: Mutex<Vec<Email>>,
}

impl Mailer for Mailbox {
    fn send(&self, email: &Email) -> std::result::Result<(), String> {
        if self.refuses.load(std::sync::atomic::Ordering::Relaxed) {
            return Err("450 try later".to_owned());
        }
        self.sent.lock().unwrap().push(email.clone());
        Ok(())
    }
}
