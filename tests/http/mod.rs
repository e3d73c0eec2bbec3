//! The HTTP engine as a client meets it: framing, limits, deadlines, endings.

mod endings;
mod framing;
mod limits;
mod pipelining;
mod slow;

use crate::support::{Data, Server};

/// A server with one link, `hi`.
fn server(data: &Data, variables: &[(&str, &str)]) -> Server {
    data.ok(&["link", "add", "hi", "https://example.com/"]);
    data.serve_with(&[], variables)
}

/// Whether the server still answers as it should.
fn assert_well(server: &Server) {
    let answer = server.get("/hi");
    assert_eq!((answer.status, answer.field("location")), (302, Some("https://example.com/")));
}
