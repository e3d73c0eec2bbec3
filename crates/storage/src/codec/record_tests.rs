//! Records, answers and feed entries come back as they were, and no bytes make a decoder panic.

use proptest::{option, prelude::*};
use waypost_link::{Change, Name, Slug, Timestamp};

use super::*;
use crate::codec::{self, Entry, Header, Step};

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,30}"
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp)
}

fn workspace() -> impl Strategy<Value = Record> {
    let settings = prop::collection::btree_map(text(), text(), 0..4);
    (any::<u64>(), text(), time(), settings).prop_map(|(id, name, created_at, settings)| {
        Record::Workspace(Workspace { id: WorkspaceId(id), name, created_at, settings })
    })
}

fn key() -> impl Strategy<Value = Record> {
    let times = (time(), option::of(time()), option::of(time()));
    let texts = (text(), text(), text());
    (any::<[u64; 2]>(), texts, any::<[u8; 32]>(), option::of(any::<u16>()), times).prop_map(
        |(
            [id, workspace],
            (login, prefix, label),
            token_hash,
            role,
            (created_at, used, revoked),
        )| {
            Record::Key(Key {
                id: KeyId(id),
                workspace: WorkspaceId(workspace),
                login,
                token_hash,
                prefix,
                label,
                role: role.map_or(Role::Owner, |bits| Role::Staff(Permissions(bits))),
                created_at,
                last_used_at: used,
                revoked_at: revoked,
            })
        },
    )
}

fn domain() -> impl Strategy<Value = Record> {
    let host =
        prop::sample::select(vec!["go.example.com", "bücher.example", "a_b.example", "[::1]"]);
    let texts = prop::array::uniform3(option::of(text()));
    let state = (prop::sample::select(STATUSES.to_vec()), any::<bool>());
    (any::<[u64; 2]>(), host, state, text(), texts, time(), option::of(time())).prop_map(
        |([id, workspace], host, (status, cloud), token, texts, created_at, synced_at)| {
            let [provider_id, ssl_status, verification_errors] = texts;
            Record::Domain(Domain {
                id: DomainId(id),
                workspace: WorkspaceId(workspace),
                hostname: Hostname::parse(host).unwrap(),
                status,
                provider: if cloud { Provider::Cloudflare } else { Provider::Own },
                token,
                provider_id,
                ssl_status,
                verification_errors,
                created_at,
                synced_at,
            })
        },
    )
}

fn collection() -> impl Strategy<Value = Record> {
    let texts = (text(), text(), option::of(text()), option::of(text()));
    (any::<[u64; 2]>(), texts, any::<[bool; 2]>(), time()).prop_map(
        |([id, workspace], (name, color, description, alias), [starred, rotator], created_at)| {
            Record::Collection(Collection {
                id: CollectionId(id),
                workspace: WorkspaceId(workspace),
                name,
                description,
                color,
                starred,
                rotator_enabled: rotator,
                alias,
                created_at,
            })
        },
    )
}

fn shop() -> impl Strategy<Value = Record> {
    let texts = (text(), text(), text());
    (any::<[u64; 2]>(), texts, any::<[bool; 3]>(), time()).prop_map(
        |([id, owner], (first, second, label), [pixel, active, geo_enabled], created_at)| {
            let workspace = WorkspaceId(owner);
            if pixel {
                let (id, platform, pixel_id) = (PixelId(id), first, second);
                Record::Pixel(Pixel {
                    id,
                    workspace,
                    platform,
                    pixel_id,
                    label,
                    active,
                    created_at,
                })
            } else {
                let (id, store, tag) = (TagId(id), first, second);
                Record::Tag(AmazonTag {
                    id,
                    workspace,
                    store,
                    tag,
                    active,
                    geo_enabled,
                    created_at,
                })
            }
        },
    )
}

fn fleet() -> impl Strategy<Value = Record> {
    let kind = 0..4;
    (any::<[u64; 4]>(), text(), any::<Vec<u8>>(), (time(), option::of(time())), any::<u32>(), kind)
        .prop_map(|([id, a, b, c], name, value, (at, sent_at), attempts, kind)| match kind {
            0 => Record::Alert(Alert {
                id: AlertId(id),
                workspace: WorkspaceId(a),
                link: LinkId(b),
                threshold: c,
                created_at: at,
                attempts,
                sent_at,
            }),
            1 => {
                let version = format!("{name}!");
                Record::Node(Node { id: NodeId(id), name, version, applied: a, seen_at: at })
            }
            2 => Record::Lease(Lease {
                id: LeaseId(id),
                link: LinkId(a),
                node: NodeId(b),
                since: c,
                granted: a,
                counted: b,
                version: c,
                news: [None, Some(News::Wanted { by: NodeId(a) }), Some(News::Returned)]
                    [attempts as usize % 3],
            }),
            _ => Record::Setting(Setting { id: SettingId(id), name, value }),
        })
}

fn any_record() -> impl Strategy<Value = Record> {
    prop_oneof![workspace(), key(), domain(), collection(), shop(), fleet()]
}

proptest! {
    #[test]
    fn a_record_comes_back(record in any_record()) {
        let mut bytes = codec::record_bytes(&record);
        let (noun, id) = (record.noun(), record.id());
        prop_assert_eq!(read_record(noun, id, &bytes), Some(record.clone()));
        for cut in 0..bytes.len() {
            prop_assert_eq!(read_record(noun, id, &bytes[..cut]), None);
        }
        bytes.push(0);
        prop_assert_eq!(read_record(noun, id, &bytes), None);
    }

    #[test]
    fn an_answer_comes_back(
        scope: [u8; 32], request: [u8; 32], status: u16, ids: Vec<u64>, at in time(),
    ) {
        let answer = Remembered { scope, request, status, ids, expires_at: at };
        let mut bytes = Vec::new();
        codec::remembered(&mut bytes, &answer, &answer.ids);
        prop_assert_eq!(read_remembered(scope, &bytes), Some(answer));
    }

    #[test]
    fn an_entry_comes_back(records in prop::collection::vec(any_record(), 0..4), at in time()) {
        let was = Name { domain: DomainId(3), slug: Slug::parse("été").unwrap() };
        let mut bytes = Vec::new();
        codec::header(&mut bytes, Header { at, changes: records.len() as u64 + 2 });
        let mut changes = Vec::new();
        for record in records {
            codec::step(&mut bytes, Step::Put(record.noun(), record.id(), &codec::record_bytes(&record)));
            changes.push(Change::PutRecord(record));
        }
        codec::step(&mut bytes, Step::Deleted(LinkId(7), WorkspaceId(8), &was));
        changes.push(Change::DeleteLink { id: LinkId(7), workspace: WorkspaceId(8), was });
        codec::step(&mut bytes, Step::Gone(Noun::Key, 9));
        changes.push(Change::DeleteRecord { noun: Noun::Key, id: 9 });
        let entry = Entry::read(&bytes).unwrap();
        prop_assert_eq!((entry.header.at, entry.changes), (at, changes));
        for cut in 0..bytes.len() {
            prop_assert_eq!(Entry::read(&bytes[..cut]), None);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, format in 0..3u8) {
        let bytes = [&[format][..], &bytes].concat();
        for noun in Noun::ALL {
            let _ = read_record(noun, 1, &bytes);
        }
        let _ = (read_remembered([0; 32], &bytes), Entry::read(&bytes));
        let _ = codec::read_link(LinkId(1), &bytes);
    }
}
