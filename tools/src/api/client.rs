//! A client of the API that keeps its connection and waits for each answer.

use anyhow::{Context as _, Result, bail};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most that is read of an answer.
const MAX_ANSWER: usize = 64 << 20;

pub(super) struct Client {
    stream: BufReader<TcpStream>,
    /// The fields of every request.
    fields: String,
}

impl Client {
    pub(super) fn connect(address: SocketAddrV4, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let fields = format!(
            "Host: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        );
        Ok(Self { stream: BufReader::new(stream), fields })
    }

    /// The body of the answer, whose status has to be 200.
    pub(super) fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Vec<u8>> {
        let (fields, length) = (&self.fields, body.len());
        let request =
            format!("{method} {path} HTTP/1.1\r\n{fields}Content-Length: {length}\r\n\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?;
        let mut length = 0;
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse()?;
                }
                Some(_) => {}
                None => break,
            }
        }
        if length > MAX_ANSWER {
            bail!("{method} {path}: an answer of {length} bytes");
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        if !status.starts_with("HTTP/1.1 200 ") {
            bail!("{method} {path}: {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(answer)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).context("no answer")?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => bail!("the connection ended"),
        }
    }
}
