//! The system calls and coroutine calls that Rust can't check, each behind a safe function.

#![allow(unsafe_code)]

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use may::coroutine::Builder;

/// Takes the next connection of a listener, non-blocking from the start.
pub(crate) fn accept(listener: RawFd) -> io::Result<(TcpStream, SocketAddr)> {
    let accept4 = |storage: *mut socket2::SockAddrStorage, length: *mut libc::socklen_t| {
        let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // SAFETY: `storage` and `length` are valid for writes and describe a whole `sockaddr_storage`, as `try_init` promises.
        let fd = unsafe { libc::accept4(listener, storage.cast(), length, flags) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just gave us this descriptor; nobody else owns it.
        Ok(unsafe { TcpStream::from_raw_fd(fd) })
    };
    // SAFETY: accept4 fills the storage with an address of the length that it stores, or fails.
    let (stream, address) = unsafe { socket2::SockAddr::try_init(accept4) }?;
    let address = address.as_socket().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
    Ok((stream, address))
}

/// Has the kernel keep connections to itself until their first bytes are there, about this many seconds at most.
pub(crate) fn set_defer_accept(listener: &impl AsRawFd, seconds: i32) -> io::Result<()> {
    let value = &raw const seconds;
    let length = libc::socklen_t::try_from(size_of::<i32>()).unwrap_or(4);
    let fd = listener.as_raw_fd();
    // SAFETY: the option takes an int, to which `value` points for the length given.
    let result = unsafe {
        libc::setsockopt(fd, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, value.cast(), length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Shuts a socket down by its descriptor. The caller vouches that the descriptor is still the one it means.
#[cfg(not(all(test, feature = "model")))]
pub(crate) fn shutdown(fd: RawFd, how: std::net::Shutdown) {
    let how = match how {
        std::net::Shutdown::Read => libc::SHUT_RD,
        std::net::Shutdown::Write => libc::SHUT_WR,
        std::net::Shutdown::Both => libc::SHUT_RDWR,
    };
    // SAFETY: shutdown touches no memory of ours; a wrong descriptor is an error that we ignore.
    unsafe { libc::shutdown(fd, how) };
}

/// An eventfd: rung from any thread, it is an event for the worker that its descriptor belongs to.
pub(crate) struct Bell(OwnedFd);

impl Bell {
    /// One of worker `worker` of so many.
    pub(crate) fn new(worker: i32, workers: i32) -> io::Result<Self> {
        // SAFETY: no memory is involved.
        let mut bell = owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        while bell.as_raw_fd() % workers != worker {
            let next = bell.as_raw_fd() + 1;
            let least = next + (worker - next).rem_euclid(workers);
            // SAFETY: the same; the descriptor is open.
            let copy = unsafe { libc::fcntl(bell.as_raw_fd(), libc::F_DUPFD_CLOEXEC, least) };
            bell = owned(copy)?;
        }
        Ok(Self(bell))
    }

    /// Rings it. Nobody takes that back: the scheduler watches edges, to which every ring is an event of its own, and what counts them has
    /// room for 2^64.
    pub(crate) fn ring(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: eight bytes are read, as many as there are.
        unsafe { libc::write(self.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }
}

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// A descriptor that the kernel has just made, or its error.
fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave us this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Starts a coroutine on the worker that descriptor `fd` belongs to.
pub(crate) fn spawn(fd: RawFd, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // SAFETY: what runs here neither holds thread-local state across a wait nor goes deeper than its stack: see the rules at
    // the top of the transport.
    unsafe { Builder::new().id(worker_id(fd)).spawn(run) }.map(drop)
}

/// Starts a coroutine at once on this worker, which must be the one that `fd` belongs to; it returns when that first waits.
pub(crate) fn spawn_here(fd: RawFd, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // SAFETY: as for `spawn`.
    unsafe { Builder::new().id(worker_id(fd)).spawn_local(run) }.map(drop)
}

fn worker_id(fd: RawFd) -> usize {
    usize::try_from(fd).unwrap_or(0)
}
