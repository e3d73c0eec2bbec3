//! A client that sends exactly the bytes it is told, and reads one answer at a time.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

/// How long a test waits for a byte before it fails: far beyond any deadline of the server.
const PATIENCE: Duration = Duration::from_secs(60);

/// One answer, parsed by the rules a client would use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A field's value, by its name in any case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A connection.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connect");
        stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("timeout");
        stream.set_nodelay(true).expect("nodelay");
        Self { reader: BufReader::new(stream) }
    }

    /// Sends bytes; a peer that has gone shows in what is read.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.reader.get_mut().write_all(bytes.as_ref());
        self
    }

    /// Says that nothing more will be sent.
    pub(crate) fn half_close(&mut self) -> &mut Self {
        let _ = self.reader.get_mut().shutdown(Shutdown::Write);
        self
    }

    /// The next answer; `None` where the connection has ended.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        self.read(false)
    }

    /// The next answer, to a HEAD request: it has no body, whatever its length says.
    pub(crate) fn answer_to_head(&mut self) -> Option<Answer> {
        self.read(true)
    }

    /// Whether the server ends the connection without another byte.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.reader.read(&mut byte), Ok(0) | Err(_))
    }

    fn read(&mut self, head_only: bool) -> Option<Answer> {
        let mut answer = Answer::default();
        loop {
            let mut line = String::new();
            match self.reader.read_line(&mut line) {
                Ok(0) | Err(_) => return None,
                Ok(_) if line == "\r\n" => break,
                Ok(_) => answer.head.push_str(&line),
            }
        }
        answer.status = answer.head.split(' ').nth(1)?.parse().ok()?;
        let length: usize =
            answer.field("content-length").map_or(0, |n| n.parse().expect("length"));
        if length > 0 && !head_only {
            let mut body = vec![0; length];
            self.reader.read_exact(&mut body).ok()?;
            answer.body = String::from_utf8_lossy(&body).into_owned();
        }
        Some(answer)
    }
}

/// One request on a connection of its own.
pub(crate) fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> Option<Answer> {
    Client::connect(address).send(request).answer()
}
