//! A node's name: drawn once a data directory, and kept in it.
//!
//! A copy of the directory must not go under the same name: the store would take two nodes for one.
//! So the file also says when it was made and as which file of its disk. A copy is another file,
//! and whoever starts there is a new node. What copies whole disks is told apart by the heartbeat.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::UNIX_EPOCH,
};

/// The file in the data directory.
const FILE: &str = "node";
/// Most characters of the machine's name that are taken over.
const HOST: usize = 40;
/// Most bytes of the file that are read.
const BYTES: u64 = 4_096;

/// A node's name: the machine's, for people, and random digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// The name kept in `dir`, drawn where there is none or where it was copied from elsewhere.
    pub(crate) fn of(dir: &Path) -> io::Result<Self> {
        match read(&dir.join(FILE))? {
            Some(Kept { name, own: true }) => Ok(Self(name)),
            Some(Kept { name, own: false }) => {
                let new = Self::draw(dir)?;
                tracing::warn!(
                    of = name,
                    node = new.0,
                    "this data directory is a copy: a new node"
                );
                Ok(new)
            }
            None => Self::draw(dir),
        }
    }

    /// Draws a name and keeps it. The file is whole before it has its own name, which changes neither
    /// its number nor its age.
    pub(super) fn draw(dir: &Path) -> io::Result<Self> {
        let mut digits = [0; 4];
        getrandom::fill(&mut digits).map_err(|error| io::Error::other(error.to_string()))?;
        let name = format!("{}-{:08x}", host(), u32::from_be_bytes(digits));
        let fresh = dir.join("node.new");
        let _ = fs::remove_file(&fresh);
        let mut file = File::create_new(&fresh)?;
        let birth = birth(&file)?;
        file.write_all(format!("{name}\n{birth}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, dir.join(FILE))?;
        Ok(Self(name))
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the file says, and whether it is the file that was written.
struct Kept {
    name: String,
    own: bool,
}

fn read(path: &Path) -> io::Result<Option<Kept>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let birth = birth(&file)?;
    let text = io::read_to_string(io::Read::take(file, BYTES))?;
    let Some((name, said)) = text.trim_end().split_once('\n') else { return Ok(None) };
    Ok(Some(Kept { name: name.to_owned(), own: said == birth }))
}

/// What a copy of this file doesn't have: its number on the disk, and when it was made where the
/// file system knows.
fn birth(file: &File) -> io::Result<String> {
    let metadata = file.metadata()?;
    let made = metadata.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{} {}", metadata.ino(), made.map_or(0, |since| since.as_nanos())))
}

/// The machine's name as far as it is plain.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let host: String = name.trim().chars().filter(plain).take(HOST).collect();
    if host.is_empty() { "node".to_owned() } else { host }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_its_name_and_a_copy_gets_another() {
        let dir = std::env::temp_dir().join(format!("waypost-name-{}", std::process::id()));
        let (own, copy, damaged) = (dir.join("own"), dir.join("copy"), dir.join("damaged"));
        for dir in [&own, &copy, &damaged] {
            fs::create_dir_all(dir).unwrap();
        }
        let name = Name::of(&own).unwrap();
        assert_eq!(Name::of(&own).unwrap(), name);
        fs::copy(own.join(FILE), copy.join(FILE)).unwrap();
        let other = Name::of(&copy).unwrap();
        assert_ne!(other, name);
        assert_eq!(Name::of(&copy).unwrap(), other, "it is kept from now on");
        fs::write(damaged.join(FILE), name.as_str()).unwrap();
        assert_ne!(Name::of(&damaged).unwrap(), name);
        fs::remove_dir_all(&dir).unwrap();
    }
}
