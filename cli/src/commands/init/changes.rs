//! The changes of `bowline init`, which are computed before they are written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::ui;
use bowline_plan::paths::{BYTE_ORDER_MARK, relative};

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
    /// True if a file with CR LF line endings keeps them.
    keeps_line_ends: bool,
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
            keeps_line_ends: false,
        });
    }

    /// Changes a file that exists; `added` describes the change.
    pub(super) fn extend(&mut self, path: PathBuf, text: String, added: &str) {
        self.files.push(Change {
            path,
            text,
            added: Some(added.to_owned()),
            keeps_line_ends: true,
        });
    }

    /// Replaces the text of a file that exists with exactly this text.
    pub(super) fn replace(&mut self, path: PathBuf, text: String, change: &str) {
        self.files.push(Change {
            path,
            text,
            added: Some(change.to_owned()),
            keeps_line_ends: false,
        });
    }

    /// Adds a note on a step that the user has to do.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes the files, unless it is a dry run, and shows a line for each.
    pub(super) fn apply(&self, dry_run: bool) -> Result<(), CliError> {
        self.refuse_files_as_folders()?;
        if !dry_run {
            self.write()?;
        }
        self.show();
        if dry_run && !self.is_empty() {
            ui::status("nothing was written, because of --dry-run");
        }
        Ok(())
    }

    /// Fails if a folder that is needed is a file, before anything is written.
    fn refuse_files_as_folders(&self) -> Result<(), CliError> {
        for change in &self.files {
            let folders = change.path.ancestors().skip(1);
            let mut existing = folders.skip_while(|folder| !folder.exists());
            if let Some(file) = existing.next().filter(|found| !found.is_dir()) {
                return Err(CliError::failed(format!(
                    "{} is a file, but a folder of that name is needed for {}",
                    relative(file, &self.package),
                    relative(&change.path, &self.package)
                ))
                .hint("move the file away, and run this again"));
            }
        }
        Ok(())
    }

    fn write(&self) -> Result<(), CliError> {
        for Change {
            path,
            text,
            keeps_line_ends,
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
            let before = fs::read_to_string(path).unwrap_or_default();
            let mut text = if *keeps_line_ends && ends_lines_as_windows(&before) {
                text.replace("\r\n", "\n").replace('\n', "\r\n")
            } else {
                text.clone()
            };
            if before.starts_with(BYTE_ORDER_MARK) {
                text.insert(0, BYTE_ORDER_MARK);
            }
            fs::write(path, text).map_err(failed)?;
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

/// Returns true if every line of a text ends with CR LF.
fn ends_lines_as_windows(text: &str) -> bool {
    let lines = text.matches('\n').count();
    lines > 0 && lines == text.matches("\r\n").count()
}
