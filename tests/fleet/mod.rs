//! Two nodes on one PostgreSQL, each a real process with a data directory of its own.

mod creations;
mod edits;
mod following;
mod inserted;
mod limits;
mod listed;
mod repeated;
mod upgrade;

use serde_json::Value;

use crate::support::{Answer, Backend, Client, Data, Server, exchange};

/// The owner's token on every node.
const TOKEN: &str = "wp_0123456789abcdefghijklmn";
/// With it, the first start of a store makes that key.
const ADMIN: &[(&str, &str)] = &[("WAYPOST_ADMIN_KEY", TOKEN)];

/// A data directory, and the node that is served from it.
struct Node {
    data: Data,
    server: Server,
}

impl Node {
    fn on(data: Data) -> Self {
        let server = data.serve_with(&["--no-rate-limit"], ADMIN);
        Self { data, server }
    }

    /// Two nodes on a new database, which they reach with `query` in its URL.
    fn two(query: &'static str) -> [Self; 2] {
        let data = Data::on(Backend::Postgres);
        [data.beside(query), data.beside(query)].map(Self::on)
    }

    /// Killed, and started again on the same directory.
    fn killed(self) -> Self {
        self.server.kill();
        Self::on(self.data)
    }

    /// An API call on a connection of its own.
    fn call(&self, method: &str, path: &str, headers: &str, body: &Value) -> Answer {
        exchange(self.server.address, request(method, path, headers, body)).expect("an answer")
    }

    /// A link that must be made.
    fn link(&self, body: &Value) {
        let answer = self.call("POST", "/api/links", "", body);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    fn client(&self) -> Client {
        Client::connect(self.server.address)
    }
}

/// The bytes of an API call.
fn request(method: &str, path: &str, headers: &str, body: &Value) -> String {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The status of a visit on this connection.
fn visit(client: &mut Client, code: &str) -> u16 {
    let request = format!("GET /{code} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.send(request).answer().expect("an answer").status
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).expect("JSON")
}
