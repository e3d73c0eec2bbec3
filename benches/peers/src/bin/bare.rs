//! The practical limit: one thread, epoll, httparse, prebuilt answers, and nothing else.
//!
//! A connection costs one read, one write and its share of an epoll wait a batch of requests; a short read means that
//! there is nothing more. There are no deadlines and no clicks, and a client that doesn't take its answers is cut off.
#![forbid(unsafe_code)]

use std::{collections::HashMap, error::Error, io, mem::MaybeUninit, os::fd::AsRawFd as _};

use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fd::OwnedFd,
    io::Errno,
    net::{self, AddressFamily, SocketFlags, SocketType, sockopt},
};
use waypost_peers::Start;

const BACKLOG: i32 = 4096;
const EVENTS: usize = 256;
const BUFFER: usize = 64 << 10;
const MAX_HEADERS: usize = 32;
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

type Answers = HashMap<Box<[u8]>, Box<[u8]>, ahash::RandomState>;

struct Connection {
    socket: OwnedFd,
    /// The beginning of a request whose end has not arrived.
    rest: Vec<u8>,
}

/// What becomes of a connection.
#[derive(PartialEq)]
enum Then {
    Stay,
    Close,
}

struct Server {
    epoll: OwnedFd,
    listener: OwnedFd,
    answers: Answers,
    /// By file descriptor.
    connections: Vec<Option<Connection>>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Server {
    fn new(start: &Start) -> io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let listener = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&listener, true)?;
        sockopt::set_tcp_nodelay(&listener, true)?;
        net::bind(&listener, &start.address)?;
        net::listen(&listener, BACKLOG)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, token(&listener), EventFlags::IN)?;
        let answer = |(code, to): &(String, String)| -> (Box<[u8]>, Box<[u8]>) {
            let answer =
                format!("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {to}\r\n\r\n");
            (code.as_bytes().into(), answer.into_bytes().into())
        };
        Ok(Self {
            epoll,
            listener,
            answers: start.links.iter().map(answer).collect(),
            connections: Vec::new(),
            input: vec![0; BUFFER],
            output: Vec::with_capacity(BUFFER),
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let listener = token(&self.listener).u64();
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            epoll::wait(&self.epoll, spare_capacity(&mut events), None)?;
            for event in events.drain(..) {
                match event.data.u64() {
                    token if token == listener => self.accept()?,
                    token => self.serve(token as usize),
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = match net::accept_with(&self.listener, flags) {
                Ok(socket) => socket,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::CONNABORTED) => continue,
                Err(error) => return Err(error.into()),
            };
            let at = token(&socket).u64() as usize;
            epoll::add(&self.epoll, &socket, token(&socket), EventFlags::IN | EventFlags::ET)?;
            if self.connections.len() <= at {
                self.connections.resize_with(at + 1, || None);
            }
            self.connections[at] = Some(Connection { socket, rest: Vec::new() });
        }
    }

    fn serve(&mut self, at: usize) {
        let Some(connection) = self.connections.get_mut(at).and_then(Option::as_mut) else {
            return; // closed by an earlier event of the same wait
        };
        let then = connection.exchange(&mut self.input, &mut self.output, &self.answers);
        if then != Ok(Then::Stay) {
            self.connections[at] = None;
        }
    }
}

impl Connection {
    /// Reads what is there, answers it, writes once; again only where the read filled the buffer.
    fn exchange(
        &mut self,
        input: &mut [u8],
        output: &mut Vec<u8>,
        answers: &Answers,
    ) -> Result<Then, Errno> {
        loop {
            let kept = self.rest.len();
            input[..kept].copy_from_slice(&self.rest);
            self.rest.clear();
            let room = input.len() - kept;
            let read = match rustix::io::read(&self.socket, &mut input[kept..]) {
                Ok(0) => return Ok(Then::Close), // also where a request fills the buffer
                Ok(read) => read,
                Err(Errno::AGAIN) => 0,
                Err(error) => return Err(error),
            };
            output.clear();
            let (used, then) = answer(&input[..kept + read], output, answers);
            self.rest.extend_from_slice(&input[used..kept + read]);
            if !output.is_empty() && rustix::io::write(&self.socket, output)? < output.len() {
                return Ok(Then::Close);
            }
            if then == Then::Close || read < room {
                return Ok(then);
            }
        }
    }
}

/// Appends the answers to every whole request, and says how many bytes those were.
fn answer(input: &[u8], output: &mut Vec<u8>, answers: &Answers) -> (usize, Then) {
    let mut used = 0;
    while used < input.len() {
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut []);
        match request.parse_with_uninit_headers(&input[used..], &mut headers) {
            Ok(httparse::Status::Complete(length)) => used += length,
            Ok(httparse::Status::Partial) => break,
            Err(_) => return (input.len(), Then::Close),
        }
        let code = request.path.and_then(|path| path.as_bytes().get(1..)).unwrap_or_default();
        output.extend_from_slice(answers.get(code).map_or(NOT_FOUND, |answer| answer));
        if request.headers.iter().any(says_close) {
            return (used, Then::Close);
        }
    }
    (used, Then::Stay)
}

fn says_close(header: &httparse::Header<'_>) -> bool {
    header.name.len() == "connection".len()
        && header.name.eq_ignore_ascii_case("connection")
        && header.value.eq_ignore_ascii_case(b"close")
}

fn token(socket: &OwnedFd) -> EventData {
    EventData::new_u64(socket.as_raw_fd() as u64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = Start::from_arguments()?;
    let mut server = Server::new(&start)?;
    start.announce();
    server.run()?;
    Ok(())
}
