//! One outage of each kind: what it is like for visitors and for APIs, and afterwards.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    calls::{check_refused, workspace},
    world::World,
};
use crate::support::{Fault, await_that};

/// How long visitors go on after that: clicks pile up in the journal, and are on disk soon.
const A_WHILE: Duration = Duration::from_millis(700);
/// More than any start takes, and less than it would wait for clicks of the last run.
const A_MOMENT: Duration = Duration::from_secs(40);
/// What `/readyz` says of it.
const AWAY: (u16, &str) = (503, "the store does not answer\n");
/// What it says where only changes fail.
const REFUSES: (u16, &str) = (200, "ready, but the store takes no changes\n");

/// Breaks it, looks at everything, mends it, and looks whether anything was lost. `ready` is what
/// `/readyz` says meanwhile.
fn check(ready: (u16, &str), broken: impl FnOnce(&World), mended: impl FnOnce(&World)) {
    let world = World::new();
    let workspace = workspace(&world.data);
    world.visited(1, || {
        broken(&world);
        check_refused(&world, &workspace);
        world.await_ready(ready.0, ready.1);
        thread::sleep(A_WHILE);
    });
    mended(&world);
    world.check_well();
}

#[test]
fn stopped() {
    check(AWAY, |world| world.cluster.stop("fast"), World::start);
}

#[test]
fn crashed() {
    check(AWAY, |world| world.cluster.stop("immediate"), World::start);
}

#[test]
fn cut_off() {
    check(AWAY, |world| world.proxy.set(Fault::Cut), |world| world.proxy.set(Fault::None));
}

#[test]
fn reset() {
    check(AWAY, |world| world.proxy.set(Fault::Reset), |world| world.proxy.set(Fault::None));
}

#[test]
fn swallowed() {
    check(AWAY, |world| world.proxy.set(Fault::Swallow), |world| world.proxy.set(Fault::None));
}

/// The kernel goes on acknowledging for processes that are stopped.
#[test]
fn frozen() {
    check(AWAY, |world| signal(world, Signal::STOP), |world| signal(world, Signal::CONT));
}

#[test]
fn read_only() {
    check(REFUSES, |world| set_read_only(world, "on"), |world| set_read_only(world, "off"));
}

/// PostgreSQL refuses who exceeds a role's number as it refuses who exceeds the server's.
#[test]
fn out_of_connections() {
    let limit = |world: &World, limit: i32| {
        let alter = format!("ALTER ROLE node CONNECTION LIMIT {limit}");
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'node'";
        let mut admin = world.admin();
        for sql in [&alter, end] {
            admin.batch_execute(sql).expect("a limit");
        }
    };
    check(AWAY, |world| limit(world, 0), |world| limit(world, -1));
}

/// Slow is not away: visitors don't notice, and what is asked for is done.
#[test]
fn slow() {
    let world = World::new();
    world.visited(1, || {
        world.proxy.set(Fault::Delay(Duration::from_millis(100)));
        world.data.ok(&["link", "add", "slow", "https://example.com/"]);
        world.server.await_link("slow");
    });
    world.proxy.set(Fault::None);
    world.check_well();
}

/// A node that is started meanwhile serves from its snapshot, and catches up.
#[test]
fn restarted_meanwhile() {
    let world = World::new();
    world.visited(1, || {
        world.proxy.set(Fault::Swallow);
        thread::sleep(A_WHILE);
    });
    thread::sleep(A_WHILE);
    let world = world.restarted();
    world.await_ready(503, "the store does not answer; links are those of the local snapshot\n");
    world.visited(1, || thread::sleep(A_WHILE));
    world.proxy.set(Fault::None);
    world.check_well();
}

/// A node that is killed and started while its clicks are not taken doesn't wait for that.
#[test]
fn restarted_while_it_takes_no_clicks() {
    let world = World::new();
    set_read_only(&world, "on");
    world.visited(1, || thread::sleep(A_WHILE));
    thread::sleep(A_WHILE);
    let begun = Instant::now();
    let world = world.restarted();
    world.visited(1, || thread::sleep(A_WHILE));
    assert!(begun.elapsed() < A_MOMENT, "started after {:?}", begun.elapsed());
    set_read_only(&world, "off");
    world.check_well();
}

fn set_read_only(world: &World, value: &str) {
    let alter = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
    let mut admin = world.admin();
    for sql in ["SET default_transaction_read_only = off", &alter, "SELECT pg_reload_conf()"] {
        admin.batch_execute(sql).expect("a setting");
    }
    // The server reads that when it comes to it. Who connects afterwards sees it, and all others have been told by then.
    let show = "SHOW default_transaction_read_only";
    let shown = || world.admin().query_one(show, &[]).expect("a setting");
    await_that(|| shown().get::<_, &str>(0) == value, "the configuration to be read");
}

/// To the database's first process and its children.
fn signal(world: &World, signal: Signal) {
    let file = world.cluster.home().join("data/postmaster.pid");
    let text = fs::read_to_string(file).expect("a running database");
    let first = text.lines().next().expect("a process");
    let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children"));
    for pid in [first].into_iter().chain(children.expect("its children").split_whitespace()) {
        let pid = pid.parse().ok().and_then(Pid::from_raw).expect("a process id");
        // A child may have ended just now.
        let _ = kill_process(pid, signal);
    }
}
