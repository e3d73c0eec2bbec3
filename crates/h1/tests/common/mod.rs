//! A handler that does one odd thing a path, and a client that says exactly what it is told.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test binary uses a part of it")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use waypost_h1::{
    BodyPolicy, Deferred, Handler, Head, Outcome, Reply, Request, Response, Runtime, Server,
    ServerBuilder,
};

/// Which worker answered which request of which peer, in order.
pub type Workers = Arc<Mutex<HashMap<SocketAddr, Vec<ThreadId>>>>;

pub struct Odd {
    later: mpsc::Sender<Deferred>,
    pub kept: Arc<Mutex<Vec<Deferred>>>,
    pub workers: Workers,
}

impl Odd {
    /// Answers `/later` from four other threads.
    pub fn new() -> Self {
        let (later, jobs) = mpsc::channel::<Deferred>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..4 {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || {
                loop {
                    let job = jobs.lock().unwrap().recv();
                    match job {
                        Ok(deferred) => deferred.complete(Response::new(200).body("later")),
                        Err(_) => return,
                    }
                }
            });
        }
        Self { later, kept: Arc::default(), workers: Arc::default() }
    }
}

impl Handler for Odd {
    fn body(&self, _: &Head<'_>) -> BodyPolicy {
        BodyPolicy::Collect { max: 1024 * 1024 }
    }

    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        let worker = thread::current().id();
        self.workers.lock().unwrap().entry(request.peer()).or_default().push(worker);
        match request.path() {
            "/later" => {
                let (deferred, outcome) = reply.defer();
                self.later.send(deferred).unwrap();
                outcome
            }
            "/kept" => {
                let (deferred, outcome) = reply.defer();
                self.kept.lock().unwrap().push(deferred);
                outcome
            }
            "/dropped" => {
                let (deferred, outcome) = reply.defer();
                drop(deferred);
                outcome
            }
            "/panic" => panic!("on purpose"),
            "/peer" => reply.status(200).body(request.peer().to_string().as_bytes()),
            "/large" => reply.status(200).body(&vec![b'x'; 256 * 1024]),
            path if request.body().is_empty() => reply.status(200).body(path.as_bytes()),
            _ => reply.status(200).body(request.body()),
        }
    }
}

/// Two workers, and io_uring as the test program says.
pub fn runtime() -> Runtime {
    Runtime { workers: 2, io_uring: crate::IO_URING, ..Runtime::default() }
}

pub fn builder() -> ServerBuilder {
    Server::builder().runtime(runtime()).listen(([127, 0, 0, 1], 0).into())
}

pub fn serve() -> Server {
    builder().bind().unwrap().serve(Odd::new()).unwrap()
}

pub struct Client {
    pub stream: TcpStream,
    read: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Client {
    pub fn connect(server: &Server) -> Self {
        Self::connect_to(server.addresses()[0])
    }

    pub fn connect_to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    pub fn send(&mut self, text: &str) -> &mut Self {
        self.stream.write_all(text.as_bytes()).unwrap();
        self
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send(&request(path)).answer()
    }

    pub fn half_close(&mut self) -> &mut Self {
        self.stream.shutdown(Shutdown::Write).unwrap();
        self
    }

    /// Reads one answer.
    pub fn answer(&mut self) -> Answer {
        let end = loop {
            match self.read.windows(4).position(|w| w == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => assert!(self.fill(), "the connection ended: {:?}", self.seen()),
            }
        };
        let head = String::from_utf8(self.read[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |n| n.parse().unwrap());
        while self.read.len() < end + length {
            assert!(self.fill(), "the connection ended in a body");
        }
        let body = String::from_utf8(self.read[end..end + length].to_vec()).unwrap();
        self.read.drain(..end + length);
        Answer { status: head[9..12].parse().unwrap(), head, body }
    }

    /// Whether the connection ends without another byte.
    pub fn is_over(&mut self) -> bool {
        self.read.is_empty() && !self.fill()
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.read).into_owned()
    }

    fn fill(&mut self) -> bool {
        let mut buffer = [0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(n) => {
                self.read.extend_from_slice(&buffer[..n]);
                n > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}, after {:?}", self.seen()),
        }
    }
}

pub fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}
