//! A copy is filled, follows, and is found whole after it was opened again.

use waypost_link::{
    Collection, CollectionId, Destination, DomainId, Name, Schemes, Setting, Slug, Timestamp,
    WorkspaceId,
};

use super::*;

const MAP: u64 = 8 << 30;
const NOUNS: &[Noun] = &[Noun::Collection];

fn link(id: u64, code: &str, version: u64) -> Link {
    let destination = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
    let slug = Slug::parse(code).unwrap();
    let link =
        Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, destination, Timestamp(id as i64));
    Link { id: LinkId(id), version, max_clicks: (id == 2).then_some(9), ..link }
}

fn collection(id: u64) -> Record {
    Record::Collection(Collection { id: CollectionId(id), ..Collection::default() })
}

fn name(code: &str) -> Name {
    Name { domain: DomainId::DEFAULT, slug: Slug::parse(code).unwrap() }
}

fn stamp(revision: u64) -> Stamp {
    Stamp { store: [7; 16], secret: [9; 16], revision: Revision(revision) }
}

/// Everything, page by page of `limit`.
fn all(snapshot: &LmdbSnapshot, limit: usize) -> (Vec<(Link, u64)>, Vec<Record>) {
    let (mut links, mut records) = (Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let SpentPage { page, spent } = snapshot.links(after, limit).unwrap();
        links.extend(page.items.into_iter().zip(spent));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut after = None;
    loop {
        let page = snapshot.records(Noun::Collection, after, limit).unwrap();
        records.extend(page.items);
        after = page.next;
        if after.is_none() {
            return (links, records);
        }
    }
}

fn filled(dir: &Path) -> LmdbSnapshot {
    let snapshot = LmdbSnapshot::open(dir, MAP).unwrap();
    snapshot.clear().unwrap();
    snapshot.add_records(&[collection(1), collection(2)]).unwrap();
    snapshot.add_links(&[link(1, "a", 3), link(2, "b", 1), link(3, "e", 1)]).unwrap();
    snapshot.note_spent(&[(LinkId(2), 4)]).unwrap();
    assert_eq!(snapshot.stamp(), Ok(None), "it is not whole before it is finished");
    snapshot.finish(stamp(5)).unwrap();
    snapshot
}

#[test]
fn what_was_copied_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()));
    let snapshot = LmdbSnapshot::open(dir.path(), MAP).unwrap();
    assert_eq!(snapshot.stamp(), Ok(Some(stamp(5))));
    for limit in [1, 2, 3, 100] {
        let (links, records) = all(&snapshot, limit);
        let expected = [(link(1, "a", 3), 0), (link(2, "b", 1), 4), (link(3, "e", 1), 0)];
        assert_eq!((links, records), (expected.to_vec(), vec![collection(1), collection(2)]));
    }
    snapshot.clear().unwrap();
    assert_eq!((snapshot.stamp(), all(&snapshot, 9)), (Ok(None), (Vec::new(), Vec::new())));
}

#[test]
fn it_follows_the_feed() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = filled(dir.path());
    let setting = Record::Setting(Setting { id: waypost_link::SettingId(1), ..Setting::default() });
    let feeds = [
        Feed {
            revision: Revision(6),
            changes: vec![
                Change::UpdateLink { link: Box::new(link(1, "d", 4)), was: name("a") },
                Change::DeleteLink { id: LinkId(2), workspace: WorkspaceId(1), was: name("b") },
                Change::PutRecord(setting),
            ],
        },
        Feed {
            revision: Revision(7),
            changes: vec![
                Change::CreateLink(Box::new(link(4, "b", 1))),
                Change::DeleteRecord { noun: Noun::Collection, id: 1 },
            ],
        },
    ];
    snapshot.follow(&feeds, NOUNS).unwrap();
    assert_eq!(snapshot.stamp(), Ok(Some(stamp(7))));
    let (links, records) = all(&snapshot, 10);
    let expected = [(link(1, "d", 4), 0), (link(3, "e", 1), 0), (link(4, "b", 1), 0)];
    assert_eq!((links, records), (expected.to_vec(), vec![collection(2)]));
    assert_eq!(snapshot.records(Noun::Setting, None, 9).unwrap().items, Vec::new());
}

#[test]
fn a_damaged_copy_is_made_anew() {
    let file = |dir: &Path| std::fs::write(dir.join("data.mdb"), vec![0x5a; 64 << 10]).unwrap();
    let stamp = |dir: &Path| {
        let snapshot = LmdbSnapshot::open(dir, MAP).unwrap();
        let row = Row::put(SnapshotTable::Meta, STAMP.to_vec(), vec![0x5a; 44]);
        snapshot.write(vec![row]).unwrap();
        assert!(matches!(snapshot.stamp(), Err(Error::Corrupt(_))));
    };
    for damage in [&file as &dyn Fn(&Path), &stamp] {
        let dir = tempfile::tempdir().unwrap();
        drop(filled(dir.path()));
        damage(dir.path());
        let snapshot = LmdbSnapshot::open(dir.path(), MAP).unwrap();
        assert_eq!((snapshot.stamp(), all(&snapshot, 9)), (Ok(None), (Vec::new(), Vec::new())));
    }
}
