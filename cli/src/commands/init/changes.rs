//! What is to be written: made out first, then written, then told.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::plan::relative;
use crate::ui;

/// Files to be written, and what a person has to do.
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
    /// What is added to a file that is there.
    added: Option<String>,
}

impl Changes {
    pub(super) fn new(package: &Path) -> Self {
        Self {
            package: package.to_owned(),
            files: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A file that is not there yet.
    pub(super) fn make(&mut self, path: PathBuf, text: String) {
        self.files.push(Change {
            path,
            text,
            added: None,
        });
    }

    /// What a file that is there will say, with what is new in it.
    pub(super) fn extend(&mut self, path: PathBuf, text: String, added: &str) {
        self.files.push(Change {
            path,
            text,
            added: Some(added.to_owned()),
        });
    }

    /// What only a person can do or decide.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn write(&self) -> Result<(), CliError> {
        for Change { path, text, added } in &self.files {
            let failed = |error: std::io::Error| {
                CliError::failed(format!("cannot write {}: {error}", path.display()))
                    .hint("run this again when that is mended: what is done is left as it is")
            };
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(failed)?;
            }
            let text = match added {
                Some(_) if ends_lines_as_windows(path) => {
                    Cow::from(text.replace("\r\n", "\n").replace('\n', "\r\n"))
                }
                _ => Cow::from(text),
            };
            fs::write(path, &*text).map_err(failed)?;
        }
        Ok(())
    }

    /// Says it, a line for each file.
    pub(super) fn tell(&self) {
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

/// Whether every line of a file ends as on Windows, so that what is added to it has to.
fn ends_lines_as_windows(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.matches('\n').count();
    lines > 0 && lines == text.matches("\r\n").count()
}
