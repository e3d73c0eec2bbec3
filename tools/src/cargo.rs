//! Cargo, as the tools call it.
//!
//! `cargo xtask` tells the tools of their own package in variables that some build scripts (ring's) look at: a cargo that
//! inherits them builds anew what one from a shell has built, and the other way round, for minutes each.

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The variables that cargo sets for a program that it runs, by their beginnings.
const OF_A_PACKAGE: &[&str] = &["CARGO_MANIFEST_", "CARGO_PKG_"];

/// `cargo`, as from a shell.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if OF_A_PACKAGE.iter().any(|beginning| text.starts_with(beginning)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Builds a program as `words` say it to cargo, and says where it is.
pub(crate) fn build(root: &Path, words: &[&str], name: &str) -> Result<PathBuf> {
    eprintln!("$ cargo build {}", words.join(" "));
    let output = cargo()
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
    use super::{cargo, executable};
    use std::path::Path;

    /// Cargo tells a test of its package, too.
    #[test]
    fn cargo_is_not_told_of_this_package() {
        let told = std::env::var("CARGO_PKG_NAME");
        assert_eq!(told.as_deref(), Ok("waypost-tools"));
        let removed: Vec<_> = cargo().get_envs().map(|(name, _)| name.to_owned()).collect();
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(removed.iter().any(|of| of == name), "{name}");
        }
    }

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
