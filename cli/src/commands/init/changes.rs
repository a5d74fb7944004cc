//! The changes of `bowline init`, which are computed before they are written.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::plan::relative;
use crate::ui;

/// Files to write, and notes for the user.
#[derive(Debug)]
pub(super) struct Changes {
    package: PathBuf,
    files: Vec<Change>,
    notes: Vec<String>,
}

#[derive(Debug)]
struct Change {
    path: PathBuf,
    text: String,
    /// The change to a file that exists.
    added: Option<String>,
    /// Whether a file whose lines end as on Windows keeps these ends.
    keep_line_ends: bool,
}

impl Changes {
    pub(super) fn new(package: &Path) -> Self {
        Self {
            package: package.to_owned(),
            files: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a new file.
    pub(super) fn make(&mut self, path: PathBuf, text: String) {
        self.files.push(Change {
            path,
            text,
            added: None,
            keep_line_ends: false,
        });
    }

    /// Changes a file that exists; `added` describes the change.
    pub(super) fn extend(&mut self, path: PathBuf, text: String, added: &str) {
        self.files.push(Change {
            path,
            text,
            added: Some(added.to_owned()),
            keep_line_ends: true,
        });
    }

    /// Replaces a file that exists by exactly this text.
    pub(super) fn replace(&mut self, path: PathBuf, text: String, change: &str) {
        self.files.push(Change {
            path,
            text,
            added: Some(change.to_owned()),
            keep_line_ends: false,
        });
    }

    /// Adds a note on something that the user has to do.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes the files, unless it is a dry run, and shows a line for each.
    pub(super) fn apply(&self, dry_run: bool) -> Result<(), CliError> {
        if !dry_run {
            self.write()?;
        }
        self.show();
        if dry_run && !self.is_empty() {
            ui::status("nothing was written, because of --dry-run");
        }
        Ok(())
    }

    fn write(&self) -> Result<(), CliError> {
        for Change {
            path,
            text,
            keep_line_ends,
            ..
        } in &self.files
        {
            let failed = |error: std::io::Error| {
                CliError::failed(format!("cannot write {}: {error}", path.display()))
                    .hint("fix that and run this again; files that were written stay")
            };
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(failed)?;
            }
            let text = if *keep_line_ends && ends_lines_as_windows(path) {
                Cow::from(text.replace("\r\n", "\n").replace('\n', "\r\n"))
            } else {
                Cow::from(text)
            };
            fs::write(path, &*text).map_err(failed)?;
        }
        Ok(())
    }

    /// Shows a line for each file, and the notes.
    fn show(&self) {
        for Change { path, added, .. } in &self.files {
            let path = relative(path, &self.package);
            match added {
                None => ui::status(format!("wrote   {path}")),
                Some(added) => ui::status(format!("changed {path}: {added}")),
            }
        }
        self.notes.iter().for_each(ui::note);
    }
}

/// Returns true if every line of a file ends as on Windows.
fn ends_lines_as_windows(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.matches('\n').count();
    lines > 0 && lines == text.matches("\r\n").count()
}
