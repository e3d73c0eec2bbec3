//! The repository as the checks see it: the texts that matter, by their path from the root.
//!
//! Read once, held in memory, so that a check is a function from texts to findings and its tests need no disk.

use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders that are nobody's source.
const SKIPPED: &[&str] = &["target", ".git", "waypost-data", "vendor", "corpus", "artifacts"];

/// Texts by path; paths use `/` and start at the root.
#[derive(Default)]
pub(crate) struct Repo {
    texts: BTreeMap<String, String>,
}

impl Repo {
    /// Reads Rust sources, manifests, the lock file and the docs under `root`.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut repo = Self::default();
        repo.read_folder(root, root)?;
        Ok(repo)
    }

    /// A made-up repository.
    #[cfg(test)]
    pub(crate) fn of(texts: &[(&str, &str)]) -> Self {
        let own = |&(path, text): &(&str, &str)| (path.to_owned(), text.to_owned());
        Self { texts: texts.iter().map(own).collect() }
    }

    /// The text at `path`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Every Rust source with its path.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending(".rs")
    }

    /// Every package: its folder and manifest, the workspace's own manifest excepted.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending("/Cargo.toml").map(|(path, text)| (path.trim_end_matches("/Cargo.toml"), text))
    }

    fn ending(&self, end: &'static str) -> impl Iterator<Item = (&str, &str)> {
        let all = self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        all.filter(move |(path, _)| path.ends_with(end))
    }

    fn read_folder(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !SKIPPED.contains(&&*name) {
                self.read_folder(root, &path)?;
            } else if path.is_file() && is_read(&name) {
                let text =
                    std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                self.texts.insert(from_root(root, &path), text);
            }
        }
        Ok(())
    }
}

/// The root of the checkout that cargo runs this in; of the one it was built from, where cargo doesn't run it.
pub(crate) fn root() -> PathBuf {
    let tools = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    tools.parent().unwrap_or(&tools).to_owned()
}

fn is_read(name: &str) -> bool {
    matches!(name, "Cargo.toml" | "Cargo.lock") || name.ends_with(".rs") || name.ends_with(".md")
}

fn from_root(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
