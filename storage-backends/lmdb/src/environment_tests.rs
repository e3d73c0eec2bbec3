//! An environment under several writers, failing jobs, dying readers and foreign formats.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use super::*;
use crate::tables::LinkTable;

const MAP: u64 = 64 << 20;
const DIR: &str = "WAYPOST_LMDB_READER_DIR";

fn open(dir: &Path) -> Result<Environment<LinkTable>> {
    Environment::open(dir, MAP)
}

fn put(links: &Environment<LinkTable>, key: u8) -> Result<()> {
    links.write(move |tables, txn| {
        tables.at(LinkTable::Counts).put(txn, &[key], &codec::number(u64::from(key)), false)
    })
}

fn rows(links: &Environment<LinkTable>) -> u64 {
    links.read(|tables, txn| Ok(tables.at(LinkTable::Counts).scan().len(txn)?)).unwrap()
}

#[test]
fn writers_that_wait_share_a_commit_and_a_refusal_is_one_writers_own() {
    let dir = tempfile::tempdir().unwrap();
    let links = open(dir.path()).unwrap();
    let before = links.opened.env.info().last_txn_id;
    let (started, running) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let links = &links;
        let holding = scope.spawn(move || {
            links.write(move |_, _| {
                started.send(()).unwrap();
                gate.recv().unwrap();
                Ok(())
            })
        });
        running.recv().unwrap();
        let writers: Vec<_> = (0..16).map(|key| scope.spawn(move || put(links, key))).collect();
        let refused =
            scope.spawn(|| links.write(|_, _| Err::<(), _>(Error::Stale { index: 7 }.into())));
        while links.writer.waiting() < 17 {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        assert_eq!(holding.join().unwrap(), Ok(()));
        assert!(writers.into_iter().all(|writer| writer.join().unwrap() == Ok(())));
        assert_eq!(refused.join().unwrap(), Err(Error::Stale { index: 7 }));
    });
    assert_eq!(rows(&links), 16);
    assert_eq!(links.opened.env.info().last_txn_id, before + 1);
}

#[test]
fn commits_are_kept_apart_until_enough_waits_or_the_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let rhythm = |interval| Rhythm { interval, ..Rhythm::default() };
    let hour = rhythm(Duration::from_secs(3_600));
    let links = Environment::<LinkTable>::open_with(dir.path(), MAP, hour).unwrap();
    let commits = |links: &Environment<LinkTable>| links.opened.env.info().last_txn_id;
    let before = commits(&links);
    put(&links, 0).unwrap();
    std::thread::scope(|scope| {
        let links = &links;
        let put = |key| scope.spawn(move || put(links, key));
        let few: Vec<_> = (1..limits::ENOUGH as u8).map(put).collect();
        while links.writer.waiting() < few.len() {
            std::thread::yield_now();
        }
        assert_eq!(commits(links), before + 1);
        let last = put(limits::ENOUGH as u8);
        assert!(few.into_iter().chain([last]).all(|writer| writer.join().unwrap() == Ok(())));
    });
    assert_eq!(commits(&links), before + 2);
    drop(links);

    let short = rhythm(Duration::from_millis(1));
    let links = Environment::<LinkTable>::open_with(dir.path(), MAP, short).unwrap();
    (0..3).for_each(|key| put(&links, key).unwrap());
    assert!(commits(&links) >= before + 5);
}

#[test]
fn long_commits_are_kept_further_apart() {
    let ms = Duration::from_millis;
    for (interval, took, pause) in [(5, 0, 5), (5, 1, 12), (5, 90, 30), (0, 90, 0)] {
        let rhythm = Rhythm { interval: ms(interval), ..Rhythm::default() };
        assert_eq!(rhythm.pause(ms(took)), ms(pause), "{interval}, {took}");
    }
}

#[test]
fn an_io_error_stops_the_writer_until_it_is_opened_anew() {
    let dir = tempfile::tempdir().unwrap();
    let links = open(dir.path()).unwrap();
    put(&links, 1).unwrap();
    let failed = links.write(|tables, txn| {
        tables.at(LinkTable::Counts).put(txn, &[2], &[], false)?;
        let error = std::io::Error::from_raw_os_error(libc::EIO);
        Err::<(), _>(Fault::Broken(error.into()))
    });
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    assert!(matches!(put(&links, 3), Err(Error::Unavailable(why)) if why.contains("stopped")));
    assert_eq!(rows(&links), 1);
    drop(links);
    let links = open(dir.path()).unwrap();
    put(&links, 3).unwrap();
    assert_eq!(rows(&links), 2);
}

#[test]
fn nobody_waits_for_a_thread_that_died() {
    let dir = tempfile::tempdir().unwrap();
    let links = open(dir.path()).unwrap();
    let died = links.write(|_, _| -> Tried<()> { panic!("a job that panics, on purpose") });
    assert!(matches!(died, Err(Error::Unavailable(_))), "{died:?}");
    assert!(matches!(put(&links, 1), Err(Error::Unavailable(_))));
    assert_eq!(rows(&links), 0);
}

#[test]
fn a_newer_format_is_refused() {
    for (format, told) in [
        (codec::number(7), "written by a newer version of waypost (format 7, this binary knows 1)"),
        (vec![1, 2, 3], "no format number"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let links = open(dir.path()).unwrap();
        links
            .write(move |tables, txn| tables.at(LinkTable::Meta).put(txn, FORMAT, &format, false))
            .unwrap();
        drop(links);
        let error = open(dir.path()).err().unwrap();
        assert!(error.to_string().contains(told), "{error}");
        assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    }
}

/// Not a test but the child of the next one: holds a read transaction until it is killed.
#[test]
fn reader() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let links = open(Path::new(&dir)).unwrap();
    let held = links.read(|_, _| {
        println!("> reading");
        std::thread::sleep(Duration::from_secs(600));
        Ok(())
    });
    held.unwrap();
}

/// Runs [`reader`] on `dir` and kills it while it reads.
fn kill_a_reader(dir: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "environment::tests::reader", "--nocapture", "--quiet"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.map_while(std::result::Result::ok).any(|line| line.ends_with("> reading")));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn slots_of_killed_readers_are_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let links = open(dir.path()).unwrap();
    kill_a_reader(dir.path());
    assert_eq!(links.opened.env.clear_stale_readers().unwrap(), 1);
    assert_eq!(links.opened.env.clear_stale_readers().unwrap(), 0);
    drop(links);

    // The same, cleared by the write thread: what the reader saw can be used again, so that the
    // file stops growing.
    let rhythm = Rhythm { sweep: Duration::from_millis(1), ..Rhythm::default() };
    let links = Environment::<LinkTable>::open_with(dir.path(), MAP, rhythm).unwrap();
    kill_a_reader(dir.path());
    let oldest = || {
        (0..200).for_each(|key| put(&links, key).unwrap());
        links.opened.env.info().last_page_number
    };
    let first = oldest();
    assert!((0..5).all(|_| oldest() <= first + 8));
}
