//! The redirect path from memory, step by step, for instruction counts:
//! `redirect_path STEP TIMES` does one step so many times, on one thread, and prints nothing.
//!
//! `cargo xtask prove` runs it under callgrind for two counts and takes the difference, so that
//! setting up costs nothing. No socket and no system call is in it.

use std::hint::black_box;

use waypost_benches::{
    Fixed, LINKS, browser, click, code, edge, engine, facts, index, redirect, small,
};
use waypost_h1::{Conversation, Handler, Limits, Reply};
use waypost_link::DomainId;
use waypost_redirect::{Method, Scratch};

/// Memory for clicks: more than any run records.
const QUEUE: usize = 16 << 20;

fn converse(handler: impl Handler, request: impl Fn(&str) -> String, times: u64) {
    let mut conversation = Conversation::new(handler, Limits::default());
    let requests: Vec<_> = (1..=LINKS).map(|n| request(&code(n))).collect();
    let mut answers = Vec::new();
    for request in requests.iter().cycle().take(times as usize) {
        answers.clear();
        conversation.feed_into(request.as_bytes(), &mut answers);
        black_box(&answers);
    }
}

fn redirects(request: impl Fn(&str) -> String, times: u64) {
    let (recorder, _drain) = waypost_clicks::queue(1, QUEUE);
    converse(edge(recorder), request, times);
}

fn encode(times: u64) {
    let mut out = Vec::with_capacity(4096);
    for _ in 0..times {
        out.clear();
        let _ = black_box(redirect(Reply::to_get(black_box(&mut out), 1_800_000_000)));
    }
}

fn decide(method: Method, times: u64) {
    let (recorder, _drain) = waypost_clicks::queue(1, QUEUE);
    let engine = engine(index(), recorder);
    let mut scratch = Scratch::default();
    let paths: Vec<_> = (1..=LINKS).map(|n| format!("/{}", code(n))).collect();
    for path in paths.iter().cycle().take(times as usize) {
        black_box(engine.decide(&facts(method, path), &mut scratch).outcome());
    }
}

fn lookup(times: u64) {
    let index = index();
    let codes: Vec<_> = (1..=LINKS).map(code).collect();
    for code in codes.iter().cycle().take(times as usize) {
        black_box(index.with(DomainId::DEFAULT, code, |entry| entry.destination.len()));
    }
}

fn push(times: u64) {
    let (recorder, _drain) = waypost_clicks::queue(1, QUEUE);
    for n in 0..times {
        assert!(recorder.record(0, black_box(&click(n))), "the queue is too small");
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let step = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    match step.as_str() {
        "parse-small" => converse(Fixed, small, times),
        "parse-browser" => converse(Fixed, browser, times),
        "redirect-small" => redirects(small, times),
        "redirect-browser" => redirects(browser, times),
        "decide" => decide(Method::Get, times),
        "decide-uncounted" => decide(Method::Head, times),
        "lookup" => lookup(times),
        "encode" => encode(times),
        "push" => push(times),
        _ => panic!("no such step: {step:?}"),
    }
}
