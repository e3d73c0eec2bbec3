//! The second stage: values that mean something, each checked, the rest derived.

use std::{
    net::{AddrParseError, IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use anyhow::Result;
use ipnet::IpNet;
use url::Url;
use waypost_link::{Hostname, IpPolicy, Schemes};

use super::layers::{Layers, Typed};
use crate::outside::{Account, SmtpMailer};

/// Where links and clicks are kept.
#[derive(Clone, Debug)]
pub(crate) enum StoreUrl {
    /// Inside the data directory.
    Lmdb,
    /// In a PostgreSQL database that other nodes may share.
    Postgres(Box<waypost_postgres::Options>),
}

/// How many requests each rate limit allows in its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) clicks: u32,
    pub(crate) analytics: u32,
    pub(crate) creation: u32,
    pub(crate) linkpack: u32,
}

/// Everything the server goes by.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) proxy_protocol: Vec<SocketAddr>,
    pub(crate) data: PathBuf,
    pub(crate) store: StoreUrl,
    pub(crate) public_url: Url,
    pub(crate) workers: usize,
    pub(crate) rates: Option<Rates>,
    pub(crate) linktrack_utc_offset: i32,
    pub(crate) own_hosts: Vec<Hostname>,
    pub(crate) strict_hosts: bool,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) country_header: Option<String>,
    pub(crate) geoip_db: Option<PathBuf>,
    pub(crate) schemes: Schemes,
    pub(crate) allow_private_targets: bool,
    pub(crate) product_details: bool,
    pub(crate) cloudflare: Option<Account>,
    pub(crate) domain_verify_port: u16,
    pub(crate) mailer: Option<SmtpMailer>,
    pub(crate) click_ip: IpPolicy,
    pub(crate) click_flush: Duration,
    pub(crate) click_sync: Duration,
    pub(crate) click_queue: u64,
    pub(crate) click_retention_days: u64,
    pub(crate) journal_max_bytes: u64,
    pub(crate) lmdb: waypost::LmdbOptions,
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_ip: usize,
    pub(crate) backlog: u32,
    pub(crate) limits: waypost_h1::Limits,
    pub(crate) drain_timeout: Duration,
    pub(crate) io_uring: bool,
    pub(crate) stack_bytes: u64,
    pub(crate) log: String,
}

impl Config {
    /// Where pictures of products are, in the data directory.
    pub(crate) const MEDIA: &'static str = "media";

    /// Where they are of this one.
    pub(crate) fn media(&self) -> PathBuf {
        self.data.join(Self::MEDIA)
    }

    /// The configuration that `layers` come to.
    ///
    /// # Errors
    /// The first wrong value: where it was typed, and what was expected.
    pub(crate) fn check(layers: &Layers) -> Result<Self> {
        let l = layers;
        let listen: Vec<SocketAddr> = list(l, "listen", "an address such as 127.0.0.1:8080")?;
        let Some(&first) = listen.first() else {
            return l.get("listen").source.refuse("listen: expected at least one address");
        };
        let public_url = public_url(l, first)?;
        Ok(Self {
            admin_listen: optional(l, "admin_listen", "an address such as 127.0.0.1:8081")?,
            proxy_protocol: proxied(l, &listen)?,
            data: one(l, "data", "a directory")?,
            store: store(&l.get("store"))?,
            workers: number(l, "workers", 0, 1_024)? as usize,
            rates: rates(l)?,
            linktrack_utc_offset: utc_offset(&l.get("linktrack_utc_offset"))?,
            own_hosts: own_hosts(l, &public_url)?,
            strict_hosts: one(l, "strict_hosts", "true or false")?,
            trusted_proxies: trusted_proxies(l)?,
            country_header: country_header(l)?,
            geoip_db: optional(l, "geoip_db", "a file")?,
            schemes: schemes(l)?,
            allow_private_targets: one(l, "allow_private_targets", "true or false")?,
            product_details: one(l, "product_details", "true or false")?,
            cloudflare: cloudflare(l)?,
            domain_verify_port: number(l, "domain_verify_port", 1, 65_535)? as u16,
            mailer: mailer(l)?,
            click_ip: click_ip(&l.get("click_ip"))?,
            click_flush: millis(l, "click_flush_ms", 1, 10_000)?,
            click_sync: millis(l, "click_sync_ms", 1, 60_000)?,
            click_queue: bytes(l, "click_queue", 1 << 20, 64 << 30)?,
            click_retention_days: number(l, "click_retention_days", 1, 36_500)?,
            journal_max_bytes: bytes(l, "journal_max_bytes", 1 << 20, 1 << 50)?,
            lmdb: waypost::LmdbOptions {
                map_size: bytes(l, "map_size", 1 << 20, 1 << 46)?,
                commit_interval: millis(l, "commit_interval_ms", 0, 1_000)?,
            },
            max_connections: number(l, "max_connections", 0, 10_000_000)? as usize,
            max_connections_per_ip: number(l, "max_connections_per_ip", 0, 10_000_000)? as usize,
            backlog: number(l, "backlog", 1, 1 << 20)? as u32,
            limits: request_limits(l)?,
            drain_timeout: millis(l, "drain_timeout_ms", 0, 3_600_000)?,
            io_uring: one(l, "io_uring", "true or false")?,
            stack_bytes: bytes(l, "stack_bytes", 16 << 10, 8 << 20)?,
            log: one(l, "log", "a level")?,
            public_url,
            listen,
        })
    }
}

/// A network, of which an address is the smallest.
struct Proxies(IpNet);

impl FromStr for Proxies {
    type Err = AddrParseError;

    fn from_str(text: &str) -> std::result::Result<Self, AddrParseError> {
        text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map(Self)
    }
}

fn trusted_proxies(l: &Layers) -> Result<Vec<IpNet>> {
    let proxies: Vec<Proxies> =
        list(l, "trusted_proxies", "a network such as 10.0.0.0/8, or an address")?;
    Ok(proxies.into_iter().map(|Proxies(net)| net).collect())
}

/// Requests that each rate allows; `None` where the limits are off.
fn rates(l: &Layers) -> Result<Option<Rates>> {
    let off: bool = one(l, "no_rate_limit", "true or false")?;
    let rate = |name| number(l, name, 0, 1_000_000_000).map(|rate| rate as u32);
    let rates = Rates {
        clicks: rate("rate_clicks")?,
        analytics: rate("rate_analytics")?,
        creation: rate("rate_creation")?,
        linkpack: rate("rate_linkpack")?,
    };
    Ok((!off).then_some(rates))
}

fn wrong<T>(name: &str, typed: &Typed, value: &str, expected: &str) -> Result<T> {
    typed.source.refuse(format_args!("{name}: expected {expected}, not {value:?}"))
}

fn list<T: FromStr>(layers: &Layers, name: &'static str, expected: &str) -> Result<Vec<T>> {
    let typed = layers.get(name);
    let parse = |value: &String| match value.parse() {
        Ok(parsed) => Ok(parsed),
        Err(_) => wrong(name, &typed, value, expected),
    };
    typed.values.iter().map(parse).collect()
}

fn optional<T: FromStr>(layers: &Layers, name: &'static str, expected: &str) -> Result<Option<T>> {
    let typed = layers.get(name);
    match typed.values.as_slice() {
        [] => Ok(None),
        [value] if value.is_empty() => Ok(None),
        _ => one(layers, name, expected).map(Some),
    }
}

fn one<T: FromStr>(layers: &Layers, name: &'static str, expected: &str) -> Result<T> {
    let typed = layers.get(name);
    let value = typed.values.join(",");
    match value.parse() {
        Ok(parsed) if !value.is_empty() => Ok(parsed),
        _ => wrong(name, &typed, &value, expected),
    }
}

fn number(layers: &Layers, name: &'static str, least: u64, most: u64) -> Result<u64> {
    let expected = format!("a whole number from {least} to {most}");
    within(layers, name, least..=most, &expected, |value| value.parse().ok())
}

fn bytes(layers: &Layers, name: &'static str, least: u64, most: u64) -> Result<u64> {
    let expected = format!("from {least} to {most} bytes, such as 4194304 or 4MiB");
    within(layers, name, least..=most, &expected, parse_bytes)
}

fn within(
    layers: &Layers,
    name: &'static str,
    range: std::ops::RangeInclusive<u64>,
    expected: &str,
    parse: impl Fn(&str) -> Option<u64>,
) -> Result<u64> {
    let typed = layers.get(name);
    let value = typed.values.join(",");
    match parse(&value).filter(|parsed| range.contains(parsed)) {
        Some(parsed) => Ok(parsed),
        None => wrong(name, &typed, &value, expected),
    }
}

fn parse_bytes(value: &str) -> Option<u64> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("", 0)];
    let (digits, shift) =
        units.iter().find_map(|(unit, shift)| Some((value.strip_suffix(unit)?, *shift)))?;
    digits.trim().parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn millis(layers: &Layers, name: &'static str, least: u64, most: u64) -> Result<Duration> {
    number(layers, name, least, most).map(Duration::from_millis)
}

/// A URL may hold a password, so what is wrong with one is said without it.
fn store(typed: &Typed) -> Result<StoreUrl> {
    let value = typed.values.join(",");
    let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match value.split_once("://").map_or(value.as_str(), |(scheme, _)| scheme) {
        "lmdb" if value == "lmdb" => Ok(StoreUrl::Lmdb),
        "postgres" | "postgresql" => match waypost_postgres::Options::parse(&value) {
            Ok(options) => Ok(StoreUrl::Postgres(Box::new(options))),
            Err(error) => typed.source.refuse(format_args!("store: {error}")),
        },
        other if word(other) => wrong("store", typed, other, "lmdb or postgres://…"),
        _ => typed.source.refuse("store: expected lmdb or postgres://…"),
    }
}

fn click_ip(typed: &Typed) -> Result<IpPolicy> {
    Ok(match typed.values.join(",").as_str() {
        "full" => IpPolicy::Full,
        "truncate" => IpPolicy::Truncate,
        "hash" => IpPolicy::Hash,
        "none" => IpPolicy::Nothing,
        other => return wrong("click_ip", typed, other, "full, truncate, hash or none"),
    })
}

/// Seconds of `-06:00`.
fn utc_offset(typed: &Typed) -> Result<i32> {
    let value = typed.values.join(",");
    let seconds = || {
        let (hours, minutes) = value.get(1..)?.split_once(':')?;
        let two = |text: &str| text.parse::<i32>().ok().filter(|_| text.len() == 2);
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let ahead = match value.get(..1)? {
            "+" => 1,
            "-" => -1,
            _ => return None,
        };
        let legal = (0..=14).contains(&hours) && (0..60).contains(&minutes);
        legal.then_some(ahead * (hours * 60 + minutes) * 60)
    };
    match seconds() {
        Some(seconds) => Ok(seconds),
        None => wrong("linktrack_utc_offset", typed, &value, "an offset such as -06:00"),
    }
}

fn proxied(layers: &Layers, listen: &[SocketAddr]) -> Result<Vec<SocketAddr>> {
    let proxied: Vec<SocketAddr> = list(layers, "proxy_protocol", "a listening address")?;
    match proxied.iter().find(|address| !listen.contains(address)) {
        Some(other) => wrong(
            "proxy_protocol",
            &layers.get("proxy_protocol"),
            &other.to_string(),
            "one of the addresses of listen",
        ),
        None => Ok(proxied),
    }
}

/// `http://` and the first listening address, a wildcard as `localhost`: never the Host header.
fn public_url(layers: &Layers, first: SocketAddr) -> Result<Url> {
    let host = if first.ip().is_unspecified() {
        format!("localhost:{}", first.port())
    } else {
        first.to_string()
    };
    let expected = "an http or https URL without path, such as https://go.example.com";
    let url: Url = match optional(layers, "public_url", expected)? {
        Some(url) => url,
        None => format!("http://{host}").parse()?,
    };
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if web && url.path() == "/" && url.query().is_none() && url.fragment().is_none() {
        return Ok(url);
    }
    wrong("public_url", &layers.get("public_url"), url.as_str(), expected)
}

fn own_hosts(layers: &Layers, public_url: &Url) -> Result<Vec<Hostname>> {
    let typed = layers.get("extra_hosts");
    let mut hosts = vec![Hostname::parse("localhost")?];
    hosts.extend(public_url.host_str().and_then(|host| Hostname::parse(host).ok()));
    for host in &typed.values {
        match Hostname::parse(host) {
            Ok(host) => hosts.push(host),
            Err(_) => return wrong("extra_hosts", &typed, host, "a hostname"),
        }
    }
    Ok(hosts)
}

fn country_header(layers: &Layers) -> Result<Option<String>> {
    let typed = layers.get("country_header");
    let name = typed.values.join(",");
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.bytes().all(token) {
        return wrong("country_header", &typed, &name, "the name of a header");
    }
    Ok((!name.is_empty()).then_some(name))
}

fn schemes(layers: &Layers) -> Result<Schemes> {
    let typed = layers.get("allowed_schemes");
    let legal = |scheme: &str| {
        let tail = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(tail)
    };
    for scheme in &typed.values {
        if !legal(scheme) || !Schemes::and([scheme.clone()]).allow(&scheme.to_ascii_lowercase()) {
            return wrong("allowed_schemes", &typed, scheme, "a scheme that may be allowed");
        }
    }
    Ok(Schemes::and(typed.values))
}

/// The account, where zone and token are set; one without the other is an error.
fn cloudflare(layers: &Layers) -> Result<Option<Account>> {
    let expected = "an http or https URL";
    let url: Url = one(layers, "cloudflare_api_url", expected)?;
    if !matches!(url.scheme(), "http" | "https") {
        return wrong(
            "cloudflare_api_url",
            &layers.get("cloudflare_api_url"),
            url.as_str(),
            expected,
        );
    }
    let text = |name| layers.get(name).values.join(",");
    let source = |name| layers.get(name).source;
    let (zone, token) = (text("cloudflare_zone"), text("cloudflare_token"));
    let word =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match (zone.is_empty(), token.is_empty()) {
        (true, true) => Ok(None),
        (false, true) => {
            source("cloudflare_zone").refuse("cloudflare_zone: cloudflare_token is missing")
        }
        (true, false) => {
            source("cloudflare_token").refuse("cloudflare_token: cloudflare_zone is missing")
        }
        _ if !word(&zone) => {
            wrong("cloudflare_zone", &layers.get("cloudflare_zone"), &zone, "the id of a zone")
        }
        _ if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            source("cloudflare_token").refuse("cloudflare_token: expected a token")
        }
        _ => Ok(Some(Account { url: url.to_string(), zone, token })),
    }
}

/// The way to the mail server. Errors leave the URL out: it may hold a password.
fn mailer(layers: &Layers) -> Result<Option<SmtpMailer>> {
    let url = layers.get("smtp_url");
    let from = optional(layers, "smtp_from", "an address such as alerts@example.com")?;
    match (url.values.join(",").as_str(), from) {
        ("", _) => Ok(None),
        (_, None) => url.source.refuse("smtp_url: smtp_from is missing"),
        (text, Some(from)) => match SmtpMailer::new(text, from) {
            Ok(mailer) => Ok(Some(mailer)),
            Err(_) => {
                url.source.refuse("smtp_url: expected a URL such as smtps://user:password@host")
            }
        },
    }
}

fn request_limits(l: &Layers) -> Result<waypost_h1::Limits> {
    Ok(waypost_h1::Limits {
        headers: number(l, "max_headers", 1, waypost_h1::HEADERS_MAX as u64)? as usize,
        head_bytes: bytes(l, "max_head_bytes", 1 << 10, 1 << 24)? as usize,
        target_bytes: bytes(l, "max_target_bytes", 64, 1 << 20)? as usize,
        body_bytes: bytes(l, "max_body_bytes", 1 << 10, 1 << 32)?,
        head_time: millis(l, "head_timeout_ms", 10, 3_600_000)?,
        body_time: millis(l, "body_timeout_ms", 10, 3_600_000)?,
        idle_time: millis(l, "idle_timeout_ms", 10, 86_400_000)?,
        write_time: millis(l, "write_timeout_ms", 10, 3_600_000)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, value: &str) -> Result<Config> {
        let mut layers = Layers::default();
        layers.flag(name, value.split(',').map(str::to_owned).collect());
        Config::check(&layers)
    }

    #[test]
    fn defaults_are_legal() {
        let config = Config::check(&Layers::default()).unwrap();
        assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080/");
        assert_eq!(config.lmdb.map_size, 256 << 30);
    }

    #[test]
    fn wrong_values_say_where_and_what() {
        for (name, value, said) in [
            ("listen", "8080", "--listen: listen: expected an address"),
            (
                "workers",
                "-1",
                "--workers: workers: expected a whole number from 0 to 1024, not \"-1\"",
            ),
            ("map_size", "4 parsecs", "--map-size: map_size: expected from"),
            ("strict_hosts", "perhaps", "expected true or false"),
            ("public_url", "ftp://x", "expected an http or https URL"),
            ("public_url", "https://x/y", "expected an http or https URL"),
            ("trusted_proxies", "10.0.0.0/33", "expected a network"),
            ("click_ip", "some", "expected full, truncate, hash or none"),
            ("allowed_schemes", "javascript", "expected a scheme"),
            ("proxy_protocol", "1.2.3.4:5", "expected one of the addresses of listen"),
            ("store", "mysql://x:secret@y", "expected lmdb or postgres://…, not \"mysql\""),
            ("store", "host=db password=secret", "store: expected lmdb or postgres://…"),
            ("store", "postgres:w:secret@db/x", "store: expected lmdb or postgres://…"),
            ("store", "postgres://x/y?sslmode=never", "sslmode is disable, prefer, require"),
            ("extra_hosts", "a b", "expected a hostname"),
            ("domain_verify_port", "0", "expected a whole number from 1"),
            ("cloudflare_api_url", "ftp://x", "expected an http or https URL"),
            ("cloudflare_zone", "z1", "cloudflare_token is missing"),
            ("cloudflare_token", "t", "cloudflare_zone is missing"),
            ("smtp_url", "smtp://mail.example.com", "smtp_from is missing"),
            ("smtp_from", "not an address", "expected an address"),
        ] {
            let error = check(name, value).unwrap_err().to_string();
            assert!(error.contains(said), "{name}={value} said {error:?}");
        }
    }

    #[test]
    fn what_is_derived() {
        let url = |listen| check("listen", listen).unwrap().public_url.to_string();
        assert_eq!(url("0.0.0.0:80"), "http://localhost/");
        assert_eq!(url("[::]:8080,127.0.0.1:1"), "http://localhost:8080/");
        assert_eq!(check("journal_max_bytes", "3GiB").unwrap().journal_max_bytes, 3 << 30);
    }
}
