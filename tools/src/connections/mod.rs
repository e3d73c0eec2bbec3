//! `cargo xtask connections`: what connections cost that do little, or mean harm.
//!
//! A release server on core 0 gets, one after the other, a crowd that asks twice and then stays without a word, clients that send their
//! head a byte at a time, and single connections that try to keep it busy or make it grow. While the first two are there others ask on, and
//! must notice nothing. Everything goes to loopback, is bounded in number and time, and is gone at the end.

mod crowd;
mod hostile;
mod live;
mod slow;

use crate::figure;
use crate::peers::build::Programs;
use crate::peers::process::{Interrupt, OWN_MEMORY};
use crate::peers::server::{Kit, Running, Server};
use crate::repo;
use anyhow::{Result, bail};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// Descriptors beside those of the crowd, in either process.
const SPARE_FILES: u64 = 512;
/// How long anything that is asked for may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Measure idle, slow and hostile connections
#[derive(Parser)]
#[command(name = "cargo xtask connections")]
struct Options {
    /// Connections that stay idle
    #[arg(long, default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(1..=25_000))]
    idle: u64,
    /// How long each hostile connection goes on, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
}

/// The server that is measured, and how it is asked.
struct Target {
    running: Running,
    interrupt: Interrupt,
    request: String,
}

/// Measures; fails where a figure is over what it may be.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let name = "cargo xtask connections".to_owned();
    let options = Options::parse_from(std::iter::once(&name).chain(arguments));
    raise_files(options.idle + SPARE_FILES)?;
    let folder = tempfile::tempdir()?;
    let programs = Programs::build(&repo::root(), &[Server::Waypost])?;
    let kit = Kit::new(folder.path(), programs, 1, Interrupt::new()?)?;
    let running = kit.start(Server::Waypost)?;
    let request = request(running.address, &kit.last);
    let target = Target { running, interrupt: kit.interrupt, request };
    let mut figures = Vec::new();
    figures.extend(crowd::measure(&target, options.idle)?);
    figures.extend(slow::measure(&target)?);
    figures.extend(hostile::measure(&target, Duration::from_secs(options.seconds))?);
    Ok(figure::report(&figures))
}

fn request(address: SocketAddrV4, code: &str) -> String {
    format!("GET /{code} HTTP/1.1\r\nHost: {address}\r\n\r\n")
}

/// Lets this process, and the server that it starts, hold so many descriptors.
fn raise_files(count: u64) -> Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < count) {
        if maximum.is_some_and(|maximum| maximum < count) {
            bail!("{count} open files are needed, and {maximum:?} allowed: see `ulimit -Hn`");
        }
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(())
}

impl Target {
    fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(self.running.address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn ask(&self, mut stream: &TcpStream) -> Result<()> {
        Ok(stream.write_all(self.request.as_bytes())?)
    }

    /// KiB of the server's own memory.
    fn memory(&self) -> Result<f64> {
        Ok(self.running.process.memory(OWN_MEMORY)? * 1024.0)
    }
}

/// Reads one answer, which has to be a redirect; answers are shorter than the buffer.
fn redirected(mut stream: &TcpStream) -> Result<()> {
    let mut answer = [0; 1024];
    let mut length = 0;
    while !answer[..length].ends_with(b"\r\n\r\n") {
        match stream.read(&mut answer[length..])? {
            0 => bail!("the connection ended"),
            read => length += read,
        }
    }
    if !answer.starts_with(b"HTTP/1.1 302 ") {
        bail!("not a redirect: {}", String::from_utf8_lossy(&answer[..length]));
    }
    Ok(())
}
