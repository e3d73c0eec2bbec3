//! A whole server: `cargo run --release -p waypost-h1 --example hello -- 127.0.0.1:8080 1`.
//!
//! The arguments are the address and the number of workers. `/` says hello, `/r` redirects, `POST /echo` echoes, `/later` is
//! answered by another thread; end it with Enter.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use waypost_h1::{
    BodyPolicy, Handler, Head, Method, Outcome, Reply, Request, Response, Runtime, Server,
};

struct Hello;

impl Handler for Hello {
    fn body(&self, head: &Head<'_>) -> BodyPolicy {
        match head.method() {
            Method::Post => BodyPolicy::Collect { max: 1024 * 1024 },
            _ => BodyPolicy::Ignore,
        }
    }

    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) -> Outcome {
        match (request.method(), request.path()) {
            (Method::Get | Method::Head, "/r") => reply.encoded(
                &[
                    b"HTTP/1.1 302 Found\r\nCache-Control: private, no-store\r\nLocation: ",
                    DESTINATION,
                    b"\r\n",
                ],
                b"",
            ),
            (Method::Get | Method::Head, "/later") => {
                let (deferred, outcome) = reply.defer();
                thread::spawn(|| deferred.complete(Response::new(200).body("later\n")));
                outcome
            }
            (Method::Get | Method::Head, _) => reply.text(200, "hello\n"),
            (Method::Post, _) => reply.status(200).body(request.body()),
            _ => reply.status(405).header("Allow", "GET, HEAD, POST").empty(),
        }
    }
}

const DESTINATION: &[u8] = b"https://example.com/a/long/enough/destination/of/sixty/bytes";

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let address = args.next().and_then(|text| text.parse().ok());
    let address = address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    let workers = args.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let runtime = Runtime { workers, ..Runtime::default() };
    let server = Server::builder().listen(address).runtime(runtime).bind()?.serve(Hello)?;
    println!("http://{}/", server.addresses()[0]);
    std::io::stdin().read_line(&mut String::new())?;
    let drained = server.drain(Duration::from_secs(5));
    println!("{} connections cut", drained.cut);
    Ok(())
}
