//! The command itself: its output, its exit codes, and what it leaves in a folder.

mod catalog;
mod check;
mod citus;
mod corpus;
mod db;
mod doctor;
mod drift;
mod dump;
mod first_minutes;
mod fresh;
mod generate;
mod guide;
mod help;
mod init;
mod interrupt;
mod lint;
mod migrate;
mod names;
mod new;
mod onto;
mod openssl;
mod output;
mod queries;
mod refusals;
mod schema;
mod schema_only;
mod scratch;
mod server;
mod settings;
mod sql;
mod stale;
mod terminal;
mod upgrade;
mod verify;
mod workspace_example;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Returns the PATH, by which the command finds git.
fn path() -> [(&'static str, &'static str); 1] {
    static PATH: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| std::env::var("PATH").expect("a PATH"));
    [("PATH", PATH.as_str())]
}

/// A project in a folder of its own.
struct Project(tempfile::TempDir);

impl Project {
    /// Returns a project with these files, and a `diesel.toml` that names the file of the schema.
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Self::bare(&[(
            "diesel.toml",
            "[print_schema]\nfile = \"src/db/schema.rs\"\n",
        )]);
        files
            .iter()
            .for_each(|(path, text)| project.write(path, text));
        project
    }

    /// Returns a project with these files and no others.
    fn bare(files: &[(&str, &str)]) -> Self {
        let project = Self(tempfile::tempdir().expect("a temporary folder"));
        files
            .iter()
            .for_each(|(path, text)| project.write(path, text));
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).expect("a file")
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    fn has(&self, path: &str) -> bool {
        self.0.path().join(path).exists()
    }

    /// Runs git in the project.
    fn git(&self, arguments: &[&str]) {
        let done = Command::new("git")
            .current_dir(self.path(""))
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(arguments)
            .output()
            .expect("git");
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    /// Runs the command with these variables and no others.
    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        bowline(self.0.path(), arguments, variables)
    }

    /// Returns the output of the command, and its exit code.
    fn printed(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.run_with(arguments, variables);
        let folder = self
            .0
            .path()
            .canonicalize()
            .expect("the folder")
            .display()
            .to_string();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let never = bowline_catalog::compare::never_compared();
        let text = text
            .replace(&never, "[the list of what is never compared]")
            .replace(&folder, "[project]")
            .replace(&self.0.path().display().to_string(), "[project]");
        format!(
            "{text}exit {}",
            output.status.code().expect("it was not killed")
        )
    }
}

fn bowline(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
    command
        .current_dir(folder)
        .args(arguments)
        .env_clear()
        .env("PATH", "/nonexistent");
    command
        .envs(variables.iter().copied())
        .output()
        .expect("it runs")
}
