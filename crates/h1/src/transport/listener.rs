//! Binding addresses.
//!
//! The first socket of an address is bound without SO_REUSEPORT, so that an address which another program holds is an error and not
//! a silent sharing of its connections. Only then is the option set, for one more socket a worker: the kernel spreads
//! connections over them, and no worker waits for another's lock.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::server::ServerBuilder;
use super::{Server, sys};
use crate::Handler;

/// How long the kernel keeps a connection that has not sent anything; the first multiple of its retransmission timer.
const DEFER_SECONDS: i32 = 1;

/// The sockets of one address.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    pub(crate) proxy: bool,
    pub(crate) sockets: Vec<TcpListener>,
}

/// A server whose addresses are bound: connections queue up, and [`Bound::serve`] begins to answer them.
pub struct Bound {
    pub(crate) settings: ServerBuilder,
    pub(crate) listeners: Vec<Listener>,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bound").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}

impl Bound {
    /// The addresses, with the ports that the kernel chose where 0 was asked for.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|listener| listener.address).collect()
    }

    /// Begins to serve.
    ///
    /// # Errors
    ///
    /// What registering a listener or starting the deadline thread met with.
    pub fn serve<H: Handler>(self, handler: H) -> io::Result<Server> {
        Server::start(self, handler)
    }
}

impl Listener {
    pub(crate) fn bind(
        address: SocketAddr,
        proxy: bool,
        workers: usize,
        backlog: i32,
    ) -> io::Result<Self> {
        let first = new_socket(address)?;
        first.bind(&address.into())?;
        let address = first.local_addr()?.as_socket().unwrap_or(address);
        let mut sockets = vec![first];
        for _ in 1..workers {
            sockets.push(bind_another(&sockets[0], address)?);
        }
        let sockets = sockets.into_iter().map(|socket| {
            socket.listen(backlog)?;
            Ok(TcpListener::from(socket))
        });
        Ok(Self { address, proxy, sockets: sockets.collect::<io::Result<_>>()? })
    }
}

fn bind_another(first: &Socket, address: SocketAddr) -> io::Result<Socket> {
    first.set_reuse_port(true)?;
    let socket = new_socket(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// A socket with the options that its connections inherit. An IPv6 wildcard takes IPv4 as well.
fn new_socket(address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    sys::set_defer_accept(&socket, DEFER_SECONDS)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_use_is_an_error_and_workers_share_ours() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let first = Listener::bind(any, false, 3, 16).unwrap();
        assert_eq!(first.sockets.len(), 3);
        let second = Listener::bind(first.address, false, 3, 16);
        assert_eq!(second.err().map(|e| e.kind()), Some(io::ErrorKind::AddrInUse));
        let foreign = TcpListener::bind(any).unwrap();
        let second = Listener::bind(foreign.local_addr().unwrap(), false, 1, 16);
        assert_eq!(second.err().map(|e| e.kind()), Some(io::ErrorKind::AddrInUse));
    }
}
