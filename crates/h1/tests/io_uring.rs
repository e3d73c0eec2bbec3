//! The engine over io_uring. Where the kernel has none, or forbids it, this runs as `epoll.rs` does, and says so.

#![allow(missing_docs)]

mod common;
mod served;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::Client;
use io_uring::IoUring;
use waypost_h1::{Handler, Outcome, Preview, Reply, Request, Runtime, Server};

/// For [`common`].
const IO_URING: bool = true;

/// What the engine needs came with Linux 6.1, and so did the flags asked for here.
fn is_there() -> bool {
    let ring: std::io::Result<IoUring> =
        IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(8);
    ring.map(drop).inspect_err(|error| eprintln!("NOT TESTED: io_uring: {error}")).is_ok()
}

#[test]
fn connections_that_stay_are_served_through_it() {
    let server = common::serve();
    let mut client = Client::connect(&server);
    for _ in 0..3 {
        client.get("/");
    }
    assert_eq!(server.counters().io_uring.load(Ordering::Relaxed), u64::from(is_there()));
}

/// Says when it is in `/wait` and stays there until it is let go, notes what it is told of, and panics over `/panic`.
struct Told {
    waits: Mutex<mpsc::Sender<()>>,
    go: Mutex<mpsc::Receiver<()>>,
    of: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Handler for Told {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        if request.path() == "/wait" {
            self.waits.lock().unwrap().send(()).unwrap();
            self.go.lock().unwrap().recv_timeout(Duration::from_secs(20)).unwrap();
        }
        reply.text(200, "there\n")
    }

    fn prefetch(&self, coming: &[Preview<'_>]) {
        self.of.lock().unwrap().push(coming.iter().map(|one| one.path.to_owned()).collect());
        assert!(coming.iter().all(|one| one.path != "/panic"), "on purpose");
    }
}

#[test]
fn a_handler_is_told_of_what_came_together() {
    if !is_there() {
        return;
    }
    let ((waits, waiting), (let_go, go)) = (mpsc::channel(), mpsc::channel());
    let of = Arc::default();
    let told = Told { waits: Mutex::new(waits), go: Mutex::new(go), of: Arc::clone(&of) };
    let runtime = Runtime { workers: 1, ..common::runtime() };
    let builder = Server::builder().runtime(runtime).listen(([127, 0, 0, 1], 0).into());
    let server = builder.bind().unwrap().serve(told).unwrap();
    let mut clients = [(); 3].map(|()| Client::connect(&server));
    for client in &mut clients {
        (0..2).for_each(|_| drop(client.get("/")));
    }
    for path in ["/a", "/panic"] {
        clients[0].send(&common::request("/wait"));
        waiting.recv_timeout(Duration::from_secs(20)).unwrap();
        clients[1].send(&common::request(path));
        clients[2].send(&common::request("/b"));
        let_go.send(()).unwrap();
        for client in &mut clients {
            assert_eq!(client.answer().status, 200);
        }
    }
    let told = of.lock().unwrap();
    for path in ["/a", "/panic"] {
        assert!(told.iter().any(|paths| paths == &[path, "/b"]), "{told:?}");
    }
    assert_eq!(server.counters().panics.load(Ordering::Relaxed), 1);
}
