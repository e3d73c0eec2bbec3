//! [`World`]: a database that can be broken, and a node on it.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use waypost_postgres::testing::Cluster;

use super::calls::TOKEN;
use crate::support::{Client, Data, Proxy, Server, await_that, free_port};

/// A node that reaches its database through a proxy.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) proxy: Proxy,
    pub(super) data: Data,
    pub(super) cluster: Cluster,
    port: u16,
    /// Visits of the link `hi` that were redirected.
    pub(super) visits: AtomicU64,
}

impl World {
    /// A node with a link `hi`, ready.
    pub(super) fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// The same, after the superuser has prepared the empty database.
    pub(super) fn with(prepare: impl FnOnce(&Cluster, &mut postgres::Client)) -> Self {
        let (cluster, port) = (Cluster::new(), free_port());
        start(&cluster, port);
        let mut admin = connect(&cluster, port, "postgres");
        for sql in ["CREATE ROLE node LOGIN", "CREATE DATABASE links OWNER node"] {
            admin.batch_execute(sql).expect("a database");
        }
        prepare(&cluster, &mut admin);
        let proxy = Proxy::before(SocketAddr::from(([127, 0, 0, 1], port)));
        let data = Data::at(format!("postgres://node@{}/links", proxy.address));
        let server = serve(&data);
        data.ok(&["link", "add", "hi", "https://example.com/"]);
        server.await_link("hi");
        let world = Self { server, proxy, data, cluster, port, visits: AtomicU64::new(0) };
        world.await_ready(200, "ready\n");
        world
    }

    /// Starts the database again.
    pub(super) fn start(&self) {
        start(&self.cluster, self.port);
    }

    /// The superuser, who doesn't pass the proxy.
    pub(super) fn admin(&self) -> postgres::Client {
        connect(&self.cluster, self.port, "links")
    }

    /// Kills the node, and starts it on the same directory.
    pub(super) fn restarted(self) -> Self {
        self.server.kill();
        let server = serve(&self.data);
        Self { server, ..self }
    }

    /// Visits `hi` until it is over: each is redirected. The longest that one took.
    pub(super) fn visit_until(&self, over: &AtomicBool) -> Duration {
        let mut client = Client::connect(self.server.address);
        let mut slowest = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let answer = client.send("GET /hi HTTP/1.1\r\nHost: localhost\r\n\r\n").answer();
            assert_eq!(answer.expect("an answer").status, 302);
            slowest = slowest.max(begun.elapsed());
            self.visits.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(1));
        }
        slowest
    }

    /// Visits `hi` until `outage` is over; what that gave. Prints how long a redirect took at most.
    pub(super) fn visited<T>(&self, visitors: usize, outage: impl FnOnce() -> T) -> T {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let visitors: Vec<_> =
                (0..visitors).map(|_| scope.spawn(|| self.visit_until(&over))).collect();
            let end = End(&over);
            let done = outage();
            drop(end);
            let slowest = visitors.into_iter().map(|visitor| visitor.join().expect("redirects"));
            println!("the slowest redirect: {:?}", slowest.max().unwrap_or_default());
            done
        })
    }

    /// Waits until `/readyz` has this status, and says this.
    pub(super) fn await_ready(&self, status: u16, says: &str) {
        let says_so = || {
            let answer = self.server.get("/readyz");
            (answer.status, &*answer.body) == (status, says)
        };
        await_that(says_so, &format!("/readyz: {status} {says}"));
    }

    /// Everything works again, and every visit was counted once.
    pub(super) fn check_well(&self) {
        self.await_ready(200, "ready\n");
        self.data.await_clicks("hi", self.visits.load(Ordering::Relaxed));
        self.data.ok(&["link", "add", "later", "https://example.com/"]);
        self.server.await_link("later");
        self.data.ok(&["verify"]);
    }
}

/// Ends the visits, also where the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn serve(data: &Data) -> Server {
    data.serve_with(&["--no-rate-limit"], &[("WAYPOST_ADMIN_KEY", TOKEN)])
}

/// A crash may lose no commit here: only processes die.
fn start(cluster: &Cluster, port: u16) {
    let port = format!("port={port}");
    cluster.start(&["listen_addresses=127.0.0.1", &port, "synchronous_commit=on"]);
}

fn connect(cluster: &Cluster, port: u16, database: &str) -> postgres::Client {
    let mut config = postgres::Config::new();
    config.host_path(cluster.home()).port(port).user("waypost").dbname(database);
    config.connect(postgres::NoTls).expect("a connection")
}
