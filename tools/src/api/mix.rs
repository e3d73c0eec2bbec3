//! Redirects while the API works: the same load with and without calls of the API, in turns on one server.
//!
//! The server has core 0 alone, so what a call costs it is missing from its redirects; the load and the calls come
//! from core 1. Two ratios: redirects a second, which is what visitors feel of it, and redirects per second of the
//! server's CPU, which a slow generator can't change.

use super::client::Client;
use crate::figure::{Figure, Goal};
use crate::load;
use crate::peers::measure;
use crate::peers::process::Room;
use crate::peers::server::{ADMIN_KEY, Kit, Running, Server};
use crate::peers::table::median;
use anyhow::{Context as _, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Calls a second, and the clients that make them.
const CALLS: (f64, usize) = (500.0, 10);
/// What is left of the redirects.
const LEFT: f64 = 90.0;
/// The core that the load and the calls come from.
const CORE: usize = 1;
/// CPU is counted until so long after the last answer.
const AFTER: Duration = Duration::from_millis(300);
/// Seconds of load before anything is measured.
const WARM_UP: u64 = 1;

/// Redirects of one turn, and the calls made meanwhile.
struct Turn {
    a_second: f64,
    per_cpu: f64,
    calls: f64,
}

/// Measures rounds of two turns; which comes first changes.
pub(super) fn measure(kit: &Kit, rounds: u64, seconds: u64) -> Result<Vec<Figure>> {
    load::pin(CORE)?;
    let running = kit.start_in(Server::Waypost, Room::OneCore)?;
    turn(kit, &running, false, WARM_UP)?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for with_calls in [round % 2 == 0, round % 2 != 0] {
            let turn = turn(kit, &running, with_calls, seconds)?;
            if with_calls { beside.push(turn) } else { alone.push(turn) }
        }
    }
    Ok(figures(&alone, &beside))
}

fn figures(alone: &[Turn], beside: &[Turn]) -> Vec<Figure> {
    let middle = |turns: &[Turn], of: fn(&Turn) -> f64| median(turns.iter().map(of).collect());
    let ratio = |of: fn(&Turn) -> f64| {
        let pairs = beside.iter().zip(alone);
        median(pairs.map(|(beside, alone)| of(beside) / of(alone) * 100.0).collect())
    };
    let figure = |what: &str, value, goal, unit| Figure { what: what.into(), value, goal, unit };
    vec![
        figure(
            "redirects, server on one core",
            middle(alone, |t| t.a_second),
            Goal::None,
            "a second",
        ),
        figure("  beside calls of the API", middle(beside, |t| t.a_second), Goal::None, "a second"),
        figure(
            "  the calls: create, list, statistics, patch",
            middle(beside, |t| t.calls),
            Goal::AtLeast(CALLS.0 * 0.98),
            "a second",
        ),
        figure(
            "  redirects a second beside calls, of those without",
            ratio(|t| t.a_second),
            Goal::AtLeast(LEFT),
            "%",
        ),
        figure(
            "  the same per second of the server's CPU, calls included",
            ratio(|t| t.per_cpu),
            Goal::None,
            "%",
        ),
    ]
}

fn turn(kit: &Kit, running: &Running, with_calls: bool, seconds: u64) -> Result<Turn> {
    let over = AtomicBool::new(false);
    let (cpu, start) = (running.process.cpu()?, Instant::now());
    let (report, calls) = std::thread::scope(|scope| -> Result<_> {
        let clients = if with_calls { CALLS.1 } else { 0 };
        let calling: Vec<_> = (0..clients)
            .map(|nth| {
                let over = &over;
                scope.spawn(move || keep_calling(running, nth, over))
            })
            .collect();
        let report = measure::load(kit, running, kit.links, seconds, &["--head", "browser"]);
        over.store(true, Ordering::Relaxed);
        let mut calls = 0;
        for client in calling {
            calls += client.join().ok().context("a client broke off")??;
        }
        Ok((report?, calls))
    })?;
    let took = start.elapsed().as_secs_f64();
    kit.interrupt.sleep(AFTER)?;
    Ok(Turn {
        a_second: report.answers as f64 / report.seconds,
        per_cpu: report.answers as f64 / (running.process.cpu()? - cpu),
        calls: f64::from(calls) / took,
    })
}

/// Calls at a steady pace, in a circle of kinds, until it is over; how many were made.
fn keep_calling(running: &Running, nth: usize, over: &AtomicBool) -> Result<u32> {
    let mut client = Client::connect(running.address, ADMIN_KEY)?;
    let pace = Duration::from_secs_f64(CALLS.1 as f64 / CALLS.0);
    let mut next = Instant::now() + pace.mul_f64(nth as f64 / CALLS.1 as f64);
    let (mut calls, mut id) = (0, String::new());
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        next += pace;
        match calls % 4 {
            0 => id = create(&mut client)?,
            1 => drop(client.ask("GET", "/api/links?limit=20", "")?),
            2 => drop(client.ask("GET", &format!("/api/stats/link/{id}"), "")?),
            _ => drop(client.ask("PATCH", &format!("/api/links/{id}"), r#"{"title":"Spring"}"#)?),
        }
        calls += 1;
    }
    Ok(calls)
}

/// Makes a link and says its id.
fn create(client: &mut Client) -> Result<String> {
    let made = client.ask(
        "POST",
        "/api/links",
        r#"{"destination_url":"https://example.com/product/1"}"#,
    )?;
    let made: serde_json::Value = serde_json::from_slice(&made)?;
    Ok(made["link"]["id"].to_string())
}
