//! Hostnames from their registration to their end, against a prober that says what it is told.

use std::sync::{Arc, Mutex};

use super::*;
use crate::testing::{Says, pass, service as plain};

struct World {
    service: Service,
    workspace: WorkspaceId,
    says: Arc<Says>,
}

impl World {
    fn new() -> Self {
        let (service, workspace) = plain();
        let says = Arc::new(Says(Mutex::new(Ok(Proof::default()))));
        Self { service: service.and_ask(says.clone()), workspace, says }
    }

    fn says(&self, status: DomainStatus) {
        *self.says.0.lock().unwrap() = Ok(Proof { status, ..Proof::default() });
    }

    fn silent(&self) {
        *self.says.0.lock().unwrap() = Err("timeout".to_owned());
    }

    fn register(&self, host: &str) -> Result<Domain> {
        self.service.register_domain(self.workspace, host, Provider::Own)
    }
}

#[test]
fn which_names_may_be_had() {
    let world = World::new();
    for (host, kept) in [
        ("go.acme.com", Ok("go.acme.com")),
        ("GO.Bücher.example.", Ok("go.xn--bcher-kva.example")),
        ("my_host.acme.com", Ok("my_host.acme.com")),
        ("go.localhost", Ok("go.localhost")),
        ("go.example.com", Err("reserved")),
        ("x.go.example.com", Err("reserved")),
        ("localhost", Err("reserved")),
        ("com", Err("hostname")),
        ("127.0.0.1", Err("hostname")),
        ("[::1]", Err("hostname")),
        ("go.acme.com:80", Err("hostname")),
        ("go.acme.com/x", Err("hostname")),
        ("1.2", Err("hostname")),
        ("", Err("hostname")),
    ] {
        match (world.register(host), kept) {
            (Ok(domain), Ok(kept)) => {
                assert_eq!(
                    (domain.hostname.as_str(), domain.status),
                    (kept, DomainStatus::Pending)
                );
            }
            (Err(Fault::Reserved(_)), Err("reserved")) => {}
            (Err(Fault::Invalid { field, .. }), Err(wrong)) => assert_eq!(field, wrong),
            other => panic!("{host}: {other:?}"),
        }
    }
}

#[test]
fn plans_set_how_many() {
    let world = World::new();
    for (plan, most) in [("free", 0), ("small", 1), ("medium", 3), ("large", 5)] {
        let name = world.service.create_workspace(plan).unwrap();
        world.service.set_workspace(plan, "plan", plan).unwrap();
        let register = |n: usize| {
            let host = format!("go{n}.{plan}.example");
            world.service.register_domain(name.id, &host, Provider::Own)
        };
        (0..most).for_each(|n| drop(register(n).unwrap()));
        match plan {
            "free" => assert_eq!(register(9), Err(Fault::UpgradeRequired("custom domains"))),
            "large" => {}
            _ => assert_eq!(register(9), Err(Fault::LimitReached("custom domains"))),
        }
        // One that is given up makes room.
        if let Some(domain) = world.service.domains(name.id).unwrap().first() {
            world.service.remove_domain(name.id, domain.id).unwrap();
            register(10).unwrap();
        }
    }
}

#[test]
fn one_owner_at_a_time() {
    let world = World::new();
    let other = world.service.create_workspace("other").unwrap().id;
    let first = world.register("go.acme.com").unwrap();
    let taken = Err(Fault::Taken("the hostname go.acme.com".to_owned()));
    assert_eq!(world.register("go.acme.com"), taken);
    assert_eq!(world.service.register_domain(other, "go.acme.com", Provider::Own), taken);
    assert!(world.service.verify_domain(other, first.id).is_err());
    world.service.remove_domain(world.workspace, first.id).unwrap();
    assert_eq!(world.service.domains(world.workspace).unwrap(), []);
    let theirs = world.service.register_domain(other, "go.acme.com", Provider::Own).unwrap();
    assert_ne!(theirs.id, first.id);
    world.service.remove_domain(other, theirs.id).unwrap();
    let again = world.register("go.acme.com").unwrap();
    assert_eq!(again.id, first.id, "its links are on the domain it had");
    assert_ne!(again.token, first.token);
}

#[test]
fn from_pending_to_active_and_on() {
    let world = World::new();
    let verify = |id| world.service.verify_domain(world.workspace, id);
    let id = world.register("go.acme.com").unwrap().id;
    assert_eq!(verify(id).unwrap().status, DomainStatus::Pending);
    world.silent();
    assert_eq!(verify(id), Err(Fault::Provider("timeout".to_owned())));
    world.says(DomainStatus::Active);
    assert_eq!(verify(id).unwrap().status, DomainStatus::Active);
    world.says(DomainStatus::Pending);
    assert_eq!(verify(id).unwrap().status, DomainStatus::Active, "out of reach for a while");
    let late = world.register("late.acme.com").unwrap().id;
    pass(PATIENCE);
    assert_eq!(verify(late).unwrap().status, DomainStatus::Failed);
    world.says(DomainStatus::Active);
    assert_eq!(verify(late).unwrap().status, DomainStatus::Active);
}

#[test]
fn a_listing_asks_but_not_about_fresh_ones() {
    let world = World::new();
    let status = || {
        let list = world.service.refreshed_domains(world.workspace).unwrap();
        list.iter().map(|domain| domain.status).collect::<Vec<_>>()
    };
    let cloud = |host: &str| {
        world.service.register_domain(world.workspace, host, Provider::Cloudflare).unwrap();
    };
    (0..20).for_each(|n| cloud(&format!("go{n}.acme.com")));
    assert_eq!(status(), [DomainStatus::Pending; 20]);
    world.says(DomainStatus::Active);
    assert_eq!(status(), [DomainStatus::Active; 20]);
    world.says(DomainStatus::Blocked);
    assert_eq!(status(), [DomainStatus::Active; 20], "known for less than five minutes");
    pass(FRESH);
    world.silent();
    assert_eq!(status(), [DomainStatus::Active; 20], "nobody answers");
    world.says(DomainStatus::Blocked);
    assert_eq!(status(), [DomainStatus::Blocked; 20]);
}

#[test]
fn what_the_provider_refuses_is_not_kept() {
    let world = World::new();
    world.silent();
    assert_eq!(world.register("go.acme.com"), Err(Fault::Provider("timeout".to_owned())));
    world.says(DomainStatus::Pending);
    let domain = world.register("go.acme.com").unwrap();
    world.silent();
    let removed = world.service.remove_domain(world.workspace, domain.id);
    assert_eq!(removed, Err(Fault::Provider("timeout".to_owned())));
    assert_eq!(world.service.own_domain(world.workspace, domain.id).unwrap().id, domain.id);
}

#[test]
fn a_look_writes_news_and_now_and_then_that_there_are_none() {
    let world = World::new();
    world.says(DomainStatus::Pending);
    let id = world.register("go.acme.com").unwrap().id;
    let head = || world.service.store.head().unwrap().0;
    let look = || {
        let before = head();
        world.service.verify_domain(world.workspace, id).unwrap();
        head() - before
    };
    assert_eq!([look(), look()], [0, 0]);
    pass(NOTED);
    assert_eq!([look(), look()], [1, 0]);
    world.says(DomainStatus::Active);
    assert_eq!([look(), look()], [1, 0]);
}

#[test]
fn an_idempotency_key_goes_with_what_the_provider_took() {
    let world = World::new();
    let once = crate::Once::new(waypost_link::KeyId(1), "route", "key", b"body", 200);
    let make = |service: &Service| {
        service.register_domain(world.workspace, "go.acme.com", Provider::Cloudflare)
    };
    // The commit that remembers has made no id: the name finds what was made.
    let again = |_: &[u64]| world.service.domain_named(world.workspace, "go.acme.com");
    let register = || world.service.once(&once, make, again);
    world.silent();
    assert_eq!(register(), Err(Fault::Provider("timeout".to_owned())));
    assert_eq!(register(), Err(Fault::Provider("timeout".to_owned())), "it was not kept");
    world.says(DomainStatus::Pending);
    let made = register().unwrap();
    assert_eq!(register().unwrap().id, made.id);
    assert_eq!(world.service.domains(world.workspace).unwrap().len(), 1);
}
