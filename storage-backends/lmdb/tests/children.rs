//! What only several processes can show: shared directories, sudden deaths, limits of a process.
//!
//! A child is this test binary again, running the one test [`child`] with its orders in the
//! environment; it says what it did on standard output, line by line.
#![allow(unsafe_code)]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use waypost_link::{
    Change, DomainId, Link, LinkId, Revision, Schemes, Slug, Timestamp, WorkspaceId,
};
use waypost_lmdb::{LmdbStore, Options};
use waypost_storage::{Error, LinkQuery, LinkStore, Maintain, Order};

const ORDERS: &str = "WAYPOST_LMDB_TEST_CHILD";
const DIR: &str = "WAYPOST_LMDB_TEST_DIR";

fn open(dir: &Path) -> Result<LmdbStore, Error> {
    LmdbStore::open(dir, &Options { map_size: 8 << 30, ..Options::default() })
}

fn create(slug: &str) -> Change {
    let destination =
        waypost_link::Destination::parse("https://example.com/", &Schemes::default()).unwrap();
    let slug = Slug::parse(slug).unwrap();
    let link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, destination, Timestamp(0));
    Change::CreateLink(Box::new(link))
}

fn spawn(orders: &str, dir: &Path) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--quiet"])
        .env(ORDERS, orders)
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    (child, said)
}

/// What the child says, without the test harness's own lines.
fn lines(said: impl BufRead) -> impl Iterator<Item = String> {
    said.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("> ").map(str::to_owned))
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "> {what}").unwrap();
    out.flush().unwrap();
}

/// Not a test but the children of the others: does nothing without orders.
#[test]
fn child() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let dir = std::env::var_os(DIR).unwrap();
    let dir = Path::new(&dir);
    match &*orders {
        "commit" => commit_for_ever(dir),
        "one" => say(&format!("{:?}", open(dir).unwrap().commit(&[create("one")], Timestamp(0)))),
        "full disk" => fill_the_disk(dir),
        "nobody" => open_as_nobody(dir),
        other => panic!("no such orders: {other}"),
    }
}

/// Commits from four threads and says each code that was acknowledged, until it is killed.
fn commit_for_ever(dir: &Path) {
    let store = open(dir).unwrap();
    let round = store.head().unwrap().0;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for n in 0.. {
                    let code = format!("k{round}-{thread}-{n}");
                    let ids = store.commit(&[create(&code)], Timestamp(0)).unwrap().ids;
                    say(&format!("{code} {}", ids[0]));
                }
            });
        }
    });
}

/// Commits under a limit on the size of files until there is no room, then says what is there.
fn fill_the_disk(dir: &Path) {
    let store = open(dir).unwrap();
    let limit = libc::rlimit { rlim_cur: 1 << 20, rlim_max: 1 << 20 };
    // SAFETY: both calls only change settings of this process, and the struct outlives the call.
    let set = unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::setrlimit(libc::RLIMIT_FSIZE, &limit)
    };
    assert_eq!(set, 0);
    for n in (0..).step_by(5) {
        let codes: Vec<_> = (n..n + 5).map(|n| format!("full{n}")).collect();
        let changes: Vec<_> = codes.iter().map(|code| create(code)).collect();
        match store.commit(&changes, Timestamp(0)) {
            Ok(_) => codes.iter().for_each(|code| say(code)),
            Err(Error::Full(why)) => {
                say(&format!("Full {why}"));
                break;
            }
            Err(other) => panic!("{other}"),
        }
    }
    say(&format!("reads {}", store.link_count(None).unwrap()));
    let more: Vec<_> = (0..200).map(|n| create(&format!("more{n}"))).collect();
    say(&format!("again {}", matches!(store.commit(&more, Timestamp(0)), Err(Error::Full(_)))));
}

fn open_as_nobody(dir: &Path) {
    // SAFETY: changes who this process is; it has one thread that matters and ends soon. Where
    // it isn't allowed to, it is nobody special already.
    unsafe { libc::setuid(65_534) };
    match open(dir) {
        Ok(_) => say("opened"),
        Err(error) => say(&format!("{error:?}")),
    }
}

#[test]
fn a_commit_of_another_process_wakes_whoever_waits() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let (mut child, said) = spawn("one", dir.path());
    let head = store.wait(Revision(0), Duration::from_secs(60)).unwrap();
    assert_eq!(head, Revision(1));
    assert_eq!(lines(said).count(), 1);
    assert!(child.wait().unwrap().success());
    assert_eq!(store.replay(Revision(0), 10).unwrap().len(), 1);
    store.commit(&[create("two")], Timestamp(0)).unwrap();
    assert_eq!(store.link_count(None), Ok(2));
}

#[test]
fn what_a_killed_process_acknowledged_is_there() {
    let dir = tempfile::tempdir().unwrap();
    // Somebody else has the directory open all along: the lock file is never made anew.
    let watcher = open(dir.path()).unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..20 {
        let (mut child, said) = spawn("commit", dir.path());
        let mut said = lines(said);
        acknowledged.extend(said.by_ref().take(10 + 3 * round));
        child.kill().unwrap();
        acknowledged.extend(said.filter(|line| line.contains(' ')));
        child.wait().unwrap();
    }
    drop(watcher);
    let store = open(dir.path()).unwrap();
    assert!(acknowledged.len() >= 20 * 10);
    for line in &acknowledged {
        let (code, id) = line.split_once(' ').unwrap();
        let Ok(id) = id.parse() else { continue };
        let link = store.link(LinkId(id)).unwrap().unwrap_or_else(|| panic!("{line} is lost"));
        assert_eq!(link.slug.as_str(), code);
    }
    assert_eq!(store.check().unwrap().findings, []);
}

#[test]
fn a_full_disk_says_so_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, said) = spawn("full disk", dir.path());
    let said: Vec<_> = lines(said).collect();
    assert!(child.wait().unwrap().success(), "{:?}", said.last());
    let stored: Vec<_> = said.iter().filter(|line| line.starts_with("full")).collect();
    assert!(stored.len() > 100, "{:?}", said.last());
    assert!(said.iter().any(|line| line.starts_with("Full")), "{:?}", said.last());
    assert!(said.contains(&format!("reads {}", stored.len())), "{:?}", said.last());
    assert!(said.contains(&"again true".to_owned()), "{:?}", said.last());

    let store = open(dir.path()).unwrap();
    let query = LinkQuery { order: Order::Ascending, limit: 10_000, ..LinkQuery::default() };
    let codes: Vec<_> =
        store.links(&query).unwrap().items.iter().map(|link| link.slug.to_string()).collect();
    assert_eq!(codes.iter().collect::<Vec<_>>(), stored);
    store.commit(&[create("room-again")], Timestamp(0)).unwrap();
    assert_eq!(store.check().unwrap().findings, []);
}

#[test]
fn a_directory_that_may_not_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    drop(open(&data).unwrap());
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(dir.path(), 0o755);
    for path in ["", "links", "clicks"] {
        mode(&data.join(path), 0o555);
    }
    for path in ["links/data.mdb", "links/lock.mdb", "clicks/data.mdb", "clicks/lock.mdb"] {
        mode(&data.join(path), 0o444);
    }
    let (mut child, said) = spawn("nobody", &data);
    let said: Vec<_> = lines(said).collect();
    child.wait().unwrap();
    for path in ["", "links", "clicks"] {
        mode(&data.join(path), 0o755);
    }
    let named =
        said.iter().any(|line| line.starts_with("Unusable") && line.contains("/data/links"));
    assert!(named, "{said:?}");
}

#[test]
fn the_time_of_a_wait_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let start = Instant::now();
    assert_eq!(store.wait(Revision(0), Duration::from_millis(50)), Ok(Revision(0)));
    assert!(start.elapsed() >= Duration::from_millis(50));
}
