//! A package outside of the workspace, as a user has it, which is compiled.
//!
//! Its dependencies are compiled into the workspace's target folder, so that they are compiled once
//! only. Its versions are those of the workspace's Cargo.lock, so that it needs no network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) struct Scratch {
    home: tempfile::TempDir,
    folder: PathBuf,
}

/// Returns the folder of the workspace.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}

impl Scratch {
    /// Returns the package that `cargo new NAME` creates.
    pub(crate) fn new(name: &str) -> Self {
        Self::begin(name).0
    }

    /// Returns the package that `cargo new NAME` creates, and its output.
    pub(crate) fn begin(name: &str) -> (Self, String) {
        let home = tempfile::tempdir().expect("a temporary folder");
        let scratch = Self {
            folder: home.path().canonicalize().expect("the folder").join(name),
            home,
        };
        let mut new = cargo();
        new.current_dir(scratch.home.path()).args(["new", name]);
        let printed = scratch.printed(&new.output().expect("cargo runs"));
        let lock = fs::read(checkout().join("Cargo.lock")).expect("the versions");
        fs::write(scratch.path("Cargo.lock"), lock).expect("a file");
        (scratch, printed)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("a file")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Runs cargo; returns its output and exit code.
    pub(crate) fn cargo(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let mut command = cargo();
        command
            .current_dir(&self.folder)
            .args(arguments)
            .args(["--quiet", "--offline"])
            .envs(variables.iter().copied());
        self.printed(&command.output().expect("cargo runs"))
    }

    /// Runs the command; returns both outputs and the exit code.
    pub(crate) fn bowline(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        self.printed(&crate::bowline(&self.folder, arguments, variables))
    }

    fn printed(&self, output: &Output) -> String {
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let text = text
            .replace(&self.folder.display().to_string(), "[project]")
            .replace(&checkout().display().to_string(), "[bowline]");
        let code = output.status.code().expect("it was not killed");
        format!("{text}exit {code}")
    }
}

/// Returns the command `cargo` with the workspace's target folder, and the profile of its content.
fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.envs(cargo_environment());
    command
}

/// Returns the variables by which cargo uses the workspace's target folder, without the network.
pub(crate) fn cargo_environment() -> [(&'static str, String); 4] {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = target.parent().expect("the target folder");
    [
        ("CARGO_TARGET_DIR", target.display().to_string()),
        ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only".to_owned()),
        ("CARGO_TERM_COLOR", "never".to_owned()),
        ("CARGO_NET_OFFLINE", "true".to_owned()),
    ]
}
