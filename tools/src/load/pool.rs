//! The connections of a load, and the loop that serves them.
//!
//! Edge-triggered, so that a connection costs one read and one write a batch. Sockets block, so that connecting is one
//! call; every read and write says that it must not wait. Closing resets the connection: thousands a second would
//! otherwise use up loopback's ports.

use super::answer::{Checker, Seen};
use super::latency::Latencies;
use super::requests::Requests;
use super::{Options, Report};
use anyhow::{Context as _, Result, bail};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_linger, set_tcp_nodelay};
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

/// Events taken from the kernel at once.
const EVENTS: usize = 256;
/// Bytes read at once; a batch's answers fit.
const BUFFER: usize = 256 << 10;
/// The load never sleeps: a server pays for waking a sleeping peer, and one that keeps its peer waiting would pay more often.
const NO_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// How long a server may answer nothing at all before what is missing counts as wrong.
const SILENCE: Duration = Duration::from_secs(5);
/// Wrong answers after which no more requests are sent.
const MAX_WRONG: u64 = 1_000;

struct Connection {
    socket: OwnedFd,
    /// The links of the batch on its way, in order, and how many of them are answered.
    asked: Vec<u32>,
    answered: usize,
    sent: Instant,
    /// The beginning of an answer.
    rest: Vec<u8>,
}

struct Pool<'a> {
    options: &'a Options,
    requests: Requests,
    epoll: OwnedFd,
    connections: Vec<Connection>,
    checker: Checker,
    latencies: Latencies,
    input: Vec<u8>,
    output: Vec<u8>,
    end: Instant,
    to_send: u64,
    waiting: usize,
    answers: u64,
    wrong: u64,
}

/// Sends requests for as long or as many as the options say, and waits for all answers.
pub(super) fn run(options: &Options, requests: Requests) -> Result<Report> {
    let mut pool = Pool::new(options, requests)?;
    let start = Instant::now();
    pool.end = start + options.seconds;
    for at in 0..pool.connections.len() {
        pool.send(at, Instant::now())?;
    }
    pool.work()?;
    Ok(Report {
        answers: pool.answers,
        wrong: pool.wrong,
        seconds: start.elapsed().as_secs_f64(),
        p50: pool.latencies.percentile(0.5),
        p90: pool.latencies.percentile(0.9),
    })
}

impl<'a> Pool<'a> {
    fn new(options: &'a Options, requests: Requests) -> Result<Self> {
        let mut pool = Self {
            options,
            requests,
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            connections: Vec::new(),
            checker: Checker::default(),
            latencies: Latencies::new(),
            input: vec![0; BUFFER],
            output: Vec::new(),
            end: Instant::now(),
            to_send: options.requests,
            waiting: 0,
            answers: 0,
            wrong: 0,
        };
        for at in 0..options.connections {
            let connection = pool.connect(at)?;
            pool.connections.push(connection);
        }
        Ok(pool)
    }

    /// Waits for answers until none is missing.
    fn work(&mut self) -> Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        let mut last = Instant::now();
        while self.waiting > 0 {
            match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&NO_WAIT)) {
                Ok(0) if last.elapsed() > SILENCE => {
                    self.wrong += self.missing();
                    return Ok(());
                }
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => last = Instant::now(),
                Err(error) => return Err(error.into()),
            }
            for event in events.drain(..) {
                self.receive(event.data.u64() as usize)?;
            }
        }
        Ok(())
    }

    /// Sends the next batch of a connection, unless enough was sent.
    fn send(&mut self, at: usize, now: Instant) -> Result<()> {
        let connection = &mut self.connections[at];
        connection.asked.clear();
        connection.answered = 0;
        let batch = self.options.pipeline.min(self.to_send);
        if batch == 0 || now >= self.end || self.wrong >= MAX_WRONG {
            return Ok(());
        }
        self.output.clear();
        for _ in 0..batch {
            connection.asked.push(self.requests.push(&mut self.output));
        }
        connection.sent = now;
        self.to_send -= batch;
        self.waiting += 1;
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match net::send(&connection.socket, &self.output, flags) {
            Ok(sent) if sent == self.output.len() => Ok(()),
            Ok(_) | Err(Errno::AGAIN) => bail!("the socket's buffer doesn't hold a batch"),
            Err(_) => self.replace(at),
        }
    }

    /// Reads what a connection has, and goes on with its next batch where this one is answered.
    fn receive(&mut self, at: usize) -> Result<()> {
        loop {
            let connection = &mut self.connections[at];
            let kept = connection.rest.len();
            self.input[..kept].copy_from_slice(&connection.rest);
            connection.rest.clear();
            let room = &mut self.input[kept..];
            let wanted = room.len();
            let read = match net::recv(&connection.socket, room, RecvFlags::DONTWAIT) {
                Ok((read @ 1.., _)) => read,
                Err(Errno::AGAIN) => {
                    connection.rest.extend_from_slice(&self.input[..kept]);
                    return Ok(());
                }
                Ok(_) | Err(_) => return self.closed(at),
            };
            let now = Instant::now();
            if !self.check(at, kept + read, now) {
                return self.replace(at);
            }
            let connection = &self.connections[at];
            if connection.answered == connection.asked.len() && !connection.asked.is_empty() {
                return self.next(at, now);
            }
            if read < wanted {
                return Ok(());
            }
        }
    }

    /// Checks the answers in the first `length` bytes of the input; no where the connection is of no use any more.
    fn check(&mut self, at: usize, length: usize, now: Instant) -> bool {
        let connection = &mut self.connections[at];
        let mut used = 0;
        let mut right = 0;
        while used < length {
            let Some(&link) = connection.asked.get(connection.answered) else {
                return false; // more than was asked for
            };
            let destination = self.requests.destination(link);
            match self.checker.check(&self.input[used..length], destination) {
                Seen::Right(bytes) => {
                    used += bytes;
                    right += 1;
                }
                Seen::Wrong(bytes) => {
                    used += bytes;
                    self.wrong += 1;
                }
                Seen::Part => break,
                Seen::Garbage => return false,
            }
            connection.answered += 1;
            self.answers += 1;
        }
        connection.rest.extend_from_slice(&self.input[used..length]);
        self.latencies.add(now - connection.sent, right);
        connection.rest.len() < BUFFER
    }

    /// The batch of a connection is answered: on with the next.
    fn next(&mut self, at: usize, now: Instant) -> Result<()> {
        self.waiting -= 1;
        if !self.options.new_connections {
            return self.send(at, now);
        }
        if now < self.end && self.to_send > 0 {
            self.connections[at] = self.connect(at as u64)?;
        }
        self.send(at, now)
    }

    /// The server closed a connection: a mistake where it owes answers.
    fn closed(&mut self, at: usize) -> Result<()> {
        let connection = &self.connections[at];
        if connection.answered == connection.asked.len() {
            return Ok(());
        }
        self.replace(at)
    }

    /// Counts the batch of a connection as wrong, and goes on with a new connection.
    fn replace(&mut self, at: usize) -> Result<()> {
        let connection = &self.connections[at];
        let missing = connection.asked.len() - connection.answered;
        self.wrong += (missing as u64).max(1);
        self.waiting -= usize::from(!connection.asked.is_empty());
        self.connections[at] = self.connect(at as u64)?;
        if self.wrong < MAX_WRONG { self.send(at, Instant::now()) } else { Ok(()) }
    }

    fn missing(&self) -> u64 {
        let missing = |connection: &Connection| connection.asked.len() - connection.answered;
        self.connections.iter().map(missing).sum::<usize>() as u64
    }

    fn connect(&self, at: u64) -> Result<Connection> {
        let socket = open(self.options.address)
            .with_context(|| format!("can't connect to {}", self.options.address))?;
        let flags = EventFlags::IN | EventFlags::ET;
        epoll::add(&self.epoll, &socket, EventData::new_u64(at), flags)?;
        let sent = Instant::now();
        Ok(Connection { socket, asked: Vec::new(), answered: 0, sent, rest: Vec::new() })
    }
}

fn open(address: SocketAddrV4) -> rustix::io::Result<OwnedFd> {
    let socket =
        net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_tcp_nodelay(&socket, true)?;
    set_socket_linger(&socket, Some(Duration::ZERO))?;
    net::connect(&socket, &address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::requests::Requests;
    use super::run;
    use crate::seed;
    use clap::Parser as _;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};

    /// Answers requests with `answer`, in which `{}` stands for where the first link goes.
    fn serve(stream: &TcpStream, answer: &str) {
        let to = &seed::links(1, 1)[0].destination;
        let mut lines = BufReader::new(stream).lines();
        while let Some(Ok(line)) = lines.next() {
            if line.is_empty() {
                let mut stream = stream;
                let written = stream.write_all(answer.replace("{}", to).as_bytes());
                if written.is_err() || answer.is_empty() || answer.contains("close") {
                    return;
                }
            }
        }
    }

    #[test]
    fn answers_are_counted() {
        let right = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {}\r\n\r\n";
        let last =
            "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: {}\r\n\r\n";
        let check = |flags: &[&str], answer: &'static str, answers: u64, wrong: bool| {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = listener.local_addr().expect("an address").to_string();
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    std::thread::spawn(move || serve(&stream, answer));
                }
            });
            let arguments = ["load", &address, "--codes", "1", "--requests", "40"];
            let arguments = arguments.iter().chain(["--connections", "3"].iter()).chain(flags);
            let options = Options::parse_from(arguments);
            let head = options.head;
            let close = options.new_connections;
            let requests = Requests::new(seed::links(1, 1), 1, false, head, "a.example", close);
            let report = run(&options, requests).expect("a run");
            assert_eq!((report.answers, report.wrong > 0), (answers, wrong), "{flags:?} {answer}");
            assert_eq!(report.p50 > 0.0, !wrong, "{flags:?} {answer}");
        };
        check(&[], right, 40, false);
        check(&["--pipeline", "16"], right, 40, false);
        check(&["--new-connections"], right, 40, false);
        check(&["--new-connections"], last, 40, false);
        check(&["--head", "browser", "--new-connections", "--pipeline", "4"], right, 40, false);
        check(&[], "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 40, true);
        check(&[], "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /\r\n\r\n", 40, true);
        check(&[], "nonsense\r\n\r\n", 0, true);
        check(&[], "", 0, true);
    }
}
