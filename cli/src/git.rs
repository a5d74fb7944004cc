//! Files of an earlier commit, by the program `git`.
//!
//! Nothing in the repository is changed: a temporary index is read from the commit, and its files
//! are written into a temporary folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::error::CliError;

/// The repository that a folder is in.
pub(crate) struct Repository {
    /// The folder at its root.
    pub root: PathBuf,
}

impl Repository {
    /// Finds the repository of a folder.
    pub(crate) fn of(folder: &Path) -> Result<Self, CliError> {
        let root = git(folder, &["rev-parse", "--show-toplevel"])?;
        Ok(Self {
            root: PathBuf::from(root),
        })
    }

    /// Returns the commit at which the checked-out branch left another one.
    pub(crate) fn merge_base(&self, reference: &str) -> Result<String, CliError> {
        self.commit(reference)?;
        git(&self.root, &["merge-base", reference, "HEAD"]).map_err(|_| {
            CliError::failed(format!("{reference} and HEAD have no commit in common")).hint(
                "a shallow clone lacks it: fetch the whole history (fetch-depth: 0 of actions/checkout)",
            )
        })
    }

    /// Returns the commit of a name.
    pub(crate) fn commit(&self, reference: &str) -> Result<String, CliError> {
        if reference.starts_with('-') {
            return Err(CliError::usage(format!("{reference} is no commit")));
        }
        let peeled = format!("{reference}^{{commit}}");
        git(&self.root, &["rev-parse", "--verify", "--quiet", &peeled]).map_err(|_| {
            CliError::failed(format!("git knows no commit {reference}"))
                .hint("fetch it first, or name another one: a branch, a tag, a commit")
        })
    }

    /// Writes a folder or file of a commit into a temporary folder, under its path. Returns `None`
    /// if the commit does not have it.
    pub(crate) fn checkout(&self, commit: &str, path: &Path) -> Result<Option<TempDir>, CliError> {
        let within = path.strip_prefix(&self.root).map_err(|_| {
            CliError::failed(format!(
                "{} is not in the repository {}",
                path.display(),
                self.root.display()
            ))
        })?;
        let within = match within.to_string_lossy() {
            // The whole repository: git takes no empty path.
            root if root.is_empty() => ".".to_owned(),
            within => within.into_owned(),
        };
        let has_it = git(
            &self.root,
            &["ls-tree", "--name-only", commit, "--", &within],
        )?;
        if has_it.is_empty() {
            return Ok(None);
        }
        let folder = tempfile::tempdir().map_err(|error| {
            CliError::failed(format!("cannot create a temporary folder: {error}"))
        })?;
        let index = folder.path().join(".bowline-index");
        let prefix = format!("--prefix={}/", folder.path().display());
        let with_index = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.env("GIT_INDEX_FILE", &index);
            output(&mut command, &self.root, arguments)
        };
        with_index(&["read-tree", commit])?;
        let files = with_index(&["ls-files", "-z", "--", &within])?;
        let mut files: Vec<&str> = files.split('\0').filter(|file| !file.is_empty()).collect();
        // The number of arguments is limited.
        while !files.is_empty() {
            let rest = files.split_off(files.len().min(500));
            with_index(&[&["checkout-index", "-q", &prefix, "--"], files.as_slice()].concat())?;
            files = rest;
        }
        Ok(Some(folder))
    }

    /// Returns the path of a file from the root of the repository, if it is in it.
    pub(crate) fn relative(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.root).ok().map(Path::to_owned)
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, CliError> {
    output(&mut Command::new("git"), folder, arguments)
}

/// Runs git, and returns its output without the last end of line.
fn output(command: &mut Command, folder: &Path, arguments: &[&str]) -> Result<String, CliError> {
    let done = command
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .map_err(|error| {
            CliError::failed(format!("cannot run git: {error}"))
                .hint("install git, or put it on the PATH")
        })?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        let said = said.trim();
        let what = arguments.first().copied().unwrap_or_default();
        return Err(CliError::failed(format!("git {what} failed: {said}")));
    }
    let text = String::from_utf8_lossy(&done.stdout);
    Ok(text.trim_end_matches('\n').to_owned())
}
