//! Files that are damaged, foreign, from the future, or out of room: a clear error, never a crash.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use waypost_link::{Change, DomainId, Link, LinkId, Schemes, Slug, Timestamp, WorkspaceId};
use waypost_lmdb::{LmdbStore, Options};
use waypost_storage::{Error, LinkStore, Maintain};

const MAP: u64 = 8 << 30;

fn open(dir: &Path) -> Result<LmdbStore, Error> {
    LmdbStore::open(dir, &Options { map_size: MAP, ..Options::default() })
}

fn create(slug: &str, url: &str) -> Change {
    let destination = waypost_link::Destination::parse(url, &Schemes::default()).unwrap();
    let slug = Slug::parse(slug).unwrap();
    let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, destination, Timestamp(0));
    Change::CreateLink(Box::new(link))
}

fn some(count: u64) -> Vec<Change> {
    (0..count).map(|n| create(&format!("code{n}"), &format!("https://example.com/{n}"))).collect()
}

/// A directory with a store of `count` links, closed.
fn stored(count: u64) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    store.commit(&some(count), Timestamp(0)).unwrap();
    drop(store);
    let data = dir.path().join("links/data.mdb");
    (dir, data)
}

fn kind(result: &Result<LmdbStore, Error>) -> &'static str {
    match result {
        Ok(_) => "opened",
        Err(Error::Corrupt(_)) => "corrupt",
        Err(Error::Unusable(_)) => "unusable",
        Err(Error::Full(_)) => "full",
        Err(_) => "other",
    }
}

#[test]
fn a_file_that_was_cut_off_is_corrupt() {
    let (dir, data) = stored(500);
    let length = fs::metadata(&data).unwrap().len();
    for (cut, expected) in [
        (1, "corrupt"),
        (100, "corrupt"),
        (4_096, "corrupt"),
        (4_097, "corrupt"),
        (8_192, "corrupt"),
        (3 * 4_096, "corrupt"),
        (length / 2, "corrupt"),
        (length - 4_096, "corrupt"),
    ] {
        let whole = fs::read(&data).unwrap();
        fs::OpenOptions::new().write(true).open(&data).unwrap().set_len(cut).unwrap();
        assert_eq!(kind(&open(dir.path())), expected, "{cut} of {length}");
        fs::write(&data, whole).unwrap();
    }
    assert_eq!(open(dir.path()).unwrap().link_count(None), Ok(500));
}

#[test]
fn a_file_shorter_than_its_last_page_by_free_pages_is_whole() {
    let (dir, data) = stored(2_000);
    let store = open(dir.path()).unwrap();
    for round in 0..50 {
        let changes: Vec<_> = (40 * round + 1..=40 * (round + 1))
            .flat_map(|id| {
                let was = store.link(LinkId(id)).unwrap().unwrap().name();
                let gone = Change::DeleteLink { id: LinkId(id), workspace: WorkspaceId(1), was };
                let new =
                    (id % 500 != 0).then(|| create(&format!("new{id}"), "https://example.com/"));
                [gone].into_iter().chain(new)
            })
            .collect();
        store.commit(&changes, Timestamp(0)).unwrap();
    }
    let (links, head) = (store.link_count(None).unwrap(), store.head().unwrap());
    // Much is free at the end once the feed is forgotten and its pages are given back.
    store.forget(Timestamp(i64::MAX), Timestamp(0)).unwrap();
    for n in 0..4 {
        store.commit(&[create(&format!("end{n}"), "https://example.com/")], Timestamp(0)).unwrap();
    }
    drop(store);
    // Cut page by page from the end, as long as the file opens: what opens must be whole.
    let mut length = fs::metadata(&data).unwrap().len();
    let whole = length;
    loop {
        length -= 4_096;
        fs::OpenOptions::new().write(true).open(&data).unwrap().set_len(length).unwrap();
        match open(dir.path()) {
            Ok(store) => {
                assert_eq!(store.check().unwrap().findings, []);
                assert_eq!(store.link_count(None), Ok(links + 4));
                assert_eq!(store.head().unwrap().0, head.0 + 4);
            }
            Err(Error::Corrupt(_)) => break,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(whole - length > 4_096, "no page at the end was free");
}

#[test]
fn a_scribbled_meta_page_is_corrupt() {
    let (dir, data) = stored(50);
    let whole = fs::read(&data).unwrap();
    let meta = 16;
    // Both meta pages, so that whichever is newer is hit.
    for (what, at, bytes, expected) in [
        ("zeros", 0, &[0; 152][..], "corrupt"),
        ("noise", 0, &[0xA5; 152][..], "corrupt"),
        ("magic", meta, &[1, 2, 3, 4], "corrupt"),
        ("another format", meta + 4, &[9, 0, 0, 0], "unusable"),
        ("page size", meta + 24, &[3, 0, 0, 0], "corrupt"),
        ("depth", meta + 78, &[0xFF, 0xFF], "corrupt"),
        ("root", meta + 112, &[0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0], "corrupt"),
        ("last page", meta + 120, &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], "corrupt"),
    ] {
        let file = fs::OpenOptions::new().write(true).open(&data).unwrap();
        for page in [0, 4_096] {
            file.write_all_at(bytes, page + at).unwrap();
        }
        assert_eq!(kind(&open(dir.path())), expected, "{what}");
        fs::write(&data, &whole).unwrap();
    }
    assert_eq!(kind(&open(dir.path())), "opened");
}

#[test]
fn a_flipped_byte_in_a_value_is_corrupt() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let url = "https://example.com/needle-in-the-value";
    store
        .commit(&[create("aaa", url), create("bbb", "https://example.com/")], Timestamp(0))
        .unwrap();
    drop(store);
    let data = dir.path().join("links/data.mdb");
    let bytes = fs::read(&data).unwrap();
    let needle = url.as_bytes();
    let file = fs::OpenOptions::new().write(true).open(&data).unwrap();
    for at in (0..bytes.len() - needle.len()).filter(|at| bytes[*at..].starts_with(needle)) {
        file.write_all_at(b"N", at as u64 + 20).unwrap();
    }
    let store = open(dir.path()).unwrap();
    assert!(matches!(store.link(LinkId(1)), Err(Error::Corrupt(_))));
    assert!(store.link(LinkId(2)).unwrap().is_some());
    assert!(matches!(store.replay(waypost_link::Revision(0), 1), Err(Error::Corrupt(_))));
    let places: Vec<_> =
        store.check().unwrap().findings.into_iter().map(|found| found.place).collect();
    assert!(places.contains(&"links".into()) && places.contains(&"feed".into()), "{places:?}");
    // Others go on.
    store.commit(&[create("ccc", "https://example.com/")], Timestamp(0)).unwrap();
}

#[test]
fn a_full_map_loses_nothing_and_goes_on_when_it_is_larger() {
    let dir = tempfile::tempdir().unwrap();
    let store =
        LmdbStore::open(dir.path(), &Options { map_size: 1 << 20, ..Options::default() }).unwrap();
    let mut stored = 0;
    let full = loop {
        let ten = (stored..stored + 10).map(|n| create(&format!("m{n}"), "https://example.com/"));
        match store.commit(&ten.collect::<Vec<_>>(), Timestamp(0)) {
            Ok(_) => stored += 10,
            Err(error) => break error,
        }
    };
    assert!(matches!(&full, Error::Full(why) if why.contains("map_size")), "{full}");
    assert_eq!(store.link_count(None), Ok(stored));
    assert_eq!(store.ping(), Ok(()));
    drop(store);
    let store =
        LmdbStore::open(dir.path(), &Options { map_size: 4 << 20, ..Options::default() }).unwrap();
    assert_eq!(store.link_count(None), Ok(stored));
    store.commit(&[create("more", "https://example.com/")], Timestamp(0)).unwrap();
    assert_eq!(store.check().unwrap().findings, []);
}

#[test]
fn one_commit_too_large_does_not_fail_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let store =
        LmdbStore::open(dir.path(), &Options { map_size: 1 << 20, ..Options::default() }).unwrap();
    std::thread::scope(|scope| {
        let large = scope.spawn(|| store.commit(&some(10_000), Timestamp(0)));
        let small: Vec<_> = (0..8)
            .map(|n| {
                let store = &store;
                let code = format!("small{n}");
                scope.spawn(move || {
                    store.commit(&[create(&code, "https://example.com/")], Timestamp(0))
                })
            })
            .collect();
        assert!(matches!(large.join().unwrap(), Err(Error::Full(_))));
        assert!(small.into_iter().all(|small| small.join().unwrap().is_ok()));
    });
    assert_eq!(store.link_count(None), Ok(8));
    assert_eq!(store.check().unwrap().findings, []);
}

#[test]
fn directories_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    fs::create_dir_all(dir.path().join("copy/links")).unwrap();
    fs::write(dir.path().join("copy/links/data.mdb.partial"), "x").unwrap();
    fs::create_dir_all(dir.path().join("text/links")).unwrap();
    fs::write(dir.path().join("text/links/data.mdb"), "not a database".repeat(1_000)).unwrap();
    for (path, expected, says) in [
        ("file", "unusable", "file is not a directory"),
        ("file/below", "unusable", "file"),
        ("copy", "unusable", "cut short"),
        ("text", "corrupt", "meta page"),
        ("made/when/missing", "opened", ""),
    ] {
        let result = open(&dir.path().join(path));
        if let Err(error) = &result {
            assert!(error.to_string().contains(says), "{error}");
        }
        assert_eq!(kind(&result), expected, "{path}");
    }
}

#[test]
fn one_process_opens_it_once_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(kind(&open(dir.path())), "unusable");
    drop(store);
    assert_eq!(kind(&open(dir.path())), "opened");
}

#[test]
fn a_backup_goes_into_an_empty_directory_only() {
    let (dir, _) = stored(10);
    let store = open(dir.path()).unwrap();
    let to = tempfile::tempdir().unwrap();
    let copy = to.path().join("a/b");
    store.backup(&copy).unwrap();
    assert!(matches!(store.backup(&copy), Err(Error::Unusable(_))));
    store.commit(&[create("later", "https://example.com/")], Timestamp(0)).unwrap();
    let copy = open(&copy).unwrap();
    assert_eq!((copy.link_count(None), store.link_count(None)), (Ok(10), Ok(11)));
    assert_eq!(copy.check().unwrap().findings, []);
    copy.commit(&[create("later", "https://example.com/")], Timestamp(0)).unwrap();
}
