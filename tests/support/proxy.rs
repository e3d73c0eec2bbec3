//! A TCP proxy between a server and its database: what a network does to bytes.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::net::sockopt::set_socket_linger;

/// What happens to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// They pass.
    None,
    /// They pass this much later.
    Delay(Duration),
    /// They are acknowledged and go nowhere.
    Swallow,
    /// Connections end, and new ones at once.
    Cut,
    /// The same, by a reset instead of an end.
    Reset,
}

/// A proxy on a free port of loopback.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    target: SocketAddr,
    fault: Mutex<Fault>,
    /// Both sides of every connection.
    open: Mutex<Vec<TcpStream>>,
    over: AtomicBool,
}

impl Proxy {
    pub(crate) fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (fault, open) = (Mutex::new(Fault::None), Mutex::default());
        let state = Arc::new(State { target, fault, open, over: AtomicBool::new(false) });
        let accepting = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.over.load(Ordering::Relaxed) {
                    break;
                }
                // What can't be connected ends at once.
                let _ = stream.and_then(|stream| accepting.connect(stream));
            }
        });
        Self { address, state }
    }

    /// From now on bytes fare so. Connections that lost some end with the fault.
    pub(crate) fn set(&self, fault: Fault) {
        let before = std::mem::replace(&mut *lock(&self.state.fault), fault);
        if before == Fault::Swallow || matches!(fault, Fault::Cut | Fault::Reset) {
            self.state.end_all(fault);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
        self.state.end_all(Fault::Cut);
        // Wakes who accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn connect(self: &Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        match *lock(&self.fault) {
            Fault::Cut => return Ok(()),
            Fault::Reset => return resets(&client),
            _ => {}
        }
        let server = TcpStream::connect(self.target)?;
        let pairs = [
            (client.try_clone()?, server.try_clone()?),
            (server.try_clone()?, client.try_clone()?),
        ];
        lock(&self.open).extend([client, server]);
        for (from, to) in pairs {
            let state = Arc::clone(self);
            thread::spawn(move || {
                if state.pump(&from, &to) != Fault::Reset {
                    let _ = from.shutdown(Shutdown::Both);
                    let _ = to.shutdown(Shutdown::Both);
                }
            });
        }
        Ok(())
    }

    /// Carries bytes one way until an end, or an error, which is one; what the fault was then.
    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream) -> Fault {
        let mut bytes = [0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let fault = *lock(&self.fault);
            match fault {
                Fault::Swallow => continue,
                Fault::Cut | Fault::Reset => break,
                Fault::Delay(time) => thread::sleep(time),
                Fault::None => {}
            }
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        *lock(&self.fault)
    }

    fn end_all(&self, fault: Fault) {
        for stream in lock(&self.open).drain(..) {
            let _ = match fault {
                // Who reads is woken, and the last to close it resets it.
                Fault::Reset => resets(&stream).and_then(|()| stream.shutdown(Shutdown::Read)),
                _ => stream.shutdown(Shutdown::Both),
            };
        }
    }
}

/// Closing this connection resets it.
fn resets(stream: &TcpStream) -> std::io::Result<()> {
    Ok(set_socket_linger(stream, Some(Duration::ZERO))?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
