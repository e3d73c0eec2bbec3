//! The engine in stock `may_minihttp`: `cargo run --release -p waypost --example may_minihttp -- DIR ADDR`.
//!
//! DIR is a data directory with links (`waypost link add …` makes one). This server takes header
//! lines as `&'static str` only, so each `Location` line is leaked once and kept in a table; the
//! table is bounded, and past it redirects are answered 503 rather than leaking on. It also takes
//! at most 16 request headers, has no HEAD and no timeouts: `crates/h1` is what production needs.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use may_minihttp::{HttpServer, HttpService, HttpServiceFactory, Request, Response};
use waypost::{Answer, Engine, Facts, LmdbOptions, Method, Options, Scratch, Store, Waypost};

/// Most `Location` lines ever leaked.
const LINES: usize = 1 << 20;

type Lines = Mutex<HashMap<String, &'static str>>;

#[derive(Clone)]
struct Redirects {
    engine: Arc<Engine>,
    lines: Arc<Lines>,
    now: fn() -> waypost::link::Timestamp,
}

impl HttpServiceFactory for Redirects {
    type Service = Self;

    fn new_service(&self, _: usize) -> Self {
        self.clone()
    }
}

impl HttpService for Redirects {
    fn call(
        &mut self,
        request: Request<'_, '_, '_>,
        response: &mut Response<'_>,
    ) -> io::Result<()> {
        let mut scratch = Scratch::default();
        let facts = facts(&request, (self.now)());
        match self.engine.decide(&facts, &mut scratch) {
            Answer::Redirect(to) => match intern(&self.lines, to.location) {
                Some(line) => {
                    response.status_code(to.status.into(), "Found");
                    response.header(line).header("Cache-Control: private, no-store");
                }
                None => drop(response.status_code(503, "Service Unavailable")),
            },
            _ => drop(response.status_code(404, "Not Found")),
        }
        Ok(())
    }
}

fn facts<'r>(request: &'r Request<'_, '_, '_>, at: waypost::link::Timestamp) -> Facts<'r> {
    let field = |name: &str| {
        let mut fields = request.headers().iter();
        fields.find(|field| field.name.eq_ignore_ascii_case(name)).map_or(&b""[..], |f| f.value)
    };
    let (path, query) = match request.path().split_once('?') {
        Some((path, query)) => (path, Some(query.as_bytes())),
        None => (request.path(), None),
    };
    Facts {
        method: if request.method() == "GET" { Method::Get } else { Method::Other },
        host: field("host"),
        path,
        query,
        user_agent: field("user-agent"),
        referrer: field("referer"),
        accept_language: field("accept-language"),
        purpose: field("purpose"),
        sec_purpose: field("sec-purpose"),
        at,
        ..Facts::default()
    }
}

/// The line of a location, leaked the first time; `None` where the table is full.
fn intern(lines: &Lines, location: &str) -> Option<&'static str> {
    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&line) = lines.get(location) {
        return Some(line);
    }
    if lines.len() >= LINES {
        return None;
    }
    let line: &'static str = format!("Location: {location}").leak();
    lines.insert(location.to_owned(), line);
    Some(line)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let options = Options::new(arguments.next().unwrap_or_else(|| "./waypost-data".to_owned()));
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let (store, now) = (Store::lmdb(&options.dir, &LmdbOptions::default())?, options.now);
    let waypost = Waypost::start(store, options)?;
    let service = Redirects { engine: Arc::clone(waypost.engine()), lines: Arc::default(), now };
    let server = HttpServer(service).start(address.as_str())?;
    println!("http://{address}/");
    server.join().map_err(|_| "the server panicked")?;
    Ok(())
}
