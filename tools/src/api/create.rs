//! Links made one by one, by clients that wait for each answer, and ten thousand at once.

use super::client::Client;
use crate::figure::{Figure, Goal, percentile};
use crate::peers::server::{ADMIN_KEY, Running};
use anyhow::{Context as _, Result};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const CLIENTS: usize = 16;
/// Creations a second that are meant to be durable.
const CREATIONS: f64 = 3_000.0;
/// Links of a bulk creation, and the seconds that it may take.
const BULK: (usize, f64) = (10_000, 0.5);
/// How often it is tried; the median counts.
const BULKS: usize = 3;

/// Every client makes links until the time is over.
pub(super) fn one_by_one(running: &Running, time: Duration) -> Result<Vec<Figure>> {
    let (cpu, start) = (running.process.cpu()?, Instant::now());
    let mut took = std::thread::scope(|scope| -> Result<Vec<Duration>> {
        let clients: Vec<_> =
            (0..CLIENTS).map(|_| scope.spawn(|| keep_creating(running, start + time))).collect();
        let mut all = Vec::new();
        for client in clients {
            all.extend(client.join().ok().context("a client broke off")??);
        }
        Ok(all)
    })?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), running.process.cpu()? - cpu);
    took.sort_unstable();
    let figure = |what: &str, value, goal, unit| Figure { what: what.into(), value, goal, unit };
    let made = took.len() as f64;
    Ok(vec![
        figure(
            "POST /api/links, 16 clients, durable",
            made / seconds,
            Goal::AtLeast(CREATIONS),
            "a second",
        ),
        figure("  p50", percentile(&took, 0.50)?, Goal::None, "ms"),
        figure("  p99", percentile(&took, 0.99)?, Goal::None, "ms"),
        figure("  the server's CPU for each", cpu / made * 1e6, Goal::None, "µs"),
        figure("  the server's CPU, of one core", cpu / seconds * 100.0, Goal::None, "%"),
    ])
}

/// Makes many links by one request.
pub(super) fn in_bulk(running: &Running) -> Result<Vec<Figure>> {
    let mut client = Client::connect(running.address, ADMIN_KEY)?;
    let body = many(BULK.0);
    let mut took = Vec::new();
    for _ in 0..BULKS {
        let start = Instant::now();
        client.ask("POST", "/api/links/bulk", &body)?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    Ok(vec![Figure {
        what: format!("POST /api/links/bulk, {} links", BULK.0),
        value: percentile(&took, 0.5)? / 1e3,
        goal: Goal::AtMost(BULK.1),
        unit: "s",
    }])
}

fn keep_creating(running: &Running, end: Instant) -> Result<Vec<Duration>> {
    let mut client = Client::connect(running.address, ADMIN_KEY)?;
    let mut took = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        client.ask(
            "POST",
            "/api/links",
            r#"{"destination_url":"https://example.com/product/4711?a=b"}"#,
        )?;
        took.push(start.elapsed());
    }
    Ok(took)
}

fn many(count: usize) -> String {
    let mut body = String::from("{\"links\":[");
    for at in 0..count {
        let comma = if at == 0 { "" } else { "," };
        let _ =
            write!(body, "{comma}{{\"destination_url\":\"https://example.com/product/{at}?a=b\"}}");
    }
    body + "]}"
}
