//! Every setting, once.

/// What a setting's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Number,
    /// A number of bytes; `KiB`, `MiB`, `GiB` may follow.
    Bytes,
    /// Any text.
    Text,
    /// Several texts: a TOML array, or separated by commas.
    List,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its name in the file; its variable is `WAYPOST_` and this in capitals.
    pub(crate) name: &'static str,
    /// What its value looks like.
    pub(crate) kind: Kind,
    /// Its default, as typed; empty where there is none.
    pub(crate) default: &'static str,
    /// What it does.
    pub(crate) doc: &'static str,
}

impl Setting {
    /// The setting of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// Its environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("WAYPOST_{}", self.name.to_ascii_uppercase())
    }
}

/// The variables that are no settings: the first key's token, and the file to read.
pub(crate) const OTHER_VARIABLES: [&str; 2] = ["WAYPOST_ADMIN_KEY", "WAYPOST_CONFIG"];

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Setting {
    Setting { name, kind, default, doc }
}

use Kind::{Bytes, List, Number, Switch, Text};

/// All of them, in the order in which they are documented.
#[rustfmt::skip]
pub(crate) const SETTINGS: &[Setting] = &[
    setting("listen", List, "127.0.0.1:8080", "Addresses that serve redirects."),
    setting("admin_listen", Text, "", "Address of the APIs and of metrics; when set they live only there. Health answers on every address."),
    setting("proxy_protocol", List, "", "Those of the listening addresses whose connections begin with a PROXY protocol header, version 1 or 2."),
    setting("data", Text, "./waypost-data", "Directory of the store, the journal and the lock."),
    setting("store", Text, "lmdb", "Where links and clicks are kept: `lmdb`, inside the data directory, or `postgres://…`, in a database that nodes share."),
    setting("public_url", Text, "", "What short links begin with. Default: `http://` and the first listening address."),
    setting("workers", Number, "0", "Threads that serve connections; 0 is one a core."),
    setting("no_rate_limit", Switch, "false", "Switches the rate limits of the APIs off, not the password guard."),
    setting("rate_clicks", Number, "1000", "Recorded clicks a minute and address (tracking)."),
    setting("rate_analytics", Number, "100", "Reads a minute and key (tracking)."),
    setting("rate_creation", Number, "50", "Creations and deactivations a minute and key (tracking)."),
    setting("rate_linkpack", Number, "10", "Requests a second and key (linkpack)."),
    setting("linktrack_utc_offset", Text, "-06:00", "How far linktrack's clock is ahead of UTC (`+01:00`) or behind it, at all seasons."),
    setting("extra_hosts", List, "", "Further hostnames of the server itself: they see the default domain."),
    setting("strict_hosts", Switch, "false", "Whether a hostname that nobody registered is answered 404."),
    setting("trusted_proxies", List, "127.0.0.0/8,::1/128", "Networks and addresses whose forwarding headers are believed."),
    setting("country_header", Text, "CF-IPCountry", "Header in which a trusted proxy names the visitor's country; empty for none."),
    setting("geoip_db", Text, "", "MMDB file that maps addresses to countries."),
    setting("allowed_schemes", List, "", "Schemes of destinations beside http and https, such as those of apps."),
    setting("allow_private_targets", Switch, "false", "Whether the server may fetch from private addresses when it proves a hostname or looks a product up: for tests and closed networks."),
    setting("product_details", Switch, "false", "Whether the page of an Amazon product is looked up for its title and picture when a link to it is made, which takes up to 6 seconds."),
    setting("cloudflare_api_url", Text, "https://api.cloudflare.com/client/v4", "Where the API is that custom hostnames of the provider `cloudflare` are registered with."),
    setting("cloudflare_zone", Text, "", "Id of the Cloudflare zone that custom hostnames belong to."),
    setting("cloudflare_token", Text, "", "Cloudflare API token that may edit the zone's custom hostnames."),
    setting("domain_verify_port", Number, "80", "Port that a custom hostname is asked on for its proof."),
    setting("smtp_url", Text, "", "Mail server for alerts, such as `smtps://user:password@mail.example.com`; without one no alert is sent."),
    setting("smtp_from", Text, "", "Address that alerts come from; needed with `smtp_url`."),
    setting("click_ip", Text, "full", "How a visitor's address is kept: `full`, `truncate` (to /24 or /48), `hash` (with a daily salt) or `none`."),
    setting("click_flush_ms", Number, "10", "Milliseconds until a click is in the journal: what a killed process can lose."),
    setting("click_sync_ms", Number, "100", "Milliseconds until a click is on the disk: what a power cut can lose."),
    setting("click_queue", Bytes, "64MiB", "Memory for clicks on their way to the journal; past it clicks are dropped and counted."),
    setting("click_retention_days", Number, "90", "Days that raw clicks are kept; their counts stay for ever."),
    setting("journal_max_bytes", Bytes, "4GiB", "Room for clicks while the store is away; past it the oldest are dropped and counted."),
    setting("map_size", Bytes, "256GiB", "Address space of each LMDB environment: the most it can ever hold."),
    setting("commit_interval_ms", Number, "5", "Milliseconds from one commit of links in LMDB to the next, unless 12 changes wait, and up to six times that while commits take long because the machine is busy: commits that are shared leave more of the CPU to redirects, but a client that waits for each answer changes at most 200 links a second. 0 for none."),
    setting("max_connections", Number, "0", "Open connections; 0 derives it from the kernel's limits."),
    setting("max_connections_per_ip", Number, "0", "Open connections of one address, trusted proxies excepted; 0 is no limit."),
    setting("backlog", Number, "4096", "Connections that the kernel may hold until they are accepted."),
    setting("max_headers", Number, "100", "Header fields of a request."),
    setting("max_head_bytes", Bytes, "32KiB", "Bytes of a request's head."),
    setting("max_target_bytes", Bytes, "8KiB", "Bytes of a request's target."),
    setting("max_body_bytes", Bytes, "1MiB", "Bytes of a request's body."),
    setting("head_timeout_ms", Number, "10000", "Milliseconds for a request's head to arrive."),
    setting("body_timeout_ms", Number, "30000", "Milliseconds for a request's body to arrive."),
    setting("idle_timeout_ms", Number, "75000", "Milliseconds that a connection may be idle between requests."),
    setting("write_timeout_ms", Number, "30000", "Milliseconds for a client to take an answer."),
    setting("drain_timeout_ms", Number, "10000", "Milliseconds for open connections to end after SIGTERM."),
    setting("io_uring", Switch, "true", "Whether connections that stay are served through io_uring, where the kernel has it (Linux 6.1) and allows it; else each has a coroutine."),
    setting("stack_bytes", Bytes, "32KiB", "Stack of a connection's coroutine."),
    setting("log", Text, "info", "What is logged: `error`, `warn`, `info`, `debug`, or directives such as `info,waypost_h1=debug`."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_documented() {
        let page = include_str!("../../../../docs/configuration.md");
        for setting in SETTINGS {
            let default = if setting.default.is_empty() { "none" } else { setting.default };
            let row = format!(
                "| `{}` | `{}` | `{default}` | {} |",
                setting.name,
                setting.variable(),
                setting.doc
            );
            assert!(page.contains(&row), "docs/configuration.md lacks\n{row}");
        }
        let rows = page.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, SETTINGS.len(), "docs/configuration.md has rows of no setting");
    }

    #[test]
    fn names_are_unique() {
        for (at, setting) in SETTINGS.iter().enumerate() {
            assert!(SETTINGS[..at].iter().all(|other| other.name != setting.name));
        }
    }
}
