//! linktrack in memory: what needs custom hostnames, several keys or groups, which a fixture can't prepare.
#![forbid(unsafe_code)]

use std::sync::Arc;

use waypost_api::{Api, Settings};
use waypost_h1::{Conversation, Limits};
use waypost_link::{
    ClickId, Domain, Flags, Hostname, Permissions, Provider, Role, Timestamp, WorkspaceId,
};
use waypost_service::{
    Lane, NewCollection, NewKey, Policy, Prober, Proof, Service, verify_password,
};
use waypost_storage::{AgentDetails, ClickStore, Event, NewClick, memory::MemoryStore};

const TOKEN: &str = "wp_0123456789abcdefghijklmn";

fn now() -> Timestamp {
    Timestamp(1_733_000_000_000_000)
}

/// A provider that never gets further.
struct Pending;

impl Prober for Pending {
    fn announce(&self, _: &Domain) -> Result<Proof, String> {
        Ok(Proof::default())
    }

    fn probe(&self, _: &Domain) -> Result<Proof, String> {
        Ok(Proof::default())
    }

    fn withdraw(&self, _: &Domain) -> Result<(), String> {
        Ok(())
    }
}

/// What calls itself a bot is one.
fn read_agent(agent: &[u8]) -> AgentDetails {
    AgentDetails { bot: agent == b"bot", ..AgentDetails::default() }
}

struct World {
    api: Arc<Api>,
    store: Arc<MemoryStore>,
    service: Service,
    workspace: WorkspaceId,
}

impl World {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new(read_agent));
        let policy = Policy {
            own_hosts: vec![Hostname::parse("go.example.com").unwrap()],
            public_url: "https://go.example.com".to_owned(),
            ..Policy::default()
        };
        let service =
            Service::new(store.clone(), store.clone(), policy, now).and_ask(Arc::new(Pending));
        let workspace = service.default_workspace().unwrap().id;
        let settings = Settings {
            service: service.clone(),
            quota: None,
            trusted_proxies: Vec::new(),
            utc_offset: -6 * 3_600,
            lane: Lane::start(1, 16).unwrap(),
        };
        let world = Self { api: Api::new(settings), store, service, workspace };
        world.key(workspace, "me", Role::Owner);
        world.domain(workspace, "alternate_domain.com", true);
        world.domain(workspace, "pending.example", false);
        world
    }

    fn key(&self, workspace: WorkspaceId, login: &str, role: Role) {
        let (label, prefix) = (String::new(), "wp_".to_owned());
        let token = format!("{TOKEN}{login}");
        let (login, token) = (Some(login.to_owned()), Some(token));
        self.service.create_key(NewKey { workspace, role, label, prefix, login, token }).unwrap();
    }

    fn domain(&self, workspace: WorkspaceId, host: &str, active: bool) {
        let domain = self.service.register_domain(workspace, host, Provider::Own).unwrap();
        if active {
            self.service.activate_domain(workspace, domain.id).unwrap();
        }
    }

    fn ask(&self, request: &str) -> String {
        let mut conversation = Conversation::new(self.api.mount(true, true), Limits::default());
        String::from_utf8(conversation.feed(request.as_bytes())).unwrap()
    }

    /// `GET` of a call as this login; status and body.
    fn get(&self, login: &str, call: &str) -> (u16, String) {
        let joint = if call.contains('?') { '&' } else { '?' };
        let target = format!("/api/v1_0/{call}{joint}login={login}&pass={TOKEN}{login}");
        let answer = self.ask(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn check(&self, login: &str, call: &str, status: u16, texts: &[&str]) {
        let (given, body) = self.get(login, call);
        assert_eq!(given, status, "{call}: {body}");
        for text in texts {
            assert!(body.contains(text), "{call}: {text} is not in {body}");
        }
    }
}

/// The document's example, as PHP's curl sends an array.
fn all_parameters() -> String {
    let pass = format!("{TOKEN}me");
    let fields = [
        ("login", "me"),
        ("pass", &pass),
        ("external_url", "http://www.google.com"),
        ("expires_at", "2024-12-24 10:35:16"),
        ("vanity_link", "my_vanity_link"),
        ("title", "My Title"),
        ("description", "A description here"),
        ("notes", "Some notes here"),
        ("password", "letmein"),
        ("host", "alternate_domain.com"),
        ("alert_at", "100"),
        ("deactivate_at", "100"),
        ("is_public", "1"),
        ("has_public_tracking", "1"),
        ("is_active", "1"),
        ("has_alert_email", "1"),
        ("has_plus_tracking", "1"),
        ("has_conversion_tracking", "1"),
        ("group", "My Group"),
    ];
    let part = |(name, value): &(&str, &str)| {
        format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body: String = fields.iter().map(part).collect();
    let body = format!("{body}--X--\r\n");
    format!(
        "POST /api/v1_0/makeLink HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
         Content-Type: multipart/form-data; boundary=X\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn nineteen_parameters() {
    let world = World::new();
    let answer = world.ask(&all_parameters());
    assert!(answer.contains("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhttps://alternate_domain.com/my_vanity_link"), "{answer}");
    let named = "alternate_domain.com/my_vanity_link";
    let link = world.service.find_link(world.workspace, named).unwrap();
    assert_eq!(link.destination.as_str(), "http://www.google.com");
    let texts = [&link.title, &link.description, &link.notes].map(|text| text.as_deref());
    assert_eq!(texts, [Some("My Title"), Some("A description here"), Some("Some notes here")]);
    assert!(verify_password("letmein", link.password.as_deref().unwrap()));
    assert_eq!((link.alert_at, link.max_clicks), (Some(100), Some(100)));
    // 10:35:16 in Central Standard Time.
    assert_eq!(link.expires_at, Some(Timestamp::from_seconds(1_735_058_116)));
    let (forward, pixels) = (Flags::FORWARD_QUERY, Flags::PIXELS);
    assert_eq!(link.flags.with(forward, true).with(pixels, true), Flags(255));
    assert!(!link.flags.has(forward) && !link.flags.has(pixels));
    let group = world.service.collection(world.workspace, link.collection.unwrap()).unwrap();
    assert_eq!(group.name, "My Group");
    // Named by its code alone too, since the default domain has none of it.
    for hash in ["my_vanity_link", named] {
        let call = format!("getLink?redirect_hash={hash}");
        let host = "<host>alternate_domain.com</host>";
        let link = "<link>https://alternate_domain.com/my_vanity_link</link>";
        let expires = "<expires_at>2024-12-24 10:35:16</expires_at>";
        world.check("me", &call, 200, &[host, link, expires]);
    }
}

#[test]
fn a_host_is_an_active_domain_of_the_workspace() {
    let world = World::new();
    let other = world.service.create_workspace("other").unwrap().id;
    world.domain(other, "other.example", true);
    for (host, status, text) in [
        ("alternate_domain.com", 200, "https://alternate_domain.com/"),
        ("Alternate_Domain.com.", 200, "https://alternate_domain.com/"),
        ("go.example.com", 200, "https://go.example.com/"),
        ("", 200, "https://go.example.com/"),
        ("pending.example", 400, "Error: Invalid host: "),
        ("other.example", 400, "Error: Invalid host: "),
        ("nobody.example", 400, "Error: Invalid host: "),
        ("%20", 400, "Error: Invalid host: "),
    ] {
        let call = format!("makeLink?external_url=http://a.example/&host={host}");
        world.check("me", &call, status, &[text]);
    }
}

#[test]
fn a_group_is_the_oldest_of_its_name() {
    let world = World::new();
    let named = || NewCollection { name: "News".to_owned(), ..NewCollection::default() };
    let first = world.service.create_collection(world.workspace, named()).unwrap();
    world.service.create_collection(world.workspace, named()).unwrap();
    for (code, group) in [("a", "News"), ("b", "News"), ("e", "Other"), ("f", "")] {
        let call =
            format!("makeLink?external_url=http://a.example/&vanity_link={code}&group={group}");
        world.check("me", &call, 200, &[]);
    }
    let link = world.service.find_link(world.workspace, "a").unwrap();
    assert_eq!(link.collection, Some(first.id));
    assert_eq!(world.service.collections(world.workspace).unwrap().len(), 3);
    for (query, codes) in [
        ("", &["f", "e", "b", "a"][..]),
        ("order=asc", &["a", "b", "e", "f"]),
        ("order=asc&limit=2", &["a", "b"]),
        ("groups=News", &["b", "a"]),
        ("groups=News,Other&order=asc", &["a", "b", "e"]),
        ("groups=News&links=e,a,a", &["a"]),
        ("links=f,a,nothing", &["f", "a"]),
        ("sort=g.name&order=asc", &["f", "a", "b", "e"]),
        ("sort=l.redirect_hash", &["f", "e", "b", "a"]),
        ("sort=lc.count_total&order=asc&limit=1", &["a"]),
    ] {
        let (_, body) = world.get("me", &format!("getLinks?{query}"));
        let found = body.split("<redirect_hash>").skip(1).filter_map(|rest| rest.split('<').next());
        assert_eq!(found.collect::<Vec<_>>(), codes, "{query}");
    }
}

#[test]
fn keys_may_do_what_they_may() {
    let world = World::new();
    world.key(world.workspace, "reader", Role::Staff(Permissions::LINKS_READ));
    world.key(world.workspace, "maker", Role::Staff(Permissions::LINKS_WRITE));
    let other = world.service.create_workspace("other").unwrap().id;
    world.key(other, "stranger", Role::Owner);
    let make = "makeLink?external_url=http://a.example/&vanity_link=a";
    for (login, call, status, text) in [
        ("reader", make, 403, "Error: "),
        ("maker", make, 200, "https://go.example.com/a"),
        ("stranger", make, 409, "Error: vanity_link a is taken"),
        ("maker", "getLink?redirect_hash=a", 403, "Error: "),
        ("reader", "getLink?redirect_hash=a", 200, "<redirect_hash>a<"),
        ("stranger", "getLink?redirect_hash=a", 404, "Error: no such link"),
        ("reader", "getLinkHistory?redirect_hash=a", 403, "Error: "),
        ("stranger", "getLinks", 200, "<links></links>"),
        ("nobody", "getLinks", 401, "Error: login or pass is wrong"),
    ] {
        world.check(login, call, status, &[text]);
    }
}

#[test]
fn sizes_and_repetitions() {
    let world = World::new();
    let long = format!("makeLink?external_url=http://a.example/&title={}", "x".repeat(1_025));
    world.check("me", &long, 400, &["Error: Invalid title: "]);
    let pass = format!("{TOKEN}me");
    let make = |code: &str| {
        let query = format!("login=me&pass={pass}&external_url=http://a.example/{code}");
        let key = "Idempotency-Key: k";
        world.ask(&format!("GET /api/v1_0/makeLink?{query} HTTP/1.1\r\nHost: a\r\n{key}\r\n\r\n"))
    };
    let body = |answer: String| answer.split("\r\n\r\n").nth(1).unwrap().to_owned();
    assert_eq!(body(make("x")), body(make("x")));
    assert!(make("y").starts_with("HTTP/1.1 422 "));
}

/// What the first made is in nobody's way: neither its code, nor its group, nor how its form was written.
#[test]
fn a_form_is_repeated() {
    let world = World::new();
    let make = |boundary: &str| {
        let (line, rest) =
            all_parameters().split_once("\r\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let sent = format!("{line}\r\nIdempotency-Key: k\r\n{rest}");
        let sent = sent.replace("Expect: 100-continue\r\n", "");
        world.ask(
            &sent
                .replace("boundary=X", &format!("boundary={boundary}"))
                .replace("--X", &format!("--{boundary}")),
        )
    };
    for boundary in ["A", "B"] {
        let answer = make(boundary);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.ends_with("\r\n\r\nhttps://alternate_domain.com/my_vanity_link"),
            "{answer}"
        );
    }
    assert_eq!(world.service.collections(world.workspace).unwrap().len(), 1);
}

#[test]
fn a_click_behind_many_bots_is_in_the_history() {
    const BOTS: u32 = 65;
    let world = World::new();
    world.service.set_workspace("default", "exclude_bots", "true").unwrap();
    world.check("me", "makeLink?external_url=http://a.example/&vanity_link=a", 200, &[]);
    let link = world.service.find_link(world.workspace, "a").unwrap();
    let click = |salt: u32| {
        let (agent, age) = if salt == BOTS { ("curl", -Timestamp::SECOND) } else { ("bot", 0) };
        Event::Click(Box::new(NewClick {
            id: ClickId { received: now(), link: link.id, salt },
            workspace: world.workspace,
            // Later than whenever this runs: a history begins at that day's midnight.
            clicked_at: Timestamp::from_seconds(4_000_000_000).plus(age),
            user_agent: agent.to_owned(),
            visitor: 1,
            source: "redirect".to_owned(),
            ..NewClick::default()
        }))
    };
    world.store.record(&(0..=BOTS).map(click).collect::<Vec<_>>()).unwrap();
    for limit in ["", "1", "100"] {
        let call = format!("getLinkHistory?redirect_hash=a&limit={limit}");
        world.check("me", &call, 200, &["<user_agent>curl</user_agent>"]);
        assert_eq!(world.get("me", &call).1.matches("<item>").count(), 1, "{call}");
    }
}
