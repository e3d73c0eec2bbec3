//! Links come back as they were, and no bytes make the decoder panic.

use proptest::{option, prelude::*};
use waypost_link::{Attributes, Schemes, Timestamp};

use super::*;
use crate::codec;

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,40}"
}

fn texts() -> impl Strategy<Value = [Option<String>; 6]> {
    prop::array::uniform6(option::of(text()))
}

fn destination() -> impl Strategy<Value = Destination> {
    "https://example\\.com/[a-zé?&=#%~]{0,30}"
        .prop_map(|text| Destination::parse(&text, &Schemes::default()).unwrap())
}

fn rule() -> impl Strategy<Value = Rule> {
    let condition = prop::sample::select(vec![
        ("geo", "us, CA", None),
        ("device", "Mobile", None),
        ("time", "22:00-06:00", None),
        ("percentage", "ignored", Some(33.34)),
        ("percentage", "12.5", None),
        ("query", "a=b", Some(7.0)),
        ("ip", "10.0.0.0/8,::1", None),
        ("date", "2026-01-01..2026-02-01", None),
    ]);
    (text(), condition, destination()).prop_map(|(id, (name, value, share), destination)| {
        let id: String = id.chars().take(16).collect();
        Rule::parse(&id, name, value, share, destination).unwrap()
    })
}

fn script() -> impl Strategy<Value = Script> {
    (text(), any::<bool>(), text()).prop_map(|(id, body, script)| {
        let placement = if body { Placement::Body } else { Placement::Head };
        Script { id, placement, script }
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    prop::collection::vec(("[a-z_]{1,12}", text()), 0..6).prop_map(|pairs| {
        let mut attributes = Attributes::default();
        assert!(pairs.iter().all(|(name, value)| attributes.set(name, Some(value))));
        attributes
    })
}

fn plain() -> impl Strategy<Value = Link> {
    let ids = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    let times = (any::<i64>(), any::<i64>());
    let rest = (prop::sample::select(Status::ALL.to_vec()), any::<u16>());
    (ids, "[A-Za-z0-9_-]{8,64}|é{1,64}", destination(), times, rest).prop_map(
        |(
            (id, workspace, domain, version),
            slug,
            destination,
            (created, updated),
            (status, flags),
        )| {
            let slug = Slug::parse(&slug).unwrap();
            let (workspace, domain) = (WorkspaceId(workspace), DomainId(domain));
            let link = Link::new(workspace, domain, slug, destination, Timestamp(created));
            let (id, flags, updated_at) = (LinkId(id), Flags(flags), Timestamp(updated));
            Link { id, version, status, flags, updated_at, ..link }
        },
    )
}

/// Any link at all.
pub(crate) fn any_link() -> impl Strategy<Value = Link> {
    let times = prop::array::uniform4(option::of(any::<i64>().prop_map(Timestamp)));
    let numbers = prop::array::uniform3(option::of(any::<u64>()));
    let utm = option::of(prop::array::uniform5(text()));
    let lists = (
        prop::collection::vec(rule(), 0..3),
        prop::collection::vec(script(), 0..3),
        prop::collection::vec(text(), 0..3),
    );
    (plain(), times, numbers, utm, lists, texts(), option::of(text()), attributes()).prop_map(
        |(link, times, numbers, utm, (rules, scripts, tags), texts, password, attributes)| {
            let [deactivated_at, archived_at, valid_from, expires_at] = times;
            let [max_clicks, alert_at, collection] = numbers;
            let [title, description, notes, source_label, asin, product_image_url] = texts;
            let utm = utm.map_or_else(Utm::default, |[source, medium, campaign, term, content]| {
                Utm { source, medium, campaign, term, content }
            });
            Link {
                deactivated_at,
                archived_at,
                valid_from,
                expires_at,
                max_clicks,
                alert_at,
                password,
                collection: collection.map(CollectionId),
                utm,
                rules,
                scripts,
                tags,
                title,
                description,
                notes,
                source_label,
                asin,
                product_image_url,
                attributes,
                ..link
            }
        },
    )
}

proptest! {
    #[test]
    fn a_link_comes_back(link in any_link()) {
        let mut bytes = codec::link_bytes(&link, link.version);
        prop_assert_eq!(codec::read_link(link.id, &bytes), Some(link.clone()));
        for cut in 0..bytes.len() {
            prop_assert_eq!(codec::read_link(link.id, &bytes[..cut]), None);
        }
        bytes.push(0);
        prop_assert_eq!(codec::read_link(link.id, &bytes), None);
    }

    #[test]
    fn no_bytes_make_it_panic(link in any_link(), at: prop::sample::Index, byte: u8) {
        let mut bytes = codec::link_bytes(&link, 1);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = codec::read_link(link.id, &bytes);
    }
}
