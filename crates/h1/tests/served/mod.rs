//! The engine over real sockets: what a client sees, and what the server counts.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::common::{Client, Odd, builder, request, runtime, serve};
use waypost_h1::{Drained, Limits, PerIp, Refusal, Response};

const SOON: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(20);
const CLEAN: Drained = Drained { cut: 0 };

#[test]
fn connections_stay_and_pipelines_are_answered_in_order() {
    let server = serve();
    let mut client = Client::connect(&server);
    for n in 0..5 {
        let answer = client.get(&format!("/{n}"));
        assert_eq!((answer.status, answer.body), (200, format!("/{n}")));
        assert!(!answer.head.contains("Connection:"));
    }
    client.send(&(0..300).map(|n| request(&format!("/{n}"))).collect::<String>());
    for n in 0..300 {
        assert_eq!(client.answer().body, format!("/{n}"));
    }
    assert_eq!(server.counters().requests.load(Ordering::Relaxed), 305);
    assert_eq!(server.counters().open.load(Ordering::Relaxed), 1);
}

#[test]
fn a_pipelined_batch_leaves_in_one_write() {
    let server = serve();
    let mut client = Client::connect(&server);
    client.get("/");
    client.send(&request("/x").repeat(16));
    let mut buffer = vec![0; 64 * 1024];
    let n = client.stream.read(&mut buffer).unwrap();
    let text = String::from_utf8_lossy(&buffer[..n]);
    assert_eq!(text.matches("HTTP/1.1 200").count(), 16);
}

#[test]
fn a_request_byte_by_byte() {
    let server = serve();
    let mut client = Client::connect(&server);
    for _ in 0..2 {
        for byte in "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".chars() {
            client.send(&byte.to_string());
        }
        assert_eq!(client.answer().body, "hello");
    }
}

#[test]
fn half_closed_connections_get_their_answers() {
    let server = serve();
    for (path, body) in [("/a", "/a"), ("/later", "later")] {
        for warm in [false, true] {
            let mut client = Client::connect(&server);
            if warm {
                client.get("/");
            }
            client.send(&request(path).repeat(2)).half_close();
            assert_eq!(client.answer().body, body);
            assert_eq!(client.answer().body, body);
            assert!(client.is_over());
        }
    }
}

#[test]
fn late_requests_are_told_and_idle_connections_closed() {
    let limits = Limits { head_time: SOON, body_time: SOON, idle_time: SOON, ..Limits::default() };
    let server = builder().limits(limits).bind().unwrap().serve(Odd::new()).unwrap();
    let late = ["GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"];
    for text in late {
        let mut client = Client::connect(&server);
        let answer = client.send(text).answer();
        assert_eq!(answer.status, 408, "{text}");
        assert!(answer.head.contains("Connection: close"));
        assert!(client.is_over());
    }
    assert_eq!(server.counters().refused(Refusal::Timeout), 2);
    let mut idle = Client::connect(&server);
    idle.get("/");
    assert!(idle.is_over());
    let mut silent = Client::connect(&server);
    assert!(silent.is_over());
}

#[test]
fn a_peer_that_takes_no_answers_is_not_read_and_then_cut() {
    let limits = Limits { write_time: SOON, ..Limits::default() };
    let server = builder().limits(limits).bind().unwrap().serve(Odd::new()).unwrap();
    let client = Client::connect(&server);
    let mut stream = client.stream;
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let requests = request("/large").repeat(100);
    while stream.write_all(requests.as_bytes()).is_ok() {}
    let answered = server.counters().requests.load(Ordering::Relaxed);
    assert!(answered < 200, "{answered}");
}

#[test]
fn a_slow_reader_gets_all_answers() {
    let server = serve();
    let mut client = Client::connect(&server);
    client.send(&request("/large").repeat(100));
    thread::sleep(SOON);
    for _ in 0..100 {
        assert_eq!(client.answer().body.len(), 256 * 1024);
    }
    assert_eq!(client.get("/").status, 200);
}

#[test]
fn a_panic_is_answered_and_counted() {
    let server = serve();
    for warm in [false, true] {
        let mut client = Client::connect(&server);
        if warm {
            client.get("/");
        }
        let answer = client.get("/panic");
        assert_eq!(answer.status, 500);
        assert!(client.is_over());
    }
    assert_eq!(server.counters().panics.load(Ordering::Relaxed), 2);
    assert_eq!(Client::connect(&server).get("/").status, 200);
}

#[test]
fn promised_answers_come_from_other_threads_and_connections_keep_their_worker() {
    let handler = Odd::new();
    let workers = handler.workers.clone();
    let server = builder().bind().unwrap().serve(handler).unwrap();
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                for path in ["/later", "/a"] {
                    let mut client = Client::connect(&server);
                    client.get(path);
                    for _ in 0..40 {
                        client.send(&(request("/later") + &request("/b") + &request("/later")));
                        assert_eq!(client.answer().body, "later");
                        assert_eq!(client.answer().body, "/b");
                        assert_eq!(client.answer().body, "later");
                    }
                }
            });
        }
    });
    assert_eq!(Client::connect(&server).get("/dropped").status, 503);
    // What came with the accept ran on the acceptor's worker; from then on a connection has one of its own.
    for threads in workers.lock().unwrap().values().filter(|threads| threads.len() > 1) {
        assert!(threads[2..].windows(2).all(|pair| pair[0] == pair[1]), "{threads:?}");
    }
}

#[test]
fn short_connections_need_no_coroutine() {
    let server = serve();
    for _ in 0..20 {
        let mut client = Client::connect(&server);
        client.send("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(client.answer().body, "/a");
        assert!(client.is_over());
    }
    assert_eq!(server.counters().inline.load(Ordering::Relaxed), 20);
    assert_eq!(server.counters().accepted.load(Ordering::Relaxed), 20);
}

#[test]
fn past_the_cap_the_answer_is_503() {
    let server = builder().max_connections(2).bind().unwrap().serve(Odd::new()).unwrap();
    let mut first = Client::connect(&server);
    let mut second = Client::connect(&server);
    assert_eq!((first.get("/").status, second.get("/").status), (200, 200));
    let mut third = Client::connect(&server);
    assert_eq!(third.get("/").status, 503);
    assert!(third.is_over());
    assert_eq!(server.counters().refused(Refusal::Overloaded), 1);
    drop(first);
    while server.counters().open.load(Ordering::Relaxed) > 1 {
        thread::yield_now();
    }
    assert_eq!(Client::connect(&server).get("/").status, 200);
}

#[test]
fn one_address_may_have_a_cap_of_its_own() {
    for (exempt, third) in [(false, 503), (true, 200)] {
        let rule = PerIp::new(2, move |ip: IpAddr| exempt && ip.is_loopback());
        let server = builder().per_ip(rule).bind().unwrap().serve(Odd::new()).unwrap();
        let mut clients: Vec<_> = (0..3).map(|_| Client::connect(&server)).collect();
        let statuses: Vec<_> = clients.iter_mut().map(|client| client.get("/").status).collect();
        assert_eq!(statuses, [200, 200, third]);
        assert_eq!(server.counters().per_ip.load(Ordering::Relaxed), u64::from(!exempt));
    }
}

#[test]
fn a_drain_finishes_what_was_asked() {
    let handler = Odd::new();
    let kept = handler.kept.clone();
    let server = builder().bind().unwrap().serve(handler).unwrap();
    let address = server.addresses()[0];
    let mut idle = Client::connect(&server);
    idle.get("/");
    let mut halfway = Client::connect(&server);
    halfway.get("/");
    halfway.send("GET /half HTTP/1.1\r\nHo");
    let mut waiting = Client::connect(&server);
    waiting.send(&request("/kept"));
    while kept.lock().unwrap().is_empty() {
        thread::yield_now();
    }
    let drain = thread::spawn(move || server.drain(PATIENCE));
    assert!(idle.is_over());
    while TcpStream::connect(address).is_ok() {
        thread::yield_now();
    }
    let answer = halfway.send("st: a\r\n\r\n").answer();
    assert_eq!(answer.body, "/half");
    assert!(answer.head.contains("Connection: close"));
    kept.lock().unwrap().pop().unwrap().complete(Response::new(200).body("done"));
    let answer = waiting.answer();
    assert_eq!(answer.body, "done");
    assert!(answer.head.contains("Connection: close"));
    assert!(waiting.is_over() && halfway.is_over());
    drop((waiting, halfway));
    assert_eq!(drain.join().unwrap(), CLEAN);
}

#[test]
fn a_drain_under_load_loses_no_request() {
    let server = serve();
    let address = server.addresses()[0];
    let clients: Vec<_> = (0..8)
        .map(|n| {
            thread::spawn(move || {
                let mut client = Client::connect_to(address);
                let path = if n % 2 == 0 { "/a" } else { "/later" };
                let mut answered = 0;
                loop {
                    let answer = client.get(path);
                    assert_eq!(answer.status, 200);
                    answered += 1;
                    if answer.head.contains("Connection: close") {
                        return answered;
                    }
                }
            })
        })
        .collect();
    while server.counters().requests.load(Ordering::Relaxed) < 500 {
        thread::yield_now();
    }
    assert_eq!(server.drain(PATIENCE), CLEAN);
    for client in clients {
        assert!(client.join().unwrap() > 0);
    }
}

#[test]
fn what_is_not_done_in_time_is_cut() {
    for by_force in [false, true] {
        let server = serve();
        let mut client = Client::connect(&server);
        client.get("/");
        client.send(&request("/kept"));
        while server.counters().requests.load(Ordering::Relaxed) < 2 {
            thread::yield_now();
        }
        let stopper = server.stopper();
        let patience = if by_force { Duration::from_secs(3600) } else { SOON };
        let drain = thread::spawn(move || server.drain(patience));
        if by_force {
            stopper.stop_now();
        }
        assert_eq!(drain.join().unwrap(), Drained { cut: 1 });
        assert!(client.is_over());
    }
}

#[test]
fn an_answer_survives_a_peer_that_goes_on_sending() {
    let server = serve();
    let mut client = Client::connect(&server);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    let mut sender = client.stream.try_clone().unwrap();
    let sending = thread::spawn(move || {
        for _ in 0..3 {
            let _ = sender.write_all(&[b'x'; 100_000]);
        }
        let _ = sender.shutdown(Shutdown::Write);
    });
    sending.join().unwrap();
    assert_eq!(client.answer().status, 413);
    assert!(client.is_over());
}

#[test]
fn a_balancer_names_the_client() {
    let builder =
        waypost_h1::Server::builder().runtime(runtime()).listen_proxied(([127, 0, 0, 1], 0).into());
    let server = builder.bind().unwrap().serve(Odd::new()).unwrap();
    let mut client = Client::connect(&server);
    client.send("PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\r\n");
    assert_eq!(client.get("/peer").body, "192.0.2.1:12345");
    assert_eq!(client.get("/peer").body, "192.0.2.1:12345");
    let mut stranger = Client::connect(&server);
    stranger.send(&request("/"));
    assert!(stranger.is_over());
}
