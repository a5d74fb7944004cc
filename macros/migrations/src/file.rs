//! A file of SQL, and the error of a file or folder that cannot be read.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::fingerprint::{fingerprint, text_fingerprint};

/// A file of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The text of the file, without a byte order mark.
    pub text: String,
}

impl SqlFile {
    /// Returns the fingerprint of the file: that of its tokens, or of its text if it is JSON.
    pub fn fingerprint(&self) -> u64 {
        if self.is_json() {
            return text_fingerprint(&self.text);
        }
        fingerprint(&self.text)
    }

    /// Returns true for a file that is JSON by the ending of its name.
    pub fn is_json(&self) -> bool {
        self.path.extension().is_some_and(|end| end == "json")
    }

    /// Reads the file; returns `None` if it does not exist.
    pub fn read(path: &Path) -> Result<Option<Self>, FolderError> {
        match fs::read_to_string(path) {
            // A byte order mark is not a part of the text.
            Ok(mut text) => {
                if text.starts_with('\u{feff}') {
                    text.remove(0);
                }
                Ok(Some(Self {
                    path: path.to_owned(),
                    text,
                }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FolderError::new(
                format!("cannot read {}: {error}", path.display()),
                "it has to be a file of UTF-8 text",
            )),
        }
    }
}

/// An error in a folder of migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderError {
    message: String,
    hint: String,
    is_missing: bool,
}

impl FolderError {
    /// Creates an error from a sentence and a hint.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
            is_missing: false,
        }
    }

    /// Returns true if the folder of migrations does not exist.
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// Returns the hint.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FolderError {}

/// Returns the error for a folder that cannot be read.
pub(crate) fn unreadable(folder: &Path, error: &std::io::Error) -> FolderError {
    let folder = folder.display();
    if error.kind() == std::io::ErrorKind::NotFound {
        return FolderError {
            is_missing: true,
            ..FolderError::new(
                format!("the folder {folder} does not exist"),
                "check the folder's name in diesel.toml",
            )
        };
    }
    FolderError::new(
        format!("cannot read {folder}: {error}"),
        "check the folder's name in diesel.toml, and its permissions",
    )
}
