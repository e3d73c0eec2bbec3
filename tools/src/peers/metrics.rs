//! What Waypost says of its clicks, at `/metrics`; and whether a server answers at all.

use anyhow::{Context as _, Result, bail};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
/// The most that is read of an answer.
const MAX_ANSWER: u64 = 1 << 20;

/// How Waypost's clicks stand.
pub(super) struct Clicks {
    /// Taken by the writer, since the start.
    pub(super) recorded: u64,
    pub(super) dropped: u64,
    /// Not yet taken by the writer.
    pub(super) queued: u64,
}

/// Whether a path is answered with this status.
pub(super) fn answers(address: SocketAddrV4, path: &str, status: u16) -> bool {
    get(address, path, status).is_ok()
}

/// Asks Waypost for its clicks.
pub(super) fn clicks(address: SocketAddrV4) -> Result<Clicks> {
    let text = get(address, "/metrics", 200)?;
    let metric = |name: &str| {
        let name = format!("waypost_{name}");
        value(&text, &name).with_context(|| format!("/metrics has no {name}"))
    };
    Ok(Clicks {
        recorded: metric("clicks_recorded_total")? as u64,
        dropped: metric("clicks_dropped_total")? as u64,
        queued: metric("click_queue_depth")? as u64,
    })
}

/// The sum of a metric over its labels.
fn value(text: &str, name: &str) -> Option<f64> {
    let of = |line: &str| -> Option<f64> {
        let rest = line.strip_prefix(name)?;
        let labels = rest.starts_with([' ', '{']);
        rest.rsplit(' ').next().filter(|_| labels)?.parse().ok()
    };
    let values: Vec<f64> = text.lines().filter_map(of).collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

fn get(address: SocketAddrV4, path: &str, status: u16) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address.into(), TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with(&format!("HTTP/1.1 {status} ")) => {
            Ok(body.to_owned())
        }
        _ => bail!("{path}: {}", answer.lines().next().unwrap_or("no answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn metrics_are_read() {
        let text =
            "# TYPE a_total counter\na_total 3\na_total_more 9\nb{x=\"1 2\"} 1.5\nb{x=\"3\"} 2\n";
        let check = |name: &str, expected: Option<f64>| assert_eq!(value(text, name), expected);
        check("a_total", Some(3.0));
        check("b", Some(3.5));
        check("c", None);
    }
}
