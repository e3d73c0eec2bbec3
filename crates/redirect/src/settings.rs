//! What the operator decides about hosts, proxies and countries.

use ipnet::IpNet;
use waypost_link::Hostname;

use crate::Countries;

/// Hosts that are the server's own without being named: how one reaches it on the machine itself.
const LOCAL: [&str; 2] = ["localhost", "127.0.0.1"];

/// The engine's settings, checked and derived.
pub struct Settings {
    /// Networks whose `X-Forwarded-For`, `X-Real-IP` and country header are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The hosts of the default domain: that of `public_url`, then `extra_hosts`. IP literals and `localhost` always
    /// are. The first is compared first.
    pub own_hosts: Vec<Hostname>,
    /// Whether a hostname that nobody registered is refused rather than taken for the default domain.
    pub strict_hosts: bool,
    /// Countries of addresses, where no trusted header names one.
    pub countries: Option<Box<dyn Countries>>,
}

impl Default for Settings {
    /// Loopback is trusted, any host is answered, countries come from headers only.
    fn default() -> Self {
        let loopback = ["127.0.0.0/8", "::1/128"].into_iter();
        Self {
            trusted_proxies: loopback.filter_map(|net| net.parse().ok()).collect(),
            own_hosts: Vec::new(),
            strict_hosts: false,
            countries: None,
        }
    }
}

impl Settings {
    /// Whether `host`, as sent, is plainly one of the server's own: spelled the usual way, with or without a port.
    #[inline]
    pub(crate) fn is_usual(&self, host: &[u8]) -> bool {
        let named = |own: &str| host.strip_prefix(own.as_bytes()).is_some_and(is_port);
        self.own_hosts.iter().map(Hostname::as_str).chain(LOCAL).any(named)
    }

    /// Whether `host`, normalised, is one of the server's own.
    pub(crate) fn owns(&self, host: &str) -> bool {
        let mut own = self.own_hosts.iter().map(Hostname::as_str).chain(LOCAL);
        own.any(|own| own == host) || Hostname::is_ip(host)
    }
}

/// Whether nothing but a port, or nothing at all, is left of a host.
#[inline]
fn is_port(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [b':', port @ ..] => port.len() <= 5 && port.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}
