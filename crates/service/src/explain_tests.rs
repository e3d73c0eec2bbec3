//! What is explained, and that nothing comes of it.

use waypost_link::{
    AmazonTag, ClickId, Destination, Flags, Placement, Rule, Schemes, Script, Slug, Workspace,
    WorkspaceId,
};
use waypost_storage::{
    Address, AgentDetails, Batch, BatchBuilder, Epoch, LinkStore, Mark, Row, Text,
    memory::MemoryStore,
};

use super::*;
use crate::Policy;

/// 2026-06-15T12:00:00Z
const NOW: Timestamp = Timestamp::from_seconds(1_781_524_800);
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
    (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

fn service() -> Service {
    let store = Arc::new(MemoryStore::new(|_| AgentDetails::default()));
    let settings = [("timezone".to_owned(), "Europe/Berlin".to_owned())].into();
    let workspace = Workspace { name: "default".into(), settings, ..Workspace::default() };
    let tag = AmazonTag {
        workspace: WorkspaceId(1),
        store: "UK".into(),
        tag: "tag-21".into(),
        active: true,
        geo_enabled: true,
        ..AmazonTag::default()
    };
    let changes = [Record::Workspace(workspace), Record::Tag(tag)].map(Change::PutRecord);
    store.commit(&changes, NOW).unwrap();
    Service::new(store.clone(), store, Policy::default(), || NOW)
}

fn destination(url: &str) -> Destination {
    Destination::parse(url, &Schemes::default()).unwrap()
}

fn link(edit: impl FnOnce(&mut Link)) -> Link {
    let (slug, to) = (Slug::parse("café").unwrap(), destination("https://example.com/?a=b"));
    let mut link = Link::new(WorkspaceId(1), DomainId(7), slug, to, NOW);
    link.id = LinkId(1);
    edit(&mut link);
    link
}

/// Rules of one condition each, all of the same name: what fires is told by its place.
fn ruled(rules: &[(&str, &str)]) -> Link {
    let rule = |(place, (condition, value)): (usize, &(&str, &str))| {
        let to = destination(&format!("https://rule.example/{place}"));
        Rule::parse("same", condition, value, None, to).unwrap()
    };
    link(|link| link.rules = rules.iter().enumerate().map(rule).collect())
}

#[test]
fn which_rule_fires() {
    let link = ruled(&[
        ("geo", "US,CA"),
        ("device", "Mobile"),
        ("referer", "google.com"),
        ("time", "14:00-14:01"),
        ("ip", "192.0.2.0/24"),
        ("query", "ref=mail"),
        ("language", "de"),
    ]);
    let later = Some(NOW.plus(3_600 * Timestamp::SECOND));
    let visit = || Visit { at: later, ..Visit::default() };
    for (visit, rule) in [
        (visit(), None),
        (Visit { country: "ca".into(), user_agent: IPHONE.into(), ..visit() }, Some(0)),
        (Visit { country: "DE".into(), user_agent: IPHONE.into(), ..visit() }, Some(1)),
        (Visit { referrer: "https://www.google.com/".into(), ..visit() }, Some(2)),
        // Noon is two in the afternoon in Berlin.
        (Visit::default(), Some(3)),
        (Visit { ip: Some([192, 0, 2, 7].into()), ..visit() }, Some(4)),
        (Visit { ip: Some([127, 0, 0, 1].into()), ..visit() }, None),
        (Visit { query: Some("x=y&ref=mail".into()), ..visit() }, Some(5)),
        (Visit { language: "de-AT,en;q=0.5".into(), ..visit() }, Some(6)),
    ] {
        let found = service().explain(&link, &visit).unwrap();
        let to = rule.map_or("https://example.com/?a=b".to_owned(), |place: usize| {
            format!("https://rule.example/{place}")
        });
        assert_eq!((found.rule, found.location), (rule, Some(to)), "{visit:?}");
        assert_eq!(found.reply, Reply::Redirect(302));
    }
}

#[test]
fn what_is_answered() {
    let visit = Visit { query: Some("ref=mail".into()), country: "GB".into(), ..Visit::default() };
    let script = Script { id: "s".into(), placement: Placement::Head, script: "x".into() };
    let forwards = Flags::default().with(Flags::FORWARD_QUERY, true);
    let own = "https://example.com/?a=b";
    let product = "https://www.amazon.co.uk/dp/B000000000?tag=tag-21&linkCode=ll1\
        &ascsubtag=link-caf%C3%A9-UK";
    for (link, reply, location) in [
        (link(|_| {}), Reply::Redirect(302), own),
        (link(|link| link.status = waypost_link::Status::Moved), Reply::Redirect(301), own),
        (
            link(|link| link.flags = forwards),
            Reply::Redirect(302),
            "https://example.com/?a=b&ref=mail",
        ),
        (
            link(|link| link.utm.source = "s".into()),
            Reply::Redirect(302),
            "https://example.com/?a=b&utm_source=s",
        ),
        (link(|link| link.scripts = vec![script]), Reply::Page, own),
        (link(|link| link.asin = Some("B000000000".into())), Reply::Redirect(302), product),
        (link(|link| link.password = Some("$argon2id$…".into())), Reply::Redirect(302), own),
        (link(|link| link.max_clicks = Some(3)), Reply::Redirect(302), own),
        (link(|link| link.max_clicks = Some(2)), Reply::NotFound, ""),
        (link(|link| link.flags = Flags(0)), Reply::NotFound, ""),
        (link(|link| link.expires_at = Some(NOW)), Reply::NotFound, ""),
        (link(|link| link.valid_from = Some(NOW.plus(1))), Reply::NotFound, ""),
    ] {
        let service = service();
        spend(&service, 2);
        for _ in 0..3 {
            let found = service.explain(&link, &visit).unwrap();
            assert_eq!((found.reply, found.location.as_deref().unwrap_or("")), (reply, location));
            assert_eq!(found.password, link.password.is_some());
        }
        assert_eq!(service.clicks.totals(&[link.id]).unwrap()[0].clicks, 2, "none was recorded");
    }
}

/// Appends redirects of link 1 that count towards its limit.
fn spend(service: &Service, clicks: u64) {
    for sequence in 1..=clicks {
        let mut builder = BatchBuilder::default();
        let text = Text { index: builder.text(b"", 1), text: "" };
        let row = Row {
            id: ClickId { received: NOW, link: LinkId(1), salt: sequence as u32 },
            workspace: WorkspaceId(1),
            visitor: 0,
            address: Address::Nothing,
            country: None,
            user_agent: text,
            referrer: text,
            language: text,
            rule: text,
            spent: true,
        };
        assert!(builder.push(&row));
        let mut bytes = Vec::new();
        builder.finish(&mut bytes);
        let mark = Mark { epoch: Epoch(1), sequence };
        service.clicks.append(mark, &Batch::decode(bytes).unwrap()).unwrap();
    }
}
