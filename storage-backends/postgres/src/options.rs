//! How the database is reached: a `postgres://` URL with the parameters that libpq knows.
//!
//! The client's own parser doesn't know `sslmode=verify-full` nor `sslrootcert`, so those two are
//! taken out first and the rest is left to it.

use std::path::PathBuf;

use postgres::config::SslMode;
use url::Url;
use waypost_storage::{Error, Result};

use crate::limits;

/// Whom a connection trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Anybody: what is sent is encrypted, but for whom isn't known.
    #[default]
    Anybody,
    /// Certificates of the roots in this file, or of the web's where `None`, for this host.
    Roots(Option<PathBuf>),
}

/// How the database is reached.
#[derive(Clone)]
pub struct Options {
    pub(crate) config: postgres::Config,
    pub(crate) trust: Trust,
    /// Connections at most; one more listens.
    pub connections: u32,
    /// Whether NOTIFY is listened to. Without it changes are seen by polling alone.
    pub notify: bool,
}

impl Options {
    /// The options of a URL: `postgres://user:password@host:port/database?sslmode=verify-full`.
    ///
    /// `sslmode` is `disable`, `prefer` (the default), `require` or `verify-full`; `sslrootcert`
    /// is a PEM file, which `require` and `prefer` honour by checking against it. Several hosts are
    /// parameters: `?host=a,b&port=5432,5433`. All else is as in the documentation of the client
    /// `tokio-postgres`. `notify=off` listens to nothing: changes of other nodes are then seen by
    /// polling.
    ///
    /// ```
    /// let url = "postgres://waypost@db.example/waypost?sslmode=verify-full";
    /// assert!(waypost_postgres::Options::parse(url).is_ok());
    /// assert!(waypost_postgres::Options::parse("postgres://h/d?sslmode=verify-none").is_err());
    /// ```
    ///
    /// # Errors
    /// `Unusable` says what is wrong with it, and repeats no password.
    pub fn parse(url: &str) -> Result<Self> {
        let mut url = Url::parse(url).map_err(|error| unusable(&error))?;
        let mut mode = None;
        let mut roots = None;
        let mut notify = None;
        let mut rest = Vec::new();
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" => mode = Some(value.into_owned()),
                "notify" => notify = Some(value.into_owned()),
                "sslrootcert" => roots = Some(PathBuf::from(&*value)),
                // To the client a URL's list is one name.
                "host" => {
                    let hosts = value.split(',');
                    rest.extend(hosts.map(|host| ("host".to_owned(), host.to_owned())));
                }
                _ => rest.push((name.into_owned(), value.into_owned())),
            }
        }
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        let mut config: postgres::Config =
            text(&url).parse().map_err(|error: postgres::Error| unusable(&error))?;
        let (mode, verified) = match mode.as_deref() {
            Some("disable") => (SslMode::Disable, false),
            None | Some("prefer") => (SslMode::Prefer, roots.is_some()),
            Some("require") => (SslMode::Require, roots.is_some()),
            Some("verify-full") => (SslMode::Require, true),
            Some(_) => {
                return Err(Error::Unusable(
                    "sslmode is disable, prefer, require or verify-full".into(),
                ));
            }
        };
        config.ssl_mode(mode).application_name("waypost");
        config.keepalives_idle(limits::KEEPALIVE).keepalives_interval(limits::KEEPALIVE);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(limits::CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(limits::CONNECT);
        }
        let notify = match notify.as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(_) => return Err(Error::Unusable("notify is on or off".into())),
        };
        let trust = if verified { Trust::Roots(roots) } else { Trust::Anybody };
        Ok(Self { config, trust, connections: limits::CONNECTIONS, notify })
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("hosts", &self.config.get_hosts())
            .field("database", &self.config.get_dbname())
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// The URL as the client reads it: a space in the query is `%20` to it, never `+`.
fn text(url: &Url) -> String {
    match url.as_str().split_once('?') {
        Some((front, query)) => format!("{front}?{}", query.replace('+', "%20")),
        None => url.as_str().to_owned(),
    }
}

fn unusable(error: &dyn std::fmt::Display) -> Error {
    Error::Unusable(format!("the store's URL: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_are_parameters() {
        let config = Options::parse("postgres:///links?user=u&host=a,b&port=1,2").unwrap().config;
        let host = |name: &str| postgres::config::Host::Tcp(name.to_owned());
        assert_eq!(
            (config.get_hosts(), config.get_ports()),
            (&[host("a"), host("b")][..], &[1, 2][..])
        );
        assert!(Options::parse("postgres://u@a:1,b:2/links").is_err());
    }

    #[test]
    fn a_network_that_drops_everything_is_noticed_soon() {
        let config = Options::parse("postgres://db.example/links").unwrap().config;
        let noticed = config.get_keepalives_idle() + limits::CONNECT;
        assert_eq!(config.get_tcp_user_timeout(), Some(&limits::CONNECT));
        assert!(config.get_keepalives() && noticed <= limits::LOCK, "{noticed:?}");
    }

    #[test]
    fn sslmode_and_whom_it_trusts() {
        let file = || Some(PathBuf::from("/ca.pem"));
        for (query, expected) in [
            ("", Some((SslMode::Prefer, Trust::Anybody))),
            ("?sslmode=disable", Some((SslMode::Disable, Trust::Anybody))),
            ("?sslmode=require", Some((SslMode::Require, Trust::Anybody))),
            (
                "?sslmode=require&sslrootcert=/ca.pem",
                Some((SslMode::Require, Trust::Roots(file()))),
            ),
            ("?sslmode=verify-full", Some((SslMode::Require, Trust::Roots(None)))),
            (
                "?sslrootcert=/ca.pem&sslmode=verify-full",
                Some((SslMode::Require, Trust::Roots(file()))),
            ),
            // `prefer` too checks against a file of roots, once the server speaks TLS.
            ("?sslrootcert=/ca.pem", Some((SslMode::Prefer, Trust::Roots(file())))),
            ("?sslmode=verify-none", None),
            ("?no_such_thing=1", None),
            ("?notify=off", Some((SslMode::Prefer, Trust::Anybody))),
            ("?notify=no", None),
        ] {
            let url = format!("postgres://user:secret@db.example:5433/links{query}");
            let found = Options::parse(&url);
            let text = format!("{found:?}");
            assert!(!text.contains("secret"), "{text}");
            let found = found.ok().map(|options| (options.config.get_ssl_mode(), options.trust));
            assert_eq!(found, expected, "{query}");
        }
    }
}
