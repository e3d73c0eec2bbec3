//! A directory with a store, and the binary run in it.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A directory with a store in it.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        Ran::of(&self.command(arguments, input).output().unwrap())
    }

    /// The same where nobody reads what it prints.
    pub(crate) fn run_unread(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.start_unread(arguments).wait_with_output().unwrap())
    }

    pub(crate) fn start_unread(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments, "");
        command.stdout(std::io::pipe().unwrap().1).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The binary in the directory; its store is `store`, its input `input`.
    fn command(&self, arguments: &[&str], input: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waypost"));
        command.args(arguments).current_dir(self.dir.path()).env_clear();
        command.env("WAYPOST_DATA", "store").env("WAYPOST_MAP_SIZE", "1GiB");
        self.write("input", input);
        command.stdin(Stdio::from(fs::File::open(self.path("input")).unwrap()));
        command
    }

    /// Runs the binary, which must succeed; what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "{arguments:?} {ran:?}");
        ran.out
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["--json"]].concat())).unwrap()
    }
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let status = output.status.code().unwrap();
        Self { status, out: text(&output.stdout), err: text(&output.stderr) }
    }

    pub(crate) fn check(&self, status: i32, out: &str, err: &str) {
        let said = self.out.contains(out) && self.err.contains(err);
        assert!(self.status == status && said, "expected {status} {out:?} {err:?}: {self:?}");
    }
}
