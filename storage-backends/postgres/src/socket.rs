//! A connection's socket that gives up when nothing comes, with TLS or without.
//!
//! The client takes its own socket and gives it away to nobody but TLS. So whoever connects by TCP
//! is told that there is TLS from the first byte on, and what it calls TLS negotiates here, the way
//! that the client would have (PostgreSQL's protocol, "SSL Session Encryption"), and may well end
//! without any. A database behind a Unix socket is on the same machine, and left to the client.

use std::{
    error::Error,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use postgres::{
    Socket,
    config::{Host, SslMode, SslNegotiation},
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    time::{Sleep, sleep_until},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::patience;

/// What asks a server for TLS: the length of this message, then its code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// What is left to a socket that was not looked at until its time was up: whoever computed between
/// two statements has yet to send the second.
const GRACE: Duration = Duration::from_millis(250);

type Failure = Box<dyn Error + Send + Sync>;
type Rustls = <MakeRustlsConnect as MakeTlsConnect<Patient>>::TlsConnect;
type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Patient>>::Stream;

/// How `config` is connected with.
pub(crate) fn connector(
    mut config: postgres::Config,
    rustls: MakeRustlsConnect,
) -> (postgres::Config, Connector) {
    let (mode, negotiation) = (config.get_ssl_mode(), config.get_ssl_negotiation());
    let hosts = config.get_hosts();
    if !hosts.is_empty() && hosts.iter().all(|host| matches!(host, Host::Tcp(_))) {
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        return (config, Connector { rustls, wanted: Some((mode, negotiation)) });
    }
    (config, Connector { rustls, wanted: None })
}

/// Makes what negotiates.
#[derive(Clone)]
pub(crate) struct Connector {
    rustls: MakeRustlsConnect,
    /// What the operator wants; `None` where the client has negotiated.
    wanted: Option<(SslMode, SslNegotiation)>,
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Stream;
    type TlsConnect = Negotiation;
    type Error = Failure;

    fn make_tls_connect(&mut self, host: &str) -> Result<Negotiation, Failure> {
        let rustls = MakeTlsConnect::<Patient>::make_tls_connect(&mut self.rustls, host)?;
        Ok(Negotiation { rustls, wanted: self.wanted })
    }
}

/// What negotiates.
pub(crate) struct Negotiation {
    rustls: Rustls,
    wanted: Option<(SslMode, SslNegotiation)>,
}

impl TlsConnect<Socket> for Negotiation {
    type Stream = Stream;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Failure>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let mut stream = Patient::new(socket);
        Box::pin(async move {
            let encrypted = match self.wanted {
                Some((SslMode::Disable, _)) => false,
                Some((mode, SslNegotiation::Postgres)) => ask(&mut stream, mode).await?,
                _ => true,
            };
            Ok(match encrypted {
                true => Stream::Encrypted(Box::new(self.rustls.connect(stream).await?)),
                false => Stream::Plain(stream),
            })
        })
    }
}

/// Whether the server has TLS. One byte is read and no more: what an attacker put behind it would
/// be taken for TLS, and refused.
async fn ask(stream: &mut Patient, mode: SslMode) -> Result<bool, Failure> {
    stream.write_all(&SSL_REQUEST).await?;
    match (stream.read_u8().await?, mode) {
        (b'S', _) => Ok(true),
        (_, SslMode::Prefer) => Ok(false),
        _ => Err("server does not support TLS".into()),
    }
}

/// A connection, as it was negotiated.
pub(crate) enum Stream {
    Plain(Patient),
    Encrypted(Box<Encrypted>),
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            Self::Encrypted(stream) => stream.channel_binding(),
        }
    }
}

/// Calls the same of whichever stream it is.
macro_rules! of_either {
    ($stream:expr, $method:ident($($argument:expr),*)) => {
        match $stream.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Encrypted(stream) => Pin::new(&mut **stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        of_either!(self, poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        of_either!(self, poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        of_either!(self, poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        of_either!(self, poll_shutdown(context))
    }
}

/// A socket that fails once the thread that polls it has waited long enough.
pub(crate) struct Patient {
    socket: Socket,
    moved: Instant,
    /// Its time was up before; the end of the grace.
    late: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn new(socket: Socket) -> Self {
        Self { socket, moved: Instant::now(), late: None, timer: None }
    }

    /// Notes that something moved, or waits for the end of patience.
    fn seen<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            (self.moved, self.late) = (Instant::now(), None);
            return outcome;
        }
        let Some(mut until) = patience::until(self.moved) else { return Poll::Pending };
        let now = Instant::now();
        if until <= now {
            until = *self.late.get_or_insert(now + GRACE);
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until.into())));
        timer.as_mut().reset(until.into());
        ready!(timer.as_mut().poll(context));
        let why = "the database accepts and says nothing";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.socket).poll_read(context, buffer);
        self.seen(context, outcome)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.seen(context, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
