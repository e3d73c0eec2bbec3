//! A small world to decide in: an index with what a test puts there, an engine, and the clicks it recorded.

use std::{cell::RefCell, net::IpAddr, sync::Arc};

use waypost_clicks::Drain;
use waypost_index::Index;
use waypost_link::*;
use waypost_redirect::{Answer, Engine, Facts, Method, Scratch, Settings};

/// 2026-06-15T12:00:00Z, when everything happens.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_781_524_800);
pub(crate) const WORKSPACE: WorkspaceId = WorkspaceId(1);
pub(crate) const OTHER: WorkspaceId = WorkspaceId(2);

pub(crate) const DESKTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
pub(crate) const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
pub(crate) const ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";

pub(crate) struct World {
    pub(crate) engine: Engine,
    drain: RefCell<Drain>,
    commits: RefCell<u64>,
    /// One for all, as a worker has it.
    scratch: RefCell<Scratch>,
}

/// A recorded click, as far as decisions make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: ClickId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) ip: IpAddr,
    pub(crate) country: Option<[u8; 2]>,
    pub(crate) spent: bool,
    pub(crate) rule: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self::over(Index::new(), settings)
    }

    pub(crate) fn over(index: Index, settings: Settings) -> Self {
        let (recorder, drain) = waypost_clicks::queue(4, 64 << 20);
        let engine = Engine::new(Arc::new(index), recorder, settings);
        Self {
            engine,
            drain: RefCell::new(drain),
            commits: RefCell::new(0),
            scratch: RefCell::default(),
        }
    }

    pub(crate) fn commit(&self, change: Change) {
        let mut commits = self.commits.borrow_mut();
        *commits += 1;
        self.engine.index().apply(Revision(*commits), &[change]);
    }

    /// A new link of the default domain and workspace 1, unless `edit` says otherwise.
    pub(crate) fn link(&self, code: &str, edit: impl FnOnce(&mut Link)) -> Link {
        let to = destination(&format!("https://example.com/{}", code.len()));
        let slug = Slug::parse(code).unwrap();
        let mut link = Link::new(WORKSPACE, DomainId::DEFAULT, slug, to, Timestamp(0));
        link.id = LinkId(*self.commits.borrow() + 1);
        link.version = 1;
        edit(&mut link);
        self.commit(Change::CreateLink(Box::new(link.clone())));
        link
    }

    pub(crate) fn update(&self, link: &mut Link, edit: impl FnOnce(&mut Link)) {
        let was = link.name();
        edit(link);
        link.version += 1;
        self.commit(Change::UpdateLink { link: Box::new(link.clone()), was });
    }

    pub(crate) fn workspace(&self, id: WorkspaceId, timezone: &str) {
        let settings = [("timezone".to_owned(), timezone.to_owned())].into();
        let workspace = Workspace { id, name: id.to_string(), settings, ..Workspace::default() };
        self.commit(Change::PutRecord(Record::Workspace(workspace)));
    }

    pub(crate) fn domain(&self, id: u64, host: &str, workspace: WorkspaceId, status: DomainStatus) {
        self.commit(Change::PutRecord(Record::Domain(Domain {
            id: DomainId(id),
            workspace,
            hostname: Hostname::parse(host).unwrap(),
            status,
            provider: Provider::Own,
            token: String::new(),
            provider_id: None,
            ssl_status: None,
            verification_errors: None,
            created_at: Timestamp(0),
            synced_at: None,
        })));
    }

    /// The answer to `facts` in short.
    pub(crate) fn ask(&self, facts: &Facts<'_>) -> String {
        say(&self.engine.decide(facts, &mut self.scratch.borrow_mut()))
    }

    /// The answer to a GET of `target` in short.
    pub(crate) fn get(&self, target: &str) -> String {
        self.ask(&get(target))
    }

    /// The clicks recorded since the last call.
    pub(crate) fn clicks(&self) -> Vec<Seen> {
        let mut seen = Vec::new();
        self.drain.borrow_mut().take(|click| {
            seen.push(Seen {
                id: click.id(),
                workspace: click.workspace,
                ip: click.ip,
                country: click.country,
                spent: click.spent,
                rule: click.rule.to_owned(),
            });
        });
        seen
    }
}

/// A GET by a desktop browser.
pub(crate) fn get(target: &str) -> Facts<'_> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.as_bytes())),
        None => (target, None),
    };
    Facts {
        host: b"localhost:8080",
        path,
        query,
        user_agent: DESKTOP.as_bytes(),
        peer: [192, 0, 2, 1].into(),
        at: NOW,
        ..Facts::default()
    }
}

pub(crate) fn post<'a>(target: &'a str, password: &'a str) -> Facts<'a> {
    Facts { method: Method::Post, password: Some(password.as_bytes()), ..get(target) }
}

pub(crate) fn destination(url: &str) -> Destination {
    Destination::parse(url, &Schemes::default()).unwrap()
}

pub(crate) fn rule(id: &str, condition: &str, value: &str) -> Rule {
    let to = destination(&format!("https://rule.example/{id}"));
    Rule::parse(id, condition, value, None, to).unwrap()
}

/// An answer on one line.
pub(crate) fn say(answer: &Answer<'_>) -> String {
    let status = answer.status().map_or_else(|| "check".to_owned(), |status| status.to_string());
    let json = |json: bool| if json { " json" } else { "" };
    let rest = match answer {
        Answer::Redirect(redirect) => format!(" {}", redirect.location),
        Answer::Interstitial(page) => {
            let app = page.app.map_or(String::new(), |app| format!(" {app:?}"));
            let (scripts, pixels) = (page.scripts.len(), page.pixels.len());
            format!(" page {} {scripts}+{pixels}{app}", page.location)
        }
        Answer::NotFound(missing) => format!("{} {:?}", json(missing.json), missing.code),
        Answer::DomainNotRegistered { json: wanted } => format!("{} domain", json(*wanted)),
        Answer::MethodNotAllowed { allow } => format!(" {allow}"),
        Answer::PasswordForm(form) => format!(" form {:?}", form.code),
        Answer::PasswordCheck(check) => format!(" {}", check.hash),
        Answer::LeaseSpent(link) => format!(" lease of {link}"),
        Answer::TooManyTries { retry_after } => format!(" {retry_after}"),
        Answer::Stats(page) => format!(" stats {}", page.code),
    };
    assert!(Answer::OUTCOMES.contains(&answer.outcome()));
    status + &rest
}
