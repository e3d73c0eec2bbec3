//! nginx as a redirector: a `map` of all links, `return 302`, and a log line a click.
//!
//! `map` ignores case, so the links must not differ in case only. The log is buffered, and its lines hold what a click
//! record would: time, client, link, referrer, user agent, language.

use anyhow::{Context as _, Result, bail};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian puts it; `sbin` may not be in the search path.
const PLACES: &[&str] = &["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx"];

/// Debian's nginx, installed where it is missing and that can be done.
pub(super) fn program() -> Result<PathBuf> {
    if let Some(program) = installed() {
        return Ok(program);
    }
    if !rustix::process::geteuid().is_root() {
        bail!("nginx is missing: install it, or measure the others with --only");
    }
    eprintln!("nginx is missing: installing Debian's package");
    apt_get(&["update", "--quiet"])?;
    apt_get(&["install", "--quiet", "--yes", "--no-install-recommends", "nginx"])?;
    installed().context("the package brought no nginx")
}

fn installed() -> Option<PathBuf> {
    PLACES.iter().map(PathBuf::from).find(|place| place.is_file())
}

/// As in single-user mode, in which a package doesn't start its service.
fn apt_get(words: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    let status = command.stdin(Stdio::null()).stdout(std::io::stderr()).status()?;
    if !status.success() {
        bail!("apt-get {}: {status}", words.join(" "));
    }
    Ok(())
}

/// A configuration that keeps everything in `folder`.
pub(super) fn configuration(folder: &Path, map: &Path, address: SocketAddrV4) -> String {
    let (folder, map) = (folder.display(), map.display());
    let user = if rustix::process::geteuid().is_root() { "user root;\n" } else { "" };
    format!(
        r#"{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 32768; }}
http {{
    map_hash_max_size 262144;
    map_hash_bucket_size 128;
    map $uri $to {{ include {map}; }}
    log_format click '$msec $remote_addr $uri "$http_referer" "$http_user_agent" "$http_accept_language"';
    access_log {folder}/click.log click buffer=64k flush=1s;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address} backlog=4096;
        return 302 $to;
    }}
}}
"#
    )
}
