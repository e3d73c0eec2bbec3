//! The programs that a comparison runs, built in release, each as its own workspace says.
//!
//! One cargo call a package, so that no package's features reach another.

use super::nginx;
use super::server::Server;
use crate::cargo::build;
use anyhow::Result;
use std::path::{Path, PathBuf};

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
