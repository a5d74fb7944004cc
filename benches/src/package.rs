//! Packages below the target folder that are compiled and run.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository.
pub const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A package outside of any workspace, with the same versions of dependencies as this program.
#[derive(Debug)]
pub struct Package {
    pub folder: PathBuf,
    target: PathBuf,
}

impl Package {
    /// Writes a package of this name with these dependencies, in the syntax of Cargo.toml.
    pub fn write(name: &str, dependencies: &str) -> Result<Self, Box<dyn Error>> {
        let home = env::var_os("BENCH_HOME").map_or_else(env::temp_dir, PathBuf::from);
        let (folder, target) = (
            home.join("packages").join(name),
            home.join("packages/target"),
        );
        fs::remove_dir_all(&folder).ok();
        let package = Self { folder, target };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [profile.dev]\ndebug = \"line-tables-only\"\n\n[dependencies]\n{dependencies}"
        );
        package.file("Cargo.toml", &manifest)?;
        package.file("Cargo.lock", include_str!("../Cargo.lock"))?;
        package.file("src/lib.rs", "")?;
        Ok(package)
    }

    /// Writes a file of the package.
    pub fn file(&self, path: &str, text: &str) -> Result<(), Box<dyn Error>> {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        Ok(fs::write(path, text)?)
    }

    /// Returns the command `cargo` in the package.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .args(arguments);
        command
    }
}

/// Runs a command, and fails with its output.
pub fn succeed(command: &mut Command) -> Result<Output, Box<dyn Error>> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(output);
    }
    let (printed, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    Err(format!("{command:?} failed:\n{printed}\n{error}").into())
}
