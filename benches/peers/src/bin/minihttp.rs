//! Stock may_minihttp with prebuilt answers: the floor, since Waypost's transport started from its shape.
//!
//! One worker, as every server of the comparison. The header lines are leaked on purpose: may_minihttp takes only
//! `&'static str`.
#![forbid(unsafe_code)]

use std::{collections::HashMap, error::Error, io};

use may_minihttp::{HttpServer, HttpService, Request, Response};
use waypost_peers::Start;

type Lines = HashMap<Box<[u8]>, &'static str, ahash::RandomState>;

#[derive(Clone)]
struct Redirects(&'static Lines);

impl HttpService for Redirects {
    fn call(&mut self, request: Request, response: &mut Response) -> io::Result<()> {
        let code = request.path().as_bytes().get(1..).unwrap_or_default();
        match self.0.get(code) {
            Some(location) => response.status_code(302, "Found").header(location),
            None => response.status_code(404, "Not Found"),
        };
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = Start::from_arguments()?;
    may::config().set_workers(1);
    let line = |(code, to): &(String, String)| -> (Box<[u8]>, &'static str) {
        (code.as_bytes().into(), String::leak(format!("Location: {to}")))
    };
    let lines: &'static Lines = Box::leak(Box::new(start.links.iter().map(line).collect()));
    start.announce();
    let server = HttpServer(Redirects(lines)).start(start.address)?;
    server.join().map_err(|_| "the server panicked".into())
}
