//! A server from the outside: settings, start, stop.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::listener::{Bound, Listener};
use super::per_ip::Ledger;
use super::shared::{Shared, State};
use super::{PerIp, Runtime, acceptor, panics};
use crate::service::Service;
use crate::{Counters, Handler, Limits, default_max_connections};

/// How often the deadline thread looks: the precision of every deadline.
const TICK: Duration = Duration::from_millis(100);

/// How often a drain looks whether it is done.
const DRAIN_TICK: Duration = Duration::from_millis(5);

/// How long a connection must have been idle for a drain to close it. One that is busy sends its next request sooner, and learns
/// from the answer that the server goes; closing it between two requests would cut the second.
const DRAIN_IDLE: Duration = Duration::from_millis(300);

/// How long cut connections may take to notice.
const CUT_TIME: Duration = Duration::from_secs(1);

/// Settings of a server; made by [`Server::builder`].
///
/// ```no_run
/// # use waypost_h1::{Handler, Outcome, Reply, Request, Server};
/// # struct Hello;
/// # impl Handler for Hello {
/// #     fn handle(&self, _: &Request<'_>, reply: Reply<'_>) -> Outcome { reply.text(200, "hello\n") }
/// # }
/// # fn main() -> std::io::Result<()> {
/// let bound = Server::builder().listen(([127, 0, 0, 1], 8080).into()).bind()?;
/// println!("listening on {:?}", bound.addresses());
/// let server = bound.serve(Hello)?;
/// // … until a signal comes:
/// server.drain(std::time::Duration::from_secs(10));
/// # Ok(())
/// # }
/// ```
#[must_use = "call bind()"]
#[derive(Clone, Debug)]
pub struct ServerBuilder {
    addresses: Vec<(SocketAddr, bool)>,
    limits: Limits,
    max_connections: usize,
    per_ip: Option<PerIp>,
    runtime: Runtime,
    backlog: i32,
}

impl ServerBuilder {
    /// Listens on this address; may be called again for more. Port 0 lets the kernel choose.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.addresses.push((address, false));
        self
    }

    /// Listens on this address for connections that begin with a PROXY header, version 1 or 2; others are closed. Only for
    /// addresses that nobody but the balancer can reach.
    pub fn listen_proxied(mut self, address: SocketAddr) -> Self {
        self.addresses.push((address, true));
        self
    }

    /// Limits of requests and connections.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Connections at once; past it the answer is 503. By default what the process can hold: [`default_max_connections`].
    pub fn max_connections(mut self, max: usize) -> Self {
        self.max_connections = max;
        self
    }

    /// Caps the connections of one address. Off by default.
    pub fn per_ip(mut self, rule: PerIp) -> Self {
        self.per_ip = Some(rule);
        self
    }

    /// The scheduler's settings; those of the process's first server hold for all.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = runtime;
        self
    }

    /// Connections that the kernel queues for a listener. By default 4096, which the kernel cuts to `net.core.somaxconn`.
    pub fn backlog(mut self, backlog: i32) -> Self {
        self.backlog = backlog;
        self
    }

    /// Binds the addresses.
    ///
    /// # Errors
    ///
    /// The first address that can't be bound, with the address in the message: in use, not of this machine, not allowed.
    pub fn bind(self) -> io::Result<Bound> {
        let workers = self.runtime.apply();
        let bind = |&(address, proxy): &(SocketAddr, bool)| {
            Listener::bind(address, proxy, workers, self.backlog)
                .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
        };
        let listeners = self.addresses.iter().map(bind).collect::<io::Result<_>>()?;
        Ok(Bound { settings: self, listeners })
    }
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it says whether connections were cut"]
pub struct Drained {
    /// Connections that were cut because they were not done in time.
    pub cut: u64,
}

/// A server that runs. Dropping it stops it at once; [`Server::drain`] lets requests finish.
pub struct Server {
    control: Arc<dyn Control>,
    addresses: Vec<SocketAddr>,
    idle_time: Duration,
    reaper: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

/// A server whatever its handler.
trait Control: Send + Sync {
    fn state(&self) -> &State;
    fn counters(&self) -> &Counters;
}

impl<H: Handler> Control for Shared<H> {
    fn state(&self) -> &State {
        &self.state
    }

    fn counters(&self) -> &Counters {
        &self.service.counters
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl Server {
    /// Settings with their defaults; nothing is listened on yet.
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            addresses: Vec::new(),
            limits: Limits::default(),
            max_connections: default_max_connections(),
            per_ip: None,
            runtime: Runtime::default(),
            backlog: 4096,
        }
    }

    pub(crate) fn start<H: Handler>(bound: Bound, handler: H) -> io::Result<Self> {
        panics::install_hook();
        let addresses = bound.addresses();
        let Bound { settings, listeners } = bound;
        let ServerBuilder { limits, max_connections, per_ip, runtime, .. } = settings;
        let idle_time = limits.idle_time;
        let shared = Arc::new(Shared {
            service: Service { handler, limits, counters: Counters::default() },
            state: State::new(max_connections, per_ip.map(Ledger::new)),
        });
        let control: Arc<dyn Control> = Arc::clone(&shared) as _;
        let reaper = Some(start_reaper(Arc::clone(&control))?);
        let server = Self { control, addresses, idle_time, reaper };
        for listener in listeners {
            for socket in listener.sockets {
                acceptor::start(socket, listener.proxy, Arc::clone(&shared), runtime.io_uring)?;
            }
        }
        Ok(server)
    }

    /// The addresses it listens on.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it counts.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        self.control.counters()
    }

    /// A way to its counters that outlives the borrow, for a metrics page.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        Metrics(Arc::clone(&self.control))
    }

    /// Stops in good order: accepts nothing more, answers what was asked, with `Connection: close`, closes idle connections, and
    /// returns when all is done, or cuts what is left after `patience`. Call it from an ordinary thread; it waits.
    pub fn drain(mut self, patience: Duration) -> Drained {
        self.stop(patience)
    }

    fn stop(&mut self, patience: Duration) -> Drained {
        let state = self.control.state();
        state.begin_drain();
        let until = Instant::now() + patience;
        while !self.is_done() && Instant::now() < until && !state.is_stopping() {
            let due = Instant::now() + self.idle_time - DRAIN_IDLE;
            state.table.close_idle(state.clock.millis(due));
            thread::sleep(DRAIN_TICK);
        }
        let cut = self.open();
        state.stopping.store(true, Ordering::SeqCst);
        let until = Instant::now() + CUT_TIME;
        while !self.is_done() && Instant::now() < until {
            state.table.cut_all();
            thread::sleep(DRAIN_TICK);
        }
        if let Some((stop, thread)) = self.reaper.take() {
            drop(stop);
            let _ = thread.join();
        }
        Drained { cut }
    }

    fn is_done(&self) -> bool {
        self.open() == 0 && self.control.state().accepting.load(Ordering::SeqCst) == 0
    }

    fn open(&self) -> u64 {
        self.counters().open.load(Ordering::Acquire)
    }

    /// Ends a drain that another thread waits in: what is left is cut. For a second signal.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.control))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.reaper.is_some() {
            let _ = self.stop(Duration::ZERO);
        }
    }
}

/// Cuts a drain short; made by [`Server::stopper`].
#[derive(Clone)]
pub struct Stopper(Arc<dyn Control>);

impl Stopper {
    /// Cuts all connections now.
    pub fn stop_now(&self) {
        self.0.state().stopping.store(true, Ordering::SeqCst);
    }
}

impl std::fmt::Debug for Stopper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stopper")
    }
}

/// A server's counters, for whoever shows them; made by [`Server::metrics`].
#[derive(Clone)]
pub struct Metrics(Arc<dyn Control>);

impl std::ops::Deref for Metrics {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        self.0.counters()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

/// Starts the thread that keeps deadlines and the clock; it ends when the sender is dropped.
fn start_reaper(control: Arc<dyn Control>) -> io::Result<(mpsc::Sender<()>, JoinHandle<()>)> {
    let (stop, stopped) = mpsc::channel();
    let run = move || {
        while stopped.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
            let state = control.state();
            state.clock.refresh();
            state.table.reap(state.clock.millis(Instant::now()));
            state.resume_acceptors();
        }
    };
    let thread = thread::Builder::new().name("h1-deadlines".into()).spawn(run)?;
    Ok((stop, thread))
}
