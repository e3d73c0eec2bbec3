//! The programs that a comparison runs, built in release, each as its own workspace says.
//!
//! One cargo call a package, so that no package's features reach another.

use super::nginx;
use super::server::Server;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the programs are; empty where one isn't needed.
#[derive(Default)]
pub(crate) struct Programs {
    /// This program in release, for its `load`.
    pub(crate) xtask: PathBuf,
    pub(crate) waypost: PathBuf,
    pub(crate) nginx: PathBuf,
    pub(crate) minihttp: PathBuf,
    pub(crate) bare: PathBuf,
}

impl Programs {
    /// Builds or finds what these servers and the load need.
    pub(crate) fn build(root: &Path, servers: &[Server]) -> Result<Self> {
        let mut programs = Self {
            xtask: build(root, &["--release", "--package", "waypost-tools"], "xtask")?,
            ..Self::default()
        };
        if servers.iter().any(|server| server.is_waypost()) {
            let words = ["--release", "--package", "waypost-server", "--bin", "waypost"];
            programs.waypost = build(root, &words, "waypost")?;
        }
        let peers = ["--release", "--manifest-path", "benches/peers/Cargo.toml", "--bin"];
        for server in servers {
            match server {
                Server::Waypost | Server::Postgres | Server::Beside => {}
                Server::Nginx => programs.nginx = nginx::program()?,
                Server::Minihttp => {
                    let words = [&peers[..], &["minihttp"]].concat();
                    programs.minihttp = build(root, &words, "minihttp")?;
                }
                Server::Bare => {
                    let words = [&peers[..], &["bare"]].concat();
                    programs.bare = build(root, &words, "bare")?;
                }
            }
        }
        Ok(programs)
    }
}

/// Builds a program as `words` say it to cargo, and says where it is.
pub(crate) fn build(root: &Path, words: &[&str], name: &str) -> Result<PathBuf> {
    eprintln!("$ cargo build {}", words.join(" "));
    let output = Command::new("cargo")
        .args(["build", "--quiet", "--message-format=json-render-diagnostics"])
        .args(words)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo")?;
    if !output.status.success() {
        bail!("{name} could not be built: {}", output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    executable(&text, name).with_context(|| format!("cargo built no {name}"))
}

/// The program of this name among cargo's messages.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let path = message.get("executable")?.as_str()?;
        (message.pointer("/target/name")?.as_str()? == name).then(|| PathBuf::from(path))
    })
}

#[cfg(test)]
mod tests {
    use super::executable;
    use std::path::Path;

    #[test]
    fn programs_are_found_among_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"a\"},\"executable\":null}\n\
            not json\n\
            {\"target\":{\"name\":\"b\"},\"executable\":\"/t/b\"}\n\
            {\"target\":{\"name\":\"a\"},\"executable\":\"/t/a\"}\n";
        assert_eq!(executable(messages, "a").as_deref(), Some(Path::new("/t/a")));
        assert_eq!(executable(messages, "b").as_deref(), Some(Path::new("/t/b")));
        assert_eq!(executable(messages, "c"), None);
    }
}
