//! SIGTERM under load: every answered click is stored, no request is cut, exit 0.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::support::{Client, Data};

const CLIENTS: usize = 8;

/// Asks until the server ends the connection; how often it answered with a redirect.
///
/// A request that the server took and did not answer would be a click that is stored and not
/// answered: the counts below would differ.
fn ask(address: std::net::SocketAddr, stopping: &AtomicBool) -> u64 {
    let mut client = Client::connect(address);
    for answered in 1.. {
        match client.send("GET /hi HTTP/1.1\r\nHost: a\r\n\r\n").answer() {
            Some(answer) => {
                assert_eq!(answer.status, 302);
                if answer.field("connection") == Some("close") {
                    return answered;
                }
            }
            None if stopping.load(Ordering::Relaxed) => return answered - 1,
            None => panic!("a request was cut"),
        }
    }
    0
}

#[test]
fn no_click_is_lost_and_no_request_cut() {
    let data = Data::new();
    data.ok(&["link", "add", "hi", "https://example.com/"]);
    let mut answered = 0;
    for _ in 0..3 {
        let server = data.serve();
        let (address, stopping) = (server.address, Arc::new(AtomicBool::new(false)));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let stopping = Arc::clone(&stopping);
                std::thread::spawn(move || ask(address, &stopping))
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(300));
        stopping.store(true, Ordering::Relaxed);
        assert!(server.stop().success());
        answered += clients.into_iter().map(|client| client.join().expect("client")).sum::<u64>();
        assert_eq!(data.clicks("hi"), answered);
    }
    assert!(answered > 0);
    data.ok(&["verify"]);
}
