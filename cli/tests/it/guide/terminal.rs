//! A shell that runs the commands of a page, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use crate::scratch::checkout;

/// The variables of this process that the commands get too.
const KEPT: [&str; 7] = [
    "HOME",
    "USER",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "BOWLINE_PG_BIN",
];

/// Keeps the working folder and the variables from one command to the next.
pub(super) struct Terminal {
    home: tempfile::TempDir,
    /// The text of the page.
    page: String,
}

impl Terminal {
    pub(super) fn open(page: &str) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let programs = home.path().join(".programs");
        fs::create_dir(&programs).expect("a folder");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bowline"), programs.join("bowline"))
            .expect("a link");
        let terminal = Self {
            home,
            page: page.to_owned(),
        };
        terminal.remember("folder", &terminal.projects().display().to_string());
        fs::create_dir(terminal.projects()).expect("a folder");
        terminal.remember("variables", "");
        terminal
    }

    /// Returns the folder of the page's projects. The terminal keeps its own files beside it.
    fn projects(&self) -> PathBuf {
        self.home.path().join("projects")
    }

    fn note(&self, name: &str) -> PathBuf {
        self.home.path().join(format!(".{name}"))
    }

    fn remember(&self, name: &str, text: &str) {
        fs::write(self.note(name), text).expect("a note");
    }

    fn recall(&self, name: &str) -> String {
        fs::read_to_string(self.note(name)).expect("a note")
    }

    pub(super) fn folder(&self) -> PathBuf {
        PathBuf::from(self.recall("folder").trim())
    }

    /// Runs a command line. Returns its output on both streams in order, and whether it succeeded.
    pub(super) fn run(&self, command: &str) -> (String, bool) {
        let script = format!(
            ". {notes}/.variables\n{command}\ncode=$?\nexport -p > {notes}/.variables\npwd > {notes}/.folder\nexit $code\n",
            notes = self.home.path().display()
        );
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}/.programs:{path}", self.home.path().display());
        let kept = KEPT
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .current_dir(self.folder())
            .env_clear()
            .envs(kept)
            .env("PATH", path)
            .envs(cargo())
            .output()
            .expect("a shell");
        self.lend_versions();
        let printed = String::from_utf8(output.stdout).expect("text");
        (self.as_shown(&printed), output.status.success())
    }

    /// Copies the workspace's `Cargo.lock` to a package without one, so that cargo needs no
    /// network.
    fn lend_versions(&self) {
        let folder = self.folder();
        if folder.join("Cargo.toml").exists() && !folder.join("Cargo.lock").exists() {
            fs::copy(checkout().join("Cargo.lock"), folder.join("Cargo.lock")).expect("a file");
        }
    }

    /// Replaces what differs from run to run, such as times and folders, by what the guide shows.
    fn as_shown(&self, printed: &str) -> String {
        let projects = self.projects();
        let canonical = projects.canonicalize().expect("the folder");
        let mut printed = printed.replace(&checkout().display().to_string(), "/home/ann/bowline");
        for folder in [canonical.as_path(), &projects] {
            printed = printed.replace(&folder.display().to_string(), "/home/ann");
        }
        for (varies, shown) in [
            (r"\(\d+(\.\d+)? ?(s|ms|µs)\)", "(2ms)"),
            (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", "2026-02-02 14:30:00"),
            (r"PostgreSQL \d+(\.\d+)*", "PostgreSQL 15.18"),
        ] {
            printed = Regex::new(varies)
                .expect("a pattern")
                .replace_all(&printed, shown)
                .into_owned();
        }
        // A new migration gets the version that the page shows for its name.
        let folder = Regex::new(r"\b20\d\d-\d\d-\d\d-\d{6}_(\w+)").expect("a pattern");
        let shown = |found: &regex::Captures<'_>| {
            let mut on_page = folder.captures_iter(&self.page);
            let same = on_page.find(|other| other[1] == found[1]);
            same.map_or_else(
                || format!("2026-11-25-101500_{}", &found[1]),
                |same| same[0].to_owned(),
            )
        };
        folder.replace_all(&printed, shown).into_owned()
    }

    /// Writes a file of the project. A new migration is found by its name, whatever its version.
    pub(super) fn write(&self, file: &str, text: &str) {
        let path = self
            .folder()
            .join(self.migration(file).unwrap_or_else(|| file.to_owned()));
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Returns `migrations/<other version>_name/up.sql`, if there is such a folder.
    fn migration(&self, file: &str) -> Option<String> {
        let (version, rest) = file.strip_prefix("migrations/")?.split_once('_')?;
        let (name, file) = rest.split_once('/')?;
        let mut entries = fs::read_dir(self.folder().join("migrations"))
            .ok()?
            .flatten();
        let found = entries.find(|entry| {
            let folder = entry.file_name().to_string_lossy().into_owned();
            folder
                .split_once('_')
                .is_some_and(|(found, called)| called == name && found != version)
        })?;
        Some(format!(
            "migrations/{}/{file}",
            found.file_name().to_string_lossy()
        ))
    }

    /// Returns a variable that a command exported.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let (printed, _) = self.run(&format!("printf %s \"${name}\""));
        Some(printed).filter(|value| !value.is_empty())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let mut folders: Vec<PathBuf> = vec![self.projects()];
        folders.extend(
            fs::read_dir(self.projects())
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path()),
        );
        folders.iter().for_each(|folder| stop(folder));
    }
}

/// Returns cargo's variables as in `scratch.rs`: the workspace's target folder, and the profile of
/// what it holds.
fn cargo() -> [(&'static str, String); 4] {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the target folder");
    [
        ("CARGO_TARGET_DIR", target.display().to_string()),
        ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only".to_owned()),
        ("CARGO_TERM_COLOR", "never".to_owned()),
        ("CARGO_NET_OFFLINE", "true".to_owned()),
    ]
}

/// Stops the server of a project, if there is one.
fn stop(folder: &Path) {
    if folder.is_dir() {
        Command::new(env!("CARGO_BIN_EXE_bowline"))
            .args(["server", "stop"])
            .current_dir(folder)
            .output()
            .ok();
    }
}
