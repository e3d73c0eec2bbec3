//! Fetching what a stranger named, without letting them reach into our network.
//!
//! A name is resolved once; the connection goes to an address of that answer, so a name that
//! changes its mind gains nothing. No redirect is followed, no proxy is used, and time and size are
//! bounded.

use std::{
    io::Read as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use ureq::{
    Agent, Error,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use super::public::is_public;

/// Fetches from public hosts, or from any where `private` is set.
#[derive(Clone, Debug)]
pub(super) struct Fetcher(Agent);

/// An answer.
pub(super) struct Fetched {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Fetcher {
    /// One that gives up after `patience`.
    pub(super) fn new(private: bool, patience: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(patience))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .proxy(None)
            .user_agent(concat!("waypost/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = Guarded { private, inner: DefaultResolver::default() };
        Self(Agent::with_parts(config, DefaultConnector::default(), resolver))
    }

    /// The status and the first `most` bytes of the body at `url`.
    pub(super) fn get(&self, url: &str, most: u64) -> Result<Fetched, String> {
        let response = self.0.get(url).call().map_err(why)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let reader = response.into_body().into_reader();
        reader.take(most).read_to_end(&mut body).map_err(|error| error.to_string())?;
        Ok(Fetched { status, body })
    }
}

/// What went wrong, without a name for what is ours.
fn why(error: Error) -> String {
    match error {
        Error::Other(ours) => ours.to_string(),
        error => error.to_string(),
    }
}

/// Resolves names, and leaves out what isn't public.
#[derive(Debug)]
struct Guarded {
    private: bool,
    inner: DefaultResolver,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let all = match local(uri) {
            Some(addresses) => addresses.to_vec(),
            None => self.inner.resolve(uri, config, timeout)?.to_vec(),
        };
        let mut allowed = self.empty();
        let fits = all.iter().filter(|address| self.private || is_public(address.ip()));
        fits.for_each(|address| allowed.push(*address));
        match (allowed.is_empty(), all.is_empty()) {
            (false, _) => Ok(allowed),
            (true, true) => Err(Error::HostNotFound),
            (true, false) => Err(Error::Other("the name leads to no public address".into())),
        }
    }
}

/// Names below `localhost` are this machine (RFC 6761, 6.3), whether the system knows or not.
fn local(uri: &Uri) -> Option<[SocketAddr; 2]> {
    let host = uri.host()?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let ours: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    host.ends_with(".localhost").then(|| ours.map(|ip| SocketAddr::new(ip, port)))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::TcpListener,
    };

    use super::*;

    /// A server that gives every connection this answer; its port.
    fn answers(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let head = BufReader::new(&stream).lines().map_while(Result::ok);
                head.take_while(|line| !line.is_empty()).for_each(drop);
                let _ = (&stream).write_all(answer.as_bytes());
            }
        });
        port
    }

    #[test]
    fn private_targets_only_where_they_are_allowed() {
        let port = answers("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        for host in ["127.0.0.1", "a.localhost", "[::ffff:127.0.0.1]"] {
            let url = format!("http://{host}:{port}/");
            let refused = Fetcher::new(false, Duration::from_secs(5)).get(&url, 10);
            let why = refused.err().unwrap_or_default();
            assert_eq!(why, "the name leads to no public address", "{host}");
        }
        let fetched = Fetcher::new(true, Duration::from_secs(5))
            .get(&format!("http://a.localhost:{port}/"), 3)
            .unwrap();
        assert_eq!((fetched.status, fetched.body.as_slice()), (200, &b"hel"[..]));
    }

    #[test]
    fn redirects_are_not_followed() {
        let port = answers(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        );
        let url = format!("http://127.0.0.1:{port}/");
        let fetched = Fetcher::new(true, Duration::from_secs(5)).get(&url, 10).unwrap();
        assert_eq!(fetched.status, 302);
    }
}
