//! kill -9 under load, round after round, with a ledger of what was answered.
//!
//! Each round uses codes of its own, so a click counted twice in any later round shows too. Twenty
//! rounds by default; `KILL_ROUNDS=100 cargo nextest run -p waypost-tests killed --no-capture` for
//! more, and for the figures.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::support::{Client, Data};

const ROUNDS: usize = 20;
/// Names another number of rounds.
const VARIABLE: &str = "KILL_ROUNDS";
const CLIENTS: usize = 4;
/// What a killed process can lose, and what a busy machine's scheduler may add to it.
const FLUSH: Duration = Duration::from_millis(10);
const SCHEDULER: Duration = Duration::from_millis(490);

/// When each click was answered; one more may have been taken without an answer.
fn ask(address: SocketAddr, code: &str, over: &AtomicBool) -> Vec<Instant> {
    let request = format!("GET /{code} HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut client = Client::connect(address);
    let mut answered = Vec::new();
    while !over.load(Ordering::Relaxed) {
        match client.send(&request).answer() {
            Some(answer) => assert_eq!(answer.status, 302),
            None => break,
        }
        answered.push(Instant::now());
    }
    answered
}

/// Adds links one by one; those that were acknowledged.
fn write(data: &Data, round: usize, over: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let code = format!("w{round}-{n}");
        if data.run(&["link", "add", &code, "https://example.com/"]).status.success() {
            acknowledged.push(code);
        }
    }
    acknowledged
}

struct Round {
    /// From the first request to the kill.
    time: Duration,
    /// Each code with the ages of its answered clicks at the kill, oldest first.
    clicks: Vec<(String, Vec<Duration>)>,
    links: Vec<String>,
}

fn round(data: &Data, number: usize) -> Round {
    let codes: Vec<_> = (0..CLIENTS).map(|n| format!("r{number}-{n}")).collect();
    for code in &codes {
        data.ok(&["link", "add", code, "https://example.com/"]);
    }
    let server = data.serve();
    let (address, over) = (server.address, Arc::new(AtomicBool::new(false)));
    let start = Instant::now();
    std::thread::scope(|scope| {
        let asking: Vec<_> =
            codes.iter().map(|code| scope.spawn(|| ask(address, code, &over))).collect();
        let writing = scope.spawn(|| write(data, number, &over));
        std::thread::sleep(Duration::from_millis(200 + 37 * number as u64 % 300));
        let killed = Instant::now();
        server.kill();
        over.store(true, Ordering::Relaxed);
        let ages = |answered: Vec<Instant>| {
            answered.into_iter().map(|at| killed.saturating_duration_since(at)).collect()
        };
        let clicks = codes
            .iter()
            .zip(asking)
            .map(|(code, asking)| (code.clone(), ages(asking.join().expect("client"))))
            .collect();
        Round {
            time: killed.saturating_duration_since(start),
            clicks,
            links: writing.join().expect("writer"),
        }
    })
}

#[test]
fn acknowledged_writes_stay_and_clicks_count_once() {
    let data = Data::new();
    let count = std::env::var(VARIABLE).map_or(ROUNDS, |text| text.parse().expect(VARIABLE));
    let rounds: Vec<_> = (0..count).map(|number| round(&data, number)).collect();
    // The journal of the last round is replayed by one more start.
    assert!(data.serve().stop().success());
    let (mut answered, mut lost, mut oldest) = (0, 0, Duration::ZERO);
    for round in &rounds {
        for (code, ages) in &round.clicks {
            let (sent, found) = (ages.len() as u64, data.clicks(code));
            assert!(found <= sent + 1, "{code}: {found} of {sent} clicks: some counted twice");
            // Clicks of one client are stored in order, so the lost ones are its last.
            let first_lost = ages.get(found as usize).copied().unwrap_or_default();
            assert!(first_lost <= FLUSH + SCHEDULER, "{code}: lost a click {first_lost:?} old");
            answered += sent;
            lost += sent.saturating_sub(found);
            oldest = oldest.max(first_lost);
        }
        for code in &round.links {
            data.ok(&["link", "get", code, "--json"]);
        }
    }
    let links: usize = rounds.iter().map(|round| round.links.len()).sum();
    let time: Duration = rounds.iter().map(|round| round.time).sum();
    let each = time.mul_f64(lost as f64 / answered as f64) / rounds.len() as u32;
    println!("{count} kills: {lost} of {answered} answered clicks lost, {links} links kept");
    println!("a kill lost {each:?} of traffic; the oldest click was answered {oldest:?} before");
    assert!(links > 0 && answered > lost);
    data.ok(&["verify"]);
}
